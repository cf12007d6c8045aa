import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import type { WechatH5Options } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import Koa3 from 'koa';
import bodyParser from 'koa-bodyparser';
import mount from 'koa-mount';
import { wechatH5, wechatH5Pay, wechatH5Return } from './index.js';

const Koa2 = jest.requireActual<typeof Koa3>('koa2');

describe.each([
  ['Koa 3', Koa3],
  ['Koa 2', Koa2],
])('%s', (_name, Koa) => {
  let simulator: Simulator;
  let server: Server;
  let shop: string;

  beforeEach(async () => {
    simulator = await createSimulator();
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await simulator.stop();
  });

  function options(): WechatH5Options {
    const { appId, mchId, apiKey } = simulator.merchant;
    return {
      merchant: { appId, mchId, apiKey, h5Domains: ['127.0.0.1'] },
      gateway: simulator.url,
      notifyUrl: `${shop}/notify`,
      onPaid: () => {},
      onProblem: () => {},
      checkout: {
        order: ({ order }) =>
          order === undefined ? undefined : { outTradeNo: order, body: 'Tea house - green tea', totalFee: 1990 },
      },
    };
  }

  function press(path: string, body = 'order=TEA-000001'): Promise<Response> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      origin: shop,
      referer: `${shop}/`,
    };
    return fetch(new URL(path, shop), { method: 'POST', headers, body, redirect: 'manual' });
  }

  type Payments = WechatH5Options;
  const MOUNTS: readonly (readonly [string, (app: Koa3, payments: Payments) => unknown])[] = [
    ['before the body parser', (app, payments) => app.use(wechatH5Pay(payments)).use(bodyParser())],
    ['behind it', (app, payments) => app.use(bodyParser()).use(wechatH5Pay(payments))],
    ['under koa-mount', (app, payments) => app.use(mount('/pay', wechatH5Pay(payments)))],
    ['in a route', (app, payments) => app.use(new Router().post('/pay', wechatH5Pay(payments)).routes())],
  ];

  test.each(MOUNTS)('the way there and back, mounted %s', async (_where, mountPay) => {
    const payments = options();
    const app = new Koa();
    mountPay(app, payments);
    app.use(wechatH5Return(payments));
    server.on('request', app.callback());
    const paying = await press('/pay');
    expect(paying.status).toBe(303);
    expect(paying.headers.get('referrer-policy')).toBe('strict-origin-when-cross-origin');
    const link = new URL(paying.headers.get('location') ?? '');
    expect(link.origin).toBe(simulator.url);
    const back = link.searchParams.get('redirect_url') ?? '';
    expect(await (await fetch(back)).text()).toContain('data-state="returned"');
    expect(await (await press(back, '')).text()).toContain('data-state="unpaid"');
    expect((await press('/elsewhere')).status).toBe(404);
  });

  test('a route of one’s own answers with pay(order)', async () => {
    const app = new Koa();
    app.use(wechatH5(options()));
    app.use(async (ctx) => {
      const order = { outTradeNo: 'TEA-000007', body: 'Tea house - green tea', totalFee: 1990 };
      const { status, headers, body } = await ctx.wechatH5.pay(order);
      ctx.status = status;
      ctx.set(headers);
      ctx.body = body;
    });
    server.on('request', app.callback());
    const paying = await press('/buy');
    expect(paying.status).toBe(303);
    expect(paying.headers.get('location')).toContain('TEA-000007.');
    expect((await fetch(`${shop}/buy`)).status).toBe(405);
  });

  test('the instance of wechatH5() is used; without checkout there are no such middlewares', async () => {
    server.on('request', new Koa().use(wechatH5(options())).use(wechatH5Pay()).callback());
    expect((await press('/pay')).status).toBe(303);
    const { checkout: _, ...none } = options();
    expect(() => wechatH5Pay(none)).toThrow(expect.objectContaining({ field: 'checkout.order' }));
    expect(() => wechatH5Return(none)).toThrow(expect.objectContaining({ field: 'checkout' }));
  });
});
