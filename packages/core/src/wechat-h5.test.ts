import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakeDate } from './fake-date.fixture.js';
import {
  createWechatH5,
  MemoryOrderBook,
  type Payment,
  type Problem,
  type WechatH5,
  type WechatH5Options,
} from './index.js';
import { signedNotification } from './testing.js';

let simulator: Simulator;
let shop: Server;
let wechatH5: WechatH5;
let paid: Payment[];
let problems: Problem[];
let onPaid: WechatH5Options['onPaid'];

beforeEach(async () => {
  simulator = await createSimulator({ timeScale: 0.001 });
  paid = [];
  problems = [];
  onPaid = (payment) => void paid.push(payment);
  shop = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void wechatH5.handleNotification({ method: request.method ?? '', body: Buffer.concat(chunks) }).then((reply) => {
        response.writeHead(reply.status, reply.headers).end(reply.body);
      });
    });
  });
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  wechatH5 = make();
});

afterEach(async () => {
  await simulator.stop();
  shop.closeAllConnections();
  shop.close();
});

function make(options: Partial<WechatH5Options> = {}): WechatH5 {
  return createWechatH5({
    merchant: simulator.merchant,
    gateway: simulator.url,
    notifyUrl: `http://127.0.0.1:${(shop.address() as AddressInfo).port}/notify`,
    onPaid: (payment, context) => onPaid?.(payment, context),
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
}

const ORDER = { outTradeNo: 'ORDER-0001', body: 'Shop - tea', totalFee: 1990, clientIp: '127.0.0.5' };
const post = (body: string): Promise<{ status: number; body: string }> =>
  wechatH5.handleNotification({ method: 'POST', body: Buffer.from(body) });
const notification = (fields: Record<string, string> = {}): string =>
  signedNotification(
    { out_trade_no: ORDER.outTradeNo, total_fee: String(ORDER.totalFee), ...fields },
    simulator.merchant,
  );

test('B19: coupons and settlement change what was paid in cash, not what the order cost', async () => {
  const message = { out_trade_no: ORDER.outTradeNo, total_fee: '1990', transaction_id: '4200000001' };
  await wechatH5.createOrder({ ...ORDER, clientIp: '127.0.0.5' });
  const reduced = { cash_fee: '1490', coupon_fee: '500', coupon_count: '1', coupon_fee_0: '500', coupon_id_0: 'C1' };
  const cheaper = { ...message, ...reduced, total_fee: '1490' };
  expect((await post(signedNotification(cheaper, simulator.merchant))).body).toContain('FAIL');
  expect(problems).toMatchObject([{ type: 'quarantined' }]);
  const second = { ...ORDER, outTradeNo: 'ORDER-0002' };
  await wechatH5.createOrder(second);
  const genuine = { ...message, ...reduced, settlement_total_fee: '1490', out_trade_no: 'ORDER-0002' };
  const other = { ...genuine, transaction_id: '4200000002' };
  expect((await post(signedNotification(other, simulator.merchant))).body).toContain('SUCCESS');
  expect(paid).toMatchObject([
    { totalFee: 1990, cashFee: 1490, couponFee: 500, settlementTotalFee: 1490, coupons: [{ couponFee: 500 }] },
  ]);
});

test('a whole payment: order, pay, notification, handler once, confirmed', async () => {
  const order = await wechatH5.createOrder(ORDER);
  expect(order).toMatchObject({ outTradeNo: 'ORDER-0001', reused: false });
  expect(new URL(order.mwebUrl).origin).toBe(simulator.url);
  expect(simulator.orders.get('ORDER-0001')).toMatchObject({ totalFee: 1990 });
  await simulator.pay('ORDER-0001');
  expect(paid).toMatchObject([{ outTradeNo: 'ORDER-0001', totalFee: 1990, feeType: 'CNY', tradeType: 'MWEB' }]);
  expect(await wechatH5.confirmPayment({ outTradeNo: 'ORDER-0001' })).toMatchObject({
    state: 'paid',
    delivered: true,
    source: 'notification',
  });
  expect(await wechatH5.confirmPayment({ transactionId: paid[0]?.transactionId ?? '' })).toMatchObject({
    state: 'paid',
  });
  expect(problems).toEqual([]);
});

test('B02: a lost notification is found by asking, and delivered', async () => {
  await wechatH5.createOrder(ORDER);
  simulator.faults.loseNotification({ outTradeNo: 'ORDER-0001' });
  await simulator.pay('ORDER-0001');
  expect(paid).toEqual([]);
  expect(await wechatH5.confirmPayment({ outTradeNo: 'ORDER-0001' })).toMatchObject({
    state: 'paid',
    delivered: true,
    source: 'query',
  });
  expect(paid).toHaveLength(1);
});

test('an order nobody paid is unpaid, and asked for at most once in two seconds', async () => {
  await wechatH5.createOrder(ORDER);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => wechatH5.confirmPayment({ outTradeNo: 'ORDER-0001' })),
  );
  expect(new Set(answers.map(({ state }) => state))).toEqual(new Set(['unpaid']));
  expect(
    simulator.events.list().filter(({ type, operation }) => type === 'gateway.request' && operation === 'orderquery'),
  ).toHaveLength(1);
});

test('B14: a double click gets one order and one link', async () => {
  const [first, second] = await Promise.all([wechatH5.createOrder(ORDER), wechatH5.createOrder(ORDER)]);
  expect([first.reused, second.reused]).toEqual([false, true]);
  expect(second.mwebUrl).toBe(first.mwebUrl);
  expect(simulator.events.list().filter(({ type }) => type === 'gateway.request')).toHaveLength(1);
});

test('B17: the same number for another amount is a conflict and nothing is sent', async () => {
  await wechatH5.createOrder(ORDER);
  await expect(wechatH5.createOrder({ ...ORDER, totalFee: 1 })).rejects.toMatchObject({ code: 'ORDER_CONFLICT' });
  expect(simulator.events.list().filter(({ type }) => type === 'gateway.request')).toHaveLength(1);
});

test('another address while unpaid never gets the old link', async () => {
  await wechatH5.createOrder(ORDER);
  await expect(wechatH5.createOrder({ ...ORDER, clientIp: '127.0.0.6' })).rejects.toMatchObject({
    code: 'PAYER_ADDRESS_CHANGED',
  });
});

test('a paid order cannot be ordered again', async () => {
  await wechatH5.createOrder(ORDER);
  await simulator.pay('ORDER-0001');
  await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'ORDER_PAID' });
});

test('N22: a reply lost after the order was created; asking again gives the same order', async () => {
  simulator.faults.nextCall('unifiedorder', { drop: 'apply' });
  await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
  expect(await wechatH5.createOrder(ORDER)).toMatchObject({ reused: false });
  expect(simulator.orders.list()).toHaveLength(1);
});

test('N20: SYSTEMERROR three times leaves the order unknown, and the same call works a moment later', async () => {
  for (let n = 0; n < 3; n++) simulator.faults.nextCall('unifiedorder', { errCode: 'SYSTEMERROR' });
  await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'GATEWAY_REFUSED', errCode: 'SYSTEMERROR' });
  expect(await wechatH5.createOrder(ORDER)).toMatchObject({ reused: false });
});

test('N19: a wrong key is said to be one, and stays unknown', async () => {
  const stranger = make({ merchant: { ...simulator.merchant, apiKey: 'x'.repeat(32) } });
  await expect(stranger.createOrder(ORDER)).rejects.toMatchObject({ code: 'RETURN_CODE_FAIL' });
});

test('redirectUrl becomes part of the link, and is refused off the H5 domains before anything is sent', async () => {
  const h5 = make({ merchant: { ...simulator.merchant, h5Domains: ['shop.example'] } });
  const order = await h5.createOrder({ ...ORDER, redirectUrl: 'https://shop.example/return?order=1' });
  expect(new URL(order.mwebUrl).searchParams.get('redirect_url')).toBe('https://shop.example/return?order=1');
  await expect(
    h5.createOrder({ ...ORDER, outTradeNo: 'ORDER-0002', redirectUrl: 'https://evil.example/' }),
  ).rejects.toMatchObject({ code: 'REDIRECT_URL_INVALID' });
  expect(simulator.orders.list()).toHaveLength(1);
});

test.each(['', undefined, 'unknown', '203.0.113.7, 10.0.0.1', '::1%lo'])('clientIp %j is refused', async (clientIp) => {
  await expect(wechatH5.createOrder({ ...ORDER, clientIp: clientIp as string })).rejects.toMatchObject({
    code: 'ORDER_FIELD_INVALID',
    field: 'spbill_create_ip',
  });
});

describe('notifications', () => {
  const SUCCESS = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
  const FAIL = '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

  beforeEach(async () => {
    await wechatH5.createOrder(ORDER);
  });

  test('exact bytes, status and type', async () => {
    expect(await post(notification())).toEqual({
      status: 200,
      headers: {
        'content-type': 'text/xml; charset=utf-8',
        'content-length': String(SUCCESS.length),
        'cache-control': 'no-store, no-transform',
      },
      body: SUCCESS,
    });
  });

  test('B01: fifty copies at once, one run, fifty times SUCCESS', async () => {
    let runs = 0;
    onPaid = async () => {
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const replies = await Promise.all(Array.from({ length: 50 }, () => post(notification())));
    expect(runs).toBe(1);
    expect(new Set(replies.map(({ body }) => body))).toEqual(new Set([SUCCESS]));
  });

  test('X03: a replay is acknowledged and not delivered again', async () => {
    await post(notification());
    expect((await post(notification())).body).toBe(SUCCESS);
    expect(paid).toHaveLength(1);
  });

  test('a handler that throws: FAIL, a problem, and the next copy runs it again', async () => {
    onPaid = () => {
      throw new Error('database is away');
    };
    expect((await post(notification())).body).toBe(FAIL);
    expect(problems).toMatchObject([
      {
        type: 'handler-failed',
        code: 'HANDLER_FAILED',
        outTradeNo: 'ORDER-0001',
        error: { cause: { message: 'database is away' } },
      },
    ]);
    const attempts: number[] = [];
    onPaid = (_payment, { attempt, idempotencyKey }) => {
      attempts.push(attempt);
      expect(idempotencyKey).toMatch(/^\w+:\d+:paid$/);
    };
    expect((await post(notification())).body).toBe(SUCCESS);
    expect(attempts).toEqual([2]);
  });

  test('a handler slower than the deadline: FAIL in time, one run, SUCCESS on the repeat', async () => {
    let finish: () => void = () => {};
    let runs = 0;
    onPaid = () => {
      runs++;
      return new Promise((resolve) => {
        finish = resolve;
      });
    };
    const late = performance.now() - 3900;
    expect(
      (await wechatH5.handleNotification({ method: 'POST', body: Buffer.from(notification()), receivedAt: late })).body,
    ).toBe(FAIL);
    expect(problems).toMatchObject([{ code: 'HANDLER_TIMEOUT' }]);
    const repeat = post(notification());
    finish();
    expect((await repeat).body).toBe(SUCCESS);
    expect(runs).toBe(1);
  });

  test.each([
    ['X01', 'a forged signature', 'SIGN_INVALID', () => notification().replace('<![CDATA[1990]]>', '<![CDATA[1991]]>')],
    ['X02', 'no signature', 'SIGN_MISSING', () => notification().replace(/<sign>.*<\/sign>/, '')],
    ['X02', 'no return_code', 'FIELD_MISSING', () => signedNotification({ return_code: '' }, simulator.merchant)],
    ['X02', 'neither', 'FIELD_MISSING', () => '<xml><out_trade_no>ORDER-0001</out_trade_no></xml>'],
    [
      'X05',
      'another merchant',
      'MERCHANT_UNKNOWN',
      () => signedNotification({}, { ...simulator.merchant, mchId: '1900000999' }),
    ],
    [
      'X06',
      'another application',
      'MERCHANT_MISMATCH',
      () => signedNotification({}, { ...simulator.merchant, appId: 'wx0000000000000000' }),
    ],
    ['D27', 'an HTML page', 'XML_INVALID', () => '<!DOCTYPE html><html></html>'],
    ['D27', 'JSON', 'XML_INVALID', () => '{"out_trade_no":"ORDER-0001"}'],
    ['D13', 'an amount of another shape', 'FIELD_INVALID', () => notification({ total_fee: '1990.0' })],
    ['D13', 'an amount with a leading zero', 'FIELD_INVALID', () => notification({ total_fee: '01990' })],
    ['re-cut', 'a field hidden in a value', 'FIELD_AMBIGUOUS', () => notification({ attach: 'x&bank_type=CFT' })],
    ['required', 'no transaction_id', 'FIELD_MISSING', () => notification({ transaction_id: '' })],
    ['I10', 'nothing', 'XML_INVALID', () => ''],
  ])('%s: %s is refused as %s, changes nothing and says nothing', async (_id, _title, code, body) => {
    expect(await post(body())).toMatchObject({ status: 200, body: FAIL });
    expect(problems).toMatchObject([{ type: 'refused', code }]);
    expect(paid).toEqual([]);
    expect((await post(notification())).body).toBe(SUCCESS);
  });

  test.each([
    ['B11', 'one fen less', { total_fee: '1989' }, 'total_fee'],
    ['B11', 'another currency', { fee_type: 'USD' }, 'fee_type'],
    ['X04', 'another attach', { attach: 'something' }, 'attach'],
  ])('%s: %s is quarantined', async (_id, _title, fields, field) => {
    expect((await post(notification(fields))).body).toBe(FAIL);
    expect(problems).toMatchObject([{ type: 'quarantined', code: 'ORDER_MISMATCH', field, outTradeNo: 'ORDER-0001' }]);
    expect(paid).toEqual([]);
    expect(await wechatH5.confirmPayment({ outTradeNo: 'ORDER-0001' })).toMatchObject({
      state: 'quarantined',
      delivered: false,
    });
  });

  test('an absent fee_type means CNY', async () => {
    expect((await post(notification({ fee_type: '' }))).body).toBe(SUCCESS);
  });

  test('D20: a malformed time_end refuses no money', async () => {
    expect((await post(notification({ time_end: '20250230999999' }))).body).toBe(SUCCESS);
    expect(paid[0]).not.toHaveProperty('timeEnd');
    expect(paid[0]?.raw['time_end']).toBe('20250230999999');
  });

  test('B04: an unknown order is never acknowledged', async () => {
    expect((await post(notification({ out_trade_no: 'ORDER-9999' }))).body).toBe(FAIL);
    expect(problems).toMatchObject([{ type: 'order-unknown', code: 'ORDER_UNKNOWN', outTradeNo: 'ORDER-9999' }]);
  });

  test('B12: a failed payment is recorded and acknowledged, and delivers nothing', async () => {
    const book = new MemoryOrderBook();
    wechatH5 = make({ orderBook: book });
    await wechatH5.createOrder(ORDER);
    const failure = notification({ result_code: 'FAIL', err_code: 'SYSTEMERROR' });
    for (let time = 0; time < 2; time++) expect((await post(failure)).body).toBe(SUCCESS);
    expect(paid).toEqual([]);
    expect(problems).toMatchObject(Array(2).fill({ type: 'payment-failed', outTradeNo: 'ORDER-0001' }));
    const key = { mchId: simulator.merchant.mchId, outTradeNo: ORDER.outTradeNo };
    const order = await book.get(key);
    expect([order?.state, order?.delivery.state]).toEqual(['PENDING', 'NONE']);
    expect(order?.history.map(({ what, source, detail }) => `${what} ${source} ${detail ?? ''}`)).toEqual([
      'intend payer ',
      'created shop ',
      'payment-failed notification SYSTEMERROR',
    ]);
    const long = notification({ result_code: 'FAIL', err_code: 'E'.repeat(99), err_code_des: '错'.repeat(999) });
    expect((await post(long)).body).toBe(SUCCESS);
    expect((await book.get(key))?.history.at(-1)?.detail).toBe('E'.repeat(32));
    expect(problems.at(-1)?.error).toMatchObject({ errCode: 'E'.repeat(32), errCodeDes: '错'.repeat(128) });
    // A result that is neither, or of no order, is no failure that could be recorded.
    for (const fields of [
      { result_code: 'USERPAYING' },
      { result_code: '' },
      { result_code: 'FAIL', out_trade_no: '' },
    ])
      expect((await post(notification(fields))).body).toBe(FAIL);
    // Of an order that nobody knows there is nothing to record.
    expect((await post(notification({ result_code: 'FAIL', out_trade_no: 'ORDER-9999' }))).body).toBe(SUCCESS);
    expect(await book.get({ ...key, outTradeNo: 'ORDER-9999' })).toBeUndefined();
    book.apply = () => Promise.reject(new Error('away'));
    expect((await post(failure)).body).toBe(FAIL);
  });

  test('the payment and its claim are one write, the completion another', async () => {
    const book = new MemoryOrderBook();
    wechatH5 = make({ orderBook: book });
    await wechatH5.createOrder(ORDER);
    const key = { mchId: simulator.merchant.mchId, outTradeNo: ORDER.outTradeNo };
    const version = async (): Promise<number> => (await book.get(key))?.version ?? 0;
    const before = await version();
    const versions: number[] = [];
    onPaid = async () => void versions.push(await version());
    for (let time = 0; time < 3; time++) expect((await post(notification())).body).toBe(SUCCESS);
    versions.push(await version());
    expect(versions).toEqual([before + 1, before + 2]);
  });

  test('B05: copies that come at once share one run, and all are acknowledged', async () => {
    await wechatH5.createOrder(ORDER);
    const body = notification();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(body)));
    expect(answers.map((answer) => answer.body)).toEqual(Array(20).fill(SUCCESS));
    expect(paid).toHaveLength(1);
  });

  test('S19: two payments wait for one order, which then turns up: a person decides', async () => {
    const table = new Map<string, { totalFee: number }>();
    wechatH5 = make({ findOrder: async ({ outTradeNo }) => table.get(outTradeNo) });
    const [first, second] = ['4200000001', '4200000002'].map((transaction_id) => notification({ transaction_id }));
    expect((await post(first as string)).body).toBe(FAIL);
    problems.length = 0;
    table.set(ORDER.outTradeNo, ORDER);
    expect((await post(second as string)).body).toBe(FAIL);
    expect(problems).toMatchObject([{ type: 'paid-twice', transactionId: '4200000002' }]);
    expect(paid).toEqual([]);
  });

  test('I10: GET has nothing to see', async () => {
    expect(await wechatH5.handleNotification({ method: 'GET', body: new Uint8Array() })).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
      body: FAIL,
    });
  });

  test('X10: the previous key still verifies during a rotation', async () => {
    const rotated = make({
      merchant: { ...simulator.merchant, apiKey: ['n'.repeat(32), simulator.merchant.apiKey] },
      orderBook: new MemoryOrderBook(),
      findOrder: async () => ({ totalFee: 1990 }),
    });
    expect((await rotated.handleNotification({ method: 'POST', body: Buffer.from(notification()) })).body).toBe(
      SUCCESS,
    );
  });
});

test('a listener that fails, at once or later, fails no payment and not the process', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    for (const onProblem of [
      () => {
        throw new Error('at once');
      },
      () => Promise.reject(new Error('later')),
    ]) {
      expect(await make({ onProblem }).handleNotification({ method: 'GET', body: Buffer.alloc(0) })).toMatchObject({
        status: 405,
      });
    }
    expect(warn.mock.calls).toEqual([
      [expect.objectContaining({ message: 'at once' }), { code: 'WECHAT_H5_ON_PROBLEM' }],
      [expect.objectContaining({ message: 'later' }), { code: 'WECHAT_H5_ON_PROBLEM' }],
    ]);
  } finally {
    warn.mockRestore();
  }
});

describe('findOrder', () => {
  test.each([
    [{ totalFee: 1990 }, 'SUCCESS'],
    [{ totalFee: 1990, feeType: 'CNY', attach: '' }, 'SUCCESS'],
    // What a database says for nothing.
    [{ totalFee: 1990, feeType: null, attach: null }, 'SUCCESS'],
    [{ totalFee: 1990, feeType: '' }, 'SUCCESS'],
    [{ totalFee: 1989 }, 'FAIL'],
    [{ totalFee: 1990, feeType: 'USD' }, 'FAIL'],
    [{ totalFee: 1990, attach: 'x' }, 'FAIL'],
    [{ totalFee: 19.9 }, 'FAIL'],
    [undefined, 'FAIL'],
  ])("the shop's own table says %j: %s", async (found, verdict) => {
    const asked: unknown[] = [];
    const own = make({
      findOrder: async (ref) => {
        asked.push(ref);
        return found as { totalFee: number } | undefined;
      },
    });
    expect((await own.handleNotification({ method: 'POST', body: Buffer.from(notification()) })).body).toContain(
      verdict,
    );
    expect(asked).toEqual([{ mchId: simulator.merchant.mchId, outTradeNo: 'ORDER-0001' }]);
    expect(paid).toHaveLength(verdict === 'SUCCESS' ? 1 : 0);
  });

  // Kept as it is, it would contradict the payment for ever.
  test.each([
    ['totalFee', { totalFee: '1990' }, 'totalFee "1990"'],
    ['totalFee', { totalFee: 1990n }, 'totalFee 1990'],
    ['totalFee', {}, 'totalFee undefined'],
    ['feeType', { totalFee: 1990, feeType: 'cny' }, 'feeType "cny"'],
    ['attach', { totalFee: 1990, attach: 17 }, 'attach 17'],
  ])('an answer with an unusable %s is said to be one, and is not kept', async (name, found, said) => {
    const orderBook = new MemoryOrderBook();
    const own = make({ orderBook, findOrder: async () => found as { totalFee: number } });
    expect(await own.handleNotification({ method: 'POST', body: Buffer.from(notification()) })).toMatchObject({
      status: 500,
    });
    expect(problems).toMatchObject([
      {
        code: 'ORDER_BOOK_FAILED',
        field: `findOrder.${name}`,
        message: expect.stringContaining(said),
        hint: expect.stringContaining('totalFee'),
      },
    ]);
    const order = await orderBook.get({ mchId: simulator.merchant.mchId, outTradeNo: 'ORDER-0001' });
    expect(order?.state).toBe('ORPHAN');
  });

  test('a table that is away is no answer', async () => {
    const own = make({
      findOrder: async () => {
        throw new Error('connection refused');
      },
    });
    expect(await own.handleNotification({ method: 'POST', body: Buffer.from(notification()) })).toMatchObject({
      status: 500,
    });
    expect(problems).toMatchObject([
      { code: 'ORDER_BOOK_FAILED', error: { cause: { message: 'connection refused' } } },
    ]);
  });
});

test('B10: paid after the close: a problem, and not delivered, whoever asks and how often', async () => {
  const orderBook = new MemoryOrderBook();
  wechatH5 = make({ orderBook });
  await wechatH5.createOrder(ORDER);
  await orderBook.apply({ mchId: simulator.merchant.mchId, outTradeNo: ORDER.outTradeNo }, { type: 'closed' });
  simulator.faults.loseNotification();
  await simulator.pay('ORDER-0001');
  const answer = { state: 'paid', delivered: false };
  expect(await wechatH5.confirmPayment({ outTradeNo: 'ORDER-0001' })).toMatchObject(answer);
  expect(await make({ orderBook }).confirmPayment({ outTradeNo: 'ORDER-0001' })).toMatchObject(answer);
  expect(await simulator.notifications.send('ORDER-0001')).toMatchObject([{ verdict: 'acknowledged' }]);
  expect(paid).toEqual([]);
  expect(problems).toMatchObject([{ type: 'paid-after-close', code: 'ORDER_CLOSED' }]);
  expect(problems).toHaveLength(1);
});

describe('closeOrder', () => {
  const ref = { outTradeNo: 'ORDER-0001' };
  const closes = (): number =>
    simulator.events.list().filter((event) => event.type === 'gateway.request' && event.operation === 'closeorder')
      .length;
  /** What the shop and its book take for now. Sockets, timers and the simulator have their own clock. */
  const atMinute = (minutes: number): void => void jest.setSystemTime(START + minutes * 60_000);
  const START = new Date('2026-11-23T04:00:00Z').getTime();

  beforeEach(() => {
    fakeDate(START);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('not within five minutes of its creation', async () => {
    await wechatH5.createOrder(ORDER);
    atMinute(4.99);
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({
      code: 'CLOSE_TOO_EARLY',
      message: expect.stringContaining('2026-11-23T04:05:00.000Z'),
    });
    expect(closes()).toBe(0);
    expect(simulator.orders.get('ORDER-0001')?.tradeState).toBe('NOTPAY');
  });

  test('asked, closed, confirmed; then nobody gets a link any more', async () => {
    await wechatH5.createOrder(ORDER);
    atMinute(5);
    await wechatH5.closeOrder(ref);
    expect(simulator.orders.get('ORDER-0001')?.tradeState).toBe('CLOSED');
    await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'ORDER_CLOSED' });
    await wechatH5.closeOrder(ref);
    expect(closes()).toBe(1);
  });

  test('not under a payer who was given a fresh link', async () => {
    await wechatH5.createOrder(ORDER);
    atMinute(4.5);
    expect(await wechatH5.createOrder(ORDER)).toMatchObject({ reused: false });
    atMinute(9);
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({ code: 'CLOSE_TOO_EARLY' });
    atMinute(9.5);
    await wechatH5.closeOrder(ref);
  });

  test('not within five minutes of a try that succeeded late', async () => {
    simulator.faults.nextCall('unifiedorder', { errCode: 'PARAM_ERROR' });
    await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ errCode: 'PARAM_ERROR' });
    atMinute(10);
    await wechatH5.createOrder(ORDER);
    atMinute(14);
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({ code: 'CLOSE_TOO_EARLY' });
    expect(closes()).toBe(0);
  });

  test('one of ours that got lost on the way is closed, should it have come to be, and done with', async () => {
    simulator.faults.nextCall('unifiedorder', { drop: 'ignore' });
    await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    atMinute(5);
    await wechatH5.closeOrder(ref);
    expect(closes()).toBe(1);
    await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'ORDER_CLOSED' });
  });

  test('success that the query does not confirm is none', async () => {
    await wechatH5.createOrder(ORDER);
    atMinute(5);
    simulator.faults.nextCall('orderquery', { fields: {} });
    simulator.faults.nextCall('orderquery', { fields: { trade_state: 'NOTPAY' } });
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({ code: 'ORDER_IN_PROGRESS' });
    await wechatH5.closeOrder(ref);
  });

  test('a payer who is paying right now is not disturbed', async () => {
    await wechatH5.createOrder(ORDER);
    atMinute(5);
    simulator.faults.nextCall('orderquery', { fields: { trade_state: 'USERPAYING' } });
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({ code: 'ORDER_IN_PROGRESS' });
    expect(closes()).toBe(0);
  });

  test('B08: paid meanwhile: it is settled, and not closed', async () => {
    await wechatH5.createOrder(ORDER);
    simulator.faults.loseNotification(ref);
    await simulator.pay('ORDER-0001');
    atMinute(5);
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({ code: 'ORDER_PAID' });
    expect(closes()).toBe(0);
    expect(paid).toHaveLength(1);
  });

  test('B08: paid between the question and the close: it is settled', async () => {
    await wechatH5.createOrder(ORDER);
    simulator.faults.loseNotification(ref);
    await simulator.pay('ORDER-0001');
    atMinute(5);
    simulator.faults.nextCall('orderquery', { fields: { trade_state: 'NOTPAY' } });
    await expect(wechatH5.closeOrder(ref)).rejects.toMatchObject({ code: 'ORDER_PAID' });
    expect(closes()).toBe(1);
    expect(paid).toHaveLength(1);
  });

  test('closed before: told once more, it is closed', async () => {
    await wechatH5.createOrder(ORDER);
    atMinute(5);
    simulator.faults.nextCall('orderquery', { fields: {} });
    simulator.faults.nextCall('closeorder', { errCode: 'ORDERCLOSED' });
    simulator.faults.nextCall('orderquery', { fields: { trade_state: 'CLOSED' } });
    await wechatH5.closeOrder(ref);
    await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'ORDER_CLOSED' });
  });

  test('B09: an unknown number is not closed, whatever closeorder would say', async () => {
    await expect(wechatH5.closeOrder({ outTradeNo: 'ORDER-9999' })).rejects.toMatchObject({ code: 'ORDER_UNKNOWN' });
    expect(closes()).toBe(0);
  });

  test('by transaction_id there is nothing to close', async () => {
    await expect(wechatH5.closeOrder({ transactionId: '4200000001' })).rejects.toMatchObject({
      code: 'ORDER_FIELD_INVALID',
    });
  });
});
