import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { fakeDate } from './fake-date.fixture.js';
import { createWechatH5, MemoryOrderBook, type WechatH5, type WechatH5Options } from './index.js';
import { partsOf } from './wechat-h5.js';

const ORDER = { outTradeNo: 'ORDER-0001', body: 'Shop - tea', totalFee: 1990, clientIp: '127.0.0.5' };

let simulator: Simulator;
let book: MemoryOrderBook;
let wechatH5: WechatH5;

beforeEach(async () => {
  simulator = await createSimulator({ timeScale: 0.001 });
  wechatH5 = make();
});
afterEach(async () => {
  jest.useRealTimers();
  await partsOf(wechatH5)?.close();
  await simulator.stop();
});

function make(options: Partial<WechatH5Options> = {}): WechatH5 {
  book = new MemoryOrderBook();
  return createWechatH5({
    merchant: simulator.merchant,
    gateway: simulator.url,
    notifyUrl: 'http://127.0.0.1:9/notify',
    orderBook: book,
    onProblem: () => {},
    ...options,
  });
}

type Repeated = 'unifiedorder' | 'orderquery' | 'closeorder' | 'refundquery';
const calls = (operation: Repeated): number =>
  simulator.events.list().filter((event) => event.type === 'gateway.request' && event.operation === operation).length;
const fail = (operation: Repeated, errCode: string, times: number): void => {
  for (let n = 0; n < times; n++) simulator.faults.nextCall(operation, { errCode });
};
const state = async (): Promise<string | undefined> =>
  (await book.get({ mchId: simulator.merchant.mchId, outTradeNo: ORDER.outTradeNo }))?.state;

/** What was begun stays begun. */
const UNDECIDED: Partial<Record<Repeated, string>> = { unifiedorder: 'CREATE_UNKNOWN', closeorder: 'CLOSING' };

describe.each<[Repeated, prepare: () => Promise<unknown>, act: () => Promise<unknown>]>([
  ['unifiedorder', async () => {}, () => wechatH5.createOrder(ORDER)],
  ['orderquery', () => wechatH5.createOrder(ORDER), () => wechatH5.queryOrder({ outTradeNo: ORDER.outTradeNo })],
  [
    'closeorder',
    async () => {
      fakeDate(Date.now());
      await wechatH5.createOrder(ORDER);
      jest.setSystemTime(Date.now() + 6 * 60_000);
    },
    () => wechatH5.closeOrder({ outTradeNo: ORDER.outTradeNo }),
  ],
  [
    'refundquery',
    async () => {
      await wechatH5.createOrder(ORDER);
      simulator.faults.loseNotification();
      await simulator.pay(ORDER.outTradeNo);
      simulator.faults.loseNotification();
      await simulator.refund(ORDER.outTradeNo, { outRefundNo: 'R1' });
    },
    () => wechatH5.queryRefund({ outRefundNo: 'R1' }),
  ],
])('N20: SYSTEMERROR of %s', (operation, prepare, act) => {
  beforeEach(() => prepare());

  test.each([1, 2])('%i times: the same call again, until it is answered', async (times) => {
    fail(operation, 'SYSTEMERROR', times);
    await act();
    expect(calls(operation)).toBe(times + 1);
    expect(simulator.orders.list()).toHaveLength(1);
  });

  test('three times: it is told, and nothing is concluded from it', async () => {
    const before = await state();
    fail(operation, 'SYSTEMERROR', 3);
    await expect(act()).rejects.toMatchObject({
      code: 'GATEWAY_REFUSED',
      errCode: 'SYSTEMERROR',
      hint: expect.stringContaining('same parameters'),
    });
    expect(calls(operation)).toBe(3);
    expect(await state()).toBe(UNDECIDED[operation] ?? before);
    await act();
  });

  test.each(['FREQUENCY_LIMITED', 'PARAM_ERROR', 'NEVER_SEEN'])('%s is not repeated', async (errCode) => {
    fail(operation, errCode, 1);
    await expect(act()).rejects.toMatchObject({ code: 'GATEWAY_REFUSED', errCode });
    expect(calls(operation)).toBe(1);
  });
});

test('N20: all tries share the deadline of one call', async () => {
  await partsOf(wechatH5)?.close();
  // The pauses are 100 and 400 ms: the second one would end after the call.
  wechatH5 = make({ http: { timeoutMs: 450 } });
  fail('unifiedorder', 'SYSTEMERROR', 3);
  await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ errCode: 'SYSTEMERROR' });
  expect(calls('unifiedorder')).toBeLessThan(3);
});

test('N22: a reply lost after the order was created: whoever asks again gets that order, never a second one', async () => {
  simulator.faults.nextCall('unifiedorder', { drop: 'apply' });
  await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
  expect(await state()).toBe('CREATE_UNKNOWN');
  await expect(wechatH5.createOrder({ ...ORDER, totalFee: 1 })).rejects.toMatchObject({ code: 'ORDER_CONFLICT' });
  const { prepayId } = await wechatH5.createOrder(ORDER);
  expect(simulator.orders.list()).toMatchObject([{ outTradeNo: ORDER.outTradeNo, totalFee: 1990 }]);
  expect(prepayId).toMatch(/./);
});

describe('what a refusal says of the order', () => {
  test.each([
    ['PARAM_ERROR', '', 'GATEWAY_REFUSED', 'CREATE_FAILED'],
    ['NOAUTH', '', 'GATEWAY_REFUSED', 'CREATE_FAILED'],
    ['SIGNERROR', '', 'GATEWAY_REFUSED', 'CREATE_FAILED'],
    ['NOTENOUGH', '', 'GATEWAY_REFUSED', 'CREATE_UNKNOWN'],
    ['TRADE_ERROR', '', 'GATEWAY_REFUSED', 'CREATE_UNKNOWN'],
    ['NEVER_SEEN', '', 'GATEWAY_REFUSED', 'CREATE_UNKNOWN'],
    ['OUT_TRADE_NO_USED', '', 'ORDER_CONFLICT', 'CREATE_UNKNOWN'],
    ['INVALID_REQUEST', '201 商户订单号重复', 'ORDER_CONFLICT', 'CREATE_UNKNOWN'],
    ['INVALID_REQUEST', '其他', 'GATEWAY_REFUSED', 'CREATE_UNKNOWN'],
    ['ORDERPAID', '', 'ORDER_PAID', 'CREATING'],
    ['ORDERCLOSED', '', 'ORDER_CLOSED', 'CLOSED'],
  ])('%s %s: %s, and it is %s', async (errCode, errCodeDes, code, expected) => {
    simulator.faults.nextCall('unifiedorder', { errCode, errCodeDes });
    await expect(wechatH5.createOrder(ORDER)).rejects.toMatchObject({ code });
    expect(await state()).toBe(expected);
  });
});
