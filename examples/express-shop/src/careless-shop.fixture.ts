import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWechatH5 } from '@wechat-h5/core';
import type { Simulator } from '@wechat-h5/simulator';

/** A mistake that home-made shops make, and this library would not let through. */
export interface Carelessness {
  /** What is sent as `spbill_create_ip`. Default 127.0.0.1, from where the browser comes. */
  readonly clientIp?: string;
  /** Headers of the page with the link. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is done to the link. */
  readonly link?: (mwebUrl: string) => string;
}

export interface CarelessShop {
  readonly port: number;
  stop(): Promise<void>;
}

/** A page with a link to WeChat Pay, as shops without this library have it. */
export async function startCarelessShop(simulator: Simulator, mistake: Carelessness = {}): Promise<CarelessShop> {
  const { clientIp = '127.0.0.1', headers = {}, link = (mwebUrl) => mwebUrl } = mistake;
  const { appId, mchId, apiKey } = simulator.merchant;
  const pay = createWechatH5({
    merchant: { appId, mchId, apiKey },
    gateway: simulator.url,
    notifyUrl: 'http://127.0.0.1:9/notify',
    onProblem: () => {},
  });
  const { mwebUrl } = await pay.createOrder({ outTradeNo: 'CARELESS-1', body: 'Tea', totalFee: 1990, clientIp });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers });
    response.end(`<!doctype html><title>Shop</title><a href="${link(mwebUrl).replaceAll('&', '&amp;')}">Pay</a>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
