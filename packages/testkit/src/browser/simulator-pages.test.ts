import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildXml, parseXml, sign } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import type { Page } from 'playwright-core';
import { inChromium, IPHONE, keepScreenshot } from './chromium.js';

const SUCCESS = buildXml({ return_code: 'SUCCESS', return_msg: 'OK' });
const LONGEST_NUMBER = 'TEA-20261123-HILL-HOUSE-00000001';

inChromium('the simulator’s pages in Chromium', (chromium) => {
  let simulator: Simulator;
  let shop: Server;
  let shopUrl: string;
  /** Where the shop's only link leads. */
  let link: string;

  beforeEach(async () => {
    simulator = await createSimulator();
    shop = createServer((request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      if (request.method === 'POST') response.end(SUCCESS);
      else response.end(`<!doctype html><title>shop</title><a href="${link.replaceAll('&', '&amp;')}">to WeChat</a>`);
    }).listen(0, '127.0.0.1');
    await once(shop, 'listening');
    shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    shop.closeAllConnections();
    shop.close();
    await simulator.stop();
  });

  async function place(outTradeNo: string, changes: Record<string, string> = {}): Promise<void> {
    const { appId, mchId, apiKey } = simulator.merchant;
    const message = {
      appid: appId,
      mch_id: mchId,
      nonce_str: 'n'.repeat(32),
      body: 'Hill tea house - green tea, 250 g',
      out_trade_no: outTradeNo,
      total_fee: '1990',
      spbill_create_ip: '127.0.0.1',
      notify_url: `${shopUrl}/notify`,
      trade_type: 'MWEB',
      scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"Tea"}}',
      ...changes,
    };
    const body = buildXml({ ...message, sign: sign(message, apiKey) });
    const reply = await fetch(`${simulator.url}/pay/unifiedorder`, { method: 'POST', body });
    link = parseXml(await reply.text())['mweb_url'] ?? '';
    expect(link).not.toBe('');
  }

  const button = (page: Page, name: RegExp) => page.getByRole('button', { name });
  const sidewaysRoom = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');

  describe('the dashboard', () => {
    test('follows what happens without being loaded again, and keeps open what is open', async () => {
      const page = await chromium.phone();
      await page.goto(simulator.url);
      await page.evaluate('globalThis.loadedOnce = true');
      await place('order-1');
      await page.getByRole('link', { name: /order-1/ }).waitFor();
      expect(await page.evaluate('globalThis.loadedOnce')).toBe(true);

      await page.getByRole('link', { name: /order-1/ }).click();
      await page.evaluate('globalThis.loadedOnce = true');
      await simulator.pay('order-1');
      await page.getByText('收到付款').waitFor();
      await page.locator('summary', { hasText: 'payment #1' }).click();
      await simulator.faults.forgeNotification('order-1');
      await page.locator('summary', { hasText: 'forged #1' }).waitFor();
      expect(await page.locator('details[open]').count()).toBe(1);
      expect(await page.locator('details[open]').getByText(`POST ${shopUrl}/notify`).isVisible()).toBe(true);
      expect(await page.evaluate('globalThis.loadedOnce')).toBe(true);
      await keepScreenshot(page, 'simulator-dashboard');
      expect(chromium.complaints()).toEqual([]);
    });

    test('its buttons work with the keyboard, and keep the focus', async () => {
      await place('order-1');
      const page = await chromium.phone();
      await page.goto(`${simulator.url}/?order=order-1`);
      await page.evaluate('globalThis.loadedOnce = true');
      await button(page, /Signed by nobody/).focus();
      await page.keyboard.press('Enter');
      await page.locator('summary', { hasText: 'forged #1' }).waitFor();
      expect(await page.evaluate('document.activeElement.id')).toBe('press-forged');
      expect(await page.evaluate('globalThis.loadedOnce')).toBe(true);
      expect(simulator.orders.get('order-1')).toMatchObject({ tradeState: 'NOTPAY' });
      expect(chromium.complaints()).toEqual([]);
    });

    test('works without a script', async () => {
      await place('order-1');
      const page = await chromium.phone({ javaScriptEnabled: false });
      await page.goto(simulator.url);
      await page.getByRole('link', { name: /order-1/ }).click();
      await button(page, /^付款 Pay$/).click();
      await page.getByText('收到付款').waitFor();
      await page.locator('summary', { hasText: 'payment #1' }).click();
      expect(await page.getByText(`POST ${shopUrl}/notify`).isVisible()).toBe(true);
      await page.getByRole('link', { name: /All orders/ }).click();
      expect(await page.getByRole('link', { name: /SUCCESS/ }).count()).toBe(1);
    });

    test.each([390, 320])('scrolls down, and never sideways, on a phone %i pixels wide', async (width) => {
      await place(LONGEST_NUMBER, { body: `Tea ${'very '.repeat(20)}green`, attach: 'a'.repeat(127) });
      await simulator.pay(LONGEST_NUMBER);
      await simulator.refund(LONGEST_NUMBER, { outRefundNo: 'R'.repeat(64), refundFee: 1 });
      const page = await chromium.phone({ colorScheme: 'dark' });
      await page.setViewportSize({ width, height: 780 });
      for (const path of ['/', `/?order=${LONGEST_NUMBER}`]) {
        await page.goto(`${simulator.url}${path}`);
        await page.evaluate('for (const row of document.querySelectorAll("details")) row.open = true');
        expect({ path, room: await sidewaysRoom(page) }).toEqual({ path, room: 0 });
      }
      await keepScreenshot(page, `simulator-dashboard-dark-${width}`);
    });
  });

  describe('the cashier', () => {
    async function openCashier(userAgent?: string): Promise<Page> {
      await place(LONGEST_NUMBER);
      const page = await chromium.phone({ ...(userAgent !== undefined && { userAgent }) });
      await page.goto(shopUrl);
      await page.getByRole('link', { name: 'to WeChat' }).click();
      await button(page, /^支付 Pay$/).waitFor();
      return page;
    }

    test.each([
      ['签名验证失败', IPHONE],
      ['系统繁忙，请稍后再试', undefined],
    ])('a link of another WeChat account: %s', async (text, userAgent) => {
      const page = await openCashier(userAgent);
      await button(page, /小豆/).click();
      await page.getByRole('heading', { name: text }).waitFor();
      await button(page, /小茶/).click();
      await button(page, /^支付 Pay$/).click();
      await page.getByRole('heading', { name: '支付成功' }).waitFor();
      expect(chromium.complaints()).toEqual([]);
    });

    test('sends the browser back by itself, before anything is paid', async () => {
      const page = await openCashier();
      await button(page, /Leave it open/).click();
      await page.getByRole('heading', { name: '收银台仍开着，尚未付款' }).waitFor();
      await page.waitForURL(`${shopUrl}/`);
      expect(simulator.orders.get(LONGEST_NUMBER)).toMatchObject({ tradeState: 'NOTPAY' });
    });

    test('is read out as what it is, and never scrolls sideways', async () => {
      const page = await openCashier(IPHONE);
      await page.setViewportSize({ width: 320, height: 780 });
      expect(await sidewaysRoom(page)).toBe(0);
      await button(page, /Balance too low/).click();
      expect(await page.getByRole('alert').textContent()).toContain('零钱余额不足');
      const order = page.getByText(LONGEST_NUMBER);
      const lineHeight = 24;
      expect((await order.boundingBox())?.height).toBe(lineHeight);
      await keepScreenshot(page, 'simulator-cashier-ios');
    });
  });
});
