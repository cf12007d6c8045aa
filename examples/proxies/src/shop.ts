import {
  createWechatH5,
  isWechatH5Error,
  MemoryOrderBook,
  type ClientIpOptions,
  type Problem,
  type WechatH5ErrorCode,
} from '@wechat-h5/core';
import { wechatH5, wechatH5Doctor } from '@wechat-h5/express';
import type { Simulator } from '@wechat-h5/simulator';
import express, { type ErrorRequestHandler } from 'express';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { guideSample } from './guide-sample.js';
import type { Endpoint } from '@wechat-h5/testkit/proxies';

/** Opens the doctor's page. */
export const DOCTOR_SECRET = 'only-for-these-tests';

/** What the shop answers to an order. */
export interface ShopAnswer {
  /** What the guide's sample code makes of the same request. */
  readonly guideSample: string;
  /** Of the error that refused the order. */
  readonly error?: { readonly code: WechatH5ErrorCode; readonly message: string; readonly hint: string };
}

export interface ShopOptions {
  readonly simulator: Simulator;
  readonly clientIp: ClientIpOptions;
  /** Where to listen: an IP address, with a free port, or the path of a UNIX socket. */
  readonly listen: string;
  /** The Express setting `trust proxy`, for `clientIp: { trust: 'express' }`. */
  readonly trustProxy?: readonly string[] | undefined;
}

export interface Shop {
  readonly address: Endpoint | string;
  /** What `onProblem` was told. */
  readonly problems: readonly Problem[];
  /** How many connections were opened so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** The application behind the proxies: `POST /orders/NUMBER` places an order for whoever asks. */
export async function startShop({ simulator, clientIp, listen, trustProxy }: ShopOptions): Promise<Shop> {
  const problems: Problem[] = [];
  const app = express();
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  const instance = createWechatH5({
    merchant: simulator.merchant,
    gateway: simulator.url,
    notifyUrl: `${simulator.url}/not-used`,
    orderBook: new MemoryOrderBook(),
    clientIp,
    doctorSecret: DOCTOR_SECRET,
    onProblem: (problem) => problems.push(problem),
  });
  app.use(wechatH5(instance));
  app.use(wechatH5Doctor(instance));
  app.use((request, response, next) => {
    response.locals['guideSample'] = guideSample(plain(request.socket.remoteAddress), request.rawHeaders);
    next();
  });
  app.post('/orders/:outTradeNo', async (request, response) => {
    const { outTradeNo } = request.params;
    await request.wechatH5.createOrder({ outTradeNo, body: 'Shop - tea', totalFee: 1990 });
    response.status(201).json({ guideSample: response.locals['guideSample'] });
  });
  const refuse: ErrorRequestHandler = (error, _request, response, next) => {
    if (!isWechatH5Error(error)) return next(error);
    const { code, message, hint } = error;
    response.status(500).json({ guideSample: response.locals['guideSample'], error: { code, message, hint } });
  };
  app.use(refuse);
  const server = listen.startsWith('/') ? app.listen(listen) : app.listen(0, listen);
  let connections = 0;
  server.on('connection', () => connections++);
  await once(server, 'listening');
  return { address: addressOf(server), problems, connections: () => connections, stop: () => close(server) };
}

function addressOf(server: Server): Endpoint | string {
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? address : { host: plain(address.address), port: address.port };
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

/** A socket for both families shows IPv4 addresses inside IPv6. */
function plain(address: string | undefined): string {
  return address?.replace(/^::ffff:/, '') ?? '';
}
