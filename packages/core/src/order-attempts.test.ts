import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { createWechatH5, MemoryOrderBook, type Problem, type WechatH5, type WechatH5Options } from './index.js';
import { fakeDate } from './fake-date.fixture.js';
import { signedNotification } from './testing.js';

const WIFI = '127.0.0.5';
const MOBILE = '127.0.0.6';
const START = new Date('2026-01-01T04:00:00Z').getTime();

let simulator: Simulator;
let now: number;
let book: MemoryOrderBook;
let paid: [outTradeNo: string, orderRef: string | undefined][];
let problems: Problem[];

const make = (more: Partial<WechatH5Options> = {}): WechatH5 =>
  createWechatH5({
    merchant: simulator.merchant,
    gateway: simulator.url,
    notifyUrl: 'http://127.0.0.1:1/notify',
    orderBook: book,
    onPaid: ({ outTradeNo }, { orderRef }) => void paid.push([outTradeNo, orderRef]),
    onProblem: (problem) => problems.push(problem),
    ...more,
  });
const order = (clientIp: string, more: { totalFee?: number; orderRef?: string } = {}) => ({
  outTradeNo: 'SHOP-0001',
  orderRef: 'purchase/1',
  body: 'Tea',
  totalFee: 100,
  clientIp,
  ...more,
});
const confirm = (wechatH5: WechatH5, outTradeNo: string) => wechatH5.confirmPayment({ outTradeNo });

const notify = (outTradeNo: string, transactionId: string): Promise<{ body: string }> =>
  make().handleNotification({
    method: 'POST',
    body: Buffer.from(
      signedNotification(
        { out_trade_no: outTradeNo, total_fee: '100', transaction_id: transactionId },
        simulator.merchant,
      ),
    ),
  });

beforeEach(async () => {
  now = START;
  simulator = await createSimulator({ timeScale: 0.001, now: () => new Date(now) });
  simulator.faults.loseNotification();
  simulator.faults.loseNotification();
  book = new MemoryOrderBook({ now: () => new Date(now) });
  paid = [];
  problems = [];
});
afterEach(() => simulator.stop());

test('another address opens the next attempt at once, and the old link is not handed out again', async () => {
  const wechatH5 = make();
  expect(await wechatH5.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001', reused: false });
  expect(await wechatH5.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001', reused: true });
  expect(await wechatH5.createOrder(order(MOBILE))).toMatchObject({ outTradeNo: 'SHOP-0001-2', reused: false });
  expect(await wechatH5.createOrder(order(MOBILE))).toMatchObject({ outTradeNo: 'SHOP-0001-2', reused: true });
  expect(await wechatH5.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001-3', reused: false });
  const { orders } = await book.list({ orderRef: 'purchase/1' });
  expect(orders.map(({ key, superseded, clientIp }) => [key.outTradeNo, superseded, clientIp])).toEqual([
    ['SHOP-0001-3', false, WIFI],
    ['SHOP-0001-2', true, MOBILE],
    ['SHOP-0001', true, WIFI],
  ]);
  // Due as soon as WeChat Pay closes it.
  expect(orders[2]?.pollAt).toEqual(new Date(START + 5 * 60_000));
});

test('two machines at once find the same number', async () => {
  await make().createOrder(order(WIFI));
  const numbers = await Promise.all(
    [make(), make()].map(async (each) => (await each.createOrder(order(MOBILE))).outTradeNo),
  );
  expect(numbers).toEqual(['SHOP-0001-2', 'SHOP-0001-2']);
});

test('an attempt that was closed is followed by the next one', async () => {
  const wechatH5 = make();
  await wechatH5.createOrder(order(WIFI));
  now += 6 * 60_000;
  await wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' });
  expect(await wechatH5.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001-2' });
});

test('an attempt that WeChat Pay has closed by itself is followed by the next one at once', async () => {
  const wechatH5 = make();
  await wechatH5.createOrder(order(WIFI));
  simulator.faults.nextCall('unifiedorder', { errCode: 'ORDERCLOSED' });
  now += 5 * 60_000;
  expect(await wechatH5.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001-2', reused: false });
  expect(await book.get({ mchId: simulator.merchant.mchId, outTradeNo: 'SHOP-0001' })).toMatchObject({
    state: 'CLOSED',
  });
});

describe('near its timeExpire', () => {
  const MINUTE = 60_000;
  const at = (time: number): void => fakeDate((now = time));
  const expiring = (more: { orderRef?: string } = {}) => ({
    outTradeNo: 'SHOP-0001',
    body: 'Tea',
    totalFee: 100,
    clientIp: WIFI,
    timeExpire: new Date(START + 7 * MINUTE),
    ...more,
  });
  let wechatH5: WechatH5;
  beforeEach(() => {
    wechatH5 = make();
    at(START);
  });
  afterEach(() => jest.useRealTimers());

  test('an order is asked for again as before, and no new one is begun', async () => {
    const { mwebUrl } = await wechatH5.createOrder(expiring());
    at(START + 3 * MINUTE);
    expect(await wechatH5.createOrder(expiring())).toMatchObject({ mwebUrl, reused: true });
    at(START + 6 * MINUTE);
    expect(await wechatH5.createOrder(expiring())).toMatchObject({ outTradeNo: 'SHOP-0001', reused: false });
    await expect(wechatH5.createOrder({ ...expiring(), outTradeNo: 'SHOP-0002' })).rejects.toMatchObject({
      code: 'ORDER_FIELD_INVALID',
      field: 'time_expire',
    });
    await simulator.pay('SHOP-0001');
    await confirm(wechatH5, 'SHOP-0001');
    at(START + 8 * MINUTE);
    await expect(wechatH5.createOrder(expiring())).rejects.toMatchObject({ code: 'ORDER_PAID' });
  });

  test('no further attempt is begun', async () => {
    await wechatH5.createOrder(expiring({ orderRef: 'purchase/1' }));
    at(START + 3 * MINUTE);
    expect(await wechatH5.createOrder(expiring({ orderRef: 'purchase/1' }))).toMatchObject({ reused: true });
    at(START + 8 * MINUTE);
    await expect(wechatH5.createOrder(expiring({ orderRef: 'purchase/1' }))).rejects.toMatchObject({
      code: 'ORDER_FIELD_INVALID',
      field: 'time_expire',
    });
    expect((await book.list({ orderRef: 'purchase/1' })).orders).toHaveLength(1);
  });
});

test('paid is paid: no further attempt, whichever of them it was', async () => {
  const wechatH5 = make();
  await wechatH5.createOrder(order(WIFI));
  await wechatH5.createOrder(order(MOBILE));
  await simulator.pay('SHOP-0001');
  expect(await confirm(wechatH5, 'SHOP-0001')).toMatchObject({ state: 'paid', delivered: true });
  await expect(wechatH5.createOrder(order(MOBILE))).rejects.toMatchObject({ code: 'ORDER_PAID' });
  expect(paid).toEqual([['SHOP-0001', 'purchase/1']]);
});

describe('closeOrder', () => {
  const MINUTE = 60_000;
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await book.list({ orderRef: 'purchase/1' })).orders.map(({ key, state }) => [key.outTradeNo, state]),
    );
  const there = (outTradeNo: string): string | undefined => simulator.orders.get(outTradeNo)?.tradeState;
  let wechatH5: WechatH5;
  beforeEach(async () => {
    wechatH5 = make();
    await wechatH5.createOrder(order(WIFI));
    now += MINUTE;
    await wechatH5.createOrder(order(MOBILE));
  });

  test.each(['SHOP-0001', 'SHOP-0001-2'])('of %s closes all attempts', async (outTradeNo) => {
    now += 5 * MINUTE;
    await wechatH5.closeOrder({ outTradeNo });
    expect(await states()).toEqual({ 'SHOP-0001': 'CLOSED', 'SHOP-0001-2': 'CLOSED' });
    expect([there('SHOP-0001'), there('SHOP-0001-2')]).toEqual(['CLOSED', 'CLOSED']);
    await wechatH5.closeOrder({ outTradeNo });
  });

  test('closes what is open when the named attempt is closed already', async () => {
    now += 5 * MINUTE;
    const { mchId } = simulator.merchant;
    await book.apply({ mchId, outTradeNo: 'SHOP-0001' }, { type: 'closed', source: 'reconciler' });
    await wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' });
    expect(there('SHOP-0001-2')).toBe('CLOSED');
  });

  test('closes none while one is too young, and names that one', async () => {
    now += 4 * MINUTE;
    const before = await states();
    await expect(wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' })).rejects.toMatchObject({
      code: 'CLOSE_TOO_EARLY',
      outTradeNo: 'SHOP-0001-2',
      message: expect.stringContaining('SHOP-0001-2'),
    });
    expect(await states()).toEqual(before);
    expect([there('SHOP-0001'), there('SHOP-0001-2')]).toEqual(['NOTPAY', 'NOTPAY']);
  });

  test('delivers the attempt that was paid, and closes the others', async () => {
    await simulator.pay('SHOP-0001-2');
    now += 5 * MINUTE;
    await expect(wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' })).rejects.toMatchObject({
      code: 'ORDER_PAID',
      outTradeNo: 'SHOP-0001-2',
    });
    expect(await states()).toEqual({ 'SHOP-0001': 'CLOSED', 'SHOP-0001-2': 'PAID' });
    expect(paid).toEqual([['SHOP-0001-2', 'purchase/1']]);
  });

  test('says that it is paid, though another attempt is too young', async () => {
    await simulator.pay('SHOP-0001');
    await confirm(wechatH5, 'SHOP-0001');
    await expect(wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' })).rejects.toMatchObject({ code: 'ORDER_PAID' });
  });

  test('closes the others when one cannot be closed', async () => {
    now += 5 * MINUTE;
    const refused = new Set<string>();
    const { apply } = book;
    book.apply = async (key, change) => {
      if (change.type !== 'closed' || refused.has('one')) return apply.call(book, key, change);
      refused.add('one');
      throw new Error('the book is away');
    };
    await expect(wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' })).rejects.toThrow('the book is away');
    expect([there('SHOP-0001'), there('SHOP-0001-2')]).toEqual(['CLOSED', 'CLOSED']);
    expect(Object.values(await states()).sort()).toEqual(['CLOSED', 'CLOSING']);
  });

  test('leaves another number of the same purchase as it is, and one that only looks like an attempt', async () => {
    for (const outTradeNo of ['SHOP-0002', 'SHOP-00012-2', 'SHOP-0001-02'])
      await wechatH5.createOrder({ ...order(MOBILE), outTradeNo });
    now += 5 * MINUTE;
    await wechatH5.closeOrder({ outTradeNo: 'SHOP-0001' });
    expect(await states()).toEqual({
      'SHOP-0001': 'CLOSED',
      'SHOP-0001-2': 'CLOSED',
      'SHOP-0002': 'PENDING',
      'SHOP-00012-2': 'PENDING',
      'SHOP-0001-02': 'PENDING',
    });
    await wechatH5.closeOrder({ outTradeNo: 'SHOP-00012-2' });
    expect(there('SHOP-00012-2')).toBe('CLOSED');
  });
});

describe('another number for a purchase', () => {
  const another = (more: { orderRef?: string } = {}) => ({ ...order(MOBILE, more), outTradeNo: 'SHOP-0002' });

  test('that is paid is refused before anything is stored or sent, and the error names the order that paid', async () => {
    await make().createOrder(order(WIFI));
    await simulator.pay('SHOP-0001');
    await confirm(make(), 'SHOP-0001');
    await expect(make().createOrder(another())).rejects.toMatchObject({
      code: 'ORDER_PAID',
      outTradeNo: 'SHOP-0001',
      message: expect.stringContaining('SHOP-0001'),
    });
    expect(await book.get({ mchId: simulator.merchant.mchId, outTradeNo: 'SHOP-0002' })).toBeUndefined();
    expect(simulator.orders.list().map(({ outTradeNo }) => outTradeNo)).toEqual(['SHOP-0001']);
    expect(await make().createOrder(another({ orderRef: 'purchase/2' }))).toMatchObject({ outTradeNo: 'SHOP-0002' });
  });

  test('that is not paid is placed', async () => {
    await make().createOrder(order(WIFI));
    expect(await make().createOrder(another())).toMatchObject({ outTradeNo: 'SHOP-0002' });
  });

  test('whose late payment was kept from onPaid is refused until the money is back', async () => {
    await make().createOrder(order(WIFI));
    now += 6 * 60_000;
    await make().closeOrder({ outTradeNo: 'SHOP-0001' });
    await notify('SHOP-0001', '4200000001');
    expect(problems.map(({ type }) => type)).toEqual(['paid-after-close']);
    await expect(make().createOrder(another())).rejects.toMatchObject({ code: 'ORDER_PAID' });
    const key = { mchId: simulator.merchant.mchId, outTradeNo: 'SHOP-0001' };
    await book.apply(key, { type: 'refunded', outRefundNo: 'R1', refundFee: 100 });
    expect(await make().createOrder(another())).toMatchObject({ outTradeNo: 'SHOP-0002' });
  });

  test('that is paid between the look and the order is placed, and its payment is withheld', async () => {
    await make().createOrder(order(WIFI));
    const { apply } = book;
    book.apply = async (key, change) => {
      if (change.type === 'intend') {
        book.apply = apply;
        await notify('SHOP-0001', '4200000001');
      }
      return apply.call(book, key, change);
    };
    await make().createOrder(another());
    await notify('SHOP-0002', '4200000002');
    expect(paid).toEqual([['SHOP-0001', 'purchase/1']]);
    expect(problems.map(({ type }) => type)).toEqual(['paid-twice']);
  });
});

test('another price is another purchase', async () => {
  const wechatH5 = make();
  await wechatH5.createOrder(order(WIFI));
  await expect(wechatH5.createOrder(order(WIFI, { totalFee: 101 }))).rejects.toMatchObject({ code: 'ORDER_CONFLICT' });
  await expect(wechatH5.createOrder(order(WIFI, { orderRef: 'other' }))).rejects.toMatchObject({
    code: 'ORDER_CONFLICT',
  });
});

test('B15: paid under two numbers: the second goes to onProblem, and never to onPaid', async () => {
  const wechatH5 = make();
  await wechatH5.createOrder(order(WIFI));
  await wechatH5.createOrder(order(MOBILE));
  for (let n = 0; n < 2; n++) {
    const replies = await Promise.all([notify('SHOP-0001-2', '4200000002'), notify('SHOP-0001', '4200000001')]);
    for (const { body } of replies) expect(body).toContain('SUCCESS');
  }
  expect(paid).toHaveLength(1);
  expect(problems.map(({ type }) => type)).toEqual(['paid-twice']);
  // To the payer it is one purchase, whichever number their page knows.
  for (const number of ['SHOP-0001', 'SHOP-0001-2']) {
    expect(await confirm(make(), number)).toMatchObject({ state: 'paid', delivered: true, outTradeNo: paid[0]?.[0] });
  }
});

test('B15: an order that was found in the shop’s table first belongs to the purchase that it is placed for', async () => {
  const wechatH5 = make({ findOrder: async () => ({ totalFee: 100 }) });
  const key = { mchId: simulator.merchant.mchId, outTradeNo: 'SHOP-0001' };
  const { appId } = simulator.merchant;
  const intent = { appId, totalFee: 100, feeType: 'CNY', attach: undefined, params: {}, clientIp: '' };
  await book.apply(key, { type: 'found', intent });
  await wechatH5.createOrder(order(WIFI));
  await wechatH5.createOrder(order(MOBILE));
  await notify('SHOP-0001', '4200000001');
  await notify('SHOP-0001-2', '4200000002');
  expect(paid).toEqual([['SHOP-0001', 'purchase/1']]);
  expect(problems.map(({ type }) => type)).toEqual(['paid-twice']);
});

test('what the shop configures differently by now does not make it another order', async () => {
  await make().createOrder(order(WIFI));
  const moved = make({
    notifyUrl: 'http://127.0.0.1:2/notify',
    sceneInfo: { type: 'Wap', wapUrl: 'http://127.0.0.1:2', wapName: 'New name' },
  });
  expect(await moved.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001', reused: true });
  now += 5 * 60_000;
  // WeChat Pay takes a repetition only as it was.
  expect(await moved.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001', reused: false });
  now += 5 * 60_000;
  await moved.closeOrder({ outTradeNo: 'SHOP-0001' });
  expect(await moved.createOrder(order(WIFI))).toMatchObject({ outTradeNo: 'SHOP-0001-2' });
});

test('the payer asks by the number of the first attempt, and has paid by the second', async () => {
  const wechatH5 = make();
  await wechatH5.createOrder(order(WIFI));
  await wechatH5.createOrder(order(MOBILE));
  expect(await confirm(wechatH5, 'SHOP-0001')).toMatchObject({ state: 'unpaid', outTradeNo: 'SHOP-0001-2' });
  await simulator.pay('SHOP-0001-2');
  expect(await confirm(make(), 'SHOP-0001')).toMatchObject({ state: 'paid', delivered: true });
  expect(paid).toEqual([['SHOP-0001-2', 'purchase/1']]);
});

test.each([
  [{ orderRef: '' }, 'orderRef'],
  [{ orderRef: 'a b' }, 'orderRef'],
  [{ orderRef: 'x'.repeat(65) }, 'orderRef'],
  [{ outTradeNo: 'N'.repeat(30) }, 'out_trade_no'],
])('%j is refused', async (fields, field) => {
  await expect(make().createOrder({ ...order(WIFI), ...fields })).rejects.toMatchObject({
    code: 'ORDER_FIELD_INVALID',
    field,
  });
});
