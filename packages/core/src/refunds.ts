import { parseRefundTime } from './beijing-time.js';
import { quoted, WechatH5Error } from './errors.js';
import type { Gateway } from './gateway.js';
import type { Merchants } from './merchant.js';
import type { RefundHint } from './refund-notification.js';

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

/** A refund that WeChat Pay confirmed, as `onRefunded` gets it. */
export interface Refund extends RefundEntry {
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

/**
 * Asks WeChat Pay for refunds (`refundquery`).
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `ORDER_UNKNOWN` (REFUNDNOTEXIST), `GATEWAY_REFUSED`, `GATEWAY_*`, `RETURN_CODE_FAIL`
 * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013634997
 */
export async function queryRefund(gateway: Gateway, merchants: Merchants, ref: RefundRef): Promise<RefundQuery> {
  const merchant = merchants.named(ref);
  const [name, value] = askedFor(ref);
  const asked: Record<string, string> = { [name]: value };
  if (ref.offset !== undefined) asked['offset'] = offsetOf(ref.offset);
  const { raw, refusal } = await gateway.call('/pay/refundquery', merchant, asked, value);
  if (refusal !== undefined) {
    const unknown = refusal.errCode === 'REFUNDNOTEXIST';
    throw new WechatH5Error(
      unknown ? 'ORDER_UNKNOWN' : 'GATEWAY_REFUSED',
      `WeChat Pay refused refundquery: ${quoted(refusal.errCode)} ${quoted(refusal.errCodeDes, 128)}`,
      {
        errCode: refusal.errCode,
        errCodeDes: refusal.errCodeDes,
        hint: unknown ? 'WeChat Pay knows no such refund. 退款不存在。' : 'The text of WeChat Pay says why.',
      },
    );
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
  if (raw['total_refund_count']) query.totalRefundCount = Number(raw['total_refund_count']);
  return query;
}

/**
 * Asks whether a refund notification is true. What it says beyond the numbers is not used.
 * @throws {WechatH5Error} `ORDER_MISMATCH` if WeChat Pay's own answer differs, and those of {@link queryRefund}
 */
export async function confirmRefund(gateway: Gateway, merchants: Merchants, hint: RefundHint): Promise<Refund> {
  const { mchId, subMchId, appId, outRefundNo } = hint;
  const sub = subMchId === undefined ? {} : { subMchId };
  const query = await queryRefund(gateway, merchants, { outRefundNo, mchId, appId, ...sub });
  const entry = query.refunds.find((candidate) => candidate.outRefundNo === outRefundNo);
  const differs =
    entry === undefined
      ? 'out_refund_no'
      : entry.refundFee !== hint.refundFee
        ? 'refund_fee'
        : query.outTradeNo !== hint.outTradeNo
          ? 'out_trade_no'
          : query.totalFee !== hint.totalFee
            ? 'total_fee'
            : undefined;
  if (entry === undefined || differs !== undefined) {
    throw new WechatH5Error('ORDER_MISMATCH', `A refund notification differs from refundquery in ${differs}`, {
      ...(differs === undefined ? {} : { field: differs }),
      hint: 'It was not believed: these notifications are not signed, and this one may have been pieced together. 退款通知与查询结果不一致，已忽略。',
    });
  }
  const { outTradeNo, transactionId, totalFee, feeType, raw } = query;
  return { ...entry, mchId, ...sub, outTradeNo, transactionId, totalFee, feeType, raw };
}

/**
 * The `$n` fields as a list. `refund_fee_0` belongs to the first refund; `coupon_refund_fee_0_1` is a coupon
 * of it and stays in `raw`.
 */
function refundEntries(raw: Readonly<Record<string, string>>): RefundEntry[] {
  const refunds: RefundEntry[] = [];
  for (let n = 0; raw[`out_refund_no_${n}`] !== undefined; n++) {
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
    const settlementRefundFee = of('settlement_refund_fee');
    if (settlementRefundFee !== undefined) entry.settlementRefundFee = Number(settlementRefundFee);
    const refundChannel = of('refund_channel');
    if (refundChannel !== undefined) entry.refundChannel = refundChannel;
    const refundRecvAccout = of('refund_recv_accout');
    if (refundRecvAccout !== undefined) entry.refundRecvAccout = refundRecvAccout;
    const refundSuccessTime = parseRefundTime(of('refund_success_time'));
    if (refundSuccessTime !== undefined) entry.refundSuccessTime = refundSuccessTime;
    refunds.push(entry);
  }
  return refunds;
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
