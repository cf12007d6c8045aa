import { Controller, Get, Module, type Type } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { ClientIp, RequestWechatH5, WechatH5Module } from './index.js';
import { createApp, PLATFORMS } from './platforms.fixture.js';
import { OPTIONS } from './shop.fixture.js';

@Controller()
class WhoController {
  @Get('address')
  address(@ClientIp() ip: ClientIp) {
    return ip;
  }

  @Get('visitor')
  visitor(@RequestWechatH5('books') wechatH5: RequestWechatH5) {
    return wechatH5;
  }
}

@Module({ imports: [WechatH5Module.forRoot(OPTIONS)], controllers: [WhoController] })
class Root {}

// The first argument of a resolver, a message handler, a socket: none of them is a visitor's HTTP request.
test.each([
  ['graphql', undefined],
  ['rpc', { pattern: 'pay' }],
  ['ws', { id: 'socket' }],
])('on a parameter outside HTTP (%s) the decorators say so', async (type, first) => {
  for (const [method, whose] of [
    ['address', 'the unnamed instance'],
    ['visitor', 'the instance books'],
  ] as const) {
    const { call, close } = await callable(Root, method, type);
    await expect(call(first)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: `${whose} is not bound to this request`,
    });
    await close();
  }
});

/** A method of the controller, as other transports than HTTP call it. */
async function callable(root: Type, method: 'address' | 'visitor', type: string) {
  const app = await createApp(root, (PLATFORMS[0] as (typeof PLATFORMS)[number]).adapter());
  const controller = app.get(WhoController);
  const call = app
    .get(ExternalContextCreator)
    .create(
      controller,
      controller[method] as (...args: unknown[]) => unknown,
      method,
      '__routeArguments__',
      { exchangeKeyForValue: () => undefined },
      undefined,
      undefined,
      undefined,
      type,
    );
  return { call, close: () => app.close() };
}
