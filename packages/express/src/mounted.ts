import type { ExpressRequest, LayerStack, Middleware } from './wechat-h5.js';

/**
 * Whether a middleware was reached through a mount path or a route: then somebody has chosen its requests
 * already. Express leaves `route` on a request that a route has passed on, so it counts only if the middleware
 * is not one of those that the application itself calls for every request.
 */
export function isMounted({ app, baseUrl, route }: ExpressRequest, middleware: Middleware): boolean {
  if (baseUrl !== undefined && baseUrl !== '') return true;
  if (route === undefined) return false;
  // Express 4 has a trap instead of a router under the later name.
  return lists(route, middleware) || !lists(app?._router ?? app?.router, middleware);
}

function lists(layers: LayerStack | Middleware | undefined, middleware: Middleware): boolean {
  if (layers === middleware) return true;
  // A router is a function, too.
  const stack = (layers as LayerStack | undefined)?.stack ?? [];
  return stack.some(({ handle }) => lists(handle, middleware));
}
