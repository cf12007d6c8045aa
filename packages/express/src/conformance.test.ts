import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  conformanceCases,
  type AdapterHarness,
  type NotifyMount,
  type ParserKind,
  type Scene,
  type Surrounding,
} from '@wechat-h5/testkit/conformance';
import compression from 'compression';
import express5, { type Express, type RequestHandler } from 'express';
import { wechatH5, wechatH5Notify } from './index.js';

// The types are those of Express 5; what is used of them is the same in both.
const express4 = jest.requireActual<typeof express5>('express4');

describe.each([harnessFor('express 5', express5), harnessFor('express 4', express4)])('$name', (harness) => {
  test.each(conformanceCases)('$id $title', ({ run }) => run(harness));
});

function harnessFor(name: string, express: typeof express5): AdapterHarness {
  return {
    name,
    async start(scene) {
      const app = express();
      assemble(app, scene, express);
      const server = createServer(app);
      server.listen(scene.socketPath ?? { port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      return {
        port: scene.socketPath === undefined ? (server.address() as AddressInfo).port : 0,
        async stop() {
          server.closeAllConnections();
          server.close();
          await once(server, 'close');
        },
      };
    },
  };
}

function assemble(app: Express, scene: Scene, express: typeof express5): void {
  for (const surrounding of scene.surroundings ?? []) surround(app, surrounding);
  const { lateError } = scene;
  if (lateError) {
    app.use((_request, response, next) => {
      response.on('finish', () => next(lateError()));
      next();
    });
  }
  if (scene.passing) {
    const pass: RequestHandler = (_request, _response, next) => next();
    app.all(/.*/, pass).use(/.*/, pass);
  }
  if (scene.parser) for (const parser of parsers(express, scene.parser)) app.use(parser);
  if (scene.visitor) app.use(wechatH5(scene.visitor));
  for (const mount of scene.notify ?? []) mountNotify(app, mount, express);
  if (scene.parserBehind) for (const parser of parsers(express, scene.parserBehind)) app.use(parser);
  for (const mount of scene.notify ?? []) routeNotify(app, mount);
  for (const [path, route] of Object.entries(scene.routes ?? {})) {
    app.get(path, (request, response) => {
      (async () => route(request.wechatH5))().then(
        (result) => response.json(result),
        ({ code }: { code: string }) => response.status(500).json({ code }),
      );
    });
  }
  for (const path of scene.uploads ?? []) {
    app.post(path, async (request, response) => {
      let length = 0;
      for await (const chunk of request) length += (chunk as Buffer).length;
      response.send(String(length));
    });
  }
}

function mountNotify(app: Express, { options, at }: NotifyMount, express: typeof express5): void {
  const notify = wechatH5Notify(options);
  if (at === undefined) {
    app.use(notify);
  } else if (at.how === 'mount') {
    app.use(at.path, notify);
  } else if (at.how === 'route') {
    app.all(at.path, notify);
  } else {
    const [, prefix, rest] = /^(\/[^/]+)(\/.*)$/.exec(at.path) ?? [];
    app.use(prefix as string, express.Router().all(rest as string, notify));
  }
}

function routeNotify(app: Express, { options, route }: NotifyMount): void {
  if (route) {
    app.post(new URL(options.notifyUrl).pathname, (request, response, next) => {
      (async () => route(request.wechatH5, (status, text) => response.status(status).send(text)))().catch(next);
    });
  }
}

function surround(app: Express, surrounding: Surrounding): void {
  if (surrounding === 'trusting') app.set('trust proxy', true);
  if (surrounding === 'compression') {
    app.set('etag', 'strong');
    app.use(compression({ threshold: 0 }));
  }
  if (surrounding === 'headers') {
    app.use((_request, response, next) => {
      response.status(202).type('json').set('x-shop', '1').cookie('visitor', '1');
      next();
    });
  }
  if (surrounding === 'rewriting') {
    app.use((_request, response, next) => {
      const send = response.send.bind(response);
      response.send = response.json = (body: unknown) =>
        send.call(response.status(201).type('json'), JSON.stringify({ data: body }));
      next();
    });
  }
}

function parsers(express: typeof express5, kind: ParserKind): RequestHandler[] {
  const { json, urlencoded, text, raw } = express;
  const type = () => true;
  const verify = (request: IncomingMessage, _response: unknown, rawBody: Buffer): void => {
    Object.assign(request, { rawBody });
  };
  const drain: RequestHandler = (request, _response, next) => void request.resume().on('end', () => next());
  return {
    usual: [json(), urlencoded({ extended: true })],
    'all-in-one': [json(), urlencoded({ extended: true }), text(), raw()],
    keeping: [urlencoded({ type, extended: true, verify })],
    json: [json({ type })],
    urlencoded: [urlencoded({ type, extended: true })],
    text: [text({ type })],
    raw: [raw({ type })],
    drained: [drain],
  }[kind];
}
