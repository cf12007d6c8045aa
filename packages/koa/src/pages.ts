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
import type { ActiveContext, Middleware } from './wechat-h5.js';

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
 * says `checkout.order`. Mounted bare it answers `checkout.payPath`, under a mount path (koa-mount) or in a route
 * (@koa/router) whatever reaches it. Only a POST from a page of the shop orders anything. Before or behind a body parser.
 *
 * @param argument as for `wechatH5Notify`
 * @throws {WechatH5Error} `OPTIONS_INVALID` without `checkout.order`
 */
export function wechatH5Pay<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  return payerPage('pay', argument);
}

/**
 * Where payers come back to: a page with a button, which asks how the payment stands when it is pressed and never by
 * itself. Mounted bare it answers the path of `checkout.returnUrl`, under a mount path or in a route whatever reaches it.
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
  return async function wechatH5PayerMiddleware(ctx: ActiveContext, next) {
    const captured = captureRequest(ctx.req, ctx.originalUrl);
    const instance = fixed ?? ctx.wechatH5?.instance ?? instanceOf();
    requirePayerPage(name, instance);
    const mounted = isMounted(ctx, captured.path, wechatH5PayerMiddleware);
    if (!mounted && !isForPayer(name, instance, captured.path)) return next();
    ctx.respond = false;
    const parsed = { rawBody: ctx.request?.rawBody ?? ctx.req.rawBody, body: ctx.request?.body ?? ctx.req.body };
    return sendPage(
      ctx.res,
      await payerReply(name, instance, { request: ctx.req, response: ctx.res, captured, parsed }),
    );
  };
}

function page<Tx>(name: Page, argument: WechatH5Argument<Tx> | undefined): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  return async function wechatH5PageMiddleware(ctx: ActiveContext, next) {
    const captured = captureRequest(ctx.req, ctx.originalUrl);
    const instance = fixed ?? ctx.wechatH5?.instance ?? instanceOf();
    const mounted = isMounted(ctx, captured.path, wechatH5PageMiddleware);
    const reply = pageReply(name, instance, captured, { mounted, applicationHeaders: ctx.res.getHeaders() });
    if (reply === undefined) return next();
    ctx.respond = false;
    return sendReply(ctx.res, reply);
  };
}
