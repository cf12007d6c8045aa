import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import type { NewOrder } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import express from 'express';
import request from 'supertest';
import { wechatH5, wechatH5Pay, wechatH5Return } from './index.js';

const express4 = jest.requireActual<typeof express>('express4');

const TEA = { body: 'Tea house - green tea', totalFee: 1990 };
const SHOP = 'http://127.0.0.1';

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_name, framework) => {
  let simulator: Simulator;

  beforeEach(async () => {
    simulator = await createSimulator();
  });
  afterEach(() => simulator.stop());

  function options(order?: (form: Readonly<Record<string, string>>) => NewOrder | undefined) {
    const { appId, mchId, apiKey } = simulator.merchant;
    return {
      merchant: { appId, mchId, apiKey, h5Domains: ['127.0.0.1'] },
      gateway: simulator.url,
      notifyUrl: `${SHOP}/notify`,
      onPaid: () => {},
      onProblem: () => {},
      checkout: order ? { order } : {},
    };
  }
  const tea = ({ order = '' }: Readonly<Record<string, string>>) =>
    order === '' ? undefined : { outTradeNo: order, ...TEA };

  function press(app: express.Express, path: string, fields: Record<string, string> = { order: 'TEA-000001' }) {
    return request(app)
      .post(path)
      .type('form')
      .set({ origin: SHOP, referer: `${SHOP}/` })
      .send(fields);
  }

  test.each([
    [
      'before the body parser',
      (app: express.Express, pay: express.RequestHandler) => app.use(pay).use(framework.urlencoded({ extended: true })),
    ],
    [
      'behind it',
      (app: express.Express, pay: express.RequestHandler) => app.use(framework.urlencoded({ extended: true })).use(pay),
    ],
    ['in a route', (app: express.Express, pay: express.RequestHandler) => app.post('/pay', pay)],
    ['under a mount path', (app: express.Express, pay: express.RequestHandler) => app.use('/pay', pay)],
  ])('the way there and back, mounted %s', async (_where, mount) => {
    const payments = options(tea);
    const app = framework();
    mount(app, wechatH5Pay(payments));
    app.use(wechatH5Return(payments));
    const paying = await press(app, '/pay').expect(303);
    const link = new URL(paying.headers['location'] ?? '');
    expect(link.origin).toBe(simulator.url);
    expect(paying.headers['referrer-policy']).toBe('strict-origin-when-cross-origin');
    expect(simulator.orders.get('TEA-000001')).toMatchObject({ totalFee: 1990, spbillCreateIp: '127.0.0.1' });

    const back = new URL(link.searchParams.get('redirect_url') ?? '');
    const page = await request(app)
      .get(back.pathname + back.search)
      .expect(200);
    expect(page.text).toContain('data-state="returned"');
    const checked = await press(app, back.pathname + back.search).expect(200);
    expect(checked.text).toContain('data-state="unpaid"');
  });

  test('elsewhere it is not there', async () => {
    const payments = options(tea);
    const app = framework().use(wechatH5Pay(payments)).use(wechatH5Return(payments));
    await press(app, '/elsewhere').expect(404);
    await request(app).get('/pay').expect(405);
    expect(simulator.events.list()).toEqual([]);
  });

  test('the instance of wechatH5() is used; without checkout.order there is no such middleware', async () => {
    const app = framework()
      .use(wechatH5(options(tea)))
      .use(wechatH5Pay());
    await press(app, '/pay').expect(303);
    expect(() => wechatH5Pay(options())).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', field: 'checkout.order' }),
    );
    const { checkout: _, ...none } = options();
    expect(() => wechatH5Return(none)).toThrow(expect.objectContaining({ field: 'checkout' }));
  });

  test('a route of one’s own answers with pay(order)', async () => {
    const app = framework().use(wechatH5(options()));
    app.post('/buy/:id', async (req, res) => {
      const { status, headers, body } = await req.wechatH5.pay({ outTradeNo: req.params.id, ...TEA });
      res.status(status).set(headers).send(body);
    });
    const paying = await press(app, '/buy/TEA-000007').expect(303);
    expect(new URL(paying.headers['location'] ?? '').searchParams.get('redirect_url')).toContain(
      '/pay-return?order=TEA-000007.',
    );
    await request(app)
      .post('/buy/TEA-000008')
      .set({ origin: 'https://evil.example' })
      .expect(403, /ORIGIN_REFUSED/);
    expect(simulator.orders.get('TEA-000008')).toBeUndefined();
  });

  test('the visitor’s session stays, other headers of the application do not', async () => {
    const app = framework();
    app.use((_request, response, next) => {
      response.cookie('visitor', '1').set({ 'referrer-policy': 'no-referrer', 'cache-control': 'public' });
      next();
    });
    app.use(wechatH5Pay(options(tea)));
    const { headers } = await press(app, '/pay').expect(303);
    expect(headers['set-cookie']).toEqual(['visitor=1; Path=/']);
    expect(headers).toMatchObject({
      'referrer-policy': 'strict-origin-when-cross-origin',
      'cache-control': 'no-store',
    });
  });

  test.each<[string, Record<string, string>, string]>([
    ['json', { 'content-type': 'application/json' }, '{"order":"TEA-000001"}'],
    ['too large', { 'content-type': 'application/x-www-form-urlencoded' }, `order=TEA-000001&x=${'x'.repeat(20_000)}`],
    ['without what is sold', { 'content-type': 'application/x-www-form-urlencoded' }, 'goods=1'],
  ])('a form that is %s is refused', async (_what, headers, body) => {
    const app = framework().use(wechatH5Pay(options(tea)));
    await request(app)
      .post('/pay')
      .set({ origin: SHOP, referer: `${SHOP}/`, ...headers })
      .send(body)
      .expect(400, /FORM_INVALID/);
    expect(simulator.events.list()).toEqual([]);
  });

  // A proxy that keeps its connections would send the next payer's request down this one, and never hear an answer.
  test('the connection of a form that is not read to its end is closed', async () => {
    const server = framework()
      .use(wechatH5Pay(options(tea)))
      .listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const socket = connect(port, '127.0.0.1').setEncoding('utf8');
      const form = `order=TEA-000001&x=${'x'.repeat(200_000)}`;
      socket.write(
        [
          'POST /pay HTTP/1.1',
          `Host: 127.0.0.1:${port}`,
          `Origin: ${SHOP}`,
          `Referer: ${SHOP}/`,
          'Content-Type: application/x-www-form-urlencoded',
          'Transfer-Encoding: chunked',
          '',
          `${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`,
        ].join('\r\n'),
      );
      let heard = '';
      for await (const text of socket) heard += text;
      expect(heard).toMatch(/^HTTP\/1\.1 400 [^]*\r\nconnection: close\r\n[^]*FORM_INVALID/i);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
