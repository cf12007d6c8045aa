import {
  CHECK,
  PAY,
  payAndReturn,
  pressPay,
  startShop,
  type RunningShop,
} from '@wechat-h5-examples/shop-pages/browser-suite';
import { newOrderNumber, PRODUCT, productPage, type ShopOptions } from '@wechat-h5-examples/shop-pages';
import { createSimulator, type Simulator, type SimulatorEvent } from '@wechat-h5/simulator';
import { inChromium, keepScreenshot, type Page } from '@wechat-h5/testkit/browser';
import express, { type RequestHandler } from 'express';
import helmet from 'helmet';
import { createShop } from './shop.js';

inChromium('the payer’s journey', (chromium) => {
  let simulator: Simulator;
  let shop: RunningShop;
  let stops: (() => Promise<void>)[];

  beforeEach(async () => {
    stops = [];
    simulator = await createSimulator();
    shop = await startShop(createShop, simulator);
    chromium.complaints();
  });

  afterEach(async () => {
    for (const stop of stops) await stop();
    await shop.stop();
    await simulator.stop();
  });

  const heard = (operation: string): readonly SimulatorEvent[] =>
    simulator.events.list().filter((event) => event.operation === operation && event.type.endsWith('.request'));

  async function check(phone: Page, state: string): Promise<void> {
    await phone.getByRole('button', { name: CHECK }).click();
    await phone.locator(`[data-state="${state}"]`).waitFor();
  }

  /** A shop whose product page is served behind this middleware. */
  async function behind(middleware: RequestHandler): Promise<RunningShop> {
    const running = await startShop((options: ShopOptions) => {
      const app = express().use(middleware);
      // The page with the button, with nobody's headers but the middleware's.
      app.get('/', (_request, response) => {
        response.type('html').send(productPage(PRODUCT, newOrderNumber()));
      });
      return app.use(createShop(options));
    }, simulator);
    stops.push(() => running.stop());
    return running;
  }

  test('X17: helmet as it comes: no Referer and a narrow form-action, and the payer arrives all the same', async () => {
    const running = await behind(helmet());
    const phone = await chromium.phone();
    await pressPay(phone, running.url);
    await phone.getByRole('button', { name: '支付 Pay' }).waitFor();
    expect(heard('open').map(({ fields }) => fields?.['referer'])).toEqual([`${running.url}/`]);
    expect(running.problems.map(({ type, code }) => [type, code])).toEqual([
      ['misconfigured', 'REFERRER_POLICY'],
      ['misconfigured', 'FORM_ACTION'],
    ]);
    // The page in between was replaced: Back leads to where the payer was, and from there on again.
    await phone.goBack();
    expect(phone.url()).toBe(`${running.url}/`);
    await phone.getByRole('button', { name: PAY }).click();
    await phone.waitForURL(/checkmweb/);
    await payAndReturn(phone);
    await check(phone, 'paid');
    expect(running.tickets.issued).toHaveLength(1);
    expect(chromium.complaints().filter((text) => /policy|refused/i.test(text))).toEqual([]);
  });

  test('X17: a policy of same-origin is mended by the redirect’s own', async () => {
    const running = await behind(helmet({ referrerPolicy: { policy: 'same-origin' }, contentSecurityPolicy: false }));
    const phone = await chromium.phone();
    await pressPay(phone, running.url);
    expect(heard('open').map(({ fields }) => fields?.['referer'])).toEqual([`${running.url}/`]);
    expect(running.problems).toEqual([]);
  });

  test('a double click is one order with one link', async () => {
    const phone = await chromium.phone();
    await phone.goto(shop.url);
    await phone.getByRole('button', { name: PAY }).dblclick();
    await phone.waitForURL(/checkmweb/);
    const numbers = new Set(heard('unifiedorder').map(({ outTradeNo }) => outTradeNo));
    expect(numbers.size).toBe(1);
    for (const number of numbers) expect(simulator.orders.get(number ?? '')?.links).toHaveLength(1);
  });

  test('Back from the cashier, and the button once more, is the same order with the same link', async () => {
    const phone = await chromium.phone();
    await pressPay(phone, shop.url);
    const link = phone.url();
    await phone.goBack();
    await phone.getByRole('button', { name: PAY }).click();
    await phone.waitForURL(link);
    expect(heard('unifiedorder')).toHaveLength(1);
  });

  test('Back from the result asks for nothing and pays nothing', async () => {
    const phone = await chromium.phone();
    await pressPay(phone, shop.url);
    await payAndReturn(phone);
    await check(phone, 'paid');
    const before = simulator.events.list().length;
    await phone.goBack();
    await phone.getByRole('button', { name: CHECK }).waitFor();
    expect(simulator.events.list()).toHaveLength(before);
    expect(shop.tickets.issued).toHaveLength(1);
  });

  test('a second tab: both may look, the payment is one, and the paid order is not paid again', async () => {
    const phone = await chromium.phone();
    await phone.goto(shop.url);
    const second = await phone.context().newPage();
    await pressPay(phone, shop.url);
    const link = phone.url();
    await second.goto(shop.url);
    await payAndReturn(phone);
    await second.goto(phone.url());
    await check(phone, 'paid');
    await check(second, 'paid');
    expect(shop.tickets.issued).toHaveLength(1);
    // The cashier's old page, opened again from the shop.
    await second.goto(shop.url);
    await second.evaluate(`location.href = ${JSON.stringify(link)}`);
    await second.getByText('该订单已支付').first().waitFor();
  });

  test('a slow notification: the button asks WeChat Pay, and the late one delivers nothing twice', async () => {
    simulator.faults.delayNotification(3_600_000);
    const phone = await chromium.phone();
    await pressPay(phone, shop.url);
    await payAndReturn(phone);
    expect(shop.tickets.issued).toEqual([]);
    expect(heard('orderquery')).toEqual([]);
    await check(phone, 'paid');
    expect(heard('orderquery')).toHaveLength(1);
    const [ticket] = shop.tickets.issued;
    const late = await simulator.notifications.send(ticket?.outTradeNo ?? '');
    expect(late.map(({ verdict }) => verdict)).toEqual(['acknowledged']);
    expect(shop.tickets.issued).toHaveLength(1);
  });

  test('back before paying: the shop claims nothing, and the payer can still pay', async () => {
    const phone = await chromium.phone();
    await pressPay(phone, shop.url);
    const cashier = phone.url();
    await phone.getByRole('button', { name: /Leave it open/ }).click();
    await phone.getByRole('link', { name: /Back to the merchant/ }).click();
    await phone.waitForURL(/pay-return/);
    await check(phone, 'unpaid');
    await keepScreenshot(phone, 'page-unpaid');
    const { outTradeNo = '' } = heard('open')[0] ?? {};
    await simulator.pay(outTradeNo);
    expect(new URL(cashier).searchParams.get('redirect_url')).toContain(outTradeNo);
    // Within two seconds of the last question the answer is that of a moment ago.
    const paid = phone.locator('[data-state="paid"]');
    while ((await paid.count()) === 0) await phone.getByRole('button', { name: /Check again/ }).click();
    expect(shop.tickets.issued).toHaveLength(1);
  });

  test('JavaScript off: everything works, the page in between included', async () => {
    const hidden = await behind(helmet());
    for (const running of [shop, hidden]) {
      const phone = await chromium.phone({ javaScriptEnabled: false });
      await pressPay(phone, running.url);
      await payAndReturn(phone);
      await check(phone, 'paid');
      expect(running.tickets.issued).toHaveLength(1);
    }
  });

  test('the keyboard alone: every control has its turn, shows it, and has a name in both languages', async () => {
    const phone = await chromium.phone();
    await phone.goto(shop.url);
    await pressByKeyboard(phone, [/West Lake Cruises/, PAY]);
    await phone.waitForURL(/checkmweb/);
    await payAndReturn(phone);
    await pressByKeyboard(phone, [/West Lake Cruises/, CHECK]);
    await phone.locator('[data-state="paid"]').waitFor();
    await pressByKeyboard(phone, [/West Lake Cruises/, /Back to the shop/]);
    await phone.waitForURL(`${shop.url}/`);
    expect(shop.tickets.issued).toHaveLength(1);
  });

  test('a screen reader hears one heading, the state, and controls with names', async () => {
    const phone = await chromium.phone();
    await pressPay(phone, shop.url);
    await payAndReturn(phone);
    expect(await phone.locator('main').ariaSnapshot()).toContain(
      '- heading "您完成支付了吗？ Did you complete the payment?" [level=1]',
    );
    expect(await phone.getByRole('main').count()).toBe(1);
    expect(await phone.getByRole('banner').count()).toBe(1);
    // The mark is a picture of what the heading says.
    expect(await phone.locator('.mark').getAttribute('aria-hidden')).toBe('true');
    await check(phone, 'paid');
    const result = await phone.locator('main').ariaSnapshot();
    expect(result).toContain('- heading "支付成功 Payment received" [level=1]');
    // Not in the snapshot: YAML quotes a code that happens to read as a number (4272E148).
    expect(await phone.getByRole('status', { name: '票码 Ticket' }).textContent()).toBe(shop.tickets.issued[0]?.code);
  });

  test('dark mode: every page is dark, and its words are light', async () => {
    const phone = await chromium.phone({ colorScheme: 'dark' });
    await phone.goto(shop.url);
    await keepScreenshot(phone, 'dark-1-shop');
    expect(await brightness(phone)).toEqual({ ground: 'dark', words: 'light' });
    await pressPay(phone, shop.url);
    await payAndReturn(phone);
    expect(await brightness(phone)).toEqual({ ground: 'dark', words: 'light' });
    await keepScreenshot(phone, 'dark-2-return');
    await check(phone, 'paid');
    expect(await brightness(phone)).toEqual({ ground: 'dark', words: 'light' });
    await keepScreenshot(phone, 'dark-3-result');
    const bright = await chromium.phone({ colorScheme: 'light' });
    await bright.goto(phone.url());
    expect(await brightness(bright)).toEqual({ ground: 'light', words: 'dark' });
  });

  test('both languages: every heading, sentence and button has both, each marked as what it is', async () => {
    const phone = await chromium.phone();
    await phone.goto(shop.url);
    await expectBothLanguages(phone);
    await pressPay(phone, shop.url);
    await payAndReturn(phone);
    await expectBothLanguages(phone);
    await check(phone, 'paid');
    await expectBothLanguages(phone);
    await phone.goto(`${shop.url}/pay-return?order=nonsense`);
    await phone.locator('[data-state="HANDLE_INVALID"]').waitFor();
    await expectBothLanguages(phone);
    await phone.goto(`${shop.url}/pay`);
    await phone.locator('[data-state="METHOD_NOT_ALLOWED"]').waitFor();
    await expectBothLanguages(phone);
    await keepScreenshot(phone, 'page-method-not-allowed');
  });

  test('X31: no page of the payer stands in a frame', async () => {
    const phone = await chromium.phone();
    await phone.route(`${shop.url}/frame`, (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${shop.url}/pay-return?order=x"></iframe>` }),
    );
    const complaint = phone.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
    await phone.goto(`${shop.url}/frame`);
    await complaint;
    expect(await phone.frameLocator('iframe').locator('[data-state]').count()).toBe(0);
  });
});
/** Tab by Tab; the last one is pressed with Enter. */
async function pressByKeyboard(phone: Page, names: readonly RegExp[]): Promise<void> {
  for (const name of names) {
    await phone.keyboard.press('Tab');
    const focused = phone.locator(':focus');
    expect(await focused.innerText()).toMatch(name);
    expect(await focused.innerText()).toMatch(/\p{Script=Han}/u);
    expect(await phone.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
  }
  await phone.keyboard.press('Enter');
}

async function brightness(phone: Page): Promise<{ ground: string; words: string }> {
  const ground = await phone.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  const words = await phone.evaluate<string>('getComputedStyle(document.body).color');
  const side = (color: string): string => {
    const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(Number);
    return red + green + blue > 382 ? 'light' : 'dark';
  };
  return { ground: side(ground), words: side(words) };
}

async function expectBothLanguages(phone: Page): Promise<void> {
  expect(await phone.locator('html').getAttribute('lang')).toBe('zh-CN');
  const pieces = phone.locator('h1, main p:not(.price), button, a.button, dt');
  expect(await pieces.count()).toBeGreaterThan(1);
  for (const piece of await pieces.all()) {
    const english = piece.locator('[lang="en"]');
    expect(await english.innerText()).toMatch(/^[\x20-\x7e“”’·]+$/);
    expect(await piece.innerText()).toMatch(/\p{Script=Han}/u);
  }
}
