import { beijingDateTime } from './beijing-time.js';
import { cashFields, cashRefundFields } from './cash.js';
import type { Answer, Operation, OperationContext, Refusal } from './operation.js';
import { officialDescription } from './official-descriptions.js';
import type { SimulatedOrder } from './orders.js';
import { checkRefund, checkRefundQuery } from './refund-fields.js';
import { REFUND_RECEIVER } from './refund-message.js';
import type { SimulatedRefund } from './refunds.js';
import type { Fields } from './wire-fields.js';

const PAGE_LENGTH = 10;
const NO_REFUND: Refusal = { code: 'REFUNDNOTEXIST', description: '退款订单查询失败' };

const YEAR = 365 * 24 * 3_600_000;

/**
 * Accepts a refund, which then is on its way: how it ends is told later. The same number with the same amounts is the
 * same refund. No table says which refusal comes first; the codes and texts are those that merchants have reported.
 */
export const refund: Operation = (fields, context) => {
  const refusal = checkRefund(fields, context);
  if (refusal) return refusal;
  const refundFee = Number(fields['refund_fee']);
  const totalFee = Number(fields['total_fee']);
  if (refundFee > totalFee) return { code: 'INVALID_REQUEST', returnMsg: 'invalid refund_fee' };
  const order = findOrder(fields, context);
  if ('code' in order) return order;
  if (!order.payment) return refuse('TRADE_STATE_ERROR');
  const outRefundNo = fields['out_refund_no'] ?? '';
  const known = context.refunds.get(outRefundNo);
  if (known) {
    const same = known.outTradeNo === order.outTradeNo && known.refundFee === refundFee && totalFee === order.totalFee;
    return same ? accepted(order, known) : refuse('REFUND_FEE_MISMATCH');
  }
  if (totalFee !== order.totalFee) return refuse('REFUND_FEE_MISMATCH');
  const currency = fields['refund_fee_type'];
  if (currency && currency !== order.feeType) return refuse('PARAM_ERROR', '退款币种与订单币种不一致');
  if (context.now.getTime() - order.payment.paidAt.getTime() > YEAR) return refuse('TRADE_OVERDUE');
  const { amount, times } = context.refunds.left(order);
  if (amount === 0) return refuse('ERROR', '订单已全额退款');
  if (refundFee > amount) return refuse('INVALID_REQUEST', 'refund_fee大于可退金额');
  if (times === 0) return refuse('ERROR');
  const { notify_url: notifyUrl, refund_account: account } = fields;
  const choice = { outRefundNo, refundFee, ...(notifyUrl && { notifyUrl }), ...(account && { account }) };
  return accepted(order, context.refundDesk.accept(order.outTradeNo, choice));
};

function refuse(code: string, description = officialDescription(code)): Refusal {
  return { code, description };
}

/** With both ids the transaction id wins. */
function findOrder(fields: Fields, { orders }: OperationContext): SimulatedOrder | Refusal {
  if (fields['transaction_id']) {
    return orders.findByTransaction(fields['transaction_id']) ?? refuse('INVALID_TRANSACTIONID');
  }
  return orders.get(fields['out_trade_no'] ?? '') ?? { code: 'ORDERNOTEXIST', description: '订单不存在' };
}

function accepted(order: SimulatedOrder, { refundId, outRefundNo, transactionId, refundFee }: SimulatedRefund): Answer {
  return {
    code: 'SUCCESS',
    fields: {
      transaction_id: transactionId,
      out_trade_no: order.outTradeNo,
      out_refund_no: outRefundNo,
      refund_id: refundId,
      // Always there and always empty; an empty value is not signed.
      refund_channel: '',
      refund_fee: String(refundFee),
      total_fee: String(order.totalFee),
      fee_type: order.feeType,
      ...cashRefundFields(order, refundFee),
      coupon_refund_fee: '0',
      coupon_refund_count: '0',
    },
  };
}

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
      cash_fee: cashFields(order).cash_fee,
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
    refund_account: refund.account,
    refund_status: refund.status,
    // WeChat's own spelling.
    refund_recv_accout: REFUND_RECEIVER,
    ...(refund.succeededAt && { refund_success_time: beijingDateTime(refund.succeededAt) }),
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${name}_${n}`, value]));
}
