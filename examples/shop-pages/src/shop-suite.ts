import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Problem } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import request from 'supertest';
import { pageHeaders } from './page.js';
import { PRODUCT } from './product.js';
import { productPage } from './product-page.js';
import type { CreateShop, ShopOptions } from './shop-options.js';
import { TicketOffice } from './tickets.js';

/** Stands for the headers of the shop's own page, whose port is known only later. */
const OWN: Record<string, string> = {};

/**
 * What each of the shops has to do, told to Jest: the three differ in their framework, and in nothing that a payer,
 * WeChat Pay or an attacker could notice. Real sockets on both sides, against the simulator.
 */
export function testShop(createShop: CreateShop): void {
  let simulator: Simulator;
  let server: Server;
  let shop: string;
  let tickets: TicketOffice;
  let problems: Problem[];

  beforeEach(async () => {
    simulator = await createSimulator();
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    tickets = new TicketOffice();
    problems = [];
    server.on('request', await createShop(options()));
  });

  function options(): ShopOptions {
    const { appId, mchId, apiKey } = simulator.merchant;
    return {
      tickets,
      wechatH5: {
        merchant: { appId, mchId, apiKey, h5Domains: ['127.0.0.1'] },
        gateway: simulator.url,
        notifyUrl: `${shop}/wechat/notify`,
        onProblem: (problem) => problems.push(problem),
      },
    };
  }

  afterEach(async () => {
    await simulator.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function openShop(): Promise<string> {
    const { text } = await request(shop).get('/').expect(200);
    return /name="order" value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  /** A form of the shop's own pages, as a browser sends it. */
  function submit(path: string, fields: Record<string, string> = {}, headers: Record<string, string> = OWN) {
    return request(shop)
      .post(path)
      .type('form')
      .set({ ...(headers === OWN && { origin: shop, referer: `${shop}/` }), ...headers })
      .send(fields);
  }

  /** Presses the Pay button; where the payer then comes back to. */
  async function pay(order: string): Promise<string> {
    const paying = await submit('/pay', { order }).expect(303);
    const { pathname, search } = new URL(
      new URL(paying.headers['location'] ?? '').searchParams.get('redirect_url') ?? '',
    );
    return pathname + search;
  }

  test('from the product to the ticket', async () => {
    const order = await openShop();
    const paying = await submit('/pay', { order }).expect(303);
    const link = new URL(paying.headers['location'] ?? '');
    expect(link.origin).toBe(simulator.url);
    const back = new URL(link.searchParams.get('redirect_url') ?? '');
    expect(`${back.origin}${back.pathname}`).toBe(`${shop}/pay-return`);
    // The browser follows with the Referer that this policy leaves it.
    expect(paying.headers['referrer-policy']).toBe('strict-origin-when-cross-origin');
    expect(simulator.orders.get(order)).toMatchObject({ totalFee: PRODUCT.price, spbillCreateIp: '127.0.0.1' });

    await request(link.href)
      .get('')
      .set('referer', `${shop}/`)
      .expect(200, /1990|19\.90/);
    const { order: paid } = await simulator.pay(order);
    expect(tickets.issued).toHaveLength(1);

    await request(shop)
      .get(back.pathname + back.search)
      .expect(200, /已完成支付，查询结果/);
    const result = await submit(back.pathname + back.search).expect(200);
    expect(result.text).toContain('data-state="paid"');
    expect(result.text).toContain(tickets.find(order)?.code);
    expect(result.text).toContain(paid.payment?.transactionId);
    expect(problems).toEqual([]);
  });

  test('the product is the shared page, under the shared headers, and admits the cashier', async () => {
    const order = await openShop();
    const answer = await request(shop).get('/').expect(200);
    const { order: number = order } = /name="order" value="(?<order>[^"]+)"/.exec(answer.text)?.groups ?? {};
    expect(answer.text.replaceAll(number, order)).toBe(productPage(PRODUCT, order));
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const [name, value] of Object.entries(pageHeaders(simulator.url))) {
      expect(answer.headers[name.toLowerCase()]).toBe(value);
    }
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    await request(shop).get('/elsewhere').expect(404);
  });

  test('the return page asks nobody; the button asks WeChat Pay when no notification came', async () => {
    const order = await openShop();
    const back = await pay(order);
    simulator.faults.loseNotification();
    await simulator.pay(order);
    await request(shop).get(back).expect(200);
    const queries = (): number => simulator.events.list().filter((event) => event.operation === 'orderquery').length;
    expect(queries()).toBe(0);
    expect(tickets.issued).toHaveLength(0);
    await submit(back).expect(200, /data-state="paid"/);
    expect(queries()).toBeGreaterThan(0);
    expect(tickets.issued).toHaveLength(1);
  });

  test('an unpaid order is said to be unpaid, and can be paid again', async () => {
    const order = await openShop();
    const back = await pay(order);
    await submit(back).expect(200, /data-state="unpaid"/);
    await submit('/pay', { order }).expect(303);
  });

  test('X20: a price in the form changes nothing', async () => {
    const order = await openShop();
    await submit('/pay', { order, price: '1', totalFee: '1', total_fee: '1' }).expect(303);
    expect(simulator.orders.get(order)?.totalFee).toBe(PRODUCT.price);
  });

  test('pressing Pay twice makes one order and one link', async () => {
    const order = await openShop();
    const answers = await Promise.all([submit('/pay', { order }), submit('/pay', { order })]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(new Set(answers.map(({ headers }) => headers['location'])).size).toBe(1);
    expect(simulator.orders.get(order)?.links).toHaveLength(1);
  });

  test('every visit to the product has a number of its own', async () => {
    expect(await openShop()).not.toBe(await openShop());
  });

  test.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['no page', {}],
  ])('X18: a form of %s orders nothing and asks nothing', async (_name, headers) => {
    const order = await openShop();
    await submit('/pay', { order }, headers).expect(403, /ORIGIN_REFUSED/);
    expect(simulator.events.list()).toEqual([]);
    const back = await pay(order);
    await submit(back, {}, headers).expect(403, /ORIGIN_REFUSED/);
    expect(simulator.events.list().filter((event) => event.operation === 'orderquery')).toEqual([]);
  });

  test('X18: GET never orders', async () => {
    await request(shop).get('/pay').set('sec-purpose', 'prefetch').expect(405);
    expect(simulator.events.list()).toEqual([]);
  });

  test.each([
    ['no order', {}],
    ['a number this shop never made', { order: '1' }],
    ['a form that is too large', { order: 'A'.repeat(22), more: 'x'.repeat(20_000) }],
  ])('%s is refused before anybody is asked', async (_name, fields: Record<string, string>) => {
    await submit('/pay', fields).expect(400, /FORM_INVALID/);
    expect(simulator.events.list()).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('a wrong configuration is refused before anybody visits', async () => {
    const { wechatH5, ...others } = options();
    const start = async (): Promise<unknown> =>
      createShop({ ...others, wechatH5: { ...wechatH5, notifyUrl: '/paid' } });
    await expect(start()).rejects.toMatchObject({ code: 'OPTIONS_INVALID', field: 'notifyUrl' });
  });

  test('what is no form is refused', async () => {
    const order = await openShop();
    await request(shop)
      .post('/pay')
      .set({ origin: shop })
      .send({ order })
      .expect(400, /FORM_INVALID/);
    expect(simulator.events.list()).toEqual([]);
  });

  test('a header that no trusted proxy wrote changes no address', async () => {
    const order = await openShop();
    await submit('/pay', { order }, { origin: shop, referer: `${shop}/`, 'x-forwarded-for': '8.8.8.8' }).expect(303);
    expect(simulator.orders.get(order)?.spbillCreateIp).toBe('127.0.0.1');
  });

  test('X19: a guessed number learns nothing', async () => {
    const order = await openShop();
    await pay(order);
    for (const guess of [order, `${order}.AAAAAAAAAAAAAAAAAAAAAA`, '1', '']) {
      await request(shop)
        .get('/pay-return')
        .query({ order: guess })
        .expect(404, /HANDLE_INVALID/);
      await submit(`/pay-return?order=${guess}`).expect(404, /HANDLE_INVALID/);
    }
    expect(simulator.events.list().filter((event) => event.operation === 'orderquery')).toEqual([]);
  });

  test('an order that is paid cannot be paid again, and can be checked from there', async () => {
    const order = await openShop();
    await submit('/pay', { order }).expect(303);
    await simulator.pay(order);
    const { text } = await submit('/pay', { order }).expect(409, /ORDER_PAID/);
    const [, check = ''] = /<form method="post" action="([^"]+)"/.exec(text) ?? [];
    await submit(check.slice(shop.length)).expect(200, /data-state="paid"/);
  });

  test('when WeChat Pay refuses, the payer reads what to do and the shop is told', async () => {
    const order = await openShop();
    simulator.faults.nextCall('unifiedorder', { errCode: 'NOAUTH' });
    const { text } = await submit('/pay', { order }).expect(503);
    expect(text).toContain('GATEWAY_REFUSED');
    expect(text).not.toContain('NOAUTH');
    expect(problems).toMatchObject([{ type: 'checkout-failed', code: 'GATEWAY_REFUSED', outTradeNo: order }]);
  });

  test('when the shop itself fails, the payer reads nothing of it and the shop is told', async () => {
    const order = await openShop();
    const back = await pay(order);
    await simulator.pay(order);
    const fault = new Error('the cellar is flooded');
    jest.spyOn(tickets, 'receipt').mockImplementation(() => {
      throw fault;
    });
    const { text } = await submit(back).expect(500);
    expect(text).not.toContain('cellar');
    expect(problems).toMatchObject([{ type: 'checkout-failed', code: 'HANDLER_FAILED', error: { cause: fault } }]);
  });

  test('X01: a forged notification issues no ticket and is reported', async () => {
    const order = await openShop();
    const back = await pay(order);
    const attempt = await simulator.faults.forgeNotification(order);
    expect(attempt.verdict).toBe('refused');
    expect(tickets.issued).toEqual([]);
    expect(problems).toMatchObject([{ type: 'refused', code: 'SIGN_INVALID' }]);
    await submit(back).expect(200, /data-state="unpaid"/);
  });

  test('a payment notified many times is one ticket', async () => {
    const order = await openShop();
    await submit('/pay', { order }).expect(303);
    simulator.faults.duplicateNotification(5);
    const { attempts } = await simulator.pay(order);
    expect(attempts.map(({ verdict }) => verdict)).toEqual(Array(5).fill('acknowledged'));
    await simulator.notifications.send(order, { copies: 5 });
    expect(tickets.issued).toHaveLength(1);
  });
}
