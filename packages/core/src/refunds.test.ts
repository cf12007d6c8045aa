import { openRefundScene, type RefundScene } from './refunds.fixture.js';

let scene: RefundScene;
beforeAll(async () => {
  scene = await openRefundScene();
  await scene.payFor('ORDER-0001');
  await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R0', refundFee: 90 });
  await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 10, status: 'PROCESSING' });
  await scene.payFor('ORDER-0002');
  for (let n = 0; n < 23; n++) {
    await scene.simulator.refund('ORDER-0002', { outRefundNo: `P${n}`, refundFee: 1, status: 'PROCESSING' });
  }
  await scene.payFor('ORDER-0003');
});
afterAll(() => scene.stop());

const query: RefundScene['wechatH5']['queryRefund'] = (ref) => scene.wechatH5.queryRefund(ref);
const refundId = (outRefundNo: string): string => scene.simulator.refunds.get(outRefundNo)?.refundId ?? '';
const transactionId = (): string => scene.simulator.orders.get('ORDER-0001')?.payment?.transactionId ?? '';

test.each([
  ['outRefundNo', () => ({ outRefundNo: 'R1' }), ['R1']],
  ['refundId', () => ({ refundId: refundId('R1') }), ['R1']],
  ['transactionId', () => ({ transactionId: transactionId() }), ['R0', 'R1']],
  ['outTradeNo', () => ({ outTradeNo: 'ORDER-0001' }), ['R0', 'R1']],
])('by %s', async (_what, ref, numbers) => {
  const answer = await query(ref());
  expect(answer).toMatchObject({
    outTradeNo: 'ORDER-0001',
    transactionId: transactionId(),
    totalFee: 1990,
    feeType: 'CNY',
    raw: { refund_count: String(numbers.length) },
  });
  expect(answer.refunds.map(({ outRefundNo }) => outRefundNo)).toEqual(numbers);
});

test('each refund as the reply states it; a coupon of one is not another', async () => {
  scene.simulator.faults.nextCall('refundquery', {
    fields: { coupon_refund_fee_0: '5', coupon_refund_fee_0_1: '5', coupon_type_0_1: 'CASH', out_refund_no_0_1: 'no' },
  });
  const { refunds, raw } = await query({ outTradeNo: 'ORDER-0001' });
  expect(refunds).toEqual([
    {
      outRefundNo: 'R0',
      refundId: refundId('R0'),
      refundFee: 90,
      refundStatus: 'SUCCESS',
      settlementRefundFee: 90,
      refundChannel: 'ORIGINAL',
      refundRecvAccout: '支付用户零钱',
      refundSuccessTime: expect.any(Date),
    },
    {
      outRefundNo: 'R1',
      refundId: refundId('R1'),
      refundFee: 10,
      refundStatus: 'PROCESSING',
      settlementRefundFee: 10,
      refundChannel: 'ORIGINAL',
      refundRecvAccout: '支付用户零钱',
    },
  ]);
  expect(raw).toMatchObject({ coupon_refund_fee_0_1: '5' });
});

test('ten at a time: all of an order by offset', async () => {
  const numbers: string[] = [];
  let total: number | undefined;
  do {
    const page = await query({ outTradeNo: 'ORDER-0002', offset: numbers.length });
    numbers.push(...page.refunds.map(({ outRefundNo }) => outRefundNo));
    total = page.totalRefundCount;
  } while (numbers.length < (total ?? 0));
  expect(total).toBe(23);
  expect(numbers).toEqual(Array.from({ length: 23 }, (_, n) => `P${n}`));
  expect((await query({ outTradeNo: 'ORDER-0001' })).totalRefundCount).toBeUndefined();
  await expect(query({ outTradeNo: 'ORDER-0002', offset: 23 })).rejects.toMatchObject({
    code: 'GATEWAY_REFUSED',
    errCode: 'PARAM_ERROR',
  });
});

test('a page whose numbering goes on from the one before is read as well, in numerical order', async () => {
  const of = (n: number, outRefundNo: string): Record<string, string> => ({
    [`out_refund_no_${n}`]: outRefundNo,
    [`refund_id_${n}`]: `500${n}`,
    [`refund_fee_${n}`]: '1',
    [`refund_status_${n}`]: 'SUCCESS',
  });
  const nothing = Object.fromEntries(
    Object.keys(of(0, '')).flatMap((name) => [
      [name, ''],
      [name.replace('0', '1'), ''],
    ]),
  );
  scene.simulator.faults.nextCall('refundquery', { fields: { ...nothing, ...of(10, 'ten'), ...of(9, 'nine') } });
  const { refunds } = await query({ outTradeNo: 'ORDER-0001' });
  expect(refunds.map(({ outRefundNo, refundId: id }) => [outRefundNo, id])).toEqual([
    ['nine', '5009'],
    ['ten', '50010'],
  ]);
});

test.each([
  [{ outRefundNo: 'never' }, 'ORDER_UNKNOWN', 'REFUNDNOTEXIST'],
  [{ outTradeNo: 'ORDER-0003' }, 'ORDER_UNKNOWN', 'REFUNDNOTEXIST'],
  [{ transactionId: '4200000000' }, 'GATEWAY_REFUSED', 'INVALID_TRANSACTIONID'],
])('%j: %s, %s', async (ref, code, errCode) => {
  await expect(query(ref)).rejects.toMatchObject({ code, errCode, hint: expect.any(String) });
});

test.each([
  [{}, 'out_refund_no'],
  [{ outRefundNo: '退款' }, 'out_refund_no'],
  [{ outRefundNo: 'R'.repeat(65) }, 'out_refund_no'],
  [{ refundId: '5'.repeat(33) }, 'refund_id'],
  [{ transactionId: 42 }, 'transaction_id'],
  [{ outTradeNo: 'a b' }, 'out_trade_no'],
  [{ outTradeNo: 'ORDER-0001', offset: -1 }, 'offset'],
  [{ outTradeNo: 'ORDER-0001', offset: 0.5 }, 'offset'],
])('%j is refused before anything is sent', async (ref, field) => {
  const asked = scene.queries();
  await expect(query(ref as { outTradeNo: string })).rejects.toMatchObject({ code: 'ORDER_FIELD_INVALID', field });
  expect(scene.queries()).toBe(asked);
});

test.each([
  ['out_trade_no', ''],
  ['out_trade_no', 'a b'],
  ['transaction_id', ''],
  ['total_fee', ''],
  ['total_fee', '0'],
  ['total_fee', '1e3'],
  ['refund_id_0', ''],
  ['refund_fee_0', ''],
  ['refund_fee_0', '-90'],
  ['refund_status_0', ''],
  ['out_refund_no_0', ''],
  ['out_refund_no_0', 'R1'],
])('a signed reply with %s %j is not believed', async (field, value) => {
  scene.simulator.faults.nextCall('refundquery', { fields: { [field]: value } });
  await expect(query({ outRefundNo: 'R0' })).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
});

test.each([
  ['refundId', () => ({ refundId: refundId('R0') }), { refund_id_0: '5' }],
  ['transactionId', () => ({ transactionId: transactionId() }), { transaction_id: '4200000000' }],
  ['outTradeNo', () => ({ outTradeNo: 'ORDER-0001' }), { out_trade_no: 'ORDER-0002' }],
])('asked by %s, a reply about another one is not believed', async (_what, ref, fields) => {
  scene.simulator.faults.nextCall('refundquery', { fields: fields as Record<string, string> });
  await expect(query(ref())).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
});

test('numbers that are none are left out, not guessed', async () => {
  scene.simulator.faults.nextCall('refundquery', {
    fields: {
      settlement_refund_fee_0: 'x',
      total_refund_count: 'many',
      refund_success_time_0: 'today',
      fee_type: 'HKD',
    },
  });
  const { refunds, totalRefundCount, feeType } = await query({ outRefundNo: 'R0' });
  expect([refunds[0]?.settlementRefundFee, refunds[0]?.refundSuccessTime, totalRefundCount, feeType]).toEqual([
    undefined,
    undefined,
    undefined,
    'HKD',
  ]);
});
