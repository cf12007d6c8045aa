import type { IncomingMessage, Server } from 'node:http';
import {
  Body,
  Catch,
  Controller,
  Get,
  Header,
  HttpCode,
  HttpException,
  Injectable,
  Module,
  Post,
  Req,
  Res,
  type ArgumentsHost,
  type INestApplication,
  type MiddlewareConsumer,
  type NestApplicationOptions,
  type NestModule,
  type Type,
} from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import type { HandlerContext, Payment, WechatH5Options } from '@wechat-h5/core';
import {
  conformanceCases,
  type AdapterHarness,
  type NotifyMount,
  type ParserKind,
  type Scene,
  type Surrounding,
} from '@wechat-h5/testkit/conformance';
import compression from 'compression';
import express from 'express';
import { map } from 'rxjs';
import { OnPaid, RequestWechatH5, WechatH5Module } from './index.js';
import {
  createApp,
  listen,
  NEST_MAJOR,
  PLATFORMS,
  type Connect,
  type Front,
  type Platform,
} from './platforms.fixture.js';

describe.each(PLATFORMS.map(harnessFor))('$name', (harness) => {
  test.each(conformanceCases)('$id $title', ({ run }) => run(harness));
});

function harnessFor(platform: Platform): AdapterHarness {
  return {
    name: `nest ${NEST_MAJOR} ${platform.name}`,
    async start(scene) {
      const app = await createApp(
        rootOf(scene),
        platform.adapter(frontOf(scene)),
        bodyOptions(scene.parser ?? scene.parserBehind),
      );
      surround(app, scene);
      return {
        port: await listen(app, scene.socketPath),
        async stop() {
          (app.getHttpServer() as Server).closeAllConnections();
          await app.close();
        },
      };
    },
  };
}

/** The shop's module: one WechatH5Module for each merchant, the handlers as providers, the routes as controllers. */
function rootOf(scene: Scene): Type {
  const mounts = [...(scene.notify ?? [])];
  const first = mounts.findIndex(({ options }) => options === scene.visitor);
  // The visitor's instance is the unnamed one.
  const visitorsMount = first === -1 ? undefined : mounts.splice(first, 1)[0];
  const unnamed = visitorsMount ?? (scene.visitor ? { options: scene.visitor } : mounts.shift());
  const parts = [
    unnamed && merchant(unnamed, undefined),
    ...mounts.map((mount, index) => merchant(mount, `shop${index}`)),
  ];
  const routes = Object.entries(scene.routes ?? {}).map(([path, route]) => page(path, route, scene.visitor));
  const uploads = (scene.uploads ?? []).map(upload);

  @Module({
    imports: [
      ...parts.flatMap((part) => part?.imports ?? []),
      ...(scene.parserBehind ? [behind(scene.parserBehind)] : []),
    ],
    providers: parts.flatMap((part) => part?.providers ?? []),
    controllers: [...parts.flatMap((part) => part?.controllers ?? []), ...routes, ...uploads],
  })
  class Root {}
  return Root;
}

/** A module of the shop whose middleware comes after that of the modules imported before it. */
function behind(kind: ParserKind): Type {
  @Module({})
  class Behind implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      for (const parser of parsers(kind)) consumer.apply(parser).forRoutes('{*path}');
    }
  }
  return Behind;
}

function merchant({ options, at, route }: NotifyMount, name: string | undefined) {
  const { onPaid, ...others } = options;
  return {
    imports: [WechatH5Module.forRoot({ ...others, name, ...(at && { notifyPath: at.path }) })],
    providers: onPaid ? [handler(onPaid, name)] : [],
    controllers: route ? [notifyRoute(new URL(options.notifyUrl).pathname, route, name)] : [],
  };
}

function handler(onPaid: NonNullable<WechatH5Options['onPaid']>, name: string | undefined): Type {
  @Injectable()
  class Deliveries {
    @OnPaid(name)
    deliver(payment: Payment, context: HandlerContext) {
      return onPaid(payment, context);
    }
  }
  return Deliveries;
}

function notifyRoute(path: string, route: NonNullable<NotifyMount['route']>, name: string | undefined): Type {
  @Controller()
  class NotifyController {
    @Post(path)
    async notify(
      @RequestWechatH5(name) wechatH5: RequestWechatH5,
      @Res({ passthrough: true }) response: { status(code: number): unknown },
    ) {
      let answer: string | undefined;
      await route(wechatH5, (status, text) => {
        response.status(status);
        answer = text;
      });
      return answer;
    }
  }
  return NotifyController;
}

function page(path: string, route: NonNullable<Scene['routes']>[string], visitor: Scene['visitor']): Type {
  const answer = async (wechatH5: RequestWechatH5 | undefined): Promise<unknown> => {
    try {
      const result = await route(wechatH5);
      // Nest would send text as it is.
      return typeof result === 'string' ? JSON.stringify(result) : result;
    } catch (error) {
      throw new HttpException({ code: (error as { code?: string }).code }, 500);
    }
  };

  @Controller()
  class PageController {
    @Get(path)
    @Header('content-type', 'application/json')
    show(@RequestWechatH5() wechatH5: RequestWechatH5) {
      return answer(wechatH5);
    }
  }

  @Controller()
  class PlainController {
    @Get(path)
    @Header('content-type', 'application/json')
    show() {
      return answer(undefined);
    }
  }
  return visitor && path !== '/healthz' ? PageController : PlainController;
}

function upload(path: string): Type {
  @Controller()
  class UploadController {
    @Post(path)
    @HttpCode(200)
    async measure(@Req() request: IncomingMessage, @Body() unread: AsyncIterable<Buffer> | undefined) {
      let length = 0;
      for await (const chunk of unread ?? request) length += (chunk as Buffer).length;
      return String(length);
    }
  }
  return UploadController;
}

/** Set up as Nest's documentation does; what `surround` cannot put in front of everything is in `frontOf`. */
function bodyOptions(parser: ParserKind | undefined): NestApplicationOptions {
  if (parser === 'usual') return {};
  return parser === 'all-in-one' ? { rawBody: true } : { bodyParser: false };
}

function surround(app: INestApplication, { surroundings = [], notify = [], routes = {} }: Scene): void {
  const mount = notify.find(({ at }) => at?.how === 'mount')?.at;
  if (mount) app.setGlobalPrefix(mount.path, { exclude: Object.keys(routes) });
  if (!surroundings.includes('rewriting')) return;
  app.useGlobalInterceptors({
    intercept: (context, next) => {
      context.switchToHttp().getResponse<{ status(code: number): unknown }>().status(201);
      return next.handle().pipe(map((data: unknown) => ({ data })));
    },
  });
  app.useGlobalFilters(new RewritingFilter(app.getHttpAdapter()));
}

@Catch()
class RewritingFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    super.catch(new HttpException({ data: String(error) }, 201), host);
  }
}

function frontOf({ surroundings = [], lateError, parser, parserBehind, passing, uploads }: Scene): Front {
  return {
    middleware: [
      ...surroundings.flatMap((surrounding) => SURROUNDINGS[surrounding] ?? []),
      ...(parser ? parsers(parser) : []),
    ],
    lateError,
    trustProxy: surroundings.includes('trusting'),
    unparsed: uploads !== undefined,
    passing: passing ?? false,
    // Its other parsers take what they are given in front of Nest.
    textBehind: parserBehind === 'text',
  };
}

const SURROUNDINGS: Partial<Record<Surrounding, Connect>> = {
  compression: compression({ threshold: 0 }) as unknown as Connect,
  headers: (_request, response, next) => {
    response.statusCode = 202;
    response
      .setHeader('content-type', 'application/json')
      .setHeader('x-shop', '1')
      .setHeader('set-cookie', 'visitor=1');
    next();
  },
};

function parsers(kind: ParserKind): Connect[] {
  const type = (): boolean => true;
  const verify = (request: IncomingMessage, _response: unknown, rawBody: Buffer): void => {
    Object.assign(request, { rawBody });
  };
  const drain: Connect = (request, _response, next) => void request.resume().on('end', () => next());
  const kinds: Record<ParserKind, unknown[]> = {
    usual: [],
    'all-in-one': [],
    keeping: [express.urlencoded({ type, extended: true, verify })],
    json: [express.json({ type })],
    urlencoded: [express.urlencoded({ type, extended: true })],
    text: [express.text({ type })],
    raw: [express.raw({ type })],
    drained: [drain],
  };
  return kinds[kind] as Connect[];
}
