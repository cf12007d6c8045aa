import { currency } from './currency.js';
import { checkedNotifyUrl } from './notify-url.js';
import { amount, json, oneOf, refused, refuseUnknown, shown, text } from './request-fields.js';

/**
 * A refund to be asked for. Names are WeChat Pay's, in camelCase; limits are those of `refund`. After a failure or a
 * timeout ask again with the same `outRefundNo`: it stands for one refund, and another number could pay back twice.
 */
export type NewRefund = ({ outTradeNo: string } | { transactionId: string }) & {
  /** Your number for this refund: 1 to 64 of `0-9 A-Z a-z _ - | * @`. */
  outRefundNo: string;
  /** What the order cost: an integer in the smallest unit (fen). */
  totalFee: number;
  /** What is given back: an integer in the smallest unit, up to `totalFee`. An order can be refunded in up to 50 parts, within a year. */
  refundFee: number;
  /** ISO 4217, the same as that of the order. */
  refundFeeType?: string;
  /** Why, for the payer: up to 80 characters. Not shown for parts of up to 1 yuan. */
  refundDesc?: string;
  /** Which balance pays, for merchants of the old fund flow. Default: unsettled funds. */
  refundAccount?: 'REFUND_SOURCE_UNSETTLED_FUNDS' | 'REFUND_SOURCE_RECHARGE_FUNDS';
  /** Where the refund notification goes. Default: the `notifyUrl` option. */
  notifyUrl?: string;
  /** JSON text of single items: up to 6000 characters. */
  detail?: string;
  /** Needed once there are several merchants. */
  mchId?: string;
  subMchId?: string;
  appId?: string;
};

type Every<Union> = Union extends unknown ? keyof Union : never;

const KNOWN: Record<Every<NewRefund>, true> = {
  outTradeNo: true,
  transactionId: true,
  outRefundNo: true,
  totalFee: true,
  refundFee: true,
  refundFeeType: true,
  refundDesc: true,
  refundAccount: true,
  notifyUrl: true,
  detail: true,
  mchId: true,
  subMchId: true,
  appId: true,
};

/** What the instance says beside every refund. */
export interface RefundSettings {
  readonly notifyUrl: string;
  readonly simulated: boolean;
  /** That may be named: see `currenciesOn`. */
  readonly currencies: readonly string[];
}

/**
 * The business parameters of `refund`, each one checked.
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `field` naming the official field
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985842
 */
export function refundFields(refund: NewRefund, given: RefundSettings): Record<string, string> {
  if (typeof refund !== 'object' || refund === null) {
    throw refused('out_refund_no', 'is missing', 'Pass { outTradeNo, outRefundNo, totalFee, refundFee }.');
  }
  refuseUnknown(refund, KNOWN, 'a refund');
  const fields: Record<string, string> = {
    ...orderOf(refund),
    out_refund_no: number('out_refund_no', refund.outRefundNo, /^[0-9A-Za-z_\-|*@]{1,64}$/, '1 to 64', '|*@'),
    total_fee: amount('total_fee', refund.totalFee),
    refund_fee: amount('refund_fee', refund.refundFee),
    notify_url: given.notifyUrl,
  };
  if (refund.refundFee > refund.totalFee) {
    throw refused(
      'refund_fee',
      `is ${refund.refundFee}, more than total_fee ${refund.totalFee}`,
      'Give back at most what the order cost. 退款金额不能大于订单金额。',
    );
  }
  if (refund.refundFeeType !== undefined)
    fields['refund_fee_type'] = currency('refund_fee_type', refund.refundFeeType, given.currencies);
  if (refund.refundDesc !== undefined) fields['refund_desc'] = text('refund_desc', refund.refundDesc, 80);
  if (refund.refundAccount !== undefined)
    fields['refund_account'] = oneOf('refund_account', refund.refundAccount, [
      'REFUND_SOURCE_UNSETTLED_FUNDS',
      'REFUND_SOURCE_RECHARGE_FUNDS',
    ]);
  if (refund.notifyUrl !== undefined) {
    checkedNotifyUrl(refund.notifyUrl, given.simulated, (problem, hint) => refused('notify_url', problem, hint));
    fields['notify_url'] = refund.notifyUrl;
  }
  if (refund.detail !== undefined) fields['detail'] = json('detail', refund.detail, 6000);
  return fields;
}

function orderOf(refund: { outTradeNo?: unknown; transactionId?: unknown }): Record<string, string> {
  const { outTradeNo, transactionId } = refund;
  if (outTradeNo !== undefined && transactionId !== undefined) {
    throw refused(
      'transaction_id',
      'is given beside out_trade_no',
      'Name the order once: WeChat Pay compares only one.',
    );
  }
  return transactionId === undefined
    ? { out_trade_no: number('out_trade_no', outTradeNo, /^[0-9A-Za-z_\-|*@]{1,32}$/, '1 to 32', '|*@') }
    : { transaction_id: number('transaction_id', transactionId, /^[0-9A-Za-z_-]{1,32}$/, '1 to 32', '') };
}

function number(field: string, value: unknown, shape: RegExp, length: string, others: string): string {
  if (typeof value === 'string' && shape.test(value)) return value;
  throw refused(
    field,
    `is ${shown(value)}`,
    `Use ${length} characters of 0-9 A-Z a-z _ - ${[...others].join(' ')}`.trim() + `. 请核对 ${field} 的长度与字符。`,
  );
}
