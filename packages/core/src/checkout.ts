import { isWechatBrowser } from './browser.js';
import { returnPathOf, type CheckoutSettings } from './checkout-options.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import { checkRegistered, launchOf, unregisteredHost, type Launch } from './launch.js';
import type { Merchants } from './merchant.js';
import { redirectTarget, withRedirectUrl } from './mweb-url.js';
import type { NewOrder } from './new-order.js';
import { headerValue } from './operator-secret.js';
import { OrderRate } from './order-rate.js';
import type { H5Order, OrderRef } from './orders.js';
import { seeOtherReply, type PageReply, type PageRequest } from './page.js';
import { insideWechatPage, launchPage } from './pay-page.js';
import { payerErrorPage, payerErrorStatus } from './payer-error-page.js';
import type { HandledOrder, PayerHandles } from './payer-handle.js';
import type { PayerSite } from './payer-page.js';
import type { PayerVisit } from './payer-visit.js';
import type { PaymentStatus } from './payment-status.js';
import { asWechatH5Error, type ProblemReporter } from './problems.js';
import {
  blocksCashier,
  formActionBlocks,
  referrerHidden,
  silentPolicy,
  type ApplicationHeaders,
} from './referrer-diagnosis.js';
import { resultPage, returnPage, type ReturningOrder } from './return-page.js';

/** Mistakes and origins that are told of in the life of a process: strangers must fill neither memory nor a log. */
const MAX_TOLD = 30;

/** The parameter of the return page that carries a handle. */
const HANDLE = 'order';

interface CheckoutParts {
  readonly settings: CheckoutSettings;
  /** Whether the merchant gave the option, and with it a page to come back to. */
  readonly given: boolean;
  readonly merchants: Merchants;
  readonly handles: PayerHandles;
  /** Where payment links lead. */
  readonly cashierOrigin: string;
  readonly report: ProblemReporter;
  readonly confirm: (ref: OrderRef) => Promise<PaymentStatus>;
}

/** What is known of a request by the time that something fails. */
interface Progress {
  order?: ReturningOrder;
  retryAfter?: number;
}

/** The payer's way to WeChat Pay and back. */
export class Checkout {
  readonly #parts: CheckoutParts;
  readonly #site: PayerSite;
  readonly #rate: OrderRate;
  readonly #told = new Map<string, WechatH5Error>();

  constructor(parts: CheckoutParts) {
    this.#parts = parts;
    const { shopName, shopUrl, ordersPerMinute } = parts.settings;
    this.#site = { shopName, shopUrl };
    this.#rate = new OrderRate(ordersPerMinute);
  }

  /** Whether the merchant gave the option. */
  get isGiven(): boolean {
    return this.#parts.given;
  }

  get settings(): CheckoutSettings {
    return this.#parts.settings;
  }

  get returnPath(): string {
    return returnPathOf(this.#parts.settings);
  }

  /**
   * Places the payer's order and sends them to WeChat Pay. Whatever fails becomes a page: never rejects.
   *
   * @param placeOrder called only for a POST from a page of the shop, outside WeChat, from an address that has not
   *   ordered too often
   */
  async pay(visit: PayerVisit, placeOrder: () => Promise<NewOrder | undefined>): Promise<PageReply> {
    const progress: Progress = {};
    try {
      const { request } = visit;
      if (request.method !== 'POST') throw notAllowed(request);
      const launch = launchOf(request, this.#parts.merchants);
      if (isWechatBrowser(headerValue(request.rawHeaders, 'user-agent'))) return insideWechatPage(this.#site);
      checkRegistered(launch.origin, this.#parts.merchants);
      const unregistered = launch.origin === undefined && unregisteredHost(request, this.#parts.merchants);
      if (unregistered) this.#tell(unregistered.message, unregistered);
      progress.retryAfter = this.#rate.take(visit.clientIp.ip);
      if (progress.retryAfter > 0) throw tooMany(this.settings.ordersPerMinute);
      return await this.#toCashier(visit, launch, await ordered(placeOrder), progress);
    } catch (error) {
      return this.#failed(error, progress, 'POST');
    }
  }

  async #toCashier(visit: PayerVisit, launch: Launch, order: NewOrder, progress: Progress): Promise<PageReply> {
    const { merchants, given } = this.#parts;
    const { mchId, appId, subMchId, h5Domains } = merchants.named(order);
    const returning = (outTradeNo: string): ReturningOrder => {
      const handled = { outTradeNo, mchId, appId, ...(subMchId === undefined ? {} : { subMchId }) };
      return { outTradeNo, returnUrl: this.#returnUrl(handled, launch) };
    };
    const wanted = returning(order.outTradeNo);
    if (given) progress.order = wanted;
    const returns = given && order.redirectUrl === undefined;
    if (returns) redirectTarget(wanted.returnUrl, h5Domains);
    let placed: H5Order;
    try {
      placed = await visit.createOrder(order);
    } catch (error) {
      // Of a purchase that was paid under another number, that is the one that can be asked about.
      if (given && isWechatH5Error(error) && error.outTradeNo !== undefined)
        progress.order = returning(error.outTradeNo);
      throw error;
    }
    // Known only now: attempts at one purchase have numbers of their own.
    const { returnUrl } = returning(placed.outTradeNo);
    const link = returns ? withRedirectUrl(placed.mwebUrl, returnUrl, { h5Domains }) : placed.mwebUrl;
    return this.#isFreeToRedirect(visit, launch) ? seeOtherReply(link) : launchPage(link, this.#site);
  }

  /** A redirect goes on with the Referer and the Content-Security-Policy of the page that the form was on. */
  #isFreeToRedirect({ applicationHeaders }: PayerVisit, launch: Launch): boolean {
    const { cashierOrigin } = this.#parts;
    if (!launch.sentReferer) this.#tell('REFERRER_POLICY', referrerHidden(applicationHeaders));
    const blocked = blocksCashier(applicationHeaders, cashierOrigin);
    if (blocked) this.#tell('FORM_ACTION', formActionBlocks(applicationHeaders, cashierOrigin));
    return launch.sentReferer && !blocked;
  }

  /** The page that a payer comes back to, which asks nobody; with POST, the answer to its button. Never rejects. */
  async return({ request }: PayerVisit): Promise<PageReply> {
    const progress: Progress = {};
    try {
      const { method } = request;
      if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') throw notAllowed(request);
      if (method === 'POST') launchOf(request, this.#parts.merchants);
      const handle = new URLSearchParams(request.query ?? '').get(HANDLE) ?? '';
      const order = this.#parts.handles.read(handle);
      if (order === undefined) throw handleInvalid();
      const own = { outTradeNo: order.outTradeNo, returnUrl: `?${query(handle)}` };
      progress.order = own;
      if (method !== 'POST') return returnPage(own, this.#site);
      const status = await this.#parts.confirm(order);
      const { payment } = status;
      const lines =
        status.state === 'paid' && status.delivered && payment ? await this.settings.receipt?.(payment) : [];
      return resultPage(status, lines ?? [], own, this.#site);
    } catch (error) {
      return this.#failed(error, progress, 'GET, HEAD, POST');
    }
  }

  /** For the operator's page: what was told, and what its own headers show. */
  findings(applicationHeaders: ApplicationHeaders): readonly WechatH5Error[] {
    const found = new Map(this.#told);
    if (this.isGiven && silentPolicy(applicationHeaders) !== undefined)
      found.set('REFERRER_POLICY', referrerHidden(applicationHeaders));
    return [...found.values()];
  }

  #returnUrl(order: HandledOrder, launch: Launch): string {
    const { returnUrl, shopOrigin } = this.settings;
    const url = new URL(returnUrl, launch.origin ?? shopOrigin);
    url.searchParams.set(HANDLE, this.#parts.handles.sign(order));
    return url.href;
  }

  #failed(thrown: unknown, { order, retryAfter }: Progress, allow: string): PageReply {
    const error = isWechatH5Error(thrown)
      ? thrown
      : asWechatH5Error(
          thrown,
          'HANDLER_FAILED',
          'checkout threw while a payer waited',
          'The payer was shown that the shop failed; see cause. 付款人看到的是本店系统出错，原因见 cause。',
        );
    const { code } = error;
    if (code === 'ORIGIN_REFUSED' || code === 'ORIGIN_NOT_REGISTERED') this.#tell(error.message, error);
    else if (payerErrorStatus(code) >= 500) this.#parts.report('checkout-failed', error, order ?? {});
    const page = payerErrorPage(code, this.#site, order);
    if (code === 'METHOD_NOT_ALLOWED') return { ...page, headers: { ...page.headers, allow } };
    if (code !== 'TOO_MANY_ORDERS') return page;
    return { ...page, headers: { ...page.headers, 'retry-after': String(retryAfter) } };
  }

  /** Once for each mistake. */
  #tell(mistake: string, error: WechatH5Error): void {
    if (this.#told.has(mistake) || this.#told.size >= MAX_TOLD) return;
    this.#told.set(mistake, error);
    this.#parts.report('misconfigured', error);
  }
}

async function ordered(placeOrder: () => Promise<NewOrder | undefined>): Promise<NewOrder> {
  const order = await placeOrder();
  if (order !== undefined) return order;
  throw new WechatH5Error('FORM_INVALID', 'A form named nothing that is sold here: checkout.order returned undefined');
}

function query(handle: string): string {
  return new URLSearchParams({ [HANDLE]: handle }).toString();
}

function notAllowed({ method }: PageRequest): WechatH5Error {
  return new WechatH5Error('METHOD_NOT_ALLOWED', `A payer's page was asked with ${method.slice(0, 16)}`);
}

function handleInvalid(): WechatH5Error {
  return new WechatH5Error('HANDLE_INVALID', 'The return page was opened without a handle that was signed here');
}

function tooMany(perMinute: number): WechatH5Error {
  return new WechatH5Error('TOO_MANY_ORDERS', `One address placed more than ${perMinute} orders within a minute`, {
    field: 'checkout.ordersPerMinute',
  });
}
