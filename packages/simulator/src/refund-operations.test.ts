import { createHash } from 'node:crypto';
import { openScene, type Scene } from './merchant.fixture.js';

let scene: Scene;
let transactionId: string;
beforeAll(async () => {
  scene = await openScene({ now: () => new Date('2026-11-23T04:00:00Z') });
  await scene.place('order-1', { total_fee: '1000' });
  ({ transactionId } = (await scene.simulator.pay('order-1')).order.payment ?? { transactionId: '' });
  await scene.simulator.refund('order-1', { outRefundNo: 'R0', refundFee: 100 });
  await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 200, status: 'PROCESSING' });
  await scene.place('many-parts', { total_fee: '25', fee_type: 'HKD' });
  await scene.simulator.pay('many-parts');
  for (let n = 0; n < 25; n++) {
    await scene.simulator.refund('many-parts', { outRefundNo: `many-${n}`, refundFee: 1, status: 'PROCESSING' });
  }
  await scene.place('paid-only');
  await scene.simulator.pay('paid-only');
});
afterAll(() => scene.stop());

const query = (fields: Record<string, string>) => scene.call('refundquery', fields);
const idOf = (outRefundNo: string): string => scene.simulator.refunds.get(outRefundNo)?.refundId ?? '';

test('an order with its refunds: the official fields, numbered from 0, signed', async () => {
  const { appId, mchId, apiKey } = scene.simulator.merchant;
  const reply = { ...(await query({ out_trade_no: 'order-1' })) };
  const { sign, ...signed } = reply;
  expect(signed).toEqual({
    return_code: 'SUCCESS',
    return_msg: 'OK',
    appid: appId,
    mch_id: mchId,
    nonce_str: expect.any(String),
    result_code: 'SUCCESS',
    transaction_id: transactionId,
    out_trade_no: 'order-1',
    total_fee: '1000',
    settlement_total_fee: '1000',
    fee_type: 'CNY',
    cash_fee: '1000',
    refund_count: '2',
    out_refund_no_0: 'R0',
    refund_id_0: idOf('R0'),
    refund_channel_0: 'ORIGINAL',
    refund_fee_0: '100',
    settlement_refund_fee_0: '100',
    refund_account_0: 'REFUND_SOURCE_UNSETTLED_FUNDS',
    refund_status_0: 'SUCCESS',
    refund_recv_accout_0: '支付用户零钱',
    refund_success_time_0: '2026-11-23 12:00:00',
    out_refund_no_1: 'R1',
    refund_id_1: idOf('R1'),
    refund_channel_1: 'ORIGINAL',
    refund_fee_1: '200',
    settlement_refund_fee_1: '200',
    refund_account_1: 'REFUND_SOURCE_UNSETTLED_FUNDS',
    refund_status_1: 'PROCESSING',
    refund_recv_accout_1: '支付用户零钱',
  });
  const text = Object.keys(signed)
    .sort()
    .map((name) => `${name}=${reply[name]}&`);
  expect(sign).toBe(
    createHash('md5')
      .update(`${text.join('')}key=${apiKey}`)
      .digest('hex')
      .toUpperCase(),
  );
});

test('the reply is signed with the type of the request', async () => {
  const reply = await scene.call('refundquery', { out_refund_no: 'R0' }, { signType: 'HMAC-SHA256' });
  expect(reply['sign']).toMatch(/^[0-9A-F]{64}$/);
});

test.each([
  ['refund_id', () => ({ refund_id: idOf('R1') }), ['R1']],
  ['out_refund_no', () => ({ out_refund_no: 'R1' }), ['R1']],
  ['transaction_id', () => ({ transaction_id: transactionId }), ['R0', 'R1']],
  ['out_trade_no', () => ({ out_trade_no: 'order-1' }), ['R0', 'R1']],
  [
    'refund_id before the others',
    () => ({ refund_id: idOf('R1'), out_refund_no: 'R0', transaction_id: 'x', out_trade_no: 'many-parts' }),
    ['R1'],
  ],
  [
    'out_refund_no before those of the order',
    () => ({ out_refund_no: 'R0', transaction_id: 'x', out_trade_no: 'many-parts' }),
    ['R0'],
  ],
  [
    'transaction_id before out_trade_no',
    () => ({ transaction_id: transactionId, out_trade_no: 'many-parts' }),
    ['R0', 'R1'],
  ],
])('by %s', async (_what, ref, numbers) => {
  const reply = await query(ref());
  expect([reply['out_refund_no_0'], reply['out_refund_no_1']].filter((number) => number)).toEqual(numbers);
  expect(reply['refund_count']).toBe(String(numbers.length));
});

test.each([
  ['no offset', undefined, 0, 10],
  ['offset 0', '0', 0, 10],
  ['offset 10', '10', 10, 10],
  ['offset 20', '20', 20, 5],
  ['the last one', '24', 24, 1],
])('ten at a time: %s', async (_what, offset, first, count) => {
  const reply = await query({ out_trade_no: 'many-parts', ...(offset !== undefined && { offset }) });
  expect(reply).toMatchObject({ fee_type: 'HKD', refund_count: String(count), total_refund_count: '25' });
  const numbers = Object.entries(reply).filter(([name]) => /^out_refund_no_\d+$/.test(name));
  expect(numbers).toEqual(Array.from({ length: count }, (_, n) => [`out_refund_no_${n}`, `many-${first + n}`]));
});

test('total_refund_count only where there is more, or offset was sent', async () => {
  expect(await query({ out_trade_no: 'order-1' })).not.toHaveProperty('total_refund_count');
  expect(await query({ out_trade_no: 'order-1', offset: '1' })).toMatchObject({
    total_refund_count: '2',
    refund_count: '1',
    out_refund_no_0: 'R1',
  });
});

test.each([
  ['REFUNDNOTEXIST', { out_refund_no: 'never' }],
  ['REFUNDNOTEXIST', { refund_id: '50000000000000000000000000000' }],
  ['REFUNDNOTEXIST', { out_trade_no: 'never' }],
  ['REFUNDNOTEXIST', { out_trade_no: 'paid-only' }],
  ['INVALID_TRANSACTIONID', { transaction_id: '4200000000000000000000000000' }],
  ['PARAM_ERROR', {}],
  ['PARAM_ERROR', { out_refund_no: '', out_trade_no: '' }],
  ['PARAM_ERROR', { out_refund_no: '退款' }],
  ['PARAM_ERROR', { out_refund_no: 'R'.repeat(65) }],
  ['PARAM_ERROR', { out_trade_no: 'a b' }],
  ['PARAM_ERROR', { refund_id: '5'.repeat(33) }],
  ['PARAM_ERROR', { out_trade_no: 'many-parts', offset: '25' }],
  ['PARAM_ERROR', { out_trade_no: 'many-parts', offset: '-1' }],
  ['PARAM_ERROR', { out_trade_no: 'many-parts', offset: 'x' }],
])('%s for %j', async (code, fields) => {
  expect(await query(fields as Record<string, string>)).toMatchObject({ result_code: 'FAIL', err_code: code });
});

test('a stranger is told nothing', async () => {
  const reply = await scene.call('refundquery', { out_refund_no: 'R0' }, { apiKey: 'x'.repeat(32) });
  expect({ ...reply }).toEqual({ return_code: 'FAIL', return_msg: '签名错误' });
});

test('is recorded, and struck by faults, as a call about its order', async () => {
  const { faults, events } = scene.simulator;
  faults.nextCall('refundquery', { errCode: 'SYSTEMERROR' }, { outTradeNo: 'order-1' });
  expect(await query({ out_refund_no: 'many-1' })).toMatchObject({ result_code: 'SUCCESS' });
  expect(await query({ refund_id: idOf('R1') })).toMatchObject({ err_code: 'SYSTEMERROR' });
  expect(events.list().slice(-2)).toMatchObject([
    { type: 'gateway.request', operation: 'refundquery', outTradeNo: 'order-1', outRefundNo: 'R1' },
    { type: 'gateway.reply', operation: 'refundquery', outTradeNo: 'order-1', verdict: 'SYSTEMERROR' },
  ]);
  faults.nextCall('refundquery', { drop: 'ignore' }, { outTradeNo: 'order-1' });
  await expect(query({ transaction_id: transactionId })).rejects.toThrow('fetch failed');
  await query({ out_refund_no: 'never' });
  expect(events.list().at(-1)).toMatchObject({ outRefundNo: 'never', verdict: 'REFUNDNOTEXIST' });
  expect(events.list().at(-1)).not.toHaveProperty('outTradeNo');
});
