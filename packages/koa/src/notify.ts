import {
  bindToRequest,
  captureRequest,
  holdResponse,
  instanceOf,
  isForNotify,
  isPending,
  receiveNotification,
  sendReply,
  type WechatH5Argument,
} from '@wechat-h5/core/adapter';
import { isMounted } from './mounted.js';
import type { ActiveContext, Middleware } from './wechat-h5.js';

/**
 * Receives WeChat Pay's notifications. Mounted bare, `app.use(wechatH5Notify())`, it answers the path of
 * `notifyUrl` and passes everything else on; under a mount path (koa-mount) or in a route (@koa/router) it
 * answers whatever reaches it.
 *
 * With `onPaid` it does the whole exchange. Without, it verifies, sets `ctx.wechatH5.notification` and awaits
 * what comes next, which says `await ctx.wechatH5.acknowledge()`; returning, throwing or answering without
 * that ends in FAIL and a problem.
 *
 * @param argument an instance, options laid over the environment, or nothing: the instance that `wechatH5()`
 *   put on the context, else the environment
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function wechatH5Notify<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  return async function wechatH5NotifyMiddleware(ctx: ActiveContext, next) {
    const captured = captureRequest(ctx.req, ctx.originalUrl);
    const instance = fixed ?? ctx.wechatH5?.instance ?? instanceOf();
    if (!isMounted(ctx, captured.path, wechatH5NotifyMiddleware) && !isForNotify(instance, captured.path))
      return next();
    // From here on the bytes are ours: Koa must not answer when the middleware returns.
    ctx.respond = false;
    const parsed = { rawBody: ctx.request?.rawBody ?? ctx.req.rawBody, body: ctx.request?.body ?? ctx.req.body };
    const answer = await receiveNotification(instance, ctx.req, captured, parsed);
    if (!isPending(answer)) return sendReply(ctx.res, answer);
    if (ctx.wechatH5?.instance !== instance) ctx.wechatH5 = bindToRequest(instance, captured);
    ctx.wechatH5.receive(answer);
    holdResponse(ctx.res, answer);
    try {
      return await next();
    } finally {
      answer.abandon('the route ended without it');
      // The reply is out before an error reaches the application's own handling of errors.
      await answer.reply;
    }
  };
}
