import type { CheckoutOptions } from './checkout-options.js';
import type { HandledOrder } from './payer-handle.js';
import type { PageReply } from './page.js';
import type { Problem } from './problems.js';
import type { NewOrder } from './new-order.js';
import { createWechatH5, partsOf, type WechatH5 } from './wechat-h5.js';
import type { WechatH5Options } from './options.js';
import type { ApplicationHeaders } from './referrer-diagnosis.js';
import type { H5Order, OrderRef } from './orders.js';

export const MERCHANT = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '10000100',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
  h5Domains: ['pay.shop.example'],
};
export const SHOP = 'https://pay.shop.example';
export const MWEB_URL = 'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20&package=1';
export const ORDER: NewOrder = { outTradeNo: 'TEA-000001', body: 'Tea house - green tea', totalFee: 1990 };

/** Headers of a form on the shop's own page, as today's browsers send them. */
export const OWN_FORM: Readonly<Record<string, string>> = {
  Host: 'pay.shop.example',
  Origin: SHOP,
  Referer: `${SHOP}/tea`,
  'Sec-Fetch-Site': 'same-origin',
  'User-Agent': 'Mozilla/5.0 (Linux; Android 14) Chrome/130 Mobile',
};

export interface CheckoutFixture {
  readonly pay: WechatH5;
  readonly problems: Problem[];
  /** Orders that reached `createOrder`. */
  readonly ordered: NewOrder[];
  readonly confirmed: OrderRef[];
  post(headers?: Readonly<Record<string, string | undefined>>, more?: Visiting): Promise<PageReply>;
  comeBack(query: string, more?: Visiting & { headers?: Readonly<Record<string, string>> }): Promise<PageReply>;
  handleOf(order: Pick<HandledOrder, 'outTradeNo'>): string;
}

export interface Visiting {
  method?: string;
  ip?: string;
  order?: NewOrder | undefined | Error;
  placed?: Partial<H5Order> | Error;
  applicationHeaders?: ApplicationHeaders;
}

/** A checkout without sockets: orders are placed by the test, everything else is the real thing. */
export function checkoutFixture(
  checkout: CheckoutOptions | undefined = {},
  options: Partial<WechatH5Options> = {},
): CheckoutFixture {
  const problems: Problem[] = [];
  const ordered: NewOrder[] = [];
  const confirmed: OrderRef[] = [];
  const pay = createWechatH5({
    merchant: MERCHANT,
    notifyUrl: `${SHOP}/wechat/notify`,
    onProblem: (problem) => problems.push(problem),
    ...(checkout && { checkout }),
    ...options,
  });
  const parts = partsOf(pay);
  if (parts === undefined) throw new Error('not an instance');
  const visit = (
    method: string,
    headers: Readonly<Record<string, string | undefined>>,
    query: string,
    more: Visiting,
  ) => ({
    request: {
      method,
      path: '/pay',
      query,
      rawHeaders: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
      remoteAddress: more.ip ?? '8.8.8.8',
    },
    applicationHeaders: more.applicationHeaders ?? {},
    get clientIp() {
      return pay.clientIp({ remoteAddress: more.ip ?? '8.8.8.8', rawHeaders: [] });
    },
    createOrder: async (order: NewOrder): Promise<H5Order> => {
      ordered.push(order);
      if (more.placed instanceof Error) throw more.placed;
      return {
        outTradeNo: order.outTradeNo,
        prepayId: 'wx20',
        mwebUrl: MWEB_URL,
        expiresAt: new Date(),
        reused: false,
        raw: {},
        ...more.placed,
      };
    },
  });
  return {
    pay,
    problems,
    ordered,
    confirmed,
    post: (headers = OWN_FORM, more = {}) =>
      parts.checkout.pay(visit(more.method ?? 'POST', headers, '', more), async () => {
        if (more.order instanceof Error) throw more.order;
        return 'order' in more ? more.order : ORDER;
      }),
    comeBack: (query, more = {}) =>
      parts.checkout.return(visit(more.method ?? 'GET', more.headers ?? { Host: 'pay.shop.example' }, query, more)),
    handleOf: (order) => pay.signHandle(order),
  };
}
