import { couponsOf, refundedCouponsOf } from './coupons.js';

test('an index is all that follows: a coupon of a refund in a list is none of a single refund', () => {
  const raw = { coupon_refund_id_0_1: 'C1', coupon_refund_fee_0_1: '5', coupon_refund_fee_0: '5' };
  expect(refundedCouponsOf({ coupon_refund_id_0_1: 'C1' }, '')).toEqual([]);
  expect(refundedCouponsOf(raw, '0')).toEqual([{ couponRefundId: 'C1', couponRefundFee: 5 }]);
  expect(refundedCouponsOf(raw, '1')).toEqual([]);
});

test('the un-indexed names of the official sample, names that only look alike and empty values are no coupons', () => {
  expect(
    couponsOf({
      coupon_id: '1',
      coupon_fee: '3',
      coupon_count: '1',
      xcoupon_id_0: '1',
      coupon_id_0: '',
      coupon_id_x: '1',
    }),
  ).toEqual([]);
});
