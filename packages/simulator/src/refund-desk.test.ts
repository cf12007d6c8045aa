import { eventually, openScene, type Scene } from './merchant.fixture.js';
import { openReqInfo } from './refunds.fixture.js';
import { parseXml } from './xml.js';

let scene: Scene;
beforeEach(async () => {
  scene = await openScene({ now: () => new Date('2026-11-23T04:00:00Z') });
  await scene.place('order-1');
  await scene.simulator.pay('order-1');
  scene.notified.length = 0;
});
afterEach(() => scene.stop());

const told = (index = 0) => openReqInfo(scene.notified[index] ?? '', scene.simulator.merchant.apiKey);

test('outside: the ids and nothing signed; inside: the official fields in their order, each in CDATA', async () => {
  const { refund, attempts } = await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 90 });
  expect({ ...parseXml(scene.notified[0] ?? '') }).toEqual({
    return_code: 'SUCCESS',
    appid: scene.simulator.merchant.appId,
    mch_id: scene.simulator.merchant.mchId,
    nonce_str: expect.stringMatching(/^\w{32}$/),
    req_info: expect.stringMatching(/^[0-9A-Za-z+/]+={0,2}$/),
  });
  expect(told().fields).toEqual({
    out_refund_no: 'R1',
    out_trade_no: 'order-1',
    refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
    refund_fee: '90',
    refund_id: refund.refundId,
    refund_recv_accout: '支付用户零钱',
    refund_request_source: 'VENDOR_PLATFORM',
    refund_status: 'SUCCESS',
    settlement_refund_fee: '90',
    settlement_total_fee: '1990',
    success_time: '2026-11-23 12:00:00',
    total_fee: '1990',
    transaction_id: refund.transactionId,
  });
  expect(told().text).toMatch(/^<root><out_refund_no><!\[CDATA\[R1\]\]><\/out_refund_no>\n<out_trade_no>/);
  const elements = told().text.match(/<(\w+)><!\[CDATA\[.+?\]\]><\/\1>/g) ?? [];
  expect(elements).toHaveLength(13);
  expect([...elements].sort()).toEqual(elements);
  expect(attempts).toEqual(scene.simulator.notifications.list('order-1').slice(1));
  expect(attempts).toMatchObject([
    {
      kind: 'refund',
      outTradeNo: 'order-1',
      outRefundNo: 'R1',
      attempt: 1,
      url: `${scene.shopUrl}/notify`,
      requestBody: scene.notified[0],
      verdict: 'acknowledged',
      reason: 'OK',
    },
  ]);
});

test.each(['CHANGE', 'REFUNDCLOSE'] as const)('%s is told, without a time of success', async (status) => {
  await scene.simulator.refund('order-1', { status });
  expect(told().fields).toMatchObject({ refund_status: status });
  expect(told().fields).not.toHaveProperty('success_time');
});

test('a refund that is settled twice is told twice, each time as it then is', async () => {
  await scene.simulator.refund('order-1', { outRefundNo: 'R1', status: 'CHANGE' });
  await scene.simulator.settleRefund('R1', 'SUCCESS');
  expect([told(0).fields['refund_status'], told(1).fields['refund_status']]).toEqual(['CHANGE', 'SUCCESS']);
  const [first, second] = scene.simulator.notifications.list('order-1').slice(1);
  expect(first?.notificationId).not.toBe(second?.notificationId);
});

test('a served merchant is named in the envelope', async () => {
  await scene.place('order-2', { sub_mch_id: '1900000200' });
  await scene.simulator.pay('order-2');
  scene.notified.length = 0;
  await scene.simulator.refund('order-2');
  expect(parseXml(scene.notified[0] ?? '')).toMatchObject({ sub_mch_id: '1900000200' });
});

test('goes to the address that the refund names', async () => {
  const urls: unknown[] = [];
  scene.answer = (_body, request) => void urls.push(request.url);
  await scene.simulator.refund('order-1', { notifyUrl: `${scene.shopUrl}/refunds` });
  expect(urls).toEqual(['/refunds']);
});

test('is judged and repeated as a payment is: the same bytes until one reply acknowledges', async () => {
  scene.answer = () => (scene.notified.length < 3 ? '<xml><return_code>FAIL</return_code></xml>' : undefined);
  const { attempts } = await scene.simulator.refund('order-1', { outRefundNo: 'R1' });
  expect(attempts).toMatchObject([{ verdict: 'refused', reason: 'return_code is not SUCCESS' }]);
  expect(scene.simulator.notifications.nextAttemptAt('order-1')).toEqual(new Date('2026-11-23T04:00:00.015Z'));
  await eventually(() => scene.notified.length === 3);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(new Set(scene.notified).size).toBe(1);
  expect(scene.notified).toHaveLength(3);
  expect(scene.simulator.notifications.nextAttemptAt('order-1')).toBeUndefined();
});

test('each notification of an order is repeated for itself; the nearest one is next', async () => {
  await scene.stop();
  scene = await openScene({ timeScale: 1, now: () => new Date('2026-11-23T04:00:00Z') });
  scene.answer = () => 'no';
  await scene.place('order-1');
  scene.simulator.faults.delayNotification(86_400_000);
  await scene.simulator.pay('order-1');
  expect(scene.simulator.notifications.nextAttemptAt('order-1')).toEqual(new Date('2026-11-24T04:00:00Z'));
  await scene.simulator.refund('order-1', { refundFee: 1 });
  expect(scene.simulator.notifications.nextAttemptAt('order-1')).toEqual(new Date('2026-11-23T04:00:15Z'));
  expect(scene.simulator.notifications.nextAttemptAt('order-2')).toBeUndefined();
});

test('lost, late or doubled by the same faults as a payment', async () => {
  const { simulator } = scene;
  simulator.faults.loseNotification({ outTradeNo: 'order-2' });
  simulator.faults.duplicateNotification(2, { outTradeNo: 'order-1' });
  expect((await simulator.refund('order-1', { refundFee: 1 })).attempts).toHaveLength(2);
  simulator.faults.loseNotification();
  simulator.faults.clear();
  simulator.faults.loseNotification();
  const lost = await simulator.refund('order-1', { outRefundNo: 'lost', refundFee: 1 });
  expect(lost).toMatchObject({ refund: { status: 'SUCCESS' }, attempts: [] });
  simulator.faults.delayNotification(30);
  expect((await simulator.refund('order-1', { refundFee: 1 })).attempts).toEqual([]);
  await eventually(() => scene.notified.length === 3);
});

test('the newest notification of a refund once more, as copies at the same moment', async () => {
  const { simulator } = scene;
  await simulator.refund('order-1', { outRefundNo: 'R1', status: 'CHANGE' });
  await simulator.settleRefund('R1', 'SUCCESS');
  const copies = await simulator.notifications.send('order-1', { outRefundNo: 'R1', copies: 50 });
  expect(copies).toHaveLength(50);
  expect(new Set(copies.map(({ requestBody }) => requestBody))).toEqual(new Set([scene.notified[1]]));
  // Without the number it is still the payment's.
  await simulator.notifications.send('order-1');
  expect(parseXml(scene.notified.at(-1) ?? '')).toMatchObject({ result_code: 'SUCCESS' });
});

test('what was not told cannot be told again', async () => {
  const { simulator } = scene;
  await simulator.refund('order-1', { outRefundNo: 'R1', status: 'PROCESSING' });
  const again = (outTradeNo: string, outRefundNo: string, copies?: number) =>
    simulator.notifications.send(outTradeNo, { outRefundNo, ...(copies !== undefined && { copies }) });
  await expect(again('order-1', 'R1')).rejects.toMatchObject({ code: 'REFUND_PROCESSING' });
  await expect(again('order-1', 'never')).rejects.toMatchObject({ code: 'REFUND_UNKNOWN' });
  await simulator.settleRefund('R1');
  await expect(again('order-2', 'R1')).rejects.toMatchObject({ code: 'REFUND_UNKNOWN' });
  await expect(again('order-1', 'R1', 101)).rejects.toThrow(RangeError);
});

test('records the delivery and its reply', async () => {
  await scene.simulator.refund('order-1', { outRefundNo: 'R1' });
  expect(scene.simulator.events.list().slice(-2)).toMatchObject([
    {
      type: 'notification.request',
      operation: 'notify',
      outTradeNo: 'order-1',
      outRefundNo: 'R1',
      verdict: 'refund',
      fields: { req_info: expect.any(String) },
    },
    { type: 'notification.reply', outRefundNo: 'R1', status: 200, verdict: 'acknowledged' },
  ]);
});
