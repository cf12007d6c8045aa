import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';
import type { Middleware } from './wechat-h5.middleware.js';

/**
 * Mounts the middleware as the application is put together, in front of everything else. Nest's own place
 * for middleware, `configure(consumer)`, comes too late and not always: the body parsers have run by then
 * (`app.useBodyParser('text', { type: '*\/*' })` leaves no bytes), and under `setGlobalPrefix` a path outside
 * the prefix never gets there. A controller would be in reach of guards, pipes, interceptors and filters.
 */
export function mount(middleware: Middleware, host: HttpAdapterHost): void {
  // At once, or in a testing module as soon as it has an HTTP adapter. An application context never gets one.
  host.init$.subscribe(() => {
    const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | null;
    const platform = adapter?.getInstance<Platform>();
    // Fastify has no `use` before middie is there, and with `skipMiddie` perhaps never; a hook that is added now
    // comes before middie's. Where middie is there already, a hook would come after all of its middleware.
    if (platform?.addHook !== undefined && platform.use === undefined) {
      platform.addHook('onRequest', (request, reply, done) => middleware(request.raw, reply.raw, done));
    } else {
      adapter?.use(middleware);
    }
  });
}

/** Express's application or Fastify's, as far as it is needed here. */
interface Platform {
  use?: unknown;
  addHook?: (
    name: 'onRequest',
    hook: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }, done: (error?: unknown) => void) => void,
  ) => void;
}
