import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type ClientRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TicketOffice, type CreateShop, type Ticket } from '@wechat-h5-examples/shop-pages';
import type { Problem } from '@wechat-h5/core';
import { listenIn, type Fields } from './received-message.js';
import { Recording } from './recording.js';
import type { RunningSimulator } from './simulator-process.js';

/** A request that reached the shop's own server. */
export interface ShopRequest {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  /** The peer's address, from the socket. */
  readonly from: string;
  readonly fields: Fields;
}

/** What WeChat Pay answered to a call of the shop, as it arrived on the shop's own socket. */
export interface ShopReply {
  readonly path: string;
  readonly fields: Fields;
}

export interface RunningShop {
  readonly url: string;
  readonly notifyPath: string;
  readonly requests: Recording<ShopRequest>;
  readonly replies: Recording<ShopReply>;
  readonly problems: Recording<Problem>;
  tickets(): readonly Ticket[];
  stop(): Promise<void>;
}

/** One shop, once for each framework. */
export const FRAMEWORKS: Readonly<Record<string, () => Promise<CreateShop>>> = {
  express: async () => (await import('@wechat-h5-examples/express-shop')).createShop,
  koa: async () => (await import('@wechat-h5-examples/koa-shop')).createShop,
  nest: async () => (await import('@wechat-h5-examples/nest-shop')).createShop,
};

const NOTIFY_PATH = '/wechat/notify';
const REPLY_CHANNEL = 'http.client.response.finish';

/** Starts the shop on a free port of 127.0.0.1, with ears on its server's and its client's sockets. */
export async function startShop(createShop: CreateShop, simulator: RunningSimulator): Promise<RunningShop> {
  const requests = new Recording<ShopRequest>();
  const replies = new Recording<ShopReply>();
  const problems = new Recording<Problem>();
  const tickets = new TicketOffice();

  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  // First of the server's listeners, so ahead of the framework.
  server.on('request', (request) => {
    const { method = '', url: target = '/', socket } = request;
    const from = socket.remoteAddress ?? '';
    const [path = ''] = target.split('?');
    listenIn(request, (fields) => requests.add({ method, url: `${url}${target}`, path, from, fields }));
  });
  const hearReply = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    if (`http://${request.getHeader('host')}` !== simulator.url || !request.path.startsWith('/pay/')) return;
    listenIn(response, (fields) => replies.add({ path: request.path, fields }));
  };
  subscribe(REPLY_CHANNEL, hearReply);

  const { appId, mchId, apiKey } = simulator.merchant;
  const shop = await createShop({
    tickets,
    wechatH5: {
      merchant: { appId, mchId, apiKey, h5Domains: ['127.0.0.1'] },
      gateway: simulator.url,
      notifyUrl: `${url}${NOTIFY_PATH}`,
      onProblem: (problem) => problems.add(problem),
    },
  });
  server.on('request', shop);

  return {
    url,
    notifyPath: NOTIFY_PATH,
    requests,
    replies,
    problems,
    tickets: () => tickets.issued,
    async stop() {
      unsubscribe(REPLY_CHANNEL, hearReply);
      for (const recording of [requests, replies, problems]) recording.fail(new Error('the shop was stopped'));
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
