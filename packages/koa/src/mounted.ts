import type { KoaContext, Middleware } from './wechat-h5.js';

/** What koa-mount and @koa/router leave on a context. */
interface MountedContext extends KoaContext {
  mountPath?: unknown;
  router?: { stack?: readonly { methods: readonly string[]; stack: readonly unknown[] }[] };
}

/**
 * Whether a middleware was reached through a mount path (koa-mount) or a route (@koa/router, koa-router): then
 * somebody has chosen its requests already. Neither `mountPath` nor `router` is taken back when the request
 * moves on, so each counts only together with what holds inside alone: a path that has been cut, a route that
 * lists this very function.
 *
 * @param path of the URL as the client sent it
 */
export function isMounted(ctx: MountedContext, path: string, middleware: Middleware): boolean {
  if (ctx.mountPath !== undefined && ctx.path !== path) return true;
  const layers = ctx.router?.stack ?? [];
  return layers.some(({ methods, stack }) => methods.length > 0 && stack.includes(middleware));
}
