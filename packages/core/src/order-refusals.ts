import { quoted, WechatH5Error } from './errors.js';
import type { GatewayReply } from './gateway.js';
import type { OrderKey, OrderRecord } from './order-book.js';
import { rowOf, type Operation } from './result-codes.js';

/** @throws {WechatH5Error} if no link may be handed out for this order any more */
export function refuseIfOver(order: OrderRecord): void {
  if (order.state === 'PAID') throw orderPaid(order.key);
  if (order.state === 'CLOSED' || order.state === 'CLOSING') throw orderClosed(order.key);
  if (order.state === 'QUARANTINED') {
    throw new WechatH5Error(
      'ORDER_QUARANTINED',
      `A payment contradicts order ${quoted(order.key.outTradeNo)} in ${order.reason ?? 'a field'}`,
      {
        field: order.reason ?? 'out_trade_no',
        hint: 'A person has to look at it first. 该订单的付款与订单不一致，需人工核实。',
      },
    );
  }
}

export function orderPaid(key: OrderKey): WechatH5Error {
  return new WechatH5Error('ORDER_PAID', `Order ${quoted(key.outTradeNo)} is paid`, {
    field: 'out_trade_no',
    outTradeNo: key.outTradeNo,
    hint: 'Show the result: confirmPayment({ outTradeNo }) says how it stands. 订单已支付。',
  });
}

export function orderClosed(key: OrderKey): WechatH5Error {
  return new WechatH5Error('ORDER_CLOSED', `Order ${quoted(key.outTradeNo)} is closed`, {
    field: 'out_trade_no',
    hint: 'Order again under a new outTradeNo. 订单已关闭，请使用新的商户订单号重新下单。',
  });
}

export function numberTaken(key: OrderKey, why: string): WechatH5Error {
  return new WechatH5Error('ORDER_CONFLICT', `out_trade_no ${quoted(key.outTradeNo)} cannot be used: ${why}`, {
    field: 'out_trade_no',
    hint: 'Repeat the order with exactly the same parameters, or use a new outTradeNo. 商户订单号重复：参数须完全一致，否则请更换订单号。',
  });
}

export function addressChanged(key: OrderKey, order: OrderRecord): WechatH5Error {
  return new WechatH5Error(
    'PAYER_ADDRESS_CHANGED',
    `The payer of order ${quoted(key.outTradeNo)} now has another address than ${order.clientIp}, for which its link was made`,
    {
      field: 'spbill_create_ip',
      hint:
        'The old link would end in 网络环境未能通过安全验证. With orderRef a new attempt would have been opened; without it, order under a new outTradeNo and close the old one five minutes after it was created. ' +
        '付款人的网络已切换：传入 orderRef 可自动换号重新下单；否则请使用新的商户订单号，并在 5 分钟后关闭原订单。',
    },
  );
}

/** A refusal of WeChat Pay as an error: which one, and what to do, is in the table of result codes. */
export function refusalOf(operation: Operation, refusal: NonNullable<GatewayReply['refusal']>): WechatH5Error {
  const { errCode, errCodeDes } = refusal;
  const { error = 'GATEWAY_REFUSED', meaning, action } = rowOf(errCode, { operation, text: errCodeDes });
  return new WechatH5Error(error, `WeChat Pay refused ${operation}: ${quoted(errCode)} ${quoted(errCodeDes, 128)}`, {
    errCode,
    errCodeDes,
    hint: `${meaning.en} ${action.en} ${meaning.zh}${action.zh}`,
  });
}
