import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import { createWechatH5, type Problem, type WechatH5Options } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';
import Koa3 from 'koa';
import mount from 'koa-mount';
import { wechatH5, wechatH5Doctor, wechatH5IpProbe, wechatH5Notify, type WechatH5Context } from './index.js';

const Koa2 = jest.requireActual<typeof Koa3>('koa2');

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const NOTIFY = '/wechat/notify';

let problems: Problem[];
let servers: Server[];

beforeEach(() => {
  problems = [];
  servers = [];
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

function options(more: Partial<WechatH5Options> = {}): WechatH5Options {
  return {
    merchant: MERCHANT,
    notifyUrl: `https://shop.example.com${NOTIFY}`,
    findOrder: async () => ({ totalFee: 1 }),
    onProblem: (problem) => problems.push(problem),
    ...more,
  };
}

async function serve(app: Pick<Koa3, 'callback'>): Promise<string> {
  const server = createServer(app.callback());
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What comes back for a genuine notification. */
async function post(url: string): Promise<string> {
  const body = signedNotification({}, MERCHANT);
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/xml' } });
  return `${response.status} ${/SUCCESS|FAIL/.exec(await response.text())?.[0] ?? ''}`.trim();
}

describe.each([
  ['Koa 3', Koa3],
  ['Koa 2', Koa2],
])('%s', (_name, Koa) => {
  let app: Koa3;
  let errors: Error[];

  beforeEach(() => {
    errors = [];
    app = new Koa();
    app.on('error', (error: Error) => errors.push(error));
  });

  describe('where it answers', () => {
    const onPaid = (): void => {};

    test('bare behind a mounted application that passed the request on, it leaves other paths alone', async () => {
      app.use(mount('/api', (_ctx: Koa3.Context, next: Koa3.Next) => next())).use(wechatH5Notify(options({ onPaid })));
      const url = await serve(app);
      expect(await post(`${url}/api/orders`)).toBe('404');
      expect(await post(`${url}${NOTIFY}`)).toBe('200 SUCCESS');
    });

    test('bare behind a route that passed the request on, it leaves other paths alone', async () => {
      const router = new Router().all('/{*path}', (_ctx, next) => next());
      app.use(router.routes()).use(wechatH5Notify(options({ onPaid })));
      const url = await serve(app);
      expect(await post(`${url}/api/orders`)).toBe('404');
      expect(await post(`${url}${NOTIFY}`)).toBe('200 SUCCESS');
    });

    test('inside another middleware it is as bare as that', async () => {
      const notify = wechatH5Notify(options({ onPaid }));
      app.use((ctx, next) => notify(ctx, next));
      const url = await serve(app);
      expect(await post(`${url}/api/orders`)).toBe('404');
      expect(await post(`${url}${NOTIFY}`)).toBe('200 SUCCESS');
    });

    test('for all of a router it is bare: nobody has chosen a path', async () => {
      const router = new Router();
      router.use(wechatH5Notify(options({ onPaid })));
      router.post('/api/orders', (ctx) => {
        ctx.status = 204;
      });
      router.post(NOTIFY, () => {});
      app.use(router.routes());
      const url = await serve(app);
      expect(await post(`${url}/api/orders`)).toBe('204');
      expect(await post(`${url}${NOTIFY}`)).toBe('200 SUCCESS');
    });

    test('for a path of a router it answers what reaches it', async () => {
      const router = new Router();
      router.use('/cb', wechatH5Notify(options({ onPaid })));
      router.post('/cb', (ctx) => {
        ctx.body = 'route';
      });
      app.use(router.routes());
      const url = await serve(app);
      expect(await post(`${url}/cb`)).toBe('200 SUCCESS');
    });

    test('in an application that is mounted it answers everything below', async () => {
      const pay = new Koa().use(wechatH5Notify(options({ onPaid })));
      app.use(mount('/shop', new Koa().use(mount('/pay', pay))));
      const url = await serve(app);
      expect(await post(`${url}/shop/pay`)).toBe('200 SUCCESS');
      expect(await post(`${url}/shop/pay/anything`)).toBe('200 SUCCESS');
      expect(await post(`${url}/shop`)).toBe('404');
    });

    test('in a route of a router with a prefix it answers what reaches it', async () => {
      const router = new Router({ prefix: '/pay' }).post('/hook', wechatH5Notify(options({ onPaid })));
      app.use(router.routes());
      const url = await serve(app);
      expect(await post(`${url}/pay/hook`)).toBe('200 SUCCESS');
      expect(await post(`${url}/hook`)).toBe('404');
    });

    test('in a route, inside a function of somebody else, it answers what reaches it', async () => {
      const notify = wechatH5Notify(options({ onPaid }));
      app.use(new Router().post('/hook', (ctx, next) => notify(ctx, next)).routes());
      expect(await post(`${await serve(app)}/hook`)).toBe('200 SUCCESS');
    });

    test('in a route and bare as well, it is both', async () => {
      const notify = wechatH5Notify(options({ onPaid }));
      app.use(notify).use(new Router().post('/hook', notify).routes());
      const url = await serve(app);
      expect(await post(`${url}/hook`)).toBe('200 SUCCESS');
      expect(await post(`${url}${NOTIFY}`)).toBe('200 SUCCESS');
      expect(await post(`${url}/orders`)).toBe('404');
    });

    test('without an argument it is the instance that wechatH5() put on the context', async () => {
      const instance = createWechatH5(options({ onPaid, notifyPath: '/other' }));
      app.use(wechatH5(instance)).use(wechatH5Notify());
      const url = await serve(app);
      expect(await post(`${url}/other`)).toBe('200 SUCCESS');
      expect(await post(`${url}${NOTIFY}`)).toBe('404');
    });
  });

  describe('without onPaid', () => {
    test('returning acknowledges nothing: FAIL at once', async () => {
      app.use(wechatH5Notify(options())).use(() => {});
      expect(await post(`${await serve(app)}${NOTIFY}`)).toBe('200 FAIL');
      expect(problems.map(({ code }) => code)).toEqual(['NOT_ACKNOWLEDGED']);
    });

    test('neither does there being no route at all', async () => {
      app.use(wechatH5Notify(options()));
      expect(await post(`${await serve(app)}${NOTIFY}`)).toBe('200 FAIL');
      expect(problems.map(({ code }) => code)).toEqual(['NOT_ACKNOWLEDGED']);
    });

    test('nor writing to the response behind Koa’s back', async () => {
      app.use(wechatH5Notify(options())).use((ctx) => {
        ctx.res.writeHead(200, { 'x-shop': '1' });
        ctx.res.end('SUCCESS');
      });
      const response = await fetch(`${await serve(app)}${NOTIFY}`, {
        method: 'POST',
        body: signedNotification({}, MERCHANT),
      });
      expect(response.headers.has('x-shop')).toBe(false);
      expect(await response.text()).toContain('FAIL');
    });

    test('what a route throws reaches the application, once FAIL is out', async () => {
      const sent: boolean[] = [];
      app.use(async (ctx, next) => {
        await next().finally(() => sent.push(ctx.headerSent));
      });
      app.use(wechatH5Notify(options())).use(() => {
        throw new Error('the warehouse is away');
      });
      expect(await post(`${await serve(app)}${NOTIFY}`)).toBe('200 FAIL');
      expect(sent).toEqual([true]);
      expect(errors.map(({ message }) => message)).toEqual(['the warehouse is away']);
    });
  });

  test('whoever waits for next() upstream finds the reply sent', async () => {
    const seen: unknown[] = [];
    app.use(async (ctx, next) => {
      await next();
      seen.push(ctx.headerSent, ctx.status, ctx.respond);
    });
    app.use(wechatH5Notify(options({ onPaid: () => {} })));
    expect(await post(`${await serve(app)}${NOTIFY}`)).toBe('200 SUCCESS');
    expect(seen).toEqual([true, 200, false]);
  });

  test('the doctor and the probe', async () => {
    const secret = 'a-secret-of-the-operator';
    const instance = createWechatH5(
      options({
        merchant: { ...MERCHANT, h5Domains: ['shop.example'] },
        doctorSecret: secret,
        ipProbe: { url: 'https://v4.shop.example/v4', secret: 'probe-secret-of-the-shop' },
      }),
    );
    app.use(wechatH5(instance)).use(wechatH5Doctor()).use(wechatH5IpProbe()).use(mount('/ops', wechatH5Doctor()));
    const url = await serve(app);
    const authorization = `Bearer ${secret}`;
    expect((await fetch(`${url}/wechat-h5/doctor`)).status).toBe(401);
    for (const path of ['/wechat-h5/doctor', '/ops']) {
      const response = await fetch(`${url}${path}`, { headers: { authorization } });
      expect({ status: response.status, body: await response.json() }).toMatchObject({
        status: 200,
        body: { clientIp: { peer: { address: '127.0.0.1' } } },
      });
    }
    expect((await fetch(`${url}/elsewhere`, { headers: { authorization } })).status).toBe(404);
    const probe = await fetch(`${url}/v4?sid=${'A'.repeat(43)}`, { headers: { origin: 'https://shop.example' } });
    expect(probe.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(probe.headers.get('content-type')).toContain('application/json');
  });
});

test('ctx.wechatH5 has its type, in applications with a context of their own and without', async () => {
  const own = new Koa3<Koa3.DefaultState, WechatH5Context>();
  own.use(wechatH5(options({ clientIp: { nonPublic: 'allow' } }))).use((ctx) => {
    const ip: string = ctx.wechatH5.clientIp.ip;
    // @ts-expect-error there is no such member, and the context is not any
    ctx.body = `${ip} ${ctx.wechatH5.nothing}`;
  });
  const plain = new Koa3().use(wechatH5(options({ clientIp: { nonPublic: 'allow' } }))).use((ctx) => {
    // @ts-expect-error alike by the augmentation of DefaultContext
    ctx.body = `${ctx.wechatH5.clientIp.ip} ${ctx.wechatH5.nothing}`;
  });
  for (const url of [await serve(own), await serve(plain)]) {
    expect(await (await fetch(url)).text()).toBe('127.0.0.1 undefined');
  }
});
