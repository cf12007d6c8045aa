import type { WechatH5Options } from '@wechat-h5/core';
import type { RequestWechatH5 } from '@wechat-h5/core/adapter';

/**
 * One framework in one major version (and, for Nest, on one platform): how an application is put together
 * there. A harness only mounts what a scene asks for, as the adapter's README would; it decides nothing and
 * asserts nothing.
 */
export interface AdapterHarness {
  /** The heading of its column: `express 5`, `nest 11 fastify`. */
  readonly name: string;
  /** Starts a real server with exactly what the scene asks for, and resolves once it listens. */
  start(scene: Scene): Promise<RunningScene>;
}

export interface RunningScene {
  /** Of a server on 127.0.0.1; 0 when it listens on `scene.socketPath`. */
  readonly port: number;
  /** Closes the server and every connection. */
  stop(): Promise<void>;
}

/**
 * What an application consists of. The order in which things are mounted is that of this list; whatever a
 * scene leaves out must not be there: without `parser` nothing but the adapter reads a request's body.
 */
export interface Scene {
  /** What the shop has around everything. */
  readonly surroundings?: readonly Surrounding[];
  /**
   * Called once for every reply, when it is out; what it returns is thrown by code of the application (Express:
   * `next(error)` when the response has finished; Koa: a middleware after `await next()`; Nest: the like of
   * its platform). The framework's own log of it must stay quiet.
   */
  readonly lateError?: () => Error;
  /**
   * In front of everything, and for every path: what the framework marks a request with when somebody has chosen
   * it, and which passes the request on (Express: a route, a mounted function; Koa: a route of @koa/router, a
   * mounted function; nothing where the framework has no such thing).
   */
  readonly passing?: boolean;
  /** A body parser in front of everything of ours. */
  readonly parser?: ParserKind;
  /** `wechatH5(visitor)` in front of all routes. With `notify`, usually the same object. */
  readonly visitor?: WechatH5Options;
  readonly notify?: readonly NotifyMount[];
  /** A body parser behind the notify middleware, in front of the routes. */
  readonly parserBehind?: ParserKind;
  /**
   * `GET` routes of the shop, by path. A route calls its function with the request's `wechatH5` (`visitor` is
   * set), or with `undefined` (no `visitor`), and answers 200 with what it returns as JSON; if it throws, 500
   * with `{ "code": error.code }` as JSON. One path never uses the request's `wechatH5`: `/healthz`.
   */
  readonly routes?: Readonly<Record<string, (wechatH5: RequestWechatH5 | undefined) => unknown>>;
  /**
   * `POST` routes of the shop that read their body themselves, to the end, and answer 200 with its length in
   * bytes as text. They are there to notice a notify middleware that takes what is not for it.
   */
  readonly uploads?: readonly string[];
  /** Listen here, on a UNIX socket, and not on 127.0.0.1. */
  readonly socketPath?: string;
}

/** One notify middleware (for Nest: one module). */
export interface NotifyMount {
  /** With `onPaid` it does the whole exchange; without, `route` decides. */
  readonly options: WechatH5Options;
  /**
   * Absent: bare, `app.use(wechatH5Notify(options))`. Otherwise below `path`, which differs from the path of
   * `notifyUrl`: `mount` is the framework's way to mount middleware under a path (`app.use(path, …)`,
   * koa-mount, a global prefix), `route` a route of the application, `router` a route in a router that is
   * itself mounted under the first segment of the path.
   */
  readonly at?: { readonly path: string; readonly how: 'mount' | 'route' | 'router' };
  /**
   * Only without `onPaid`, mounted bare: the shop's own `POST` route at the notify path (with and without a
   * closing slash), behind the middleware. Called with the request's `wechatH5`; `answer` answers in the
   * framework's own way (`res.status(200).send('ok')`, `ctx.body = 'ok'`, the return value of a controller).
   * What it throws must reach the framework as an error thrown by the route.
   */
  readonly route?: (wechatH5: RequestWechatH5, answer: (status: number, text: string) => void) => Promise<void> | void;
}

/**
 * `compression`: every reply that allows it is compressed, from the first byte, and carries an ETag.
 * `headers`: a middleware in front has set the status 202, `content-type: application/json`, `x-shop: 1` and a cookie.
 * `rewriting`: whatever the framework has for rewriting all replies does so, as in `{"data": …}` with status
 * 201 (Express: replaced `res.send` and `res.json`; Koa: middleware that wraps `ctx.body` after `next()`;
 * Nest: a global interceptor and a catch-all exception filter).
 * `trusting`: the framework believes every proxy (`trust proxy: true`, `app.proxy = true`, `trustProxy: true`).
 */
export type Surrounding = 'compression' | 'headers' | 'rewriting' | 'trusting';

/**
 * `usual`: what the framework's own documentation sets up, with default settings, whatever content type it
 * reads (Express: `express.json()` and `express.urlencoded()`; Koa: koa-bodyparser; Nest: as created, `rawBody` off).
 * `all-in-one`: its other common set-up, with default settings (Express: json, urlencoded, text and raw; Koa: koa-body;
 * Nest: `rawBody: true`).
 * `keeping`: a parser that reads every content type and keeps the bytes as `rawBody`.
 * `json`, `urlencoded`, `text`, `raw`: that parser, for every content type.
 * `drained`: something reads the whole body and keeps nothing.
 */
export type ParserKind = 'usual' | 'all-in-one' | 'keeping' | 'json' | 'urlencoded' | 'text' | 'raw' | 'drained';

/** One thing that every adapter has to do. Data: any test runner can loop over a list of these. */
export interface ConformanceCase {
  /** Stable for ever. A case is never edited to mean something else; it gets a new id. */
  readonly id: string;
  /** One sentence. `I01` … `I20` name the inbound faults it covers. */
  readonly title: string;
  /** Rejects, mostly with an AssertionError, if the adapter does otherwise. */
  run(harness: AdapterHarness): Promise<void>;
}
