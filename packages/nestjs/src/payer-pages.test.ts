import type { Server } from 'node:http';
import { Body, Controller, Module, Post, Res, type INestApplication } from '@nestjs/common';
import type { WechatH5Options } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { RequestWechatH5, WechatH5Module } from './index.js';
import { createApp, listen, PLATFORMS } from './platforms.fixture.js';

/** What both platforms' replies have in common, as far as it is used here. */
interface Reply {
  status(code: number): this;
  header(name: string, value: string): this;
  send(body: string): unknown;
}

@Controller()
class BuyController {
  @Post('buy')
  async buy(
    @Body() { number }: { number: string },
    @RequestWechatH5() wechatH5: RequestWechatH5,
    @Res() reply: Reply,
  ): Promise<void> {
    const { status, headers, body } = await wechatH5.pay({
      outTradeNo: number,
      body: 'Tea house - green tea',
      totalFee: 1990,
    });
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.status(status).send(body);
  }
}

@Module({ controllers: [BuyController] })
class ShopModule {}

describe.each(PLATFORMS)('$name', (platform) => {
  let simulator: Simulator;
  let app: INestApplication | undefined;

  beforeEach(async () => {
    simulator = await createSimulator();
    app = undefined;
  });

  afterEach(async () => {
    (app?.getHttpServer() as Server | undefined)?.closeAllConnections();
    await app?.close();
    await simulator.stop();
  });

  async function serve(checkout: WechatH5Options['checkout'], prefix?: string): Promise<string> {
    const { appId, mchId, apiKey } = simulator.merchant;
    const payments = {
      merchant: { appId, mchId, apiKey, h5Domains: ['127.0.0.1'] },
      gateway: simulator.url,
      notifyUrl: 'http://127.0.0.1/notify',
      onPaid: () => {},
      onProblem: () => {},
      ...(checkout && { checkout }),
    };
    @Module({ imports: [WechatH5Module.forRoot(payments), ShopModule] })
    class Root {}
    app = await createApp(Root, platform.adapter());
    if (prefix !== undefined) app.setGlobalPrefix(prefix);
    return `http://127.0.0.1:${await listen(app)}`;
  }

  function press(url: string, body: string, type = 'application/x-www-form-urlencoded'): Promise<Response> {
    const { origin } = new URL(url);
    const headers = { 'content-type': type, origin, referer: `${origin}/` };
    return fetch(url, { method: 'POST', headers, body, redirect: 'manual' });
  }

  test('the module serves the way there and back, under any prefix', async () => {
    const shop = await serve(
      { order: ({ order = '' }) => ({ outTradeNo: order, body: 'Tea house - green tea', totalFee: 1990 }) },
      'api',
    );
    const paying = await press(`${shop}/pay`, 'order=TEA-000001');
    expect(paying.status).toBe(303);
    expect(paying.headers.get('referrer-policy')).toBe('strict-origin-when-cross-origin');
    const back = new URL(paying.headers.get('location') ?? '').searchParams.get('redirect_url') ?? '';
    expect(await (await fetch(back)).text()).toContain('data-state="returned"');
    expect(await (await press(back, '')).text()).toContain('data-state="unpaid"');
    expect((await fetch(`${shop}/pay`)).status).toBe(405);
  });

  test('without the option there are no such pages', async () => {
    const shop = await serve(undefined);
    expect((await press(`${shop}/pay`, 'order=TEA-000001')).status).toBe(404);
    expect((await fetch(`${shop}/pay-return`)).status).toBe(404);
  });

  test('a route of one’s own answers with pay(order), and the payer comes back to the module’s page', async () => {
    const shop = await serve({});
    const paying = await press(`${shop}/buy`, JSON.stringify({ number: 'TEA-000007' }), 'application/json');
    expect(paying.status).toBe(303);
    const back = new URL(paying.headers.get('location') ?? '').searchParams.get('redirect_url') ?? '';
    expect(await (await fetch(back)).text()).toContain('TEA-000007');
    expect((await press(`${shop}/pay`, 'order=TEA-000001')).status).toBe(404);
  });
});
