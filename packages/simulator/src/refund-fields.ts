import {
  checkFields,
  checkNotifyUrl,
  COMMON_FIELDS,
  matches,
  oneOf,
  type FieldContext,
  type FieldRule,
} from './field-rules.js';
import type { Refusal } from './operation.js';
import { REFUND_ACCOUNT } from './refund-message.js';
import type { Fields } from './wire-fields.js';

const MONEY: FieldRule = { required: true, max: 16, check: matches(/^[1-9]\d*$/) };
const REFUND_NUMBER = matches(/^[0-9A-Za-z_\-|*@]+$/);

const REFUND: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  transaction_id: { max: 32 },
  out_trade_no: { max: 32, check: REFUND_NUMBER },
  out_refund_no: { required: true, max: 64, check: REFUND_NUMBER },
  total_fee: MONEY,
  refund_fee: MONEY,
  refund_fee_type: { max: 8 },
  refund_desc: { max: 80 },
  refund_account: { max: 30, check: oneOf(REFUND_ACCOUNT, 'REFUND_SOURCE_RECHARGE_FUNDS') },
  notify_url: { max: 256, check: (value, _fields, context) => checkNotifyUrl(value, context) },
  detail: { max: 6000 },
};

const REFUND_QUERY: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  refund_id: { max: 32 },
  out_refund_no: { max: 64, check: REFUND_NUMBER },
  transaction_id: { max: 32 },
  out_trade_no: { max: 32, check: REFUND_NUMBER },
  offset: { max: 10, check: matches(/^\d+$/) },
};

/** The first thing wrong with a refund request. Its official table of errors has no LACK_PARAMS. */
export function checkRefund(fields: Fields, context: FieldContext): Refusal | undefined {
  const refusal =
    fields['transaction_id'] || fields['out_trade_no']
      ? checkFields(REFUND, fields, context)
      : { code: 'PARAM_ERROR', description: '缺少参数transaction_id或out_trade_no' };
  return refusal?.code === 'LACK_PARAMS' ? { ...refusal, code: 'PARAM_ERROR' } : refusal;
}

/** The first thing wrong with a refundquery request. Its official table of errors has no LACK_PARAMS. */
export function checkRefundQuery(fields: Fields, context: FieldContext): Refusal | undefined {
  const { refund_id, out_refund_no, transaction_id, out_trade_no } = fields;
  if (!refund_id && !out_refund_no && !transaction_id && !out_trade_no) {
    return { code: 'PARAM_ERROR', description: '缺少参数refund_id、out_refund_no、transaction_id或out_trade_no' };
  }
  return checkFields(REFUND_QUERY, fields, context);
}
