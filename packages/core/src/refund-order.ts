import { refundedCouponsOf, type RefundedCoupon } from './coupons.js';
import { WechatH5Error } from './errors.js';
import type { Caller } from './gateway.js';
import type { Merchants } from './merchant.js';
import { refundFields, type NewRefund, type RefundSettings } from './new-refund.js';
import { refusalOf } from './order-refusals.js';
import { callRepeating } from './repeat.js';

/**
 * A refund that WeChat Pay has accepted. The money is on its way, not yet back: `onRefunded` and `queryRefund` tell when
 * it is, or that it could not be given back.
 */
export interface RefundAccepted {
  outRefundNo: string;
  refundId: string;
  outTradeNo: string;
  transactionId: string;
  /** In the smallest unit of `feeType`, like all amounts here. */
  refundFee: number;
  totalFee: number;
  /** ISO 4217; `CNY` when the reply names none. */
  feeType: string;
  /** Without coupons that were not charged with money. */
  settlementRefundFee?: number;
  settlementTotalFee?: number;
  /** What the payer had paid, and what of it comes back, in the smallest unit of `cashFeeType`. */
  cashFee?: number;
  cashFeeType?: string;
  cashRefundFee?: number;
  /** What of `refundFee` goes back into coupons. */
  couponRefundFee?: number;
  coupons: RefundedCoupon[];
  raw: Readonly<Record<string, string>>;
}

const AMOUNTS = [
  ['settlementRefundFee', 'settlement_refund_fee'],
  ['settlementTotalFee', 'settlement_total_fee'],
  ['cashFee', 'cash_fee'],
  ['cashRefundFee', 'cash_refund_fee'],
  ['couponRefundFee', 'coupon_refund_fee'],
] as const;

/**
 * Asks WeChat Pay for a refund (`refund`), over mutual TLS with the merchant's certificate.
 *
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `CERTIFICATE_MISSING`: nothing was sent. `ORDER_UNKNOWN`,
 *   `GATEWAY_REFUSED` with `errCode`. `GATEWAY_*`, `RETURN_CODE_FAIL`: unknown, ask again with the same `outRefundNo`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985842
 */
export async function refundOrder(
  refund: NewRefund,
  parts: RefundSettings & { gateway: Caller; merchants: Merchants },
): Promise<RefundAccepted> {
  const asked = refundFields(refund, parts);
  const merchant = parts.merchants.named(refund);
  const { raw, refusal } = await callRepeating(
    parts.gateway,
    '/secapi/pay/refund',
    merchant,
    asked,
    refund.outRefundNo,
  );
  if (refusal !== undefined) throw refusalOf('refund', refusal);
  for (const name of ['out_refund_no', 'out_trade_no', 'transaction_id', 'total_fee', 'refund_fee']) {
    if (raw[name] === undefined || (asked[name] !== undefined && raw[name] !== asked[name])) throw notThis(name);
  }
  if (!raw['refund_id']) throw notThis('refund_id');
  const accepted: RefundAccepted = {
    outRefundNo: refund.outRefundNo,
    refundId: raw['refund_id'],
    outTradeNo: raw['out_trade_no'] ?? '',
    transactionId: raw['transaction_id'] ?? '',
    refundFee: refund.refundFee,
    totalFee: refund.totalFee,
    feeType: raw['fee_type'] || 'CNY',
    coupons: refundedCouponsOf(raw, ''),
    raw,
  };
  for (const [ours, official] of AMOUNTS) {
    const value = raw[official] ?? '';
    if (/^[0-9]{1,10}$/.test(value)) accepted[ours] = Number(value);
  }
  if (raw['cash_fee_type']) accepted.cashFeeType = raw['cash_fee_type'];
  return accepted;
}

function notThis(field: string): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', `The reply has no ${field}, or that of another refund`, {
    field,
    hint: 'It was not believed; whether the refund was accepted is unknown. Ask again with the same outRefundNo, or use queryRefund. 请用相同的商户退款单号重试或查询。',
  });
}
