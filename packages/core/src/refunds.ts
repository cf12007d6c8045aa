import { parseRefundTime } from './beijing-time.js';
import { refundedCouponsOf, type RefundedCoupon } from './coupons.js';
import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { Caller } from './gateway.js';
import type { Merchants } from './merchant.js';
import { refusalOf } from './order-refusals.js';
import type { RefundHint } from './refund-notification.js';
import { callRepeating } from './repeat.js';

/** Which refund a call is about; by order, all refunds of it. `mchId` (and `subMchId`, `appId`) once there are several merchants. */
export type RefundRef = (
  { outRefundNo: string } | { refundId: string } | { outTradeNo: string } | { transactionId: string }
) & {
  mchId?: string;
  subMchId?: string;
  appId?: string;
  /** By order, WeChat Pay lists ten refunds at a time: how many to pass over. */
  offset?: number;
};

/** Which order's refunds to list. */
export type RefundListRef = ({ outTradeNo: string } | { transactionId: string }) & {
  mchId?: string;
  subMchId?: string;
  appId?: string;
};

/**
 * One refund as `refundquery` states it. `SUCCESS`: the money is back. `PROCESSING`: on its way.
 * `REFUNDCLOSE`: it will not happen. `CHANGE`: the payer's bank refused it; a person has to act.
 */
export interface RefundEntry {
  outRefundNo: string;
  refundId: string;
  /** In the smallest unit of the order's currency. */
  refundFee: number;
  refundStatus: 'SUCCESS' | 'PROCESSING' | 'REFUNDCLOSE' | 'CHANGE' | (string & {});
  settlementRefundFee?: number;
  /** `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`. */
  refundChannel?: string;
  /** Where the money went, in words (`refund_recv_accout`). */
  refundRecvAccout?: string;
  refundSuccessTime?: Date;
  /** Which balance paid: `REFUND_SOURCE_RECHARGE_FUNDS` or `REFUND_SOURCE_UNSETTLED_FUNDS`. */
  refundAccount?: string;
  /** What of `refundFee` went back into coupons. */
  couponRefundFee?: number;
  /** Those coupons (`coupon_*_$n_$m`); absent when there are none. */
  coupons?: RefundedCoupon[];
}

export interface RefundQuery {
  outTradeNo: string;
  transactionId: string;
  /** What the order cost. */
  totalFee: number;
  feeType: string;
  /** Those of this page, in WeChat Pay's order. */
  refunds: RefundEntry[];
  /** Of all pages, when WeChat Pay says so. */
  totalRefundCount?: number;
  raw: Readonly<Record<string, string>>;
}

/** A refund that WeChat Pay confirmed, as `onRefunded` gets it: everything in it is from the signed reply. */
export interface Refund extends RefundEntry {
  appId: string;
  mchId: string;
  subMchId?: string;
  outTradeNo: string;
  transactionId: string;
  totalFee: number;
  feeType: string;
  raw: Readonly<Record<string, string>>;
}

const REF_FIELDS = [
  ['refundId', 'refund_id', /^[0-9A-Za-z_-]{1,32}$/],
  ['outRefundNo', 'out_refund_no', /^[0-9A-Za-z_\-|*@]{1,64}$/],
  ['transactionId', 'transaction_id', /^[0-9A-Za-z_-]{1,32}$/],
  ['outTradeNo', 'out_trade_no', /^[0-9A-Za-z_\-|*@]{1,32}$/],
] as const;

/** How many refunds of an order one reply lists. */
const PAGE = 10;

/** What every reply says, whatever was asked for. */
const REQUIRED = [
  ['out_trade_no', /^[0-9A-Za-z_\-|*@]{1,32}$/],
  ['transaction_id', /^[0-9A-Za-z_-]{1,32}$/],
  ['total_fee', /^[1-9][0-9]{0,9}$/],
] as const;

/**
 * Asks WeChat Pay for refunds (`refundquery`).
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `ORDER_UNKNOWN` (REFUNDNOTEXIST), `GATEWAY_REFUSED`, `GATEWAY_*`, `RETURN_CODE_FAIL`
 * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013634997
 */
export async function queryRefund(gateway: Caller, merchants: Merchants, ref: RefundRef): Promise<RefundQuery> {
  const merchant = merchants.named(ref);
  const [name, value] = askedFor(ref);
  const asked: Record<string, string> = { [name]: value };
  if (ref.offset !== undefined) asked['offset'] = offsetOf(ref.offset);
  const { raw, refusal } = await callRepeating(gateway, '/pay/refundquery', merchant, asked, value);
  if (refusal !== undefined) throw refusalOf('refundquery', refusal);
  for (const [field, shape] of REQUIRED) {
    if (!shape.test(raw[field] ?? '')) throw replyInvalid('The reply names no order, transaction or amount', field);
  }
  const refunds = refundEntries(raw);
  const answered =
    name === 'refund_id' ? refunds[0]?.refundId : name === 'out_refund_no' ? refunds[0]?.outRefundNo : raw[name];
  if (answered !== value) throw replyInvalid(`The reply is about another ${name}`, name);
  const query: RefundQuery = {
    outTradeNo: raw['out_trade_no'] ?? '',
    transactionId: raw['transaction_id'] ?? '',
    totalFee: Number(raw['total_fee']),
    feeType: raw['fee_type'] || 'CNY',
    refunds,
    raw,
  };
  const totalRefundCount = count(raw['total_refund_count']);
  if (totalRefundCount !== undefined) query.totalRefundCount = totalRefundCount;
  return query;
}

/**
 * All refunds of an order, page after page.
 * @throws {WechatH5Error} those of {@link queryRefund}
 */
export async function* listRefunds(
  gateway: Caller,
  merchants: Merchants,
  ref: RefundListRef,
): AsyncGenerator<RefundEntry, void, undefined> {
  // A refund made while one reads moves the others by one: it is not told twice.
  const seen = new Set<string>();
  let offset = 0;
  for (;;) {
    let page: RefundQuery;
    try {
      page = await queryRefund(gateway, merchants, { ...ref, offset });
    } catch (error) {
      // An offset behind the last refund is a wrong parameter to WeChat Pay.
      if (offset > 0 && isWechatH5Error(error) && error.errCode === 'PARAM_ERROR') return;
      throw error;
    }
    for (const entry of page.refunds) {
      if (!seen.has(entry.refundId)) yield entry;
      seen.add(entry.refundId);
    }
    offset += page.refunds.length;
    const isLast = page.totalRefundCount === undefined ? page.refunds.length < PAGE : offset >= page.totalRefundCount;
    if (isLast || page.refunds.length === 0) return;
  }
}

/** What a hint claims and WeChat Pay's answer has to say as well. Its status is not among them: that may have moved on. */
const CLAIMS = [
  ['out_trade_no', 'outTradeNo'],
  ['transaction_id', 'transactionId'],
  ['refund_id', 'refundId'],
  ['total_fee', 'totalFee'],
  ['refund_fee', 'refundFee'],
] as const;

/** Asks WeChat Pay whether the refunds that notifications hint at are true. */
export class RefundConfirmations {
  readonly #gateway: Caller;
  readonly #merchants: Merchants;
  readonly #asking = new Map<string, Promise<RefundQuery>>();

  constructor(gateway: Caller, merchants: Merchants) {
    this.#gateway = gateway;
    this.#merchants = merchants;
  }

  /**
   * The refund as the signed reply of `refundquery` states it: nothing else of a hint is used.
   * @throws {WechatH5Error} `ORDER_MISMATCH` if WeChat Pay's own answer differs, and those of {@link queryRefund}
   */
  async confirm(hint: RefundHint): Promise<Refund> {
    const { appId, mchId, subMchId, outRefundNo } = hint;
    const sub = subMchId === undefined ? {} : { subMchId };
    const query = await this.#query({ outRefundNo, mchId, appId, ...sub });
    // The reply is about this number: queryRefund has seen to that.
    const [entry] = query.refunds as [RefundEntry];
    const { outTradeNo, transactionId, totalFee, feeType, raw } = query;
    const refund = { ...entry, appId, mchId, ...sub, outTradeNo, transactionId, totalFee, feeType, raw };
    const differs = CLAIMS.find(([, name]) => refund[name] !== hint[name]);
    if (differs === undefined) return refund;
    throw new WechatH5Error('ORDER_MISMATCH', `A refund notification differs from refundquery in ${differs[0]}`, {
      field: differs[0],
      hint: 'It was not believed: these notifications are not signed, and this one may have been pieced together. 退款通知与查询结果不一致，已忽略。',
    });
  }

  /** Copies arrive within seconds, and anybody can send more of them: those that come together share one question. */
  #query(ref: { outRefundNo: string; mchId: string; appId: string; subMchId?: string }): Promise<RefundQuery> {
    const id = [ref.mchId, ref.subMchId, ref.appId, ref.outRefundNo].join(' ');
    const asking = this.#asking.get(id);
    if (asking !== undefined) return asking;
    const query = queryRefund(this.#gateway, this.#merchants, ref).finally(() => this.#asking.delete(id));
    this.#asking.set(id, query);
    return query;
  }
}

/**
 * The `$n` fields as a list. `refund_fee_0` belongs to the first refund; `coupon_refund_fee_0_1` is a coupon
 * of it. Whether a later page begins at 0 again is not documented, so any number is taken.
 */
function refundEntries(raw: Readonly<Record<string, string>>): RefundEntry[] {
  const refunds: RefundEntry[] = [];
  const numbers = Object.keys(raw).flatMap((name) => /^out_refund_no_([0-9]{1,4})$/.exec(name)?.[1] ?? []);
  for (const n of numbers.sort((a, b) => Number(a) - Number(b))) {
    const of = (name: string): string | undefined => raw[`${name}_${n}`] || undefined;
    const refundFee = of('refund_fee');
    const refundId = of('refund_id');
    const refundStatus = of('refund_status');
    if (refundFee === undefined || !/^[1-9][0-9]{0,9}$/.test(refundFee))
      throw replyInvalid('A refund has no amount', `refund_fee_${n}`);
    if (refundId === undefined) throw replyInvalid('A refund has no number', `refund_id_${n}`);
    if (refundStatus === undefined) throw replyInvalid('A refund has no status', `refund_status_${n}`);
    const entry: RefundEntry = {
      outRefundNo: of('out_refund_no') ?? '',
      refundId,
      refundFee: Number(refundFee),
      refundStatus,
    };
    const settlementRefundFee = count(of('settlement_refund_fee'));
    if (settlementRefundFee !== undefined) entry.settlementRefundFee = settlementRefundFee;
    const refundChannel = of('refund_channel');
    if (refundChannel !== undefined) entry.refundChannel = refundChannel;
    const refundRecvAccout = of('refund_recv_accout');
    if (refundRecvAccout !== undefined) entry.refundRecvAccout = refundRecvAccout;
    const refundAccount = of('refund_account');
    if (refundAccount !== undefined) entry.refundAccount = refundAccount;
    const couponRefundFee = count(of('coupon_refund_fee'));
    if (couponRefundFee !== undefined) entry.couponRefundFee = couponRefundFee;
    const coupons = refundedCouponsOf(raw, n);
    if (coupons.length > 0) entry.coupons = coupons;
    const refundSuccessTime = parseRefundTime(of('refund_success_time'));
    if (refundSuccessTime !== undefined) entry.refundSuccessTime = refundSuccessTime;
    refunds.push(entry);
  }
  return refunds;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}

function askedFor(ref: RefundRef): [name: string, value: string] {
  for (const [ours, official, shape] of REF_FIELDS) {
    const value = (ref as Partial<Record<typeof ours, unknown>>)[ours];
    if (value === undefined) continue;
    if (typeof value === 'string' && shape.test(value)) return [official, value];
    throw new WechatH5Error('ORDER_FIELD_INVALID', `${official} is ${quoted(String(value))}`, {
      field: official,
      hint: `Pass ${ours} as WeChat Pay or you assigned it.`,
    });
  }
  throw new WechatH5Error('ORDER_FIELD_INVALID', 'The call names no refund', {
    field: 'out_refund_no',
    hint: 'Pass one of outRefundNo, refundId, outTradeNo, transactionId.',
  });
}

function offsetOf(offset: number): string {
  if (Number.isInteger(offset) && offset >= 0 && offset <= 1000) return String(offset);
  throw new WechatH5Error('ORDER_FIELD_INVALID', `offset is ${String(offset)}`, {
    field: 'offset',
    hint: 'Pass an integer from 0.',
  });
}

function replyInvalid(message: string, field: string): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', message, { field, hint: 'It was not believed. Query again.' });
}
