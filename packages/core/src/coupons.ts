/** A coupon that took part in a payment. */
export interface Coupon {
  couponId?: string;
  /** `CASH`: it was charged with money. `NO_CASH`: it was not. */
  couponType?: 'CASH' | 'NO_CASH' | (string & {});
  /** In the smallest unit of the order's currency. */
  couponFee?: number;
}

/** A coupon that took part in a refund. */
export interface RefundedCoupon {
  couponRefundId?: string;
  couponType?: 'CASH' | 'NO_CASH' | (string & {});
  /** In the smallest unit of the order's currency. */
  couponRefundFee?: number;
}

type Fields = Readonly<Record<string, string>>;

const COUPON_OF_PAYMENT = /^coupon_(?:id|type|fee)_([0-9]{1,3})$/;

/** `coupon_id_$n`, `coupon_type_$n`, `coupon_fee_$n` as a list, in the order of `$n`. */
export function couponsOf(raw: Fields): Coupon[] {
  const names = ['coupon_id', 'coupon_type', 'coupon_fee'] as const;
  return indexed(raw, names, '', COUPON_OF_PAYMENT).map(([couponId, couponType, fee]) => ({
    ...(couponId && { couponId }),
    ...(couponType && { couponType }),
    ...(isAmount(fee) && { couponFee: Number(fee) }),
  }));
}

/**
 * The coupons of a refund.
 * @param refund the `$n` of the refund in a reply of `refundquery`, where names end in `_$n_$m`; `''` where there is one refund
 */
export function refundedCouponsOf(raw: Fields, refund: string): RefundedCoupon[] {
  const names = ['coupon_refund_id', 'coupon_type', 'coupon_refund_fee'] as const;
  const infix = refund === '' ? '' : `_${refund}`;
  const shape = new RegExp(`^(?:${names.join('|')})${infix}_([0-9]{1,3})$`);
  return indexed(raw, names, infix, shape).map(([couponRefundId, couponType, fee]) => ({
    ...(couponRefundId && { couponRefundId }),
    ...(couponType && { couponType }),
    ...(isAmount(fee) && { couponRefundFee: Number(fee) }),
  }));
}

/** The fields `<name><infix>_<index>`, one row for each index. `coupon_refund_fee_3` is an index or a refund, by the infix. */
function indexed(
  raw: Fields,
  names: readonly [string, string, string],
  infix: string,
  shape: RegExp,
): (readonly [string | undefined, string | undefined, string | undefined])[] {
  let indices: Set<string> | undefined;
  // Payments with a discount pass here, mostly in vain. Few names end in a digit.
  for (const name in raw) {
    const last = name.charCodeAt(name.length - 1);
    const index = last >= 0x30 && last <= 0x39 ? shape.exec(name)?.[1] : undefined;
    if (index !== undefined) (indices ??= new Set()).add(index);
  }
  if (indices === undefined) return [];
  return [...indices]
    .sort((a, b) => Number(a) - Number(b))
    .map((index) => {
      const [first, second, third] = names;
      const of = (name: string): string | undefined => raw[`${name}${infix}_${index}`];
      return [of(first), of(second), of(third)] as const;
    })
    .filter((row) => row.some((value) => value !== undefined && value !== ''));
}

function isAmount(text: string | undefined): boolean {
  return text !== undefined && /^[0-9]{1,10}$/.test(text);
}
