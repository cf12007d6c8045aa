import {
  ConflictException,
  Controller,
  Get,
  Module,
  UseFilters,
  type INestApplication,
  type LoggerService,
  type Type,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { WechatH5Error, type WechatH5ErrorCode } from '@wechat-h5/core';
import { WechatH5ExceptionFilter } from './index.js';
import { createApp, listen, PLATFORMS } from './platforms.fixture.js';
import { get } from './shop.fixture.js';

/** What the shop's route throws. */
let thrown: unknown;

@Controller()
class PayController {
  @Get('pay')
  pay() {
    throw thrown;
  }
}

@Module({ controllers: [PayController], providers: [{ provide: APP_FILTER, useClass: WechatH5ExceptionFilter }] })
class Root {}

const errors: string[] = [];
const logger: LoggerService = {
  log: () => {},
  warn: () => {},
  error: (message: unknown) => errors.push(String(message)),
};

describe.each(PLATFORMS)('on $name', ({ adapter }) => {
  let app: INestApplication;
  let port: number;
  const start = async (root: Type): Promise<void> => {
    app = await createApp(root, adapter(), { logger });
    port = await listen(app);
    errors.length = 0;
  };
  afterEach(() => app.close());

  test.each<[WechatH5ErrorCode, number]>([
    ['ORDER_UNKNOWN', 404],
    ['ORDER_CONFLICT', 409],
    ['ORDER_PAID', 409],
    ['ORDER_CLOSED', 409],
    ['PAYER_ADDRESS_CHANGED', 409],
    ['GATEWAY_REFUSED', 502],
    ['GATEWAY_UNREACHABLE', 502],
    ['OVERLOADED', 503],
    ['GATEWAY_TIMEOUT', 504],
    ['HEADER_MISSING', 500],
    ['ORDER_FIELD_INVALID', 500],
  ])(
    '%s is answered with %i and its code alone; a fault on this side is logged with its hint',
    async (code, status) => {
      await start(Root);
      thrown = new WechatH5Error(code, 'seen at 10.0.0.7', {
        hint: 'Change the proxy at 10.0.0.1.',
        field: 'clientIp',
      });
      expect(await get(port, '/pay')).toEqual({ status, body: { statusCode: status, code } });
      expect(errors).toEqual(status < 500 ? [] : [`${code}: seen at 10.0.0.7 Change the proxy at 10.0.0.1.`]);
    },
  );

  test('an error of another copy of the core package is known by its brand', async () => {
    await start(Root);
    const foreign = Object.assign(new Error('from the other half'), { code: 'ORDER_PAID', hint: '' });
    thrown = Object.defineProperty(foreign, Symbol.for('@wechat-h5/core/error'), { value: true });
    expect(await get(port, '/pay')).toEqual({ status: 409, body: { statusCode: 409, code: 'ORDER_PAID' } });
  });

  test('every other error is left to Nest', async () => {
    await start(Root);
    thrown = new ConflictException('sold out');
    expect(await get(port, '/pay')).toEqual({
      status: 409,
      body: { statusCode: 409, message: 'sold out', error: 'Conflict' },
    });
    thrown = new Error('the database password is hunter2');
    expect(await get(port, '/pay')).toEqual({
      status: 500,
      body: { statusCode: 500, message: 'Internal server error' },
    });
  });

  test('it may be bound to one controller, too', async () => {
    @Controller()
    @UseFilters(WechatH5ExceptionFilter)
    class BoundController extends PayController {
      @Get('bound')
      override pay() {
        throw thrown;
      }
    }
    @Module({ controllers: [BoundController] })
    class BoundRoot {}
    await start(BoundRoot);
    thrown = new WechatH5Error('ORDER_PAID', 'paid');
    expect(await get(port, '/bound')).toEqual({ status: 409, body: { statusCode: 409, code: 'ORDER_PAID' } });
  });
});

test('outside HTTP it hands the error on', () => {
  const error = new WechatH5Error('ORDER_PAID', 'paid');
  const host = { getType: () => 'ws' };
  expect(() => new WechatH5ExceptionFilter().catch(error, host as never)).toThrow(error);
});
