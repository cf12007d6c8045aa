import type { WechatH5ErrorCode } from './errors.js';
import { RESULT_CODE_TABLE } from './result-code-table.js';

/** The V2 operations, by the last part of their path. `queryexchagerate` is WeChat Pay's own spelling. */
export type Operation =
  | 'unifiedorder'
  | 'orderquery'
  | 'closeorder'
  | 'refund'
  | 'refundquery'
  | 'downloadbill'
  | 'downloadfundflow'
  | 'settlementquery'
  | 'queryexchagerate';

/**
 * What a code is about. `system`: WeChat Pay itself. `rate-limit`: too many calls. `credentials`: ids, key or signature.
 * `permission`: something is not enabled. `request`: a parameter or the message. `order-state`: the order is not in a
 * state for this. `not-found`: no such order, refund or bill. `payer`: the payer's account. `funds`: the merchant's
 * balance. `unknown`: not in the tables.
 */
export type ResultCodeType =
  | 'system'
  | 'rate-limit'
  | 'credentials'
  | 'permission'
  | 'request'
  | 'order-state'
  | 'not-found'
  | 'payer'
  | 'funds'
  | 'unknown';

/**
 * What may be done with the same call. `same-parameters`: repeat it at once, unchanged, with the same numbers. `later`:
 * the same after a pause. `new-number`: place the order again under a new `outTradeNo`. `query`: do not repeat it; ask
 * how the order or refund stands. `never`: it will fail again until something is changed.
 */
export type RetryClass = 'same-parameters' | 'later' | 'new-number' | 'query' | 'never';

/** One `err_code` of WeChat Pay: what it means and what to do. */
export interface ResultCode {
  code: string;
  type: ResultCodeType;
  meaning: { en: string; zh: string };
  action: { en: string; zh: string };
  retry: RetryClass;
}

/** A row of the table. */
export interface ResultCodeRow extends Omit<ResultCode, 'code'> {
  codes: readonly string[];
  /** Only where the text says so: some codes are families. */
  text?: RegExp;
  /** Only of these operations. */
  operations?: readonly Operation[];
  /** What the error is called when it is thrown. Default `GATEWAY_REFUSED`. */
  error?: WechatH5ErrorCode;
}

const UNKNOWN: Omit<ResultCodeRow, 'codes'> = {
  type: 'unknown',
  meaning: { en: 'This code is not in the tables of WeChat Pay.', zh: '微信支付文档未列出该错误码。' },
  action: { en: 'Its text says why; query before anything is repeated.', zh: '请查看错误描述，重试前先查询。' },
  retry: 'query',
};

/**
 * Explains an `err_code` of the V2 API, or the `error_code` of a bill. A code that is in no table has the type `unknown`.
 *
 * @param code `errCode` of a `WechatH5Error`
 * @param context the operation that answered with it: `NOTENOUGH` is the payer's balance for an order and the merchant's
 *   for a refund; and its text (`errCodeDes`), because a few codes are families
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011936530
 */
export function explainResultCode(code: string, context: { operation?: Operation; text?: string } = {}): ResultCode {
  const { type, meaning, action, retry } = rowOf(code, context);
  return { code, type, meaning, action, retry };
}

/** The row of a code; for one that is in no table, what holds of any. */
export function rowOf(code: string, context: { operation?: Operation; text?: string }): Omit<ResultCodeRow, 'codes'> {
  const { operation, text = '' } = context;
  const row = RESULT_CODE_TABLE.find(
    (candidate) =>
      candidate.codes.includes(code) &&
      (candidate.text === undefined || candidate.text.test(text)) &&
      (candidate.operations === undefined || operation === undefined || candidate.operations.includes(operation)),
  );
  return row ?? UNKNOWN;
}
