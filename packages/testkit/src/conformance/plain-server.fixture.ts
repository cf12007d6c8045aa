import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { NotificationReply, WechatH5, WechatH5Options } from '@wechat-h5/core';
import {
  bindToRequest,
  captureRequest,
  holdResponse,
  instanceOf,
  isForNotify,
  isPending,
  receiveNotification,
  sendReply,
  type CapturedRequest,
  type ParsedIncomingMessage,
  type PendingNotification,
  type RequestWechatH5,
} from '@wechat-h5/core/adapter';
import type { AdapterHarness, NotifyMount, ParserKind, Scene } from './harness.js';

/** What an adapter decides, piece by piece, so that a test can put a wrong piece in the place of a right one. */
export interface PlainAdapter {
  readonly server: ServerOptions;
  instance(options: WechatH5Options): WechatH5;
  capture(request: IncomingMessage): CapturedRequest;
  bind(instance: WechatH5, captured: CapturedRequest, request: IncomingMessage): RequestWechatH5;
  answers(instance: WechatH5, captured: CapturedRequest, mount: NotifyMount): boolean;
  receive(
    instance: WechatH5,
    request: ParsedIncomingMessage,
    captured: CapturedRequest,
    mount: NotifyMount,
  ): Promise<NotificationReply | PendingNotification>;
  send(page: Page, reply: NotificationReply): void;
  /** Hands a payment to the shop's route; `run` calls it, and `page` answers for it. */
  hand(page: Page, pending: PendingNotification, run: () => Promise<void>): void;
}

/** The adapter for node:http, which is all that the seam of core asks for. */
export const plainAdapter: PlainAdapter = {
  server: {},
  instance: instanceOf,
  capture: (request) => captureRequest(request),
  bind: (instance, captured) => bindToRequest(instance, captured),
  answers(instance, { path }, { at }) {
    return at === undefined ? isForNotify(instance, path) : path.replace(/\/$/, '') === at.path;
  },
  receive: (instance, request, captured) => receiveNotification(instance, request, captured),
  send: ({ response }, reply) => sendReply(response, reply),
  hand(page, pending, run) {
    holdResponse(page.response, pending);
    run().catch((error: Error) => page.answer(500, 'text/plain', error.message));
  },
};

/** A harness whose framework is a few lines of node:http. */
export function plainHarness(name: string, changes: Partial<PlainAdapter> = {}): AdapterHarness {
  const adapter = { ...plainAdapter, ...changes };
  return {
    name,
    async start(scene) {
      const server = createServer(adapter.server, (request, response) => {
        serve(adapter, scene, request, new Page(scene, request, response)).catch(() => response.destroy());
      });
      server.listen(scene.socketPath ?? { port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      return {
        port: scene.socketPath === undefined ? (server.address() as AddressInfo).port : 0,
        async stop() {
          server.closeAllConnections();
          server.close();
          await once(server, 'close');
        },
      };
    },
  };
}

/** How this framework answers for the shop: with everything that the scene has put around replies. */
export class Page {
  readonly response: ServerResponse;
  readonly #scene: Scene;
  readonly #request: IncomingMessage;

  constructor(scene: Scene, request: IncomingMessage, response: ServerResponse) {
    this.response = response;
    this.#scene = scene;
    this.#request = request;
    const { lateError } = scene;
    if (lateError) response.on('finish', () => void lateError());
    if (!this.#has('headers')) return;
    response.statusCode = 202;
    for (const [header, value] of [
      ['content-type', 'application/json'],
      ['x-shop', '1'],
      ['set-cookie', 'visitor=1'],
    ] as const) {
      response.setHeader(header, value);
    }
  }

  answer(status: number, type: string, text: string): void {
    const rewritten = this.#has('rewriting')
      ? JSON.stringify({ data: type === 'application/json' ? JSON.parse(text) : text })
      : text;
    let body = Buffer.from(rewritten);
    if (this.#has('compression') && this.#request.headers['accept-encoding']?.includes('gzip')) {
      body = gzipSync(body);
      this.response.setHeader('content-encoding', 'gzip').setHeader('etag', `"${body.length}"`);
    }
    this.response.setHeader('content-type', type).setHeader('content-length', body.length);
    this.response.writeHead(this.#has('rewriting') ? 201 : status);
    this.response.end(body);
  }

  #has(surrounding: string): boolean {
    return this.#scene.surroundings?.some((one) => one === surrounding) ?? false;
  }
}

async function serve(adapter: PlainAdapter, scene: Scene, request: ParsedIncomingMessage, page: Page): Promise<void> {
  const captured = adapter.capture(request);
  if (scene.parser) await parse(scene.parser, request);
  const visitor = scene.visitor && adapter.bind(adapter.instance(scene.visitor), captured, request);
  for (const mount of scene.notify ?? []) {
    const instance = adapter.instance(mount.options);
    if (!adapter.answers(instance, captured, mount)) continue;
    const answer = await adapter.receive(instance, request, captured, mount);
    if (!isPending(answer)) return adapter.send(page, answer);
    if (scene.parserBehind && announcesBody(request)) await once(request, 'end');
    const bound = bindToRequest(instance, captured);
    bound.receive(answer);
    const write = (status: number, text: string): void => page.answer(status, 'text/plain', text);
    return adapter.hand(page, answer, async () => mount.route?.(bound, write));
  }
  const route = request.method === 'GET' ? scene.routes?.[captured.path] : undefined;
  if (route) {
    const [status, result] = await (async () => route(visitor))().then(
      (value): [number, unknown] => [200, value ?? null],
      ({ code }: { code: string }): [number, unknown] => [500, { code }],
    );
    page.answer(status, 'application/json', JSON.stringify(result));
  } else if (scene.uploads?.includes(captured.path)) {
    page.answer(200, 'text/plain', String((await readAll(request)).length));
  } else {
    page.answer(404, 'text/plain', 'Not Found');
  }
}

/** As parsers find out whether there is anything to wait for. */
function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

async function parse(kind: ParserKind, request: ParsedIncomingMessage): Promise<void> {
  // Not one of their content types: they read nothing, and leave an empty result.
  if (kind === 'usual' || kind === 'all-in-one') {
    Object.assign(request, { body: {} });
    return;
  }
  const bytes = await readAll(request);
  const form = (): unknown => Object.fromEntries(new URLSearchParams(bytes.toString()));
  if (kind === 'keeping') Object.assign(request, { rawBody: bytes, body: form() });
  if (kind === 'urlencoded') Object.assign(request, { body: form() });
  if (kind === 'text') Object.assign(request, { body: bytes.toString() });
  if (kind === 'raw') Object.assign(request, { body: bytes });
  // What it could not read it gave up without a word.
  if (kind === 'json') Object.assign(request, { body: {} });
}

export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
