import { fakeDate } from './fake-date.fixture.js';
import { MemoryOrderBook, type WechatH5 } from './index.js';
import { openReconcilerScene, MINUTE, type ReconcilerScene } from './reconciler.fixture.js';

const DAY = '20260101';

let scene: ReconcilerScene;
let shop: WechatH5;

beforeEach(async () => {
  scene = await openReconcilerScene();
  shop = scene.machine();
  for (const outTradeNo of ['ORDER-0001', 'ORDER-0002', 'ORDER-0003']) {
    await scene.order(shop, outTradeNo);
    await scene.pay(outTradeNo);
    await shop.confirmPayment({ outTradeNo });
  }
  await scene.order(shop, 'UNPAID-0001');
  scene.simulator.faults.loseNotification();
  await shop.refund({ outTradeNo: 'ORDER-0002', outRefundNo: 'R1', totalFee: 100, refundFee: 30 });
  await scene.pass(shop, 10 * MINUTE);
});
afterEach(async () => {
  jest.useRealTimers();
  await scene.stop();
});

/** On the next morning, when the bill is there. */
async function compare(wechatH5 = shop): ReturnType<WechatH5['compareBill']> {
  scene.skip(24 * 60 * MINUTE);
  fakeDate(scene.now());
  return wechatH5.compareBill(DAY);
}

test('both say the same', async () => {
  expect(await compare()).toEqual({ day: DAY, matched: 4, ignored: 0, differences: [] });
});

test('B24: what the bill has and the book has not, and the other way round', async () => {
  await scene.order(shop, 'ORDER-0004');
  await scene.pay('ORDER-0004');
  await scene.order(shop, 'ORDER-0005');
  await scene.notify(shop, { out_trade_no: 'ORDER-0005', time_end: `${DAY}235959`, transaction_id: '4200000005' });
  const { matched, differences } = await compare();
  expect(matched).toBe(4);
  expect(differences.map(({ type, outTradeNo }) => [type, outTradeNo])).toEqual([
    ['missing-here', 'ORDER-0004'],
    ['missing-there', 'ORDER-0005'],
  ]);
});

test('B04: a payment whose order nobody here knows is missing here, though its notification was kept', async () => {
  const elsewhere = scene.machine({ orderBook: new MemoryOrderBook() });
  await scene.order(elsewhere, 'ORDER-0004');
  await scene.pay('ORDER-0004');
  const { payment } = await elsewhere.queryOrder({ outTradeNo: 'ORDER-0004' });
  const { transactionId = '', raw } = payment ?? {};
  const fields = { out_trade_no: 'ORDER-0004', transaction_id: transactionId, time_end: raw?.['time_end'] ?? '' };
  expect(await scene.notify(shop, fields)).toContain('FAIL');
  expect(await scene.get('ORDER-0004')).toMatchObject({ state: 'ORPHAN' });
  const { differences } = await compare();
  expect(differences).toMatchObject([{ type: 'missing-here', outTradeNo: 'ORDER-0004', order: { state: 'ORPHAN' } }]);
});

test('B24: what both have, and not alike', async () => {
  const { get } = scene.book;
  scene.book.get = async (key) => {
    const order = await get.call(scene.book, key);
    if (order === undefined || order.payment === undefined) return order;
    if (key.outTradeNo === 'ORDER-0001') return { ...order, totalFee: 99 };
    if (key.outTradeNo === 'ORDER-0003') return { ...order, payment: { ...order.payment, transactionId: '42' } };
    const refund = order.refunds['R1'];
    return refund === undefined ? order : { ...order, refunds: { R1: { ...refund, refundFee: 31 } } };
  };
  const { differences } = await compare();
  expect(
    differences.map((difference) => [difference.outTradeNo, difference.type === 'differs' && difference.field]),
  ).toEqual(
    expect.arrayContaining([
      ['ORDER-0001', 'total_fee'],
      ['ORDER-0003', 'transaction_id'],
      ['ORDER-0002', 'refund_fee'],
    ]),
  );
  expect(differences).toHaveLength(3);
});

test('a book that has forgotten everything misses everything', async () => {
  const { differences } = await compare(scene.machine({ orderBook: new MemoryOrderBook() }));
  expect(differences.map(({ type }) => type)).toEqual(Array.from({ length: 4 }, () => 'missing-here'));
});

describe('a day of which WeChat Pay has no bill', () => {
  test('is compared as an empty one', async () => {
    scene.skip(48 * 60 * MINUTE);
    fakeDate(scene.now());
    expect(await shop.compareBill('20260102')).toEqual({ day: '20260102', matched: 0, ignored: 0, differences: [] });
  });

  test('misses what the book has as paid on it', async () => {
    await scene.order(shop, 'ORDER-0004');
    await scene.notify(shop, { out_trade_no: 'ORDER-0004', time_end: '20260102090000', transaction_id: '4200000004' });
    scene.skip(48 * 60 * MINUTE);
    fakeDate(scene.now());
    const { matched, differences } = await shop.compareBill('20260102');
    expect(matched).toBe(0);
    expect(differences).toMatchObject([
      { type: 'missing-there', outTradeNo: 'ORDER-0004', order: { totalFee: 100, state: 'PAID' } },
    ]);
  });

  test('before ten o’clock on the next day is not ready yet', async () => {
    scene.skip(new Date('2026-01-03T01:59:59Z').getTime() - scene.now());
    fakeDate(scene.now());
    await expect(shop.compareBill('20260102')).rejects.toMatchObject({ code: 'BILL_NOT_READY' });
  });

  test.each([
    ['89', '2026-03-31T15:59:59Z', undefined],
    ['90', '2026-03-31T16:00:00Z', 'BILL_NOT_FOUND'],
  ])('is compared as an empty one only as long as WeChat Pay surely keeps bills: day %s', async (_day, at, code) => {
    await scene.order(shop, 'ORDER-0004');
    await scene.notify(shop, { out_trade_no: 'ORDER-0004', time_end: '20260102090000', transaction_id: '4200000004' });
    scene.skip(new Date(at).getTime() - scene.now());
    fakeDate(scene.now());
    const said = await shop.compareBill('20260102').catch((error: unknown) => error);
    expect(said).toMatchObject(code === undefined ? { differences: [{ type: 'missing-there' }] } : { code });
  });
});

test('a bill of payments alone is none to compare with', async () => {
  const whose = { billType: 'SUCCESS' } as object;
  scene.skip(24 * 60 * MINUTE);
  fakeDate(scene.now());
  await expect(shop.compareBill(DAY, whose)).rejects.toMatchObject({ code: 'ORDER_FIELD_INVALID', field: 'billType' });
});
