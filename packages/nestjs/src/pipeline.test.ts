import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Body,
  Catch,
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  Query,
  RequestMethod,
  VersioningType,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type MiddlewareConsumer,
  type Type,
} from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Payment } from '@wechat-h5/core';
import express from 'express';
import { map } from 'rxjs';
import {
  ClientIp,
  InjectWechatH5,
  OnPaid,
  RequestWechatH5,
  WechatH5,
  WechatH5ExceptionFilter,
  WechatH5Module,
} from './index.js';
import { createApp, listen, PLATFORMS, type Connect } from './platforms.fixture.js';
import { ACKNOWLEDGED, get, notify, OPTIONS, OTHER_OPTIONS } from './shop.fixture.js';

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe.each(PLATFORMS)('on $name', ({ name, adapter }) => {
  test('nothing of the application reaches the notify route: prefix, versions, guards, pipes, interceptors, filters, middleware', async () => {
    const touched: string[] = [];

    @Controller('page')
    class PageController {
      @Get()
      show(@Query('q') q: string) {
        return q;
      }
    }

    @Catch()
    class EverythingFilter implements ExceptionFilter {
      constructor(private readonly adapter: AbstractHttpAdapter) {}

      catch(_error: unknown, host: ArgumentsHost) {
        touched.push('filter');
        this.adapter.reply(host.switchToHttp().getResponse(), 'filtered', 418);
      }
    }

    @Module({
      imports: [WechatH5Module.forRoot(OPTIONS)],
      providers: [Deliveries],
      controllers: [PageController],
    })
    class Root {
      configure(consumer: MiddlewareConsumer) {
        const middleware: Connect = (_request, _response, next) => {
          touched.push('middleware');
          next();
        };
        consumer.apply(middleware).forRoutes({ path: '*path', method: RequestMethod.ALL });
      }
    }
    const app = await open(Root, adapter());
    app.setGlobalPrefix('api');
    app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    app.enableCors({ credentials: true, origin: 'https://shop.example.com' });
    // Nest 12.
    const secured = app as { enableCsrfProtection?: () => void; useSecurityHeaders?: () => void };
    secured.enableCsrfProtection?.();
    secured.useSecurityHeaders?.();
    app.useGlobalGuards({
      canActivate: () => {
        touched.push('guard');
        return true;
      },
    });
    app.useGlobalPipes({
      transform: (value: unknown) => {
        touched.push('pipe');
        return value;
      },
    });
    app.useGlobalInterceptors({
      intercept: (_context, next) => {
        touched.push('interceptor');
        return next.handle().pipe(map((data: unknown) => ({ data })));
      },
    });
    app.useGlobalFilters(new EverythingFilter(app.getHttpAdapter() as AbstractHttpAdapter));
    app.use(((_request, response, next) => {
      touched.push('use');
      response.setHeader('x-shop', '1');
      next();
    }) satisfies Connect);
    const port = await listen(app);

    expect(await notify(port)).toEqual(ACKNOWLEDGED);
    expect(app.get(Deliveries).payments).toHaveLength(1);
    expect(touched).toEqual([]);
    // All of it is there.
    expect(await get(port, '/api/v1/page?q=tea')).toEqual({ status: 200, body: { data: 'tea' } });
    expect(touched).toEqual(['use', 'middleware', 'guard', 'interceptor', 'pipe']);
    expect((await get(port, '/api/v1/nothing')).status).toBe(418);
  });

  test.each<[string, object, (app: INestApplication) => void]>([
    ['as created', {}, () => {}],
    ['with rawBody', { rawBody: true }, () => {}],
    ['without body parsers', { bodyParser: false }, () => {}],
    [
      'with a text parser for every type',
      {},
      (app) => {
        const { useBodyParser } = app as unknown as { useBodyParser: (...args: unknown[]) => void };
        if (name === 'express') useBodyParser.call(app, 'text', { type: '*/*' });
        else useBodyParser.call(app, '*', {});
      },
    ],
    ['with a parser in main.ts', {}, (app) => app.use(express.urlencoded({ type: () => true, extended: true }))],
  ])('the exact bytes arrive %s', async (_title, options, setUp) => {
    const app = await open(rootOf(), adapter(), options);
    setUp(app);
    const port = await listen(app);
    expect(await notify(port)).toEqual(ACKNOWLEDGED);
    expect(app.get(Deliveries).payments).toHaveLength(1);
  });

  test.each([
    ['', {}],
    [' also of a chunked body', { chunked: true }],
  ])('a controller at the path decides where there is no handler; the body has been read%s', async (_title, how) => {
    const seen: unknown[] = [];

    @Controller('wechat')
    class NotifyController {
      @Post('notify')
      async notify(@RequestWechatH5() wechatH5: RequestWechatH5, @Body() body: unknown) {
        seen.push(wechatH5.notification?.outTradeNo, body ?? 'no body');
        await wechatH5.acknowledge();
      }
    }
    const app = await open(rootOf({ providers: [], controllers: [NotifyController] }), adapter());
    const port = await listen(app);
    expect(await notify(port, undefined, undefined, how)).toEqual(ACKNOWLEDGED);
    expect(seen).toEqual(['TEST_0001', 'no body']);
  });

  test('with two merchants a parameter names whose visitor it is', async () => {
    @Controller()
    class WhoController {
      constructor(
        private readonly tea: WechatH5,
        @InjectWechatH5('books') private readonly books: WechatH5,
      ) {}

      @Get('who')
      who(
        @RequestWechatH5() tea: RequestWechatH5,
        @RequestWechatH5('books') books: RequestWechatH5,
        @ClientIp('books') { source }: ClientIp,
      ) {
        return { tea: tea.instance === this.tea, books: books.instance === this.books, source };
      }
    }
    const clientIp = { trust: ['loopback'], header: 'x-real-ip' };

    @Module({
      imports: [WechatH5Module.forRoot(OPTIONS), WechatH5Module.forRoot({ ...OTHER_OPTIONS, clientIp, name: 'books' })],
      controllers: [WhoController],
    })
    class Root {}
    const port = await listen(await open(Root, adapter()));
    const response = await fetch(`http://127.0.0.1:${port}/who`, { headers: { 'x-real-ip': '101.226.103.9' } });
    expect(await response.json()).toEqual({ tea: true, books: true, source: 'x-real-ip' });
  });

  test('the address and the visitor are parameters; a wrong proxy configuration fails in their routes alone', async () => {
    @Controller()
    class PayController {
      @Get('healthz')
      well() {
        return 'well';
      }

      @Get('who')
      who(@ClientIp() { ip, source }: ClientIp) {
        return { ip, source };
      }

      @Get('visitor')
      visitor(@RequestWechatH5() wechatH5: RequestWechatH5) {
        return { ip: wechatH5.clientIp.ip };
      }

      @Get('piped')
      piped(@ClientIp({ transform: (value: ClientIp) => value.ip }) ip: string) {
        return { ip };
      }

      @Get('nobody')
      nobody(@RequestWechatH5('nobody') _wechatH5: RequestWechatH5) {}
    }
    const controllers = [PayController];
    const app = await open(rootOf({ controllers }), adapter());
    app.useGlobalFilters(new WechatH5ExceptionFilter(app.getHttpAdapter() as AbstractHttpAdapter));
    const port = await listen(app);
    expect(await get(port, '/who')).toEqual({ status: 200, body: { ip: '127.0.0.1', source: 'socket' } });
    expect(await get(port, '/visitor')).toEqual({ status: 200, body: { ip: '127.0.0.1' } });
    expect(await get(port, '/piped')).toEqual({ status: 200, body: { ip: '127.0.0.1' } });
    expect(await get(port, '/nobody')).toEqual({ status: 500, body: { statusCode: 500, code: 'OPTIONS_INVALID' } });

    const clientIp = { trust: ['loopback'], header: 'x-real-ip' };
    const misconfigured = await open(rootOf({ controllers, options: { ...OPTIONS, clientIp } }), adapter());
    misconfigured.useGlobalFilters(new WechatH5ExceptionFilter(misconfigured.getHttpAdapter() as AbstractHttpAdapter));
    const other = await listen(misconfigured);
    expect(await get(other, '/healthz')).toEqual({ status: 200, body: 'well' });
    for (const path of ['/who', '/visitor', '/piped']) {
      expect(await get(other, path)).toEqual({ status: 500, body: { statusCode: 500, code: 'HEADER_MISSING' } });
    }
  });

  test('the doctor and the IPv4 probe are served where the options configure them, and only there', async () => {
    const options = {
      ...OPTIONS,
      merchant: { ...(OPTIONS.merchant as object), h5Domains: ['shop.example'] } as never,
      doctorSecret: 'a-secret-of-the-operator',
      ipProbe: { url: 'http://127.0.0.1/v4', secret: 'probe-secret-of-the-shop' },
    };
    const app = await open(rootOf({ options }), adapter());
    const port = await listen(app);
    expect((await get(port, '/wechat-h5/doctor')).status).toBe(401);
    expect((await get(port, `/v4?sid=${'A'.repeat(43)}`)).status).not.toBe(404);

    const plain = await open(rootOf(), adapter());
    const without = await listen(plain);
    expect((await get(without, '/wechat-h5/doctor')).status).toBe(404);
    expect((await get(without, '/v4')).status).toBe(404);
  });

  test('trust: express is the setting of the Express application, and an error by name on Fastify', async () => {
    @Controller()
    class WhoController {
      @Get('who')
      who(@ClientIp() ip: ClientIp) {
        return ip;
      }
    }
    const options = { ...OPTIONS, clientIp: { trust: 'express' as const } };
    const app = await open(rootOf({ options, controllers: [WhoController] }), adapter());
    app.useGlobalFilters(new WechatH5ExceptionFilter(app.getHttpAdapter() as AbstractHttpAdapter));
    if (name === 'express') (app as unknown as { set: (...args: string[]) => void }).set('trust proxy', 'loopback');
    const port = await listen(app);
    const response = await fetch(`http://127.0.0.1:${port}/who`, {
      headers: { 'x-forwarded-for': '119.147.16.6, 101.226.103.9' },
    });
    expect(await response.json()).toMatchObject(
      name === 'express' ? { ip: '101.226.103.9' } : { code: 'OPTIONS_INVALID' },
    );
  });
});

test('on a Fastify without middie', async () => {
  const app = await open(rootOf(), new FastifyAdapter({ skipMiddie: true }));
  expect(await notify(await listen(app))).toEqual(ACKNOWLEDGED);
});

test('inside another Express application the whole path counts', async () => {
  const inner = express();
  const app = await open(
    rootOf({ options: { ...OPTIONS, notifyUrl: 'http://127.0.0.1/shop/wechat/notify' } }),
    new ExpressAdapter(inner),
  );
  await app.init();
  const server = createServer(express().use('/shop', inner)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await notify((server.address() as AddressInfo).port, '/shop/wechat/notify')).toEqual(ACKNOWLEDGED);
  server.close();
});

test('created as main.ts does, without an adapter of its own', async () => {
  const app = await NestFactory.create(rootOf(), { logger: false, abortOnError: false });
  apps.push(app);
  expect(await notify(await listen(app))).toEqual(ACKNOWLEDGED);
});

async function open(...args: Parameters<typeof createApp>): Promise<INestApplication> {
  const app = await createApp(...args);
  apps.push(app);
  return app;
}

@Injectable()
class Deliveries {
  readonly payments: Payment[] = [];

  @OnPaid()
  deliver(payment: Payment) {
    this.payments.push(payment);
  }
}

function rootOf({ options = OPTIONS, providers = [Deliveries] as Type[], controllers = [] as Type[] } = {}): Type {
  @Module({ imports: [WechatH5Module.forRoot(options)], providers, controllers })
  class Root {}
  return Root;
}
