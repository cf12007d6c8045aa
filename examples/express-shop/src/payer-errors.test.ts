import { PAY, payAndReturn, pressPay, startShop, type RunningShop } from '@wechat-h5-examples/shop-pages/browser-suite';
import { explainPayerError, withRedirectUrl } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import {
  ANDROID,
  inChromium,
  IPHONE,
  keepScreenshot,
  startForwardProxy,
  type ForwardProxy,
  type Page,
} from '@wechat-h5/testkit/browser';
import { startCarelessShop, type Carelessness } from './careless-shop.fixture.js';
import { createShop } from './shop.js';

/** The clock is moved, and nothing else: waits stay real. */
const ONLY_DATE = {
  doNotFake: [
    'hrtime',
    'nextTick',
    'performance',
    'queueMicrotask',
    'setImmediate',
    'clearImmediate',
    'setInterval',
    'clearInterval',
    'setTimeout',
    'clearTimeout',
  ],
} as const;

// Every text of WeChat Pay's table of errors, provoked by a browser and then cured. None of them is set: the simulator
// computes each from the browser's own request and the order as it was placed.
inChromium('what payers see', (chromium) => {
  let simulator: Simulator;
  let shop: RunningShop;
  let stops: (() => Promise<void>)[];

  beforeEach(async () => {
    stops = [];
    simulator = await createSimulator({ merchant: { h5Domains: ['127.0.0.1'] } });
    shop = await startShop(createShop, simulator);
  });

  afterEach(async () => {
    for (const stop of stops) await stop();
    await shop.stop();
    await simulator.stop();
  });

  /** Follows the link of a shop without this library. */
  async function followCareless(phone: Page, mistake: Carelessness, host = '127.0.0.1'): Promise<void> {
    const careless = await startCarelessShop(simulator, mistake);
    stops.push(() => careless.stop());
    await phone.goto(`http://${host}:${careless.port}/`);
    await phone.getByRole('link', { name: 'Pay' }).click();
    await phone.waitForURL(/checkmweb/);
  }

  /** Which rows of the table the page's words belong to. */
  async function seen(phone: Page): Promise<readonly string[]> {
    return explainPayerError(await phone.locator('h1').innerText()).map(({ id }) => id);
  }

  /** The cashier stands open, for the shop's price. */
  async function expectCashier(phone: Page): Promise<void> {
    await phone.getByText('¥19.90').first().waitFor();
    expect(await seen(phone)).toEqual([]);
    expect(await phone.getByRole('button', { name: '支付 Pay' }).count()).toBe(1);
  }

  async function network(addressFor: ForwardProxy['addressFor']): Promise<ForwardProxy> {
    const proxy = await startForwardProxy(addressFor);
    stops.push(() => proxy.stop());
    return proxy;
  }

  test('address-mismatch: the payer has another address at WeChat Pay', async () => {
    const wifi = '127.0.0.5';
    const mobile = '127.0.0.6';
    const proxy = await network((host) => (simulator.url.endsWith(host) ? mobile : wifi));
    const phone = await chromium.phone({ proxy: proxy.url });
    await pressPay(phone, shop.url);
    expect(await seen(phone)).toEqual(['address-mismatch']);
    await keepScreenshot(phone, 'error-address-mismatch');

    // On one network again, Back and the button once more: the old order would end the same way, and the shop says so.
    proxy.addressFor = () => mobile;
    await phone.goBack();
    await phone.getByRole('button', { name: PAY }).click();
    await phone.locator('[data-state="PAYER_ADDRESS_CHANGED"]').waitFor();
    await keepScreenshot(phone, 'page-network-changed');
    await phone
      .getByRole('main')
      .getByRole('link', { name: /Back to the shop/ })
      .click();
    await phone.getByRole('button', { name: PAY }).click();
    await expectCashier(phone);
  });

  test('address-not-public: the order carries an address that no payer can have', async () => {
    const phone = await chromium.phone();
    await followCareless(phone, { clientIp: '10.0.0.7' });
    expect(await seen(phone)).toEqual(['address-not-public']);

    const strict = await startShop(createShop, simulator, { clientIp: { nonPublic: 'reject' } });
    stops.push(() => strict.stop());
    await phone.goto(strict.url);
    await phone.getByRole('button', { name: PAY }).click();
    await phone.locator('[data-state="NOT_PUBLIC"]').waitFor();
    expect(strict.problems.map(({ code }) => code)).toContain('NOT_PUBLIC');

    await pressPay(phone, shop.url);
    await expectCashier(phone);
  });

  test('referer-empty: the shop’s page hides where it is', async () => {
    const phone = await chromium.phone();
    await followCareless(phone, { headers: { 'referrer-policy': 'no-referrer' } });
    expect(await seen(phone)).toEqual(['referer-empty']);

    await pressPay(phone, shop.url);
    await expectCashier(phone);
  });

  test('domain-not-registered: the shop’s page, or the way back, is on another host', async () => {
    const phone = await chromium.phone();
    await followCareless(phone, {}, 'localhost');
    expect(await seen(phone)).toEqual(['domain-not-registered']);
    const elsewhere = 'https://elsewhere.example/paid';
    await followCareless(phone, { link: (url) => `${url}&redirect_url=${encodeURIComponent(elsewhere)}` });
    expect(await seen(phone)).toEqual(['domain-not-registered']);
    const link = 'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=1';
    expect(() => withRedirectUrl(link, elsewhere, { h5Domains: ['127.0.0.1'] })).toThrow(
      expect.objectContaining({ code: 'REDIRECT_URL_INVALID' }),
    );

    await phone.goto(shop.url.replace('127.0.0.1', 'localhost'));
    await phone.getByRole('button', { name: PAY }).click();
    await phone.locator('[data-state="ORIGIN_NOT_REGISTERED"]').waitFor();
    expect(shop.problems).toMatchObject([{ type: 'misconfigured', code: 'ORIGIN_NOT_REGISTERED' }]);

    await pressPay(phone, shop.url);
    await expectCashier(phone);
  });

  test('link-expired: the link is older than five minutes', async () => {
    const phone = await chromium.phone();
    await pressPay(phone, shop.url);
    await expectCashier(phone);
    jest.useFakeTimers({ ...ONLY_DATE, doNotFake: [...ONLY_DATE.doNotFake], now: Date.now() + 5 * 60_000 + 1000 });
    try {
      await phone.reload();
      expect(await seen(phone)).toEqual(['link-expired']);

      await phone.goBack();
      await phone.getByRole('button', { name: PAY }).click();
      await phone.waitForURL(/checkmweb/);
      await expectCashier(phone);
    } finally {
      jest.useRealTimers();
    }
  });

  test('inside-wechat: the shop was opened inside WeChat', async () => {
    const inside = await chromium.phone({ userAgent: `${ANDROID} MicroMessenger/8.0.49(0x28003133)` });
    await followCareless(inside, {});
    expect(await seen(inside)).toEqual(['inside-wechat']);

    await inside.goto(shop.url);
    await inside.getByRole('button', { name: PAY }).click();
    await inside.locator('[data-state="inside-wechat"]').waitFor();
    await keepScreenshot(inside, 'page-inside-wechat');
    const orders = simulator.events.list().filter(({ operation }) => operation === 'unifiedorder');
    expect(orders.filter(({ outTradeNo }) => outTradeNo !== 'CARELESS-1')).toEqual([]);

    const outside = await chromium.phone();
    await pressPay(outside, shop.url);
    await expectCashier(outside);
  });

  test.each([
    ['cut off', (url: string) => url.slice(0, -4)],
    ['with a redirect_url that is not encoded', (url: string) => `${url}&redirect_url=http://127.0.0.1/?a=1&b=2`],
  ])('link-damaged-ios: link-damaged-android: the link came %s', async (_how, link) => {
    for (const [userAgent, row] of [
      [IPHONE, 'link-damaged-ios'],
      [ANDROID, 'link-damaged-android'],
    ] as const) {
      const phone = await chromium.phone({ userAgent });
      await followCareless(phone, { link });
      expect(await seen(phone)).toEqual([row]);
      await pressPay(phone, shop.url);
      await expectCashier(phone);
    }
  });

  test('link-damaged-ios: one link, two WeChat accounts', async () => {
    const phone = await chromium.phone({ userAgent: IPHONE });
    await pressPay(phone, shop.url);
    const link = phone.url();
    await phone.getByRole('button', { name: /Switch to/ }).click();
    expect(await seen(phone)).toEqual(['link-damaged-ios']);

    await pressPay(phone, shop.url);
    expect(phone.url()).not.toBe(link);
    await payAndReturn(phone);
  });
});
