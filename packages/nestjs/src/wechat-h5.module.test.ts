import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { createWechatH5, type Payment, type WechatH5Options } from '@wechat-h5/core';
import {
  getWechatH5Token,
  InjectWechatH5,
  OnPaid,
  WechatH5,
  WechatH5Module,
  type WechatH5OptionsFactory,
} from './index.js';
import { createApp, listen, PLATFORMS } from './platforms.fixture.js';
import { ACKNOWLEDGED, MERCHANT, notify, OPTIONS, OTHER, OTHER_OPTIONS, SUCCESS } from './shop.fixture.js';

describe('what is injected', () => {
  test('one instance, by its class, by the decorator and by its token', async () => {
    @Injectable()
    class Shop {
      constructor(
        readonly byClass: WechatH5,
        @InjectWechatH5() readonly byDecorator: WechatH5,
      ) {}
    }
    const context = await contextOf(moduleOf({ imports: [WechatH5Module.forRoot(OPTIONS)], providers: [Shop] }));
    const { byClass, byDecorator } = context.get(Shop);
    expect(byClass).toBe(context.get(getWechatH5Token()));
    expect(byDecorator).toBe(byClass);
    expect(byClass.verifyNotification).toEqual(expect.any(Function));
  });

  test('a named instance has its own token, and does not take the place of the unnamed one', async () => {
    const context = await contextOf(moduleOf({ imports: [WechatH5Module.forRoot({ ...OPTIONS, name: 'books' })] }));
    expect(context.get<WechatH5>(getWechatH5Token('books')).createOrder).toEqual(expect.any(Function));
    expect(() => context.get(WechatH5)).toThrow('WechatH5');
    expect(() => context.get(getWechatH5Token())).toThrow('@wechat-h5/nestjs');
  });

  test('the token is the same in every copy of the package', () => {
    expect(getWechatH5Token()).toBe(Symbol.for('@wechat-h5/nestjs'));
    expect(getWechatH5Token('books')).toBe(Symbol.for('@wechat-h5/nestjs/books'));
  });

  test.each([
    ['with isGlobal another module injects it', true],
    ['without it cannot', false],
  ])('%s', async (_title, isGlobal) => {
    @Injectable()
    class Elsewhere {
      constructor(readonly wechatH5: WechatH5) {}
    }
    const feature = moduleOf({ providers: [Elsewhere] });
    const started = contextOf(moduleOf({ imports: [WechatH5Module.forRoot({ ...OPTIONS, isGlobal }), feature] }));
    if (isGlobal) expect((await started).get(Elsewhere, { strict: false }).wechatH5).toBeDefined();
    else await expect(started).rejects.toThrow(/can't resolve dependencies of the Elsewhere/);
  });
});

describe('where the options come from', () => {
  const VARIABLES = {
    WECHAT_PAY_APP_ID: MERCHANT.appId,
    WECHAT_PAY_MCH_ID: MERCHANT.mchId,
    WECHAT_PAY_API_KEY: String(MERCHANT.apiKey),
    WECHAT_PAY_NOTIFY_URL: 'https://shop.example.com/from/environment',
  };
  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });

  test('forRoot() reads the environment when the application starts, not when the module is written down', async () => {
    const root = moduleOf({ imports: [WechatH5Module.forRoot()] });
    await expect(contextOf(root)).rejects.toMatchObject({ code: 'ENVIRONMENT_INVALID' });
    Object.assign(process.env, VARIABLES);
    await expect(contextOf(root)).resolves.toBeDefined();
  });

  test('options are laid over the environment', async () => {
    Object.assign(process.env, VARIABLES, { WECHAT_PAY_NOTIFY_URL: 'not a url' });
    const { notifyUrl } = OPTIONS;
    await expect(contextOf(moduleOf({ imports: [WechatH5Module.forRoot()] }))).rejects.toMatchObject({
      field: 'WECHAT_PAY_NOTIFY_URL',
    });
    const { gateway, findOrder } = OPTIONS;
    const options = { notifyUrl, gateway: gateway as string, findOrder: findOrder as NonNullable<typeof findOrder> };
    await expect(contextOf(moduleOf({ imports: [WechatH5Module.forRoot(options)] }))).resolves.toBeDefined();
  });

  test('a wrong option ends the start, by name', async () => {
    const wrong = { ...OPTIONS, notifyURL: 'x' };
    await expect(contextOf(moduleOf({ imports: [WechatH5Module.forRoot(wrong)] }))).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      field: 'notifyURL',
    });
  });

  test('an instance that exists already is taken as it is', async () => {
    const instance = createWechatH5(OPTIONS);
    const sync = await contextOf(moduleOf({ imports: [WechatH5Module.forRoot(instance)] }));
    expect(sync.get(WechatH5)).toBe(instance);
    const named = await contextOf(
      moduleOf({ imports: [WechatH5Module.forRootAsync({ name: 'books', useFactory: async () => instance })] }),
    );
    expect(named.get(getWechatH5Token('books'))).toBe(instance);
  });

  test('the same options in two applications make two instances', async () => {
    const useFactory = (): WechatH5Options => OPTIONS;
    const root = moduleOf({ imports: [WechatH5Module.forRootAsync({ useFactory })], providers: [Deliveries] });
    const [first, second] = [await contextOf(root), await contextOf(root)];
    expect(first.get(WechatH5)).not.toBe(second.get(WechatH5));
  });

  @Injectable()
  class Settings {
    readonly notifyUrl = 'http://127.0.0.1/from/settings';
  }
  const settings = moduleOf({ providers: [Settings], exports: [Settings] });

  @Injectable()
  class Factory implements WechatH5OptionsFactory {
    constructor(@Inject(Settings) private readonly settings: Settings) {}

    async createWechatH5Options() {
      return { ...OPTIONS, notifyUrl: this.settings.notifyUrl };
    }
  }
  const factories = moduleOf({ imports: [settings], providers: [Factory], exports: [Factory] });

  test.each([
    [
      'useFactory',
      {
        imports: [settings],
        inject: [Settings],
        useFactory: ({ notifyUrl }: Settings) => ({ ...OPTIONS, notifyUrl }),
      },
    ],
    ['useClass', { imports: [settings], useClass: Factory }],
    ['useExisting', { imports: [factories], useExisting: Factory }],
  ])('forRootAsync with %s', async (_title, source) => {
    const root = moduleOf({ imports: [WechatH5Module.forRootAsync(source)], providers: [Deliveries] });
    const app = await createApp(root, (PLATFORMS[0] as (typeof PLATFORMS)[number]).adapter());
    const port = await listen(app);
    expect(await notify(port, '/from/settings')).toEqual(ACKNOWLEDGED);
    expect(app.get(Deliveries).payments).toHaveLength(1);
    await app.close();
  });
});

describe.each(PLATFORMS)('on $name', ({ adapter }) => {
  test('two merchants, each with a name: each delivery reaches its own method', async () => {
    @Injectable()
    class Shop {
      readonly paid: string[] = [];

      @OnPaid()
      tea({ mchId }: Payment) {
        this.paid.push(`tea ${mchId}`);
      }

      @OnPaid('books')
      books({ mchId }: Payment) {
        this.paid.push(`books ${mchId}`);
      }
    }
    const imports = [WechatH5Module.forRoot(OPTIONS), WechatH5Module.forRoot({ ...OTHER_OPTIONS, name: 'books' })];
    const app = await createApp(moduleOf({ imports, providers: [Shop] }), adapter());
    const port = await listen(app);
    expect((await notify(port)).body).toBe(SUCCESS);
    expect((await notify(port, '/other/notify', OTHER)).body).toBe(SUCCESS);
    expect(app.get(Shop).paid).toEqual([`tea ${MERCHANT.mchId}`, `books ${OTHER.mchId}`]);
    await app.close();
  });

  test('in a testing module, which gets its HTTP adapter last', async () => {
    const testing = await Test.createTestingModule({
      imports: [WechatH5Module.forRoot(OPTIONS)],
      providers: [Deliveries],
    }).compile();
    const app = testing.createNestApplication(adapter());
    expect((await notify(await listen(app))).body).toBe(SUCCESS);
    expect(app.get(Deliveries).payments).toHaveLength(1);
    await app.close();
  });

  test('a shop’s test puts its own object in place of the instance', async () => {
    @Injectable()
    class Shop {
      constructor(readonly wechatH5: WechatH5) {}
    }
    const fake = { createOrder: async () => ({ mwebUrl: 'https://example.com' }) };
    const testing = await Test.createTestingModule({ imports: [WechatH5Module.forRoot(OPTIONS)], providers: [Shop] })
      .overrideProvider(getWechatH5Token())
      .useValue(fake)
      .compile();
    const app = await testing.createNestApplication(adapter()).init();
    expect(app.get(Shop).wechatH5).toBe(fake);
    await app.close();
  });

  test.each([
    ['made here: its connections to WeChat Pay end with the application', true],
    ['given: they are left to whoever made it', false],
  ])('an instance %s', async (_title, own) => {
    const gateway = await openGateway();
    const options = { ...OPTIONS, gateway: gateway.url };
    const root = moduleOf({ imports: [WechatH5Module.forRoot(own ? options : createWechatH5(options))] });
    const app = await createApp(root, adapter());
    await listen(app);
    const ordered = app.get(WechatH5).queryOrder({ outTradeNo: 'TEA0001' });
    await expect(ordered).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    await gateway.idle();
    expect(gateway.sockets.size).toBe(1);
    await app.close();
    await wait(100);
    expect(gateway.sockets.size).toBe(own ? 0 : 1);
    gateway.stop();
  });
});

test('without a server, as in a worker, the instance is there and nothing is mounted', async () => {
  const context = await contextOf(moduleOf({ imports: [WechatH5Module.forRoot(OPTIONS)], providers: [Deliveries] }));
  const { handleNotification } = context.get(WechatH5);
  const { signedNotification } = await import('@wechat-h5/core/testing');
  const reply = await handleNotification({ method: 'POST', body: Buffer.from(signedNotification({}, MERCHANT)) });
  expect(reply.body).toBe(SUCCESS);
  expect(context.get(Deliveries).payments).toHaveLength(1);
  await context.close();
});

@Injectable()
class Deliveries {
  readonly payments: Payment[] = [];

  @OnPaid()
  deliver(payment: Payment) {
    this.payments.push(payment);
  }
}

function moduleOf(metadata: Parameters<typeof Module>[0]): Type {
  @Module(metadata)
  class Root {}
  return Root;
}

function contextOf(root: Type) {
  return NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
}

/** Answers every call with something that is not XML, over connections that it keeps. */
async function openGateway() {
  const sockets = new Set<Socket>();
  let answered = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('not XML', () => answered++));
  });
  // It would close idle connections by itself.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    /** Until the reply is out and the caller has put the connection aside. */
    async idle() {
      while (answered === 0) await wait(5);
      await wait(50);
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
