import { eventually, openScene, type Scene } from './merchant.fixture.js';
import { openReqInfo } from './refunds.fixture.js';

let scene: Scene;
let now = new Date('2026-11-23T04:00:00Z');
beforeEach(async () => {
  now = new Date('2026-11-23T04:00:00Z');
  scene = await openScene({ now: () => now });
  await scene.place('order-1', { total_fee: '1000' });
  await scene.simulator.pay('order-1');
  scene.notified.length = 0;
});
afterEach(() => scene.stop());

type Fields = Record<string, string>;
const REQUEST = { out_trade_no: 'order-1', out_refund_no: 'R1', total_fee: '1000', refund_fee: '300' };
const ask = (changes: Fields = {}) => scene.call('refund', { ...REQUEST, ...changes });
const minutes = (count: number): void => {
  now = new Date(now.getTime() + count * 60_000);
};

test('accepted is not refunded: the official fields, signed, and a refund that is on its way', async () => {
  const { appId, mchId } = scene.simulator.merchant;
  const transactionId = scene.simulator.orders.get('order-1')?.payment?.transactionId;
  expect({ ...(await ask()) }).toEqual({
    return_code: 'SUCCESS',
    return_msg: 'OK',
    appid: appId,
    mch_id: mchId,
    nonce_str: expect.any(String),
    sign: expect.stringMatching(/^[0-9A-F]{32}$/),
    result_code: 'SUCCESS',
    transaction_id: transactionId,
    out_trade_no: 'order-1',
    out_refund_no: 'R1',
    refund_id: scene.simulator.refunds.get('R1')?.refundId,
    refund_channel: '',
    refund_fee: '300',
    total_fee: '1000',
    fee_type: 'CNY',
    cash_fee: '1000',
    cash_refund_fee: '300',
    coupon_refund_fee: '0',
    coupon_refund_count: '0',
  });
  expect(scene.simulator.refunds.get('R1')).toMatchObject({ status: 'PROCESSING', source: 'API', refundFee: 300 });
  expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject({ trade_state: 'REFUND' });
  expect(scene.notified).toEqual([]);
});

test('it ends when the clock says so, and the merchant is told that the API asked for it', async () => {
  await ask({ notify_url: `${scene.shopUrl}/refunded`, refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS' });
  expect(await scene.call('refundquery', { out_refund_no: 'R1' })).toMatchObject({ refund_status_0: 'PROCESSING' });
  minutes(1);
  expect(await scene.call('refundquery', { out_refund_no: 'R1' })).toMatchObject({
    refund_status_0: 'SUCCESS',
    refund_account_0: 'REFUND_SOURCE_RECHARGE_FUNDS',
    refund_success_time_0: '2026-11-23 12:01:00',
  });
  await eventually(() => scene.notified.length > 0);
  expect(openReqInfo(scene.notified[0] ?? '', scene.simulator.merchant.apiKey).fields).toMatchObject({
    refund_status: 'SUCCESS',
    refund_request_source: 'API',
    refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
  });
  await eventually(() => scene.simulator.notifications.list('order-1').length > 1);
  expect(scene.simulator.notifications.list('order-1').at(-1)?.url).toBe(`${scene.shopUrl}/refunded`);
});

test('it ends in real time too, when the clock stands still', async () => {
  const other = await openScene({ now: () => now, refundSeconds: 0.01 });
  await other.place('order-1', { total_fee: '1000' });
  await other.simulator.pay('order-1');
  await other.call('refund', REQUEST);
  await eventually(() => other.notified.length === 2);
  expect(other.simulator.refunds.get('R1')).toMatchObject({ status: 'SUCCESS' });
  await other.stop();
});

test('with refundSeconds Infinity only settleRefund ends it, however late it is', async () => {
  const other = await openScene({ now: () => now, refundSeconds: Infinity });
  await other.place('order-1', { total_fee: '1000' });
  await other.simulator.pay('order-1');
  await other.call('refund', REQUEST);
  minutes(60 * 24 * 30);
  expect(other.simulator.refunds.get('R1')).toMatchObject({ status: 'PROCESSING' });
  await other.simulator.settleRefund('R1', 'CHANGE');
  expect(other.simulator.refunds.get('R1')).toMatchObject({ status: 'CHANGE' });
  await other.stop();
});

test.each([-1, NaN])('refundSeconds %p is refused', async (refundSeconds) => {
  await expect(openScene({ refundSeconds })).rejects.toThrow('refundSeconds');
});

test('who settles it by hand has settled it: the clock does not do it again', async () => {
  await ask();
  await scene.simulator.settleRefund('R1');
  minutes(10);
  expect(scene.simulator.refunds.list()).toMatchObject([{ status: 'SUCCESS' }]);
  expect(scene.notified).toHaveLength(1);
});

test.each(['CHANGE', 'REFUNDCLOSE'] as const)('a script lets the next one end as %s', async (status) => {
  scene.simulator.faults.nextRefund(status, { outTradeNo: 'order-1' });
  await ask();
  minutes(1);
  expect(scene.simulator.refunds.get('R1')).toMatchObject({ status });
  await ask({ out_refund_no: 'R2' });
  minutes(1);
  expect(scene.simulator.refunds.get('R2')).toMatchObject({ status: 'SUCCESS' });
});

test('a script leaves it open', async () => {
  scene.simulator.faults.nextRefund('PROCESSING');
  await ask();
  minutes(600);
  expect(scene.simulator.refunds.get('R1')).toMatchObject({ status: 'PROCESSING' });
  expect(() => scene.simulator.faults.nextRefund('FAIL' as 'CHANGE')).toThrow(RangeError);
});

test('the same number with the same amounts is the same refund, also when it has ended', async () => {
  const first = await ask();
  minutes(5);
  const again = await ask();
  expect(again['refund_id']).toBe(first['refund_id']);
  expect(scene.simulator.refunds.list()).toHaveLength(1);
});

test('in parts up to the whole, and not a fen more; what was closed can be refunded again', async () => {
  await ask({ out_refund_no: 'R1', refund_fee: '300' });
  await ask({ out_refund_no: 'R2', refund_fee: '600' });
  const excess = { result_code: 'FAIL', err_code: 'INVALID_REQUEST', err_code_des: 'refund_fee大于可退金额' };
  expect(await ask({ out_refund_no: 'R3', refund_fee: '101' })).toMatchObject(excess);
  expect(await ask({ out_refund_no: 'R3', refund_fee: '100' })).toMatchObject({ result_code: 'SUCCESS' });
  expect(await ask({ out_refund_no: 'R4', refund_fee: '1' })).toMatchObject({
    err_code: 'ERROR',
    err_code_des: '订单已全额退款',
  });
  await scene.simulator.settleRefund('R2', 'REFUNDCLOSE');
  expect(await ask({ out_refund_no: 'R4', refund_fee: '600' })).toMatchObject({ result_code: 'SUCCESS' });
});

test('fifty refunds of one order, and no more', async () => {
  for (let n = 0; n < 50; n++) await ask({ out_refund_no: `R${n}`, refund_fee: '1' });
  expect(await ask({ out_refund_no: 'R50', refund_fee: '1' })).toMatchObject({
    result_code: 'FAIL',
    err_code: 'ERROR',
  });
  expect(scene.simulator.refunds.list()).toHaveLength(50);
});

test('the transaction id wins over the order number', async () => {
  const transactionId = scene.simulator.orders.get('order-1')?.payment?.transactionId ?? '';
  expect(await ask({ transaction_id: transactionId, out_trade_no: 'no-such-order' })).toMatchObject({
    result_code: 'SUCCESS',
    out_trade_no: 'order-1',
  });
});

test.each<[string, Fields, string, string]>([
  ['an unknown order', { out_trade_no: 'no-such-order' }, 'ORDERNOTEXIST', '订单不存在'],
  [
    'an unknown transaction',
    { transaction_id: '4200000000000000000000000000' },
    'INVALID_TRANSACTIONID',
    '无效transaction_id',
  ],
  ['no order at all', { out_trade_no: '' }, 'PARAM_ERROR', '缺少参数transaction_id或out_trade_no'],
  ['no refund number', { out_refund_no: '' }, 'PARAM_ERROR', '缺少参数out_refund_no'],
  ['a refund number with a space', { out_refund_no: 'R 1' }, 'PARAM_ERROR', 'out_refund_no参数格式错误'],
  ['a refund number of 65', { out_refund_no: 'R'.repeat(65) }, 'PARAM_ERROR', 'out_refund_no参数长度有误'],
  ['a reason of 81', { refund_desc: '货'.repeat(81) }, 'PARAM_ERROR', 'refund_desc参数长度有误'],
  ['nothing', { refund_fee: '0' }, 'PARAM_ERROR', 'refund_fee参数格式错误'],
  ['a decimal point', { refund_fee: '1.00' }, 'PARAM_ERROR', 'refund_fee参数格式错误'],
  ['another account', { refund_account: 'MINE' }, 'PARAM_ERROR', 'refund_account参数格式错误'],
  ['an address elsewhere', { notify_url: 'https://shop.example/refunded' }, 'PARAM_ERROR', 'notify_url: the simulator'],
  ['another currency', { refund_fee_type: 'USD' }, 'PARAM_ERROR', '退款币种与订单币种不一致'],
  ['another total', { total_fee: '1001' }, 'REFUND_FEE_MISMATCH', '订单金额或退款金额与之前请求不一致，请核实后再试'],
])('refuses %s', async (_, changes, code, description) => {
  const reply = await ask(changes);
  expect(reply).toMatchObject({ return_code: 'SUCCESS', result_code: 'FAIL', err_code: code });
  expect(reply['err_code_des']).toContain(description);
  expect(scene.simulator.refunds.list()).toEqual([]);
});

test('refuses more than the whole without a signature', async () => {
  expect({ ...(await ask({ refund_fee: '1001' })) }).toEqual({ return_code: 'FAIL', return_msg: 'invalid refund_fee' });
});

test('refuses an order that nobody paid, and one paid more than a year ago', async () => {
  await scene.place('unpaid-order', { total_fee: '1000' });
  expect(await ask({ out_trade_no: 'unpaid-order' })).toMatchObject({ err_code: 'TRADE_STATE_ERROR' });
  minutes(60 * 24 * 366);
  expect(await ask()).toMatchObject({ err_code: 'TRADE_OVERDUE', err_code_des: '订单已经超过退款期限' });
});

test('refuses the same number with another amount or for another order', async () => {
  await ask();
  expect(await ask({ refund_fee: '301' })).toMatchObject({ err_code: 'REFUND_FEE_MISMATCH' });
  await scene.place('order-2', { total_fee: '1000' });
  await scene.simulator.pay('order-2');
  expect(await ask({ out_trade_no: 'order-2' })).toMatchObject({ err_code: 'REFUND_FEE_MISMATCH' });
  expect(scene.simulator.refunds.list()).toHaveLength(1);
});
