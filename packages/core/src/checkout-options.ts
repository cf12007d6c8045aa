import type { IncomingMessage } from 'node:http';
import { quoted, WechatH5Error } from './errors.js';
import { isShopHost } from './launch.js';
import type { Merchants } from './merchant.js';
import { redirectTarget } from './mweb-url.js';
import type { NewOrder } from './new-order.js';
import type { Payment } from './payment.js';

/**
 * Turns what a payer's form says into an order: the only place that an amount comes from. Look the price up; let the
 * form name the goods, never what they cost. A number that the form brings must be one that nobody can guess, or be
 * checked to belong to this visitor.
 *
 * @param form its fields, each once
 * @param request the framework's own where that is Node's (`req` of Express), for the visitor's session
 * @returns `undefined`: the form names nothing that is sold here
 */
export type PlaceOrder = (
  form: Readonly<Record<string, string>>,
  request: IncomingMessage,
) => NewOrder | undefined | Promise<NewOrder | undefined>;

/** One line of what was bought, as the payer reads it: a ticket's code, a table's number. */
export interface ReceiptLine {
  en: string;
  zh: string;
  value: string;
}

/** The payer's way to WeChat Pay and back: `wechatH5Pay()` and `wechatH5Return()`. */
export interface CheckoutOptions {
  /** Needed by `wechatH5Pay()`. */
  order?: PlaceOrder;
  /** Where the form with the Pay button posts to. Default `/pay`. */
  payPath?: string;
  /** Where the payer comes back to: a path on the shop's own host, or an absolute URL on an H5 domain. Default `/pay-return`. */
  returnUrl?: string;
  /** Where "back to the shop" leads. Default `/`. */
  shopUrl?: string;
  /** Stands on the pages. Default: the host. */
  shopName?: string;
  /** What a payer reads on the last page, once `onPaid` has succeeded. */
  receipt?: (payment: Payment) => readonly ReceiptLine[] | Promise<readonly ReceiptLine[]>;
  /** Orders from one address, an IPv6 network counting as one; the next is answered with 429. Default 10. Payers of one mobile network can share an address. */
  ordersPerMinute?: number;
  /** Signs what the payer's browser carries to name its order, in place of the API key: at least 16 characters, the same on every machine. */
  handleSecret?: string;
}

/** {@link CheckoutOptions} after validation, with every default filled in. */
export interface CheckoutSettings {
  order: PlaceOrder | undefined;
  payPath: string;
  /** A path or an absolute URL. */
  returnUrl: string;
  /** The origin of pages that do not say where they are. */
  shopOrigin: string;
  shopUrl: string;
  shopName: string;
  receipt: CheckoutOptions['receipt'];
  ordersPerMinute: number;
  handleSecret: string | undefined;
}

const KNOWN: Record<keyof CheckoutOptions, true> = {
  order: true,
  payPath: true,
  returnUrl: true,
  shopUrl: true,
  shopName: true,
  receipt: true,
  ordersPerMinute: true,
  handleSecret: true,
};

/**
 * @param shop.given whether the merchant gave the option at all: without it only `pay(order)` of a request is left
 * @throws {WechatH5Error} `OPTIONS_INVALID`
 */
export function checkoutSettings(
  options: CheckoutOptions,
  shop: { merchants: Merchants; notifyUrl: string; simulated: boolean; given: boolean },
): CheckoutSettings {
  if (typeof options !== 'object' || options === null) throw invalid('', 'is not an object', 'Pass { order }.');
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, name))
      throw invalid(`.${name}`, 'is not an option', `Known: ${Object.keys(KNOWN).join(', ')}.`);
  }
  for (const name of ['order', 'receipt'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw invalid(`.${name}`, 'is not a function', 'Pass a function or leave it out.');
  }
  const { payPath = '/pay', returnUrl = '/pay-return', shopUrl = '/', ordersPerMinute = 10 } = options;
  if (!isPath(payPath)) throw invalid('.payPath', `is ${quoted(String(payPath))}`, "Write a path, such as '/pay'.");
  checkAddress('.returnUrl', returnUrl);
  checkAddress('.shopUrl', shopUrl);
  const shopOrigin = originOf(shop.merchants, shop.notifyUrl);
  if (shop.given) checkDomains(new URL(returnUrl, shopOrigin).href, shop);
  if (!Number.isFinite(ordersPerMinute) || ordersPerMinute < 1)
    throw invalid('.ordersPerMinute', `is ${String(ordersPerMinute)}`, 'Give a number from 1.');
  return {
    order: options.order,
    payPath,
    returnUrl,
    shopOrigin,
    shopUrl,
    shopName: options.shopName ?? new URL(shopOrigin).host,
    receipt: options.receipt,
    ordersPerMinute,
    handleSecret: options.handleSecret,
  };
}

/** The path under which a bare return middleware answers. */
export function returnPathOf({ returnUrl, shopOrigin }: CheckoutSettings): string {
  return new URL(returnUrl, shopOrigin).pathname;
}

/** The host of `notifyUrl` if it is on an H5 domain, else the first of these. */
function originOf(merchants: Merchants, notifyUrl: string): string {
  const url = new URL(notifyUrl);
  const domain = merchants.all.flatMap(({ h5Domains }) => h5Domains)[0];
  return domain === undefined || isShopHost(url, merchants) ? url.origin : `${url.protocol}//${domain}`;
}

function checkDomains(returnUrl: string, { merchants, simulated }: { merchants: Merchants; simulated: boolean }): void {
  for (const { h5Domains, mchId } of merchants.all) {
    if (h5Domains.length === 0) {
      if (simulated) continue;
      throw new WechatH5Error('OPTIONS_INVALID', `checkout is given and merchant.h5Domains of ${mchId} is not`, {
        field: 'merchant.h5Domains',
        hint:
          'Only pages on the registered H5 domains can launch a payment: list them, so that everything else is refused here and not by WeChat Pay. ' +
          '请填写已申请的 H5 支付域名 h5Domains。',
      });
    }
    try {
      redirectTarget(returnUrl, h5Domains);
    } catch (cause) {
      const { message, hint } = cause as WechatH5Error;
      throw new WechatH5Error('OPTIONS_INVALID', `checkout.returnUrl: ${message}`, {
        field: 'checkout.returnUrl',
        hint,
        cause,
      });
    }
  }
}

function checkAddress(option: string, value: unknown): void {
  // URL() would drop tabs and line breaks, and a second slash or backslash would name another host.
  if (isLocal(value)) return;
  if (typeof value === 'string' && /^https?:\/\/[^\s\\@]+$/i.test(value) && URL.canParse(value)) return;
  throw invalid(option, `is ${quoted(String(value))}`, "Write a path, such as '/', or an absolute http(s) URL.");
}

function isPath(value: unknown): boolean {
  return isLocal(value) && !/[?#]/.test(value);
}

function isLocal(value: unknown): value is string {
  return typeof value === 'string' && /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(value);
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `checkout${option} ${problem}`, { field: `checkout${option}`, hint });
}
