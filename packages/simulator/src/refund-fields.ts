import { checkFields, COMMON_FIELDS, matches, type FieldContext, type FieldRule } from './field-rules.js';
import type { Refusal } from './operation.js';
import type { Fields } from './wire-fields.js';

const REFUND_QUERY: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  refund_id: { max: 32 },
  out_refund_no: { max: 64, check: matches(/^[0-9A-Za-z_\-|*@]+$/) },
  transaction_id: { max: 32 },
  out_trade_no: { max: 32, check: matches(/^[0-9A-Za-z_\-|*@]+$/) },
  offset: { max: 10, check: matches(/^\d+$/) },
};

/** The first thing wrong with a refundquery request. Its official table of errors has no LACK_PARAMS. */
export function checkRefundQuery(fields: Fields, context: FieldContext): Refusal | undefined {
  const { refund_id, out_refund_no, transaction_id, out_trade_no } = fields;
  if (!refund_id && !out_refund_no && !transaction_id && !out_trade_no) {
    return { code: 'PARAM_ERROR', description: '缺少参数refund_id、out_refund_no、transaction_id或out_trade_no' };
  }
  return checkFields(REFUND_QUERY, fields, context);
}
