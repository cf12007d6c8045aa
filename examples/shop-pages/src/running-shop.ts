import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Problem, WechatH5Options } from '@wechat-h5/core';
import type { Simulator } from '@wechat-h5/simulator';
import type { ShopOptions } from './shop-options.js';
import { TicketOffice } from './tickets.js';

/** A shop on a free port of 127.0.0.1 whose WeChat Pay is a simulator. */
export interface RunningShop {
  readonly url: string;
  readonly tickets: TicketOffice;
  readonly problems: Problem[];
  stop(): Promise<void>;
}

/** @param more laid over the options that lead the shop to the simulator */
export async function startShop(
  createShop: (options: ShopOptions) => RequestListener | Promise<RequestListener>,
  simulator: Simulator,
  more: Omit<Partial<WechatH5Options>, 'onPaid' | 'checkout'> = {},
): Promise<RunningShop> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tickets = new TicketOffice();
  const problems: Problem[] = [];
  const { appId, mchId, apiKey } = simulator.merchant;
  const wechatH5 = {
    merchant: { appId, mchId, apiKey, h5Domains: ['127.0.0.1'] },
    gateway: simulator.url,
    notifyUrl: `${url}/wechat/notify`,
    onProblem: (problem: Problem) => void problems.push(problem),
    ...more,
  };
  server.on('request', await createShop({ tickets, wechatH5 }));
  return {
    url,
    tickets,
    problems,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
