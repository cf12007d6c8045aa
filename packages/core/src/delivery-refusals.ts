import { quoted, WechatH5Error } from './errors.js';
import type { OrderRecord } from './order-book.js';
import type { Payment } from './payment.js';
import { asWechatH5Error } from './problems.js';
import type { Refund } from './refunds.js';

/** A genuine message about an order that is not in the book. */
export function orderUnknown(outTradeNo: string): WechatH5Error {
  return new WechatH5Error(
    'ORDER_UNKNOWN',
    `A genuine message names out_trade_no ${quoted(outTradeNo)}, which is not in the order book`,
    {
      field: 'out_trade_no',
      hint:
        'Was it ordered by another environment, or before the book was emptied? Give findOrder, or a durable order book. ' +
        '收到真实付款，但订单簿中没有该订单：请配置 findOrder 或持久化的订单簿。',
    },
  );
}

/** Nothing is known to be stored. */
export function bookFailed(thrown: unknown, message: string): WechatH5Error {
  return asWechatH5Error(
    thrown,
    'ORDER_BOOK_FAILED',
    message,
    'Nothing was acknowledged: WeChat Pay repeats the notification. The error is the cause.',
  );
}

export function secondHandler(name: 'onPaid' | 'onRefunded'): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${name} was given twice`, {
    field: name,
    hint: 'An instance has one: a payment is delivered once. Call the second from the first.',
  });
}

export function mismatch(payment: Payment, order: OrderRecord): WechatH5Error {
  const field = order.reason ?? 'total_fee';
  const of = (about: { totalFee: number; feeType: string }): string => `${about.totalFee} ${about.feeType}`;
  const amounts = field === 'total_fee' || field === 'fee_type' ? `: paid ${of(payment)}, ordered ${of(order)}` : '';
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `A genuine payment for ${quoted(payment.outTradeNo)} differs from the order in ${field}${amounts}`,
    {
      field,
      hint:
        "Nothing was delivered and nothing acknowledged. Query the order at WeChat Pay: if the payment stands, the shop's record is wrong; if not, the API key has leaked. " +
        '付款与订单不一致，未发货：请到商户平台核实。',
    },
  );
}

export function paidTwice(payment: Payment, order: OrderRecord): WechatH5Error {
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `${quoted(payment.outTradeNo)} was paid by ${quoted(order.payment?.transactionId ?? '')} and again by ${quoted(payment.transactionId)}`,
    {
      field: 'transaction_id',
      hint: 'The second payment was not delivered. Query both at WeChat Pay and refund one. 同一订单收到两笔付款：请查询核实后退还其中一笔。',
    },
  );
}

export function purchasePaidTwice(outTradeNo: string, order: OrderRecord): WechatH5Error {
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `${quoted(order.orderRef ?? '')} was paid by another attempt and again by ${quoted(outTradeNo)}`,
    {
      field: 'out_trade_no',
      hint: 'onPaid was not called for the second payment: refund it. 同一笔购买被支付了两次，第二笔未发货：请退款。',
    },
  );
}

export function gaveUp(outTradeNo: string, attempt: number): WechatH5Error {
  return new WechatH5Error(
    'HANDLER_FAILED',
    `What was paid or refunded for ${quoted(outTradeNo)} could not be handed over in ${attempt} attempts`,
    {
      hint: 'It is not tried again until a person says so: mend what fails, then redrive the order. 多次处理失败，已停止重试：请修复后人工重新投递。',
    },
  );
}

export function paidAfterClose(outTradeNo: string): WechatH5Error {
  return new WechatH5Error('ORDER_CLOSED', `${quoted(outTradeNo)} was paid after it had been closed`, {
    hint: 'onPaid was not called: the goods may be gone. Refund it, or deliver by hand. 订单关闭后又收到付款：请退款或人工处理。',
  });
}

export function refundMismatch(refund: Refund, order: OrderRecord): WechatH5Error {
  const field = order.totalFee === refund.totalFee ? 'fee_type' : 'total_fee';
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `A genuine refund of ${quoted(refund.outTradeNo)} is of another order in ${field}: ` +
      `paid ${refund.totalFee} ${refund.feeType}, ordered ${order.totalFee} ${order.feeType}`,
    {
      field,
      hint: 'onRefunded was not called. Do two environments share this mch_id and its order numbers? 退款对应的订单金额与本地订单不一致：请检查是否多个环境共用同一商户号。',
    },
  );
}

export function refundOfQuarantined({ outTradeNo }: Refund): WechatH5Error {
  return new WechatH5Error('ORDER_QUARANTINED', `A genuine refund is of ${quoted(outTradeNo)}, which is quarantined`, {
    hint: 'onRefunded was not called: a person has to look at the order first. 该订单处于隔离状态，请先人工核实。',
  });
}

export function refundedBeforeDelivery(outTradeNo: string): WechatH5Error {
  return new WechatH5Error(
    'ORDER_REFUNDED',
    `The payment of ${quoted(outTradeNo)} was refunded in full before it was delivered`,
    {
      hint: 'onPaid was not called and there is nothing to do: the money is back with the payer. 订单在发货前已全额退款，未调用 onPaid，无需处理。',
    },
  );
}
