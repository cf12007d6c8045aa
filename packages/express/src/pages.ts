import {
  captureRequest,
  instanceOf,
  isForPayer,
  pageReply,
  payerReply,
  requirePayerPage,
  sendPage,
  sendReply,
  type Page,
  type PayerPageName,
  type WechatH5Argument,
} from '@wechat-h5/core/adapter';
import { isMounted } from './mounted.js';
import { trustOfApplication } from './trust.js';
import type { ExpressRequest, Middleware } from './wechat-h5.js';

/**
 * The operator's page: how the address of this very request is found, hop by hop, and what to change. Mounted
 * bare it answers `/wechat-h5/doctor`, in a route or under a mount path whatever reaches it. Behind
 * `doctorSecret`, as password of a login or bearer token; without that option it does not exist.
 *
 * @param argument as for `wechatH5Notify`
 */
export function wechatH5Doctor<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  return page('doctor', argument);
}

/**
 * Answers the IPv4 probe, on the host name that has no AAAA record: mounted bare, at the path of `ipProbe.url`.
 *
 * @param argument as for `wechatH5Notify`
 */
export function wechatH5IpProbe<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  return page('ip-probe', argument);
}

/**
 * Places the order of a form with a Pay button and sends the payer to WeChat Pay: what is ordered, and at what price,
 * says `checkout.order`. Mounted bare it answers `checkout.payPath`, in a route or under a mount path whatever reaches it.
 * Only a POST from a page of the shop orders anything. Before or behind a body parser; behind the session that
 * `checkout.order` reads.
 *
 * @param argument as for `wechatH5Notify`
 * @throws {WechatH5Error} `OPTIONS_INVALID` without `checkout.order`
 */
export function wechatH5Pay<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  return payerPage('pay', argument);
}

/**
 * Where payers come back to: a page with a button, which asks how the payment stands when it is pressed and never by
 * itself. Mounted bare it answers the path of `checkout.returnUrl`, in a route or under a mount path whatever reaches it.
 *
 * @param argument as for `wechatH5Notify`
 * @throws {WechatH5Error} `OPTIONS_INVALID` without `checkout`
 */
export function wechatH5Return<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  return payerPage('return', argument);
}

function payerPage<Tx>(name: PayerPageName, argument: WechatH5Argument<Tx> | undefined): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  if (fixed !== undefined) requirePayerPage(name, fixed);
  return function wechatH5PayerMiddleware(request: ExpressRequest, response, next) {
    const captured = captureRequest(request, request.originalUrl);
    const instance = fixed ?? request.wechatH5?.instance ?? instanceOf();
    requirePayerPage(name, instance);
    if (!isMounted(request, wechatH5PayerMiddleware) && !isForPayer(name, instance, captured.path)) return next();
    const trust = trustOfApplication(request);
    payerReply(name, instance, { request, response, captured, trust }).then((reply) => sendPage(response, reply), next);
  };
}

function page<Tx>(name: Page, argument: WechatH5Argument<Tx> | undefined): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  return function wechatH5PageMiddleware(request: ExpressRequest, response, next) {
    const instance = fixed ?? request.wechatH5?.instance ?? instanceOf();
    const reply = pageReply(name, instance, captureRequest(request, request.originalUrl), {
      mounted: isMounted(request, wechatH5PageMiddleware),
      trust: trustOfApplication(request),
      applicationHeaders: response.getHeaders(),
    });
    if (reply === undefined) next();
    else sendReply(response, reply);
  };
}
