import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import etag from '@koa/etag';
import Router from '@koa/router';
import {
  conformanceCases,
  type AdapterHarness,
  type NotifyMount,
  type ParserKind,
  type Scene,
  type Surrounding,
} from '@wechat-h5/testkit/conformance';
import Koa3, { type Middleware } from 'koa';
import bodyParser from 'koa-bodyparser';
import compress from 'koa-compress';
import conditional from 'koa-conditional-get';

import mount from 'koa-mount';
import { wechatH5, wechatH5Notify } from './index.js';

// The types are those of Koa 3; what is used of them is the same in both.
const Koa2 = jest.requireActual<typeof Koa3>('koa2');
// Not imported: its types give every request of node:http a body of their own, in all files that are checked together.
const { koaBody } = jest.requireActual<{ koaBody(options?: object): Middleware }>('koa-body');

describe.each([harnessFor('koa 3', Koa3), harnessFor('koa 2', Koa2)])('$name', (harness) => {
  test.each(conformanceCases)('$id $title', ({ run }) => run(harness));
});

function harnessFor(name: string, Koa: typeof Koa3): AdapterHarness {
  return {
    name,
    async start(scene) {
      const app = new Koa();
      // Koa would print every error of a route.
      app.silent = true;
      assemble(app, scene);
      const server = createServer(app.callback());
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

function assemble(app: Koa3, scene: Scene): void {
  for (const surrounding of scene.surroundings ?? []) surround(app, surrounding);
  const { lateError } = scene;
  if (lateError) {
    app.use(async (_ctx, next) => {
      await next();
      throw lateError();
    });
  }
  if (scene.passing) {
    const pass: Middleware = (_ctx, next) => next();
    app.use(new Router().all(/.*/, pass).routes()).use(mount('/upload', pass)).use(mount('/wechat', pass));
  }
  if (scene.parser) app.use(parser(scene.parser));
  if (scene.visitor) app.use(wechatH5(scene.visitor));
  const router = new Router();
  for (const notifyMount of scene.notify ?? []) mountNotify(app, router, notifyMount);
  if (scene.parserBehind) app.use(parser(scene.parserBehind));
  for (const [path, route] of Object.entries(scene.routes ?? {})) {
    router.get(path, async (ctx) => {
      try {
        ctx.body = JSON.stringify((await route(ctx.wechatH5)) ?? null);
      } catch (error) {
        ctx.status = 500;
        ctx.body = JSON.stringify({ code: (error as { code: string }).code });
      }
      ctx.type = 'json';
    });
  }
  for (const path of scene.uploads ?? []) {
    router.post(path, async (ctx) => {
      let length = 0;
      for await (const chunk of ctx.req) length += (chunk as Buffer).length;
      ctx.body = String(length);
    });
  }
  app.use(router.routes());
}

function mountNotify(app: Koa3, router: Router, { options, at, route }: NotifyMount): void {
  const notify = wechatH5Notify(options);
  if (at === undefined) {
    app.use(notify);
  } else if (at.how === 'mount') {
    app.use(mount(at.path, notify));
  } else if (at.how === 'route') {
    router.all(at.path, notify);
  } else {
    const [, prefix, rest] = /^(\/[^/]+)(\/.*)$/.exec(at.path) ?? [];
    router.use(prefix as string, new Router().all(rest as string, notify).routes());
  }
  if (route) {
    router.post(new URL(options.notifyUrl).pathname, async (ctx) => {
      await route(ctx.wechatH5, (status, text) => {
        ctx.status = status;
        ctx.body = text;
      });
    });
  }
}

function surround(app: Koa3, surrounding: Surrounding): void {
  if (surrounding === 'trusting') app.proxy = true;
  if (surrounding === 'compression')
    app
      .use(compress({ threshold: 0 }))
      .use(conditional())
      .use(etag());
  if (surrounding === 'headers') {
    app.use((ctx, next) => {
      ctx.status = 202;
      ctx.type = 'json';
      ctx.set('x-shop', '1');
      ctx.cookies.set('visitor', '1');
      return next();
    });
  }
  if (surrounding === 'rewriting') {
    app.use(async (ctx, next) => {
      await next();
      ctx.body = { data: JSON.parse(ctx.body as string) as unknown };
      ctx.status = 201;
    });
  }
}

function parser(kind: ParserKind): Middleware {
  // Every content type that the cases send.
  const everything = ['text/xml'];
  return {
    usual: () => bodyParser(),
    'all-in-one': () => koaBody(),
    keeping: () => bodyParser({ enableTypes: ['form'], extendTypes: { form: everything } }),
    json: () => bodyParser({ enableTypes: ['json'], extendTypes: { json: everything } }),
    urlencoded: () => koaBody({ json: false, text: false, urlencoded: true, multipart: false }),
    text: () => bodyParser({ enableTypes: ['text'], extendTypes: { text: everything } }),
    raw: () => async (ctx: Koa3.Context, next: Koa3.Next) => {
      Object.assign(ctx.request, { body: await read(ctx) });
      await next();
    },
    drained: () => async (ctx: Koa3.Context, next: Koa3.Next) => {
      await read(ctx);
      await next();
    },
  }[kind]();
}

async function read(ctx: Koa3.Context): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
