import { beijingDateTime } from './beijing-time.js';
import type { Operation, OperationContext, Refusal } from './operation.js';
import { checkRefundQuery } from './refund-fields.js';
import { REFUND_ACCOUNT, REFUND_RECEIVER } from './refund-message.js';
import type { SimulatedRefund } from './refunds.js';
import type { Fields } from './wire-fields.js';

const PAGE_LENGTH = 10;
const NO_REFUND: Refusal = { code: 'REFUNDNOTEXIST', description: '退款订单查询失败' };

/** One refund by its number, or those of an order, ten at a time. */
export const refundQuery: Operation = (fields, context) => {
  const refusal = checkRefundQuery(fields, context);
  if (refusal) return refusal;
  const found = findRefunds(fields, context);
  if ('code' in found) return found;
  const [first] = found;
  if (!first) return NO_REFUND;
  const offset = Number(fields['offset'] || 0);
  if (offset >= found.length) return { code: 'PARAM_ERROR', description: 'offset超过退款总次数' };
  const page = found.slice(offset, offset + PAGE_LENGTH);
  const order = context.orders.require(first.outTradeNo);
  return {
    code: 'SUCCESS',
    fields: {
      transaction_id: first.transactionId,
      out_trade_no: first.outTradeNo,
      total_fee: String(order.totalFee),
      settlement_total_fee: String(order.totalFee),
      fee_type: order.feeType,
      cash_fee: String(order.totalFee),
      refund_count: String(page.length),
      // Told only to those who have to know that there is more.
      ...((fields['offset'] || found.length > PAGE_LENGTH) && { total_refund_count: String(found.length) }),
      ...Object.assign({}, ...page.map(refundFields)),
    },
  };
};

/** With several numbers the most exact one is taken and the others are not looked at. */
function findRefunds(fields: Fields, { orders, refunds }: OperationContext): readonly SimulatedRefund[] | Refusal {
  const one = (refund: SimulatedRefund | undefined) => (refund ? [refund] : []);
  if (fields['refund_id']) return one(refunds.findByRefundId(fields['refund_id']));
  if (fields['out_refund_no']) return one(refunds.get(fields['out_refund_no']));
  if (!fields['transaction_id']) return refunds.list(fields['out_trade_no']);
  const order = orders.findByTransaction(fields['transaction_id']);
  return order ? refunds.list(order.outTradeNo) : { code: 'INVALID_TRANSACTIONID', description: '无效transaction_id' };
}

/** Those of the `n`-th refund on the page, from 0. */
function refundFields(refund: SimulatedRefund, n: number): Fields {
  const fields: Fields = {
    out_refund_no: refund.outRefundNo,
    refund_id: refund.refundId,
    refund_channel: 'ORIGINAL',
    refund_fee: String(refund.refundFee),
    settlement_refund_fee: String(refund.refundFee),
    refund_account: REFUND_ACCOUNT,
    refund_status: refund.status,
    // WeChat's own spelling.
    refund_recv_accout: REFUND_RECEIVER,
    ...(refund.succeededAt && { refund_success_time: beijingDateTime(refund.succeededAt) }),
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${name}_${n}`, value]));
}
