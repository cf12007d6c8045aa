import { parseTime } from './beijing-time.js';
import { couponsOf, type Coupon } from './coupons.js';
import type { OrderKey, PaymentEvidence } from './order-book.js';

/** A payment, as a signed notification or a signed `orderquery` reply states it. */
export interface Payment {
  appId: string;
  mchId: string;
  subAppId?: string;
  subMchId?: string;
  outTradeNo: string;
  /** WeChat Pay's number, 28 digits today: a string. */
  transactionId: string;
  /** What the order cost, in the smallest unit of `feeType`: the amount to compare. */
  totalFee: number;
  /** ISO 4217; `CNY` when the message names none. */
  feeType: string;
  /** What the payer paid after coupons, in the smallest unit of `cashFeeType`. */
  cashFee?: number;
  cashFeeType?: string;
  /** What is settled with the merchant. */
  settlementTotalFee?: number;
  couponFee?: number;
  /** The coupons that were used (`coupon_*_$n`); absent when there were none. */
  coupons?: Coupon[];
  /** Global: the rate from `feeType` to `cashFeeType`, times 10^8. */
  rate?: number;
  /** `''` when the order had none. */
  attach: string;
  /** `MWEB` for H5. */
  tradeType: string;
  bankType?: string;
  openId?: string;
  /** When it was paid; absent if `time_end` is missing or is no time. */
  timeEnd?: Date;
  /** The message, untouched: every field, exact, also those that are not named here. */
  raw: Readonly<Record<string, string>>;
}

/** Reads the fields of a message whose required ones were checked. */
export function paymentOf(raw: Readonly<Record<string, string>>): Payment {
  const payment: Payment = {
    appId: raw['appid'] ?? '',
    mchId: raw['mch_id'] ?? '',
    outTradeNo: raw['out_trade_no'] ?? '',
    transactionId: raw['transaction_id'] ?? '',
    totalFee: feeOf(raw['total_fee']),
    feeType: raw['fee_type'] || 'CNY',
    attach: raw['attach'] ?? '',
    tradeType: raw['trade_type'] ?? '',
    raw,
  };
  if (raw['sub_appid']) payment.subAppId = raw['sub_appid'];
  if (raw['sub_mch_id']) payment.subMchId = raw['sub_mch_id'];
  if (raw['cash_fee']) payment.cashFee = feeOf(raw['cash_fee']);
  if (raw['cash_fee_type']) payment.cashFeeType = raw['cash_fee_type'];
  if (raw['settlement_total_fee']) payment.settlementTotalFee = feeOf(raw['settlement_total_fee']);
  if (raw['coupon_fee']) payment.couponFee = feeOf(raw['coupon_fee']);
  if (raw['coupon_fee'] || raw['coupon_count']) {
    const coupons = couponsOf(raw);
    if (coupons.length > 0) payment.coupons = coupons;
  }
  // Pages differ in its name.
  const rate = raw['rate'] || raw['rate_value'];
  if (rate && /^[0-9]{1,15}$/.test(rate)) payment.rate = Number(rate);
  if (raw['bank_type']) payment.bankType = raw['bank_type'];
  if (raw['openid']) payment.openId = raw['openid'];
  const timeEnd = parseTime(raw['time_end']);
  if (timeEnd !== undefined) payment.timeEnd = timeEnd;
  return payment;
}

/** `Number` of a string that was checked to be digits, at a fraction of the cost. */
function feeOf(digits = ''): number {
  let fee = 0;
  for (let i = 0; i < digits.length; i++) fee = fee * 10 + digits.charCodeAt(i) - 0x30;
  return fee;
}

export function evidenceOf(payment: Payment): PaymentEvidence {
  const { transactionId, appId, totalFee, feeType, attach, raw } = payment;
  return { transactionId, appId, totalFee, feeType, attach, raw };
}

export function orderKeyOf(ids: { mchId: string; subMchId?: string | undefined; outTradeNo: string }): OrderKey {
  return ids.subMchId === undefined
    ? { mchId: ids.mchId, outTradeNo: ids.outTradeNo }
    : { mchId: ids.mchId, subMchId: ids.subMchId, outTradeNo: ids.outTradeNo };
}
