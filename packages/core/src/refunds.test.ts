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

test('each refund as the reply states it; a coupon of one is neither a refund nor that of another', async () => {
  scene.simulator.faults.nextCall('refundquery', {
    fields: {
      coupon_refund_fee_0: '5',
      coupon_refund_count_0: '3',
      coupon_refund_id_0_10: 'C10',
      coupon_refund_fee_0_10: '1',
      coupon_refund_id_0_0: 'C0',
      coupon_refund_fee_0_0: '4',
      coupon_type_0_0: 'CASH',
      coupon_refund_fee_0_2: 'none',
      coupon_type_0_2: 'NO_CASH',
      coupon_refund_id_1_0: 'other',
      out_refund_no_0_1: 'no',
    },
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
      refundAccount: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      couponRefundFee: 5,
      coupons: [
        { couponRefundId: 'C0', couponType: 'CASH', couponRefundFee: 4 },
        { couponType: 'NO_CASH' },
        { couponRefundId: 'C10', couponRefundFee: 1 },
      ],
    },
    {
      outRefundNo: 'R1',
      refundId: refundId('R1'),
      refundFee: 10,
      refundStatus: 'PROCESSING',
      settlementRefundFee: 10,
      refundChannel: 'ORIGINAL',
      refundRecvAccout: '支付用户零钱',
      refundAccount: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      coupons: [{ couponRefundId: 'other' }],
    },
  ]);
  expect(raw).toMatchObject({ coupon_refund_fee_0_0: '4' });
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

describe('listRefunds', () => {
  const list = async (ref: { outTradeNo: string }): Promise<string[]> => {
    const numbers: string[] = [];
    for await (const { outRefundNo } of scene.wechatH5.listRefunds(ref)) numbers.push(outRefundNo);
    return numbers;
  };

  test('every page, one question each', async () => {
    const asked = scene.queries();
    expect(await list({ outTradeNo: 'ORDER-0002' })).toEqual(Array.from({ length: 23 }, (_, n) => `P${n}`));
    expect(scene.queries() - asked).toBe(3);
  });

  test('an unsigned refusal of a page is no end of the list, whatever code it carries', async () => {
    const found: string[] = [];
    const reading = (async () => {
      for await (const { outRefundNo } of scene.wechatH5.listRefunds({ outTradeNo: 'ORDER-0002' })) {
        if (found.push(outRefundNo) > 1) continue;
        const fields = { return_code: 'FAIL', return_msg: 'no', err_code: 'PARAM_ERROR', sign: '' };
        scene.simulator.faults.nextCall('refundquery', { fields });
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'RETURN_CODE_FAIL' });
    expect(found).toHaveLength(10);
  });

  test('a single page, without a count', async () => {
    const asked = scene.queries();
    expect(await list({ outTradeNo: 'ORDER-0001' })).toEqual(['R0', 'R1']);
    expect(scene.queries() - asked).toBe(1);
  });

  test('whoever stops early is not asked for', async () => {
    const asked = scene.queries();
    for await (const { outRefundNo } of scene.wechatH5.listRefunds({ outTradeNo: 'ORDER-0002' })) {
      if (outRefundNo === 'P3') break;
    }
    expect(scene.queries() - asked).toBe(1);
  });

  test('no count although there are ten: the next page is asked for, and its refusal is the end', async () => {
    await scene.payFor('ORDER-0004');
    for (let n = 0; n < 10; n++) {
      await scene.simulator.refund('ORDER-0004', { outRefundNo: `T${n}`, refundFee: 1, status: 'PROCESSING' });
    }
    scene.simulator.faults.nextCall('refundquery', { fields: { total_refund_count: '' } });
    expect(await list({ outTradeNo: 'ORDER-0004' })).toHaveLength(10);
  });

  test('a refund that moved to the next page meanwhile is told once', async () => {
    const { refunds } = await query({ outTradeNo: 'ORDER-0002' });
    const last = refunds.at(-1);
    scene.simulator.faults.nextCall('refundquery', { fields: {} });
    scene.simulator.faults.nextCall('refundquery', {
      fields: { out_refund_no_0: last?.outRefundNo ?? '', refund_id_0: last?.refundId ?? '' },
    });
    const numbers = await list({ outTradeNo: 'ORDER-0002' });
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('an order without refunds', async () => {
    await expect(list({ outTradeNo: 'ORDER-0003' })).rejects.toMatchObject({ code: 'ORDER_UNKNOWN' });
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
