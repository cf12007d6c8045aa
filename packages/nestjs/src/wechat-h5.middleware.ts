import type { ServerResponse } from 'node:http';
import type { WechatH5 } from '@wechat-h5/core';
import {
  bindToRequest,
  captureRequest,
  holdResponse,
  isForNotify,
  isForPayer,
  isPending,
  pageReply,
  payerReply,
  receiveNotification,
  sendPage,
  sendReply,
  type BoundWechatH5,
  type ParsedIncomingMessage,
} from '@wechat-h5/core/adapter';

/** Of a raw request: what the instances are to this visitor, by name. */
const BOUND: unique symbol = Symbol.for('@wechat-h5/nestjs/bound') as never;

/** Node's own request, with what the platform underneath may have put on it. */
interface RawRequest extends ParsedIncomingMessage {
  /** Express, and middie under Fastify. */
  originalUrl?: string;
  /** Express. */
  app?: { get(setting: string): unknown };
  [BOUND]?: Map<string | undefined, BoundWechatH5>;
}

export type Middleware = (request: RawRequest, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Binds an instance to every request, and answers its notifications (and the doctor, the IPv4 probe and the
 * payer's pages, where the options configure them) on Node's own request and response, out of reach of everything that Nest does to
 * requests and replies.
 */
export function createMiddleware(instance: WechatH5, name: string | undefined): Middleware {
  return function wechatH5Middleware(request, response, next) {
    const captured = captureRequest(request, request.originalUrl);
    const trust = trustOfApplication(request);
    const bind = (): BoundWechatH5 => {
      const bound = bindToRequest(instance, captured, trust);
      (request[BOUND] ??= new Map()).set(name, bound);
      return bound;
    };
    if (isForNotify(instance, captured.path)) {
      receiveNotification(instance, request, captured).then((answer) => {
        if (!isPending(answer)) return sendReply(response, answer);
        bind().receive(answer);
        holdResponse(response, answer);
        next();
      }, next);
      return;
    }
    bind();
    for (const page of ['doctor', 'ip-probe'] as const) {
      const reply = pageReply(page, instance, captured, {
        mounted: false,
        trust,
        applicationHeaders: response.getHeaders(),
      });
      if (reply !== undefined) return sendReply(response, reply);
    }
    for (const page of ['pay', 'return'] as const) {
      if (!isForPayer(page, instance, captured.path)) continue;
      return void payerReply(page, instance, { request, response, captured, trust }).then(
        (reply) => sendPage(response, reply),
        next,
      );
    }
    next();
  };
}

/** @param request as a controller has it: Express's own, or Fastify's with Node's as `raw` */
export function boundTo(request: { raw?: object }, name: string | undefined): BoundWechatH5 | undefined {
  return ((request.raw ?? request) as RawRequest)[BOUND]?.get(name);
}

/** Express's compiled `trust proxy`, for `clientIp: { trust: 'express' }`; Fastify shows nobody its own. */
function trustOfApplication({ app }: RawRequest): ((address: string, hop: number) => boolean) | undefined {
  const trust = app?.get('trust proxy fn');
  return typeof trust === 'function' ? (trust as (address: string, hop: number) => boolean) : undefined;
}
