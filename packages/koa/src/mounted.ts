import type { KoaContext, Middleware } from './wechat-h5.js';

/** What Koa, koa-mount and @koa/router leave on a context. */
interface RoutedContext extends KoaContext {
  app?: { middleware?: readonly unknown[] };
  mountPath?: unknown;
  router?: { stack?: readonly RouterLayer[] };
  _matchedRoute?: unknown;
}

interface RouterLayer {
  methods: readonly string[];
  stack: readonly unknown[];
  /** `ignoreCaptures` is false for `router.use(path, …)`, true for `router.use(…)`. */
  opts?: { ignoreCaptures?: unknown };
}

/**
 * Whether a middleware was reached through a mount path (koa-mount, `router.use(path, …)`) or a route (@koa/router, koa-router): then
 * somebody has chosen its requests already. None of these marks is taken back when the request moves on, so each
 * counts only together with what holds inside alone: a path that has been cut, a route that lists this very
 * function, or at least an application that does not.
 *
 * @param path of the URL as the client sent it
 */
export function isMounted(ctx: RoutedContext, path: string, middleware: Middleware): boolean {
  if (ctx.mountPath !== undefined && ctx.path !== path) return true;
  const layers = ctx.router?.stack?.filter(({ stack }) => stack.includes(middleware)) ?? [];
  if (layers.length > 0)
    return layers.some(({ methods, opts }) => methods.length > 0 || opts?.ignoreCaptures === false);
  // Somebody may have put it into a function of his own.
  return ctx._matchedRoute !== undefined && !ctx.app?.middleware?.includes(middleware);
}
