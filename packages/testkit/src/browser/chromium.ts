import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { binaryOf, findBinary, installCommand } from '../servers/installed.js';
import { ROOT } from '../workspace.js';

/** Chromium, and a font for Chinese. */
const PACKAGES = ['chromium', 'fonts-noto-cjk'];
/** Kept from one run to the next, in no commit. */
const SCREENSHOTS = join(ROOT, 'artifacts/screenshots');

/** A browser looks for updates, variations and much else, by names that lead nowhere: no test leaves this machine. */
const ARGUMENTS = [
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export const ANDROID =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36';
export const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';

export interface Phone {
  /** Default {@link ANDROID}. */
  readonly userAgent?: string;
  readonly javaScriptEnabled?: boolean;
  readonly colorScheme?: 'light' | 'dark';
  /** The URL of a forward proxy that everything goes through, this machine's own hosts included. */
  readonly proxy?: string;
}

/** A browser, for the tests of one file. */
export interface Chromium {
  /** A phone of its own: its cookies and history are nobody else's. */
  phone(options?: Phone): Promise<Page>;
  /** What the browser itself complained of on the pages of all phones since the last call, such as a policy that was broken. */
  complaints(): readonly string[];
}

/**
 * For Jest: tests in Chromium. Without it they show up as one skipped test that says what to install; where CI is set
 * they fail.
 */
export function inChromium(name: string, define: (chromium: Chromium) => void): void {
  if (findBinary('chromium') === undefined && !process.env['CI']) {
    test.skip(`${name}: ${installCommand(PACKAGES)}`, () => {});
    return;
  }
  describe(name, () => {
    let browser: Browser | undefined;
    let complaints: string[] = [];

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: binaryOf('chromium', PACKAGES.join(' ')), args: ARGUMENTS });
    }, 60_000);

    afterEach(async () => {
      for (const context of browser?.contexts() ?? []) await context.close();
    });

    afterAll(async () => {
      await browser?.close();
    });

    define({
      async phone(options = {}) {
        if (browser === undefined) throw new Error('Chromium is started before the first test, and not earlier');
        const context = await browser.newContext(contextOptions(options));
        context.setDefaultTimeout(15_000);
        const page = await context.newPage();
        page.on('console', (message) => {
          if (message.type() === 'error') complaints.push(message.text());
        });
        page.on('pageerror', (error) => complaints.push(error.message));
        return page;
      },
      complaints() {
        const heard = complaints;
        complaints = [];
        return heard;
      },
    });
  });
}

/** Keeps what a phone shows, for people to look at. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

function contextOptions({ userAgent = ANDROID, javaScriptEnabled, colorScheme, proxy }: Phone): BrowserContextOptions {
  return {
    userAgent,
    viewport: { width: 390, height: 780 },
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
    locale: 'zh-CN',
    ...(javaScriptEnabled !== undefined && { javaScriptEnabled }),
    ...(colorScheme !== undefined && { colorScheme }),
    // Chromium reaches this machine's own hosts around every proxy unless it is told not to.
    ...(proxy !== undefined && { proxy: { server: proxy, bypass: '<-loopback>' } }),
  };
}
