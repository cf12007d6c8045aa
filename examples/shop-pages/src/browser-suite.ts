import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { inChromium, keepScreenshot, type Page } from '@wechat-h5/testkit/browser';
import { startShop, type RunningShop } from './running-shop.js';
import type { CreateShop } from './shop-options.js';

export const PAY = /Pay with WeChat/;
export const CHECK = /I have paid: check the result/;

export { startShop, type RunningShop } from './running-shop.js';

/** From the shop's page to the cashier. */
export async function pressPay(phone: Page, shop: string): Promise<void> {
  await phone.goto(shop);
  await phone.getByRole('button', { name: PAY }).click();
  await phone.waitForURL(/checkmweb/);
}

/** At the cashier: pays, and comes back to the shop. */
export async function payAndReturn(phone: Page): Promise<void> {
  await phone.getByRole('button', { name: '支付 Pay' }).click();
  await phone.getByRole('link', { name: /Done/ }).click();
  await phone.waitForURL(/pay-return/);
}

/** What each of the shops has to do in a real browser, on a phone. */
export function testShopInBrowser(framework: string, createShop: CreateShop): void {
  inChromium(`the ${framework} shop in Chromium`, (chromium) => {
    let simulator: Simulator;
    let shop: RunningShop;

    beforeEach(async () => {
      simulator = await createSimulator();
      shop = await startShop(createShop, simulator);
    });

    afterEach(async () => {
      await shop.stop();
      await simulator.stop();
    });

    test('from the product to the ticket', async () => {
      const phone = await chromium.phone();
      await phone.goto(shop.url);
      await keepScreenshot(phone, `${framework}-1-shop`);
      await pressPay(phone, shop.url);
      expect(new URL(phone.url()).origin).toBe(simulator.url);
      expect(simulator.events.list().find(({ operation }) => operation === 'open')?.fields?.['referer']).toBe(
        `${shop.url}/`,
      );
      await keepScreenshot(phone, `${framework}-2-cashier`);
      await payAndReturn(phone);
      await keepScreenshot(phone, `${framework}-3-return`);
      await phone.getByRole('button', { name: CHECK }).click();
      await phone.locator('[data-state="paid"]').waitFor();
      const [ticket] = shop.tickets.issued;
      expect(await phone.getByRole('status', { name: '票码 Ticket' }).textContent()).toBe(ticket?.code);
      await keepScreenshot(phone, `${framework}-4-result`);
      expect(shop.problems).toEqual([]);
      expect(chromium.complaints()).toEqual([]);
    });
  });
}
