import { openScene, type Scene } from './merchant.fixture.js';

let scene: Scene;
let now: Date;
beforeEach(async () => {
  now = new Date('2026-11-23T04:00:00Z');
  scene = await openScene({ now: () => now });
  await scene.place('order-1');
  await scene.simulator.pay('order-1');
});
afterEach(() => scene.stop());

test('all of an order at once: the refund, the order, the first deliveries', async () => {
  const { order, refund, attempts } = await scene.simulator.refund('order-1');
  expect(refund).toEqual({
    outRefundNo: expect.stringMatching(/^R20261123120000\d{10}$/),
    refundId: expect.stringMatching(/^995000000020261123\d{10}$/),
    outTradeNo: 'order-1',
    transactionId: order.payment?.transactionId,
    refundFee: 1990,
    status: 'SUCCESS',
    source: 'VENDOR_PLATFORM',
    account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
    notifyUrl: `${scene.shopUrl}/notify`,
    createdAt: now,
    succeededAt: now,
  });
  expect(order).toMatchObject({ outTradeNo: 'order-1', tradeState: 'REFUND' });
  expect(attempts).toMatchObject([{ kind: 'refund', verdict: 'acknowledged' }]);
  expect(scene.simulator.refunds.list()).toEqual([refund]);
  expect(scene.simulator.refunds.get(refund.outRefundNo)).toEqual(refund);
  expect(scene.simulator.refunds.get('never')).toBeUndefined();
});

test('B20: parts, up to the whole and not a fen more; what was closed can be refunded again', async () => {
  const { simulator } = scene;
  await simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 1000 });
  await simulator.refund('order-1', { outRefundNo: 'R2', refundFee: 500, status: 'REFUNDCLOSE' });
  await simulator.refund('order-1', { outRefundNo: 'R3', refundFee: 500, status: 'CHANGE' });
  await simulator.refund('order-1', { outRefundNo: 'R4', refundFee: 100, status: 'PROCESSING' });
  await expect(simulator.refund('order-1', { refundFee: 391 })).rejects.toMatchObject({ code: 'REFUND_EXCEEDS' });
  expect((await simulator.refund('order-1', { outRefundNo: 'R5' })).refund).toMatchObject({ refundFee: 390 });
  await expect(simulator.refund('order-1')).rejects.toMatchObject({ code: 'REFUND_EXCEEDS' });
  // A refund that is closed later gives its amount back, too.
  await simulator.settleRefund('R3', 'REFUNDCLOSE');
  expect((await simulator.refund('order-1')).refund).toMatchObject({ refundFee: 500 });
  expect(simulator.refunds.list('order-1').map(({ status }) => status)).toEqual([
    'SUCCESS',
    'REFUNDCLOSE',
    'REFUNDCLOSE',
    'PROCESSING',
    'SUCCESS',
    'SUCCESS',
  ]);
});

test('at most fifty refunds of one order', async () => {
  const refundOneFen = () => scene.simulator.refund('order-1', { refundFee: 1, status: 'PROCESSING' });
  for (let count = 0; count < 50; count++) await refundOneFen();
  await expect(refundOneFen()).rejects.toMatchObject({ code: 'REFUND_LIMIT' });
});

test('one number, one refund of the merchant', async () => {
  await scene.place('order-2');
  await scene.simulator.pay('order-2');
  await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 1 });
  await expect(scene.simulator.refund('order-2', { outRefundNo: 'R1' })).rejects.toMatchObject({
    code: 'REFUND_EXISTS',
  });
  expect(scene.simulator.orders.get('order-2')).toMatchObject({ tradeState: 'SUCCESS' });
});

test('only what was paid can be refunded', async () => {
  await scene.place('unpaid-order');
  await expect(scene.simulator.refund('unpaid-order')).rejects.toMatchObject({ code: 'ORDER_NOT_PAID' });
  await expect(scene.simulator.refund('never-placed')).rejects.toMatchObject({ code: 'ORDER_UNKNOWN' });
  expect(scene.simulator.orders.get('unpaid-order')).toMatchObject({ tradeState: 'NOTPAY' });
  await scene.stop();
  await expect(scene.simulator.refund('order-1')).rejects.toMatchObject({ code: 'STOPPED' });
  await expect(scene.simulator.settleRefund('R1')).rejects.toMatchObject({ code: 'STOPPED' });
});

test.each([
  { refundFee: 0 },
  { refundFee: -1 },
  { refundFee: 1.5 },
  { refundFee: NaN },
  { outRefundNo: '' },
  { outRefundNo: '退款' },
  { outRefundNo: 'R'.repeat(65) },
  { status: 'DONE' as 'SUCCESS' },
  { notifyUrl: '/notify' },
  { notifyUrl: 'http://127.0.0.1/notify?x=1' },
  { notifyUrl: 'https://shop.example/notify' },
])('refuses %j, and nothing has happened', async (choice) => {
  await expect(scene.simulator.refund('order-1', choice)).rejects.toThrow(RangeError);
  expect(scene.simulator.refunds.list()).toEqual([]);
  expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'SUCCESS' });
});

test('the longest number is taken, and an address beyond this machine when told', async () => {
  expect((await scene.simulator.refund('order-1', { outRefundNo: '_-|*@'.padEnd(64, 'R') })).refund).toMatchObject({
    status: 'SUCCESS',
  });
  const open = await openScene({ allowRemoteNotifyUrl: true });
  await open.place('order-1');
  await open.simulator.pay('order-1');
  open.simulator.faults.loseNotification();
  const { refund } = await open.simulator.refund('order-1', { notifyUrl: 'https://shop.example/notify' });
  expect(refund).toMatchObject({ notifyUrl: 'https://shop.example/notify' });
  await open.stop();
});

test('PROCESSING stays until it is settled, and only then is the merchant told', async () => {
  const { simulator } = scene;
  const { refund, order, attempts } = await simulator.refund('order-1', { outRefundNo: 'R1', status: 'PROCESSING' });
  expect(refund).toMatchObject({ status: 'PROCESSING' });
  expect(refund).not.toHaveProperty('succeededAt');
  expect(order).toMatchObject({ tradeState: 'REFUND' });
  expect(attempts).toEqual([]);
  now = new Date('2026-11-24T04:00:00Z');
  const settled = await simulator.settleRefund('R1');
  expect(settled.refund).toMatchObject({ status: 'SUCCESS', succeededAt: now });
  expect(settled.attempts).toMatchObject([{ outRefundNo: 'R1', verdict: 'acknowledged' }]);
  // What had been handed out before is a snapshot.
  expect(refund).toMatchObject({ status: 'PROCESSING' });
});

test.each([
  ['PROCESSING', 'SUCCESS', true],
  ['PROCESSING', 'CHANGE', true],
  ['PROCESSING', 'REFUNDCLOSE', true],
  ['CHANGE', 'SUCCESS', true],
  ['CHANGE', 'REFUNDCLOSE', true],
  ['CHANGE', 'CHANGE', false],
  ['SUCCESS', 'REFUNDCLOSE', false],
  ['SUCCESS', 'SUCCESS', false],
  ['REFUNDCLOSE', 'SUCCESS', false],
] as const)('%s → %s: %s', async (from, to, allowed) => {
  await scene.simulator.refund('order-1', { outRefundNo: 'R1', status: from });
  const told = scene.notified.length;
  const settling = scene.simulator.settleRefund('R1', to);
  if (allowed) expect((await settling).refund).toMatchObject({ status: to });
  else await expect(settling).rejects.toMatchObject({ code: 'REFUND_SETTLED' });
  expect(scene.notified).toHaveLength(told + (allowed ? 1 : 0));
});

test('settling needs a refund, and one of the four', async () => {
  await expect(scene.simulator.settleRefund('never')).rejects.toMatchObject({ code: 'REFUND_UNKNOWN' });
  await scene.simulator.refund('order-1', { outRefundNo: 'R1', status: 'PROCESSING' });
  await expect(scene.simulator.settleRefund('R1', 'constructor' as 'SUCCESS')).rejects.toThrow(RangeError);
  await expect(scene.simulator.settleRefund('R1', 'PROCESSING' as 'SUCCESS')).rejects.toMatchObject({
    code: 'REFUND_SETTLED',
  });
});

describe('an order that was refunded', () => {
  beforeEach(() => scene.simulator.refund('order-1', { refundFee: 1, status: 'REFUNDCLOSE' }));

  test('is REFUND for orderquery, and was paid', async () => {
    expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject({
      trade_state: 'REFUND',
      trade_state_desc: '订单发生过退款，退款详情请查询退款单',
      transaction_id: expect.any(String),
      total_fee: '1990',
    });
  });
  test('can be neither paid, placed, cancelled nor closed again', async () => {
    await expect(scene.simulator.pay('order-1')).rejects.toMatchObject({ code: 'ORDER_PAID' });
    await expect(scene.simulator.cancel('order-1')).rejects.toMatchObject({ code: 'ORDER_PAID' });
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ err_code: 'ORDERPAID' });
    expect(await scene.call('closeorder', { out_trade_no: 'order-1' })).toMatchObject({ err_code: 'ORDERPAID' });
  });
  test('says on the cashier page that it is paid', async () => {
    const link = scene.simulator.orders.get('order-1')?.links[0]?.mwebUrl ?? '';
    await scene.browse(link, { headers: { referer: 'http://localhost/cart' } });
    expect(scene.simulator.events.list().at(-1)).toMatchObject({ type: 'cashier.reply', verdict: 'ORDER_PAID' });
  });
});
