import { openRefundScene, type RefundScene } from './refunds.fixture.js';
import type { OrderQuery } from './index.js';

let scene: RefundScene;
beforeAll(async () => {
  scene = await openRefundScene();
  await scene.wechatH5.createOrder({ outTradeNo: 'UNPAID-01', body: 'Tea', totalFee: 1, clientIp: '127.0.0.5' });
  await scene.payFor('PAID-0001');
});
afterAll(() => scene.stop());

const query = (outTradeNo: string, fields: Record<string, string> = {}): Promise<OrderQuery> => {
  scene.simulator.faults.nextCall('orderquery', { fields });
  return scene.wechatH5.queryOrder({ outTradeNo });
};

test.each(['NOTPAY', 'CLOSED', 'REVOKED', 'USERPAYING', 'PAYERROR', 'ACCEPT', 'SOMETHING_NEW'])(
  '%s: no payment',
  async (tradeState) => {
    const { raw, ...answer } = await query('UNPAID-01', { trade_state: tradeState, trade_state_desc: '说明' });
    expect(answer).toEqual({ outTradeNo: 'UNPAID-01', tradeState, tradeStateDesc: '说明' });
    expect(raw).toMatchObject({ trade_state: tradeState, sign: expect.any(String) });
  },
);

test.each(['SUCCESS', 'REFUND'])('%s: it was paid', async (tradeState) => {
  expect(await query('PAID-0001', { trade_state: tradeState })).toMatchObject({
    outTradeNo: 'PAID-0001',
    tradeState,
    payment: {
      outTradeNo: 'PAID-0001',
      transactionId: expect.stringMatching(/^\d{28}$/),
      totalFee: 1990,
      feeType: 'CNY',
      cashFee: 1990,
      tradeType: 'MWEB',
      timeEnd: expect.any(Date),
      attach: '',
    },
  });
  expect((await query('PAID-0001')).payment).not.toHaveProperty('coupons');
});

test.each(['', '0', '19.90', '1e3', '-1'])('a paid order whose total_fee is %j is not believed', async (total) => {
  await expect(query('PAID-0001', { total_fee: total })).rejects.toMatchObject({ field: 'total_fee' });
});

test('coupons are a list, in the order of their numbers; the rate of Global has two names', async () => {
  const { payment } = await query('PAID-0001', {
    coupon_count: '3',
    coupon_fee: '30',
    coupon_id_10: 'C10',
    coupon_type_10: 'NO_CASH',
    coupon_fee_10: '20',
    coupon_id_2: 'C2',
    coupon_fee_2: '10',
    coupon_type_0: 'CASH',
    coupon_fee_0: 'x',
    rate: '650000000',
  });
  expect(payment).toMatchObject({
    couponFee: 30,
    coupons: [
      { couponType: 'CASH' },
      { couponId: 'C2', couponFee: 10 },
      { couponId: 'C10', couponType: 'NO_CASH', couponFee: 20 },
    ],
    rate: 650_000_000,
  });
  expect((await query('PAID-0001', { rate_value: '1' })).payment).toMatchObject({ rate: 1 });
});

test.each([
  ['20170101075960', new Date('2017-01-01T00:00:00Z')],
  ['20280229000000', new Date('2028-02-28T16:00:00Z')],
  ['20251231235959', new Date('2025-12-31T15:59:59Z')],
  ['20380119111408', new Date('2038-01-19T03:14:08Z')],
  ['20260230000000', undefined],
  ['soon', undefined],
])('T05, T06: time_end %s is %s, and the payment stands', async (text, time) => {
  const { payment } = await query('PAID-0001', { time_end: text });
  expect(payment?.timeEnd).toEqual(time);
  expect(payment?.raw['time_end']).toBe(text);
});

test.each([
  ['out_trade_no', ''],
  ['out_trade_no', 'ANOTHER-01'],
  ['trade_state', ''],
])('a reply whose %s is %j is not believed', async (field, value) => {
  await expect(query('UNPAID-01', { [field]: value })).rejects.toMatchObject({
    code: 'GATEWAY_REPLY_INVALID',
    field,
  });
});

test('asked by transaction_id, a reply about no order or another payment is not believed', async () => {
  const { payment } = await query('PAID-0001');
  const byTransaction = (fields: Record<string, string>): Promise<OrderQuery> => {
    scene.simulator.faults.nextCall('orderquery', { fields });
    return scene.wechatH5.queryOrder({ transactionId: payment!.transactionId });
  };
  expect(await byTransaction({ attach: 'x' })).toMatchObject({ outTradeNo: 'PAID-0001' });
  await expect(byTransaction({ out_trade_no: '' })).rejects.toMatchObject({ field: 'out_trade_no' });
  await expect(byTransaction({ transaction_id: '4200000000000000000000000000' })).rejects.toMatchObject({
    field: 'transaction_id',
  });
});
