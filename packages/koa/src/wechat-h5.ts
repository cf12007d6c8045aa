// Makes sure that the module augmented below is the real one.
import type {} from 'koa';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  bindToRequest,
  captureRequest,
  instanceOf,
  type BoundWechatH5,
  type ParsedBody,
  type ParsedIncomingMessage,
  type RequestWechatH5,
  type WechatH5Argument,
} from '@wechat-h5/core/adapter';

/** What `ctx` gains, for `new Koa<Koa.DefaultState, WechatH5Context>()`. */
export interface WechatH5Context {
  /** WeChat Pay H5 for this visitor, behind `wechatH5()` or `wechatH5Notify()`. */
  wechatH5: RequestWechatH5;
}

declare module 'koa' {
  // Applications that name no context of their own find it here.
  interface DefaultContext extends WechatH5Context {}
}

/** Koa's own context, as far as it is needed here: structural, so that both majors' types fit. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly originalUrl: string;
  readonly path: string;
}

/** A Koa middleware, for `app.use`, koa-mount or a route. */
export type Middleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/** What else is found on a context that is at work. */
export interface ActiveContext extends KoaContext {
  readonly req: ParsedIncomingMessage;
  respond?: boolean;
  request?: ParsedBody;
  wechatH5?: BoundWechatH5;
}

/**
 * Puts `ctx.wechatH5` on every request: the payer's address, `createOrder` with it as `spbill_create_ip`,
 * `confirmPayment`. Reads nothing of the body; a wrong proxy configuration throws only where the address is read.
 *
 * @param argument an instance, options laid over the environment, or nothing: the environment alone
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function wechatH5<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  const instance = instanceOf(argument);
  return function wechatH5Middleware(ctx: ActiveContext, next) {
    ctx.wechatH5 = bindToRequest(instance, captureRequest(ctx.req, ctx.originalUrl));
    return next();
  };
}
