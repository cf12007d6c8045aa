import type { WechatH5ErrorCode } from './errors.js';
import type { Bilingual, Html } from './html.js';
import type { PageReply } from './page.js';
import type { ReturningOrder } from './return-page.js';
import { BACK, checkForm, link, ORDER_NUMBER, payerPage, type PayerSite } from './payer-page.js';

interface Explanation {
  readonly status: number;
  readonly heading: Bilingual;
  readonly text: Bilingual;
  /** The order may have been paid: the first button checks, before anything is paid twice. */
  readonly checkFirst?: true;
}

const SHOP_AT_FAULT: Explanation = {
  status: 500,
  heading: ['本店系统出错', 'Something is wrong in this shop'],
  text: [
    '这不是您的问题。请勿重复付款，并将错误代码告知本店。',
    'It is not your fault. Do not pay again, and tell the shop the error code.',
  ],
};

const ADDRESS_UNCERTAIN: Explanation = {
  status: 500,
  heading: ['无法确认您的网络地址', 'Your network address could not be determined'],
  text: [
    '微信支付需要核对它，因此没有下单。如果您使用代理或 VPN，请关闭后重试；否则请将错误代码告知本店。',
    'WeChat Pay compares it, so nothing was ordered. Switch a proxy or VPN off and try again; otherwise tell the shop the error code.',
  ],
};

const WECHAT_SILENT: Explanation = {
  status: 503,
  heading: ['微信支付暂时没有回应', 'WeChat Pay is not answering at the moment'],
  text: [
    '请稍后再试。如果您已经付款，请勿重复付款，稍后再查询。',
    'Please try again in a moment. If you have paid, do not pay again: check a little later.',
  ],
  checkFirst: true,
};

const NUMBER_OVER: Explanation = {
  status: 409,
  heading: ['此订单不能再支付', 'This order can no longer be paid'],
  text: ['请返回商店重新下单。', 'Go back to the shop and order again.'],
};

const EXPLANATIONS: Readonly<Partial<Record<WechatH5ErrorCode, Explanation>>> = {
  PAYER_ADDRESS_CHANGED: {
    status: 409,
    heading: ['您的网络已切换', 'Your network has changed'],
    text: [
      '下单后网络发生变化（如 Wi-Fi 与移动数据之间切换），微信支付会拒绝这笔订单。请在当前网络下重新下单。',
      'You changed networks after ordering, between Wi-Fi and mobile data for example, and WeChat Pay would refuse this order. Order again on this network.',
    ],
  },
  ORDER_PAID: {
    status: 409,
    heading: ['此订单已支付', 'This order is paid already'],
    text: ['无需再次付款，请查询结果。', 'There is nothing more to pay: check the result.'],
    checkFirst: true,
  },
  ORDER_QUARANTINED: {
    status: 409,
    heading: ['付款正在核实', 'The payment is being reviewed'],
    text: ['请勿重复付款，并凭订单号联系本店。', 'Do not pay again. Contact the shop with your order number.'],
    checkFirst: true,
  },
  ORDER_IN_PROGRESS: {
    status: 409,
    heading: ['订单正在处理', 'The order is being processed'],
    text: ['请稍候片刻再查询。', 'Wait a moment, then check.'],
    checkFirst: true,
  },
  ORDER_CLOSED: NUMBER_OVER,
  ORDER_REFUNDED: NUMBER_OVER,
  ORDER_CONFLICT: NUMBER_OVER,
  ORDER_UNKNOWN: {
    status: 404,
    heading: ['没有找到这个订单', 'No such order was found'],
    text: ['如果您还没有付款，请返回商店下单。', 'If you have not paid yet, go back to the shop and order.'],
  },
  HANDLE_INVALID: {
    status: 404,
    heading: ['没有找到这个订单', 'No such order was found'],
    text: [
      '链接不完整或已改动。如果您已经付款，请凭订单号联系本店。',
      'The link is incomplete or was changed. If you have paid, contact the shop with your order number.',
    ],
  },
  NO_PEER: ADDRESS_UNCERTAIN,
  PEER_INVALID: ADDRESS_UNCERTAIN,
  HEADER_MISSING: ADDRESS_UNCERTAIN,
  HEADER_REPEATED: ADDRESS_UNCERTAIN,
  HEADER_INVALID: ADDRESS_UNCERTAIN,
  ITEM_INVALID: ADDRESS_UNCERTAIN,
  CHAIN_TOO_SHORT: ADDRESS_UNCERTAIN,
  TOO_MANY_HOPS: ADDRESS_UNCERTAIN,
  ALL_TRUSTED: ADDRESS_UNCERTAIN,
  NOT_PUBLIC: ADDRESS_UNCERTAIN,
  IPV6_NOT_ALLOWED: ADDRESS_UNCERTAIN,
  GATEWAY_UNREACHABLE: WECHAT_SILENT,
  GATEWAY_TIMEOUT: WECHAT_SILENT,
  GATEWAY_REPLY_INVALID: WECHAT_SILENT,
  GATEWAY_REFUSED: WECHAT_SILENT,
  RETURN_CODE_FAIL: WECHAT_SILENT,
  RATE_LIMITED: WECHAT_SILENT,
  ORIGIN_REFUSED: {
    status: 403,
    heading: ['请从本店页面操作', 'Please use the shop’s own pages'],
    text: [
      '这个请求不是从本店页面发出的，没有下单。',
      'This request did not come from a page of this shop. Nothing was ordered.',
    ],
  },
  FORM_INVALID: {
    status: 400,
    heading: ['请求不完整', 'The request is incomplete'],
    text: ['没有下单。请返回商店重新操作。', 'Nothing was ordered. Go back to the shop and try again.'],
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    heading: ['请从商店页面付款', 'Please pay from the shop’s page'],
    text: ['直接打开这个地址不会下单，也不会扣款。', 'Opening this address orders nothing, and nothing is charged.'],
  },
  TOO_MANY_ORDERS: {
    status: 429,
    heading: ['下单太频繁', 'Too many orders'],
    text: ['请稍等片刻再试，没有扣款。', 'Please wait a moment, then try again. Nothing was charged.'],
  },
};

/** What a payer is told to do first, and with which status: 500 for everything that only the shop can mend. */
export function payerErrorStatus(code: WechatH5ErrorCode): number {
  return (EXPLANATIONS[code] ?? SHOP_AT_FAULT).status;
}

/**
 * Says what happened, whether money moved, and what the payer can do. The error itself stays on the server: its hint
 * is for the merchant.
 *
 * @param order when there is one: then the payer can check it from here
 */
export function payerErrorPage(code: WechatH5ErrorCode, site: PayerSite, order?: ReturningOrder): PageReply {
  const { status, heading, text, checkFirst = false } = EXPLANATIONS[code] ?? SHOP_AT_FAULT;
  const check = (className?: string): Html =>
    checkForm(order?.returnUrl ?? '', ['查询支付结果', 'Check the payment'], className);
  return payerPage(
    {
      status,
      state: code,
      mark: '!',
      mood: 'bad',
      heading,
      text: [text],
      actions:
        order === undefined
          ? [link(site.shopUrl, BACK)]
          : checkFirst
            ? [check(), link(site.shopUrl, BACK, 'quiet')]
            : [link(site.shopUrl, BACK), check('quiet')],
      details: [
        { label: ['错误代码', 'Code'], value: code },
        ...(order === undefined ? [] : [{ label: ORDER_NUMBER, value: order.outTradeNo }]),
      ],
    },
    site,
  );
}
