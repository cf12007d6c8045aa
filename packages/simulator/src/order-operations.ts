import { beijingTime } from './beijing-time.js';
import { cashFields } from './cash.js';
import type { Operation, Refusal } from './operation.js';
import { checkCloseOrder, checkOrderQuery, checkUnifiedOrder } from './order-fields.js';
import type { SimulatedOrder, TradeState } from './orders.js';
import { pick, type Fields } from './wire-fields.js';

const ORDER_PAID: Refusal = { code: 'ORDERPAID', description: '该订单已支付' };
const YOUNG_MILLISECONDS = 5 * 60_000;
const TRADE_STATE_DESCRIPTIONS: Readonly<Record<TradeState, string>> = {
  NOTPAY: '订单未支付',
  SUCCESS: '支付成功',
  REFUND: '订单发生过退款，退款详情请查询退款单',
  CLOSED: '订单已关闭',
};

export const unifiedOrder: Operation = (fields, context) => {
  const placedBefore = context.orders.get(fields['out_trade_no'] ?? '') !== undefined;
  const refusal = checkUnifiedOrder(fields, { ...context, placedBefore });
  if (refusal) return refusal;
  const placement = context.orders.place(fields, context.signType);
  if (placement.placed) {
    const { prepayId, mwebUrl } = placement.link;
    return {
      code: 'SUCCESS',
      fields: { ...pick(fields, 'device_info'), trade_type: 'MWEB', prepay_id: prepayId, mweb_url: mwebUrl },
    };
  }
  if (placement.refusal === 'ORDERPAID') return ORDER_PAID;
  if (placement.refusal === 'ORDERCLOSED') return { code: 'ORDERCLOSED', description: '订单已关闭' };
  // The documented OUT_TRADE_NO_USED is not what the live gateway says here.
  return { code: 'INVALID_REQUEST', description: '201 商户订单号重复' };
};

export const orderQuery: Operation = (fields, context) => {
  const refusal = checkOrderQuery(fields, context);
  if (refusal) return refusal;
  // With both ids the transaction id wins.
  const order = fields['transaction_id']
    ? context.orders.findByTransaction(fields['transaction_id'])
    : context.orders.get(fields['out_trade_no'] ?? '');
  if (!order) return { code: 'ORDERNOTEXIST', description: '订单不存在' };
  return { code: 'SUCCESS', fields: queryFields(order) };
};

export const closeOrder: Operation = (fields, context) => {
  const refusal = checkCloseOrder(fields, context);
  if (refusal) return refusal;
  const order = context.orders.get(fields['out_trade_no'] ?? '');
  const success = { code: 'SUCCESS', fields: { result_msg: 'OK' } } as const;
  // The live gateway reports success for a number it never saw: success proves nothing without a query.
  if (!order) return { ...success, remark: 'no such order; the live gateway reports success too' };
  if (order.tradeState === 'CLOSED') return { code: 'ORDERCLOSED', description: '订单已关闭，无法重复关闭' };
  if (order.tradeState !== 'NOTPAY') return ORDER_PAID;
  context.orders.close(order.outTradeNo);
  const young = context.now.getTime() - order.createdAt.getTime() < YOUNG_MILLISECONDS;
  return young ? { ...success, remark: 'closed within five minutes of its creation, which WeChat forbids' } : success;
};

/** What only a payment can tell is left out as long as there is none. */
function queryFields(order: SimulatedOrder): Fields {
  const { payment } = order;
  return {
    ...pick(order.fields, 'device_info', 'attach'),
    out_trade_no: order.outTradeNo,
    total_fee: String(order.totalFee),
    ...(payment && {
      openid: payment.openId,
      is_subscribe: 'N',
      trade_type: 'MWEB',
      bank_type: payment.bankType,
      fee_type: order.feeType,
      ...cashFields(order),
      transaction_id: payment.transactionId,
      time_end: beijingTime(payment.paidAt),
    }),
    trade_state: order.tradeState,
    trade_state_desc: TRADE_STATE_DESCRIPTIONS[order.tradeState],
  };
}
