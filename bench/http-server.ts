import 'reflect-metadata';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWechatH5, type WechatH5 } from '@wechat-h5/core';
import { captureRequest, isPending, receiveNotification, sendReply } from '@wechat-h5/core/adapter';
import { wechatH5Notify as expressNotify } from '@wechat-h5/express';
import { wechatH5Notify as koaNotify } from '@wechat-h5/koa';
import { WechatH5Module } from '@wechat-h5/nestjs';
import { Controller, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import Koa from 'koa';
import { MERCHANT } from './http-notification.js';

/**
 * One server, in a process of its own: `http`, `express`, `koa` or `nest`, and `bare` (reads the body and replies with
 * the bytes and headers of an acknowledgement) or `notify` (verifies, settles, acknowledges). Answers every message of its parent with
 * the CPU time it has used, in microseconds.
 */
const [framework, kind] = process.argv.slice(2);

const BODY = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
const HEADERS = {
  'content-type': 'text/xml; charset=utf-8',
  'content-length': String(BODY.length),
  'cache-control': 'no-store, no-transform',
};

function readAndReply(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (Buffer.concat(chunks).length === 0) throw new Error('There was no body');
    response.writeHead(200, HEADERS);
    response.end(BODY);
  });
}

const options = {
  merchant: MERCHANT,
  notifyUrl: 'https://pay.example.com/notify',
  findOrder: async () => ({ totalFee: 100 }),
  onPaid: () => {},
};

function plain(wechatH5: WechatH5 | undefined): RequestListener {
  if (wechatH5 === undefined) return readAndReply;
  return (request, response) => {
    void receiveNotification(wechatH5, request, captureRequest(request)).then((answer) => {
      if (!isPending(answer)) sendReply(response, answer);
    });
  };
}

function onExpress(wechatH5: WechatH5 | undefined): RequestListener {
  const app = express();
  app.use(wechatH5 === undefined ? readAndReply : expressNotify(wechatH5));
  return app;
}

function onKoa(wechatH5: WechatH5 | undefined): RequestListener {
  const app = new Koa();
  if (wechatH5 !== undefined) app.use(koaNotify(wechatH5));
  else {
    app.use((ctx) => {
      ctx.respond = false;
      readAndReply(ctx.req, ctx.res);
    });
  }
  return app.callback() as RequestListener;
}

async function onNest(notify: boolean): Promise<RequestListener> {
  class BareController {
    answer(request: IncomingMessage, response: ServerResponse): void {
      readAndReply(request, response);
    }
  }
  // Decorators by hand: whatever runs this file need not know them.
  Controller()(BareController);
  const descriptor = Object.getOwnPropertyDescriptor(BareController.prototype, 'answer')!;
  Post('notify')(BareController.prototype, 'answer', descriptor);
  HttpCode(200)(BareController.prototype, 'answer', descriptor);
  Req()(BareController.prototype, 'answer', 0);
  Res()(BareController.prototype, 'answer', 1);
  class App {}
  Module(notify ? { imports: [WechatH5Module.forRoot(options)] } : { controllers: [BareController] })(App);
  const app = await NestFactory.create<NestExpressApplication>(App, { logger: false, bodyParser: false });
  await app.init();
  return app.getHttpAdapter().getInstance() as RequestListener;
}

const wechatH5 = kind === 'notify' ? createWechatH5(options) : undefined;
const listeners = { http: plain, express: onExpress, koa: onKoa, nest: () => onNest(kind === 'notify') };
const listener = await listeners[framework as keyof typeof listeners](wechatH5);

const server = createServer(listener);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: user + system });
});
process.on('disconnect', () => process.exit());
