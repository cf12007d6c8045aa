import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Inject, Injectable, Module, Scope, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  buildXml,
  MemoryOrderBook,
  parseXml,
  sign,
  type HandlerContext,
  type Payment,
  type Refund,
} from '@wechat-h5/core';
import { refundNotification, signedNotification } from '@wechat-h5/core/testing';
import { getWechatH5Token, OnPaid, OnRefunded, WechatH5, WechatH5Module } from './index.js';
import { MERCHANT, OPTIONS, OTHER, OTHER_OPTIONS, SUCCESS } from './shop.fixture.js';

const TEA = WechatH5Module.forRoot(OPTIONS);

/** What the handlers below are called with. */
let calls: unknown[][] = [];
beforeEach(() => {
  calls = [];
});

@Injectable()
class Stock {
  readonly name = 'stock';
}

@Injectable()
class Shop {
  constructor(@Inject(Stock) private readonly stock: Stock) {}

  @OnPaid()
  async deliver(payment: Payment, context: HandlerContext) {
    calls.push([this.stock.name, payment.outTradeNo, context.attempt, context.idempotencyKey]);
  }
}

const DELIVERED = [['stock', 'TEST_0001', 1, expect.stringContaining(MERCHANT.mchId)]];

describe('a handler is found, with `this` and its dependencies, on', () => {
  class Heir extends Shop {}

  class Overrider extends Shop {
    override async deliver(payment: Payment, context: HandlerContext) {
      await super.deliver(payment, context);
    }
  }

  /** As `@Transactional()` and its like do it: another function takes the method's place. */
  const Wrapped: MethodDecorator = (_target, _method, descriptor) => {
    const method = descriptor.value as unknown as (...args: unknown[]) => unknown;
    function wrapper(this: unknown, ...args: unknown[]): unknown {
      return method.apply(this, args);
    }
    return { ...descriptor, value: wrapper as never };
  };

  @Injectable()
  class Transactional {
    constructor(@Inject(Stock) private readonly stock: Stock) {}

    @Wrapped
    @OnPaid()
    async deliver(payment: Payment, context: HandlerContext) {
      calls.push([this.stock.name, payment.outTradeNo, context.attempt, context.idempotencyKey]);
    }
  }

  @Controller()
  class ShopController extends Shop {}

  test.each<[string, ModuleMetadata]>([
    ['a provider', { providers: [Shop, Stock] }],
    ['a controller', { controllers: [ShopController], providers: [Stock] }],
    ['a class that overrides it', { providers: [{ provide: Overrider, useClass: Overrider }, Stock] }],
    ['a method under another decorator', { providers: [Transactional, Stock] }],
    ['a class that inherits it', { providers: [{ provide: Heir, useClass: Heir }, Stock] }],
    [
      'what a factory makes',
      { providers: [Stock, { provide: 'SHOP', inject: [Stock], useFactory: async (stock: Stock) => new Shop(stock) }] },
    ],
    ['an object', { providers: [{ provide: 'SHOP', useValue: new Shop(new Stock()) }] }],
    ['a provider with a second name', { providers: [Shop, Stock, { provide: 'SHOP', useExisting: Shop }] }],
    ['a provider of a module that does not import this one', { imports: [moduleOf({ providers: [Shop, Stock] })] }],
  ])('%s', async (_title, metadata) => {
    const context = await start({ ...metadata, imports: [TEA, ...(metadata.imports ?? [])] });
    expect(await post(context.get(WechatH5))).toBe(SUCCESS);
    expect(calls).toEqual(DELIVERED);
    await context.close();
  });

  test('nothing, where a test has put something else in its place', async () => {
    const context = await start({ imports: [TEA], providers: [{ provide: Shop, useFactory: () => ({}) }] });
    expect(await post(context.get(WechatH5))).not.toBe(SUCCESS);
    await context.close();
  });
});

test('a static method is refused where it stands: nobody would ever call it', () => {
  expect(() => {
    class Statics {
      static deliver(this: void, payment: Payment): void {
        calls.push([payment]);
      }
    }
    OnPaid()(Statics, 'deliver', { value: (payment: Payment) => Statics.deliver(payment) });
  }).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID', field: 'onPaid' }));
});

test('a handler that throws is run again on the repeat', async () => {
  @Injectable()
  class Forgetful {
    @OnPaid()
    deliver(_payment: Payment, { attempt }: HandlerContext) {
      calls.push([attempt]);
      if (attempt === 1) throw new Error('the warehouse is closed');
    }
  }
  const context = await start({ imports: [TEA], providers: [Forgetful] });
  expect(await post(context.get(WechatH5))).not.toBe(SUCCESS);
  expect(await post(context.get(WechatH5))).toBe(SUCCESS);
  expect(calls).toEqual([[1], [2]]);
  await context.close();
});

test('one method may serve two merchants', async () => {
  @Injectable()
  class Both {
    @OnPaid()
    @OnPaid('books')
    deliver({ mchId }: Payment) {
      calls.push([mchId]);
    }
  }
  const imports = [TEA, WechatH5Module.forRoot({ ...OTHER_OPTIONS, name: 'books' })];
  const context = await start({ imports, providers: [Both] });
  const books = context.get<WechatH5>(getWechatH5Token('books'));
  expect(await post(context.get(WechatH5))).toBe(SUCCESS);
  expect(await post(books, signedNotification({}, OTHER))).toBe(SUCCESS);
  expect(calls).toEqual([[MERCHANT.mchId], [OTHER.mchId]]);
  await context.close();
});

test('@OnRefunded() gets a refund that WeChat Pay confirms', async () => {
  @Injectable()
  class Accounts {
    @OnPaid()
    paid({ totalFee }: Payment) {
      calls.push(['paid', totalFee]);
    }

    @OnRefunded()
    refunded({ outRefundNo, refundFee }: Refund, { attempt }: HandlerContext) {
      calls.push(['refunded', outRefundNo, refundFee, attempt]);
    }
  }
  const gateway = await answering(refundQueryReply());
  const { port } = gateway.address() as AddressInfo;
  const options = { ...OPTIONS, gateway: `http://127.0.0.1:${port}` };
  const context = await start({ imports: [WechatH5Module.forRoot(options)], providers: [Accounts] });
  expect(await post(context.get(WechatH5))).toBe(SUCCESS);
  expect(await post(context.get(WechatH5), refundNotification({ refund_id: REFUND_ID }, MERCHANT))).toBe(SUCCESS);
  expect(calls).toEqual([
    ['paid', 1],
    ['refunded', 'TEST_0001_R1', 1, 1],
  ]);
  await context.close();
  gateway.close();
});

describe('a start error', () => {
  const books = WechatH5Module.forRoot({ ...OTHER_OPTIONS, name: 'books' });

  @Injectable()
  class Second {
    @OnPaid()
    alsoDeliver() {}
  }

  @Injectable()
  class Stray {
    @OnPaid('books')
    deliver() {}
  }

  @Injectable({ scope: Scope.REQUEST })
  class PerRequest {
    @OnPaid()
    deliver() {}
  }

  @Injectable({ scope: Scope.REQUEST })
  class Visitor {}

  @Injectable()
  class NeedsVisitor {
    constructor(readonly visitor: Visitor) {}

    @OnPaid()
    deliver() {}
  }

  @Injectable({ scope: Scope.TRANSIENT })
  class Transient {
    @OnPaid()
    deliver() {}
  }

  test.each<[string, ModuleMetadata, string, string | RegExp]>([
    [
      'two handlers for one merchant',
      { imports: [TEA], providers: [Shop, Stock, Second] },
      'onPaid',
      '@OnPaid() is on two methods: Shop.deliver and Second.alsoDeliver',
    ],
    [
      'one class, provided by two modules',
      {
        imports: [TEA, moduleOf({ providers: [Shop, Stock] }), moduleOf({ providers: [Shop, Stock] })],
      },
      'onPaid',
      '@OnPaid() is on two methods: Shop.deliver and Shop.deliver',
    ],
    [
      'a handler in the options and another on a method',
      { imports: [WechatH5Module.forRoot({ ...OPTIONS, onPaid: () => {} })], providers: [Shop, Stock] },
      'onPaid',
      'onPaid was given twice',
    ],
    [
      'a handler for a name that no module has',
      { imports: [TEA], providers: [Stray] },
      'onPaid',
      "Stray.deliver has @OnPaid('books'), and no WechatH5Module has that name",
    ],
    [
      'a handler without a name where all modules have one',
      { imports: [books], providers: [Second] },
      'onPaid',
      'Second.alsoDeliver has @OnPaid(), and no WechatH5Module has that name',
    ],
    [
      'a handler on a request-scoped provider',
      { imports: [TEA], providers: [PerRequest] },
      'onPaid',
      'PerRequest.deliver has @OnPaid(), and is request-scoped or transient',
    ],
    [
      'a handler on a provider that depends on a request-scoped one',
      { imports: [TEA], providers: [NeedsVisitor, Visitor] },
      'onPaid',
      'NeedsVisitor.deliver has @OnPaid(), and is request-scoped or transient',
    ],
    [
      'a handler on a transient provider',
      { imports: [TEA], providers: [Transient] },
      'onPaid',
      'Transient.deliver has @OnPaid(), and is request-scoped or transient',
    ],
    [
      'the module set up twice without a name',
      { imports: [TEA, WechatH5Module.forRoot({ ...OTHER_OPTIONS })] },
      'name',
      'WechatH5Module is set up twice without a name',
    ],
    [
      'the module set up twice under one name',
      { imports: [books, WechatH5Module.forRoot({ ...OPTIONS, name: 'books' })] },
      'name',
      'WechatH5Module is set up twice as books',
    ],
    [
      'two modules at one path',
      { imports: [TEA, WechatH5Module.forRoot({ ...OPTIONS, name: 'books' })] },
      'notifyUrl',
      'Two WechatH5Modules wait for notifications at /wechat/notify',
    ],
  ])('%s', async (_title, metadata, field, message) => {
    await expect(start(metadata)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      field,
      message,
      hint: expect.stringMatching(/\w/),
    });
  });

  test('none: one module, imported twice, is one module', async () => {
    const context = await start({ imports: [TEA, moduleOf({ imports: [TEA] })], providers: [Shop, Stock] });
    expect(await post(context.get(WechatH5))).toBe(SUCCESS);
    await context.close();
  });
});

function moduleOf(metadata: ModuleMetadata): Type {
  @Module(metadata)
  class Feature {}
  return Feature;
}

function start(metadata: ModuleMetadata) {
  return NestFactory.createApplicationContext(moduleOf(metadata), { logger: false, abortOnError: false });
}

async function post(instance: WechatH5, notification = signedNotification({}, MERCHANT)): Promise<string> {
  return (await instance.handleNotification({ method: 'POST', body: Buffer.from(notification) })).body;
}

const REFUND_ID = '50000000382019052709732678859';

/** What `refundquery` says of the refund that `refundNotification({ refund_id: REFUND_ID })` announces. */
function refundQueryReply(): string {
  const paid = parseXml(signedNotification({}, MERCHANT));
  const fields = {
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    appid: MERCHANT.appId,
    mch_id: MERCHANT.mchId,
    nonce_str: 'TeqClE3i0mvn3DrK',
    transaction_id: paid['transaction_id'] as string,
    out_trade_no: paid['out_trade_no'] as string,
    total_fee: '1',
    cash_fee: '1',
    refund_count: '1',
    out_refund_no_0: 'TEST_0001_R1',
    refund_id_0: REFUND_ID,
    refund_fee_0: '1',
    refund_status_0: 'SUCCESS',
  };
  return buildXml({ ...fields, sign: sign(fields, MERCHANT.apiKey as string) });
}

async function answering(reply: string): Promise<Server> {
  const server = createServer((request, response) => void request.resume().on('end', () => response.end(reply)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('what no notification has settled is looked after from the start of the application to its end', async () => {
  let looked: () => void = () => {};
  const first = new Promise<void>((resolve) => (looked = resolve));
  const orderBook = new MemoryOrderBook();
  const looks = jest.spyOn(orderBook, 'claimDue').mockImplementation(async () => {
    looked();
    return [];
  });
  @Module({
    imports: [WechatH5Module.forRoot({ ...OPTIONS, orderBook, reconcile: { idleMs: 100 } })],
    providers: [Shop, Stock],
  })
  class App {}
  const app = await NestFactory.create(App, { logger: false });
  expect(looks).not.toHaveBeenCalled();
  await app.init();
  await first;
  await app.close();
  looks.mockClear();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(looks).not.toHaveBeenCalled();
});
