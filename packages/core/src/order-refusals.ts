import { quoted, WechatH5Error } from './errors.js';
import type { GatewayReply } from './gateway.js';
import type { OrderKey, OrderRecord } from './order-book.js';

/** @throws {WechatH5Error} if no link may be handed out for this order any more */
export function refuseIfOver(order: OrderRecord): void {
  if (order.state === 'PAID') throw orderPaid(order.key);
  if (order.state === 'CLOSED') throw orderClosed(order.key);
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
        'The old link would end in 网络环境未能通过安全验证. Order under a new outTradeNo, and close the old one five minutes after it was created. ' +
        '付款人的网络已切换：请使用新的商户订单号重新下单，并在 5 分钟后关闭原订单。',
    },
  );
}

export function refusalOf(
  operation: string,
  refusal: NonNullable<GatewayReply['refusal']>,
  code: 'GATEWAY_REFUSED' | 'ORDER_UNKNOWN',
): WechatH5Error {
  return new WechatH5Error(
    code,
    `WeChat Pay refused ${operation}: ${quoted(refusal.errCode)} ${quoted(refusal.errCodeDes, 128)}`,
    {
      errCode: refusal.errCode,
      errCodeDes: refusal.errCodeDes,
      hint: REFUSAL_HINTS[refusal.errCode] ?? 'The text of WeChat Pay says why.',
    },
  );
}

const REFUSAL_HINTS: Record<string, string> = {
  NOAUTH: 'H5 payment is not enabled for this merchant. 请在商户平台开通 H5 支付。',
  APPID_NOT_EXIST: 'Check appId. 请核对 appid。',
  MCHID_NOT_EXIST: 'Check mchId. 请核对 mch_id。',
  APPID_MCHID_NOT_MATCH: 'appId and mchId are not bound to each other. appid 与 mch_id 未绑定。',
  SIGNERROR: 'Check apiKey. 请核对 APIv2 密钥。',
  SYSTEMERROR: 'Call again with the same parameters. 请用相同参数重新调用。',
  FREQUENCY_LIMITED:
    'Too many calls: wait a moment, then call again with the same parameters. 请求过于频繁，请稍后重试。',
  ORDERNOTEXIST: 'WeChat Pay does not know this number. 订单不存在。',
};
