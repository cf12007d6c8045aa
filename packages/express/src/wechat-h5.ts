import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  bindToRequest,
  captureRequest,
  instanceOf,
  type BoundWechatH5,
  type ParsedIncomingMessage,
  type RequestWechatH5,
  type WechatH5Argument,
} from '@wechat-h5/core/adapter';
import { trustOfApplication } from './trust.js';

declare global {
  // Both majors of @types/express read their Request from here.
  namespace Express {
    interface Request {
      /** WeChat Pay H5 for this visitor, behind `wechatH5()` or `wechatH5Notify()`. */
      wechatH5: RequestWechatH5;
    }
  }
}

/** Express's own request, as far as it is needed here: structural, so that both majors' types fit. */
export interface ExpressRequest extends ParsedIncomingMessage {
  originalUrl?: string;
  baseUrl?: string;
  route?: LayerStack;
  app?: { get(setting: string): unknown; _router?: LayerStack; router?: LayerStack };
  wechatH5?: BoundWechatH5;
}

/** A router or a route: what it calls, in order. */
export interface LayerStack {
  stack?: readonly { handle?: Middleware | LayerStack }[];
}

/** An Express middleware, for `app.use`, a router or a route. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Puts `req.wechatH5` on every request: the payer's address, `createOrder` with it as `spbill_create_ip`,
 * `confirmPayment`. Reads nothing of the body; a wrong proxy configuration throws only where the address is read.
 *
 * @param argument an instance, options laid over the environment, or nothing: the environment alone
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function wechatH5<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  const instance = instanceOf(argument);
  return function wechatH5Middleware(request: ExpressRequest, _response, next) {
    request.wechatH5 = bindToRequest(
      instance,
      captureRequest(request, request.originalUrl),
      trustOfApplication(request),
    );
    next();
  };
}
