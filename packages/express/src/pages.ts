import {
  captureRequest,
  instanceOf,
  pageReply,
  sendReply,
  type Page,
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

function page<Tx>(name: Page, argument: WechatH5Argument<Tx> | undefined): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  return function wechatH5PageMiddleware(request: ExpressRequest, response, next) {
    const instance = fixed ?? request.wechatH5?.instance ?? instanceOf();
    const reply = pageReply(name, instance, captureRequest(request, request.originalUrl), {
      mounted: isMounted(request, wechatH5PageMiddleware),
      trust: trustOfApplication(request),
    });
    if (reply === undefined) next();
    else sendReply(response, reply);
  };
}
