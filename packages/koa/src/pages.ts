import {
  captureRequest,
  instanceOf,
  pageReply,
  sendReply,
  type Page,
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

function page<Tx>(name: Page, argument: WechatH5Argument<Tx> | undefined): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  return async function wechatH5PageMiddleware(ctx: ActiveContext, next) {
    const captured = captureRequest(ctx.req, ctx.originalUrl);
    const instance = fixed ?? ctx.wechatH5?.instance ?? instanceOf();
    const mounted = isMounted(ctx, captured.path, wechatH5PageMiddleware);
    const reply = pageReply(name, instance, captured, { mounted });
    if (reply === undefined) return next();
    ctx.respond = false;
    return sendReply(ctx.res, reply);
  };
}
