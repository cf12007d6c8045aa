import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { checkoutFixture, MERCHANT, ORDER, OWN_FORM, SHOP } from './checkout.fixture.js';
import type { PageReply } from './page.js';
import { payerPage } from './payer-page.js';
import { PALETTES } from './payer-style.js';
import type { PaymentStatus } from './payment-status.js';
import { insideWechatPage, launchPage } from './pay-page.js';
import { payerErrorPage } from './payer-error-page.js';
import { resultPage, returnPage } from './return-page.js';
import { sign } from './signature.js';
import { buildXml, parseXml } from './xml.js';

const SITE = { shopName: 'Tea & more', shopUrl: '/' };
const OWN = { outTradeNo: ORDER.outTradeNo, returnUrl: '?order=TEA-000001.abc' };
const PAYMENT = {
  appId: MERCHANT.appId,
  mchId: MERCHANT.mchId,
  outTradeNo: ORDER.outTradeNo,
  transactionId: '4200000001202601021234567890',
  totalFee: 1990,
  feeType: 'CNY',
  attach: '',
  tradeType: 'MWEB',
  raw: {},
};

function result(
  state: PaymentStatus['state'],
  delivered = true,
  receipt: Parameters<typeof resultPage>[1] = [],
): PageReply {
  const status: PaymentStatus = { outTradeNo: ORDER.outTradeNo, state, delivered, source: 'query' };
  return resultPage(state === 'paid' ? { ...status, payment: PAYMENT } : status, receipt, OWN, SITE);
}

const RECEIPT = [{ zh: '票码', en: 'Ticket', value: '9F31C0DA' }];
const PAGES: readonly (readonly [string, PageReply])[] = [
  ['return', returnPage(OWN, SITE)],
  ['paid', result('paid', true, RECEIPT)],
  ['paid, not delivered yet', result('paid', false)],
  ['unpaid', result('unpaid')],
  ['closed', result('closed')],
  ['refunded', result('refunded')],
  ['quarantined', result('quarantined')],
  ['inside WeChat', insideWechatPage(SITE)],
  ['launch', launchPage('https://wx.tenpay.com/?a=1&b=2', SITE)],
  ['error', payerErrorPage('PAYER_ADDRESS_CHANGED', SITE, OWN)],
  ['error of the shop', payerErrorPage('OPTIONS_INVALID', SITE)],
];

describe.each(PAGES)('the %s page', (_name, { headers, body }) => {
  test('X14 X31 X32: runs and loads nothing, stands in no frame, is kept by nobody', () => {
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'content-type': 'text/html; charset=utf-8',
    });
    expect(body).not.toMatch(/<script|<link|<img|<iframe|@import|url\((?!#)|\son\w+=|javascript:/i);
  });

  test('names its language, its subject and every control, in Chinese and English', () => {
    expect(body).toContain('<html lang="zh-CN">');
    expect(body).toMatch(/<title>[^<]*\p{Script=Han}[^<]* [A-Za-z][^<]*<\/title>/u);
    expect(body.match(/<h1>/g)).toHaveLength(1);
    expect(body.match(/<main>/g)).toHaveLength(1);
    const controls = [...body.matchAll(/<(?:button|a class="button)[^>]*>(.*?)<\/(?:button|a)>/gs)];
    expect(controls.length).toBeGreaterThan(0);
    for (const [, label = ''] of controls) {
      expect(label).toMatch(/^\p{Script=Han}.*<span class="english" lang="en">[A-Za-z].*<\/span>$/su);
    }
  });
});

test('X14: whatever stands in a page stays text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (evil) => {
      const { body } = payerPage(
        {
          state: evil,
          mark: evil,
          mood: 'wait',
          heading: [evil, evil],
          text: [[evil, evil]],
          goods: [{ label: [evil, evil], value: evil }],
          actions: [],
          details: [{ label: [evil, evil], value: evil }],
        },
        { shopName: evil, shopUrl: evil },
      );
      const { body: empty } = payerPage(
        {
          state: '',
          mark: '',
          mood: 'wait',
          heading: ['', ''],
          text: [['', '']],
          goods: [{ label: ['', ''], value: '' }],
          actions: [],
          details: [{ label: ['', ''], value: '' }],
        },
        { shopName: '', shopUrl: '' },
      );
      for (const character of '<>"\'') expect(body.split(character)).toHaveLength(empty.split(character).length);
    }),
  );
});

test('a receipt stands on a page of what was paid', () => {
  const { body } = result('paid', true, RECEIPT);
  expect(body).toContain('<output aria-label="票码 Ticket">9F31C0DA</output>');
  expect(body).toContain('¥19.90');
});

test.each([
  ['light', PALETTES.light],
  ['dark', PALETTES.dark],
])('every text has a contrast of 4.5 in %s', (_name, palette) => {
  for (const [text, ground] of [
    ['ink', 'ground'],
    ['ink', 'card'],
    ['soft', 'ground'],
    ['soft', 'card'],
    ['on-pay', 'pay'],
    ['good', 'card'],
    ['wait', 'card'],
    ['bad', 'card'],
  ] as const) {
    expect([text, ground, contrast(palette[text], palette[ground]) >= 4.5]).toEqual([text, ground, true]);
  }
  expect(contrast(palette.line, palette.ground)).toBeGreaterThanOrEqual(3);
});

/** WCAG 2.2, 1.4.3. */
function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe('X19: nobody asks about an order without its handle', () => {
  test.each([
    ['no handle', ''],
    ['the number alone', 'order=TEA-000001'],
    ['a handle that is too short', 'order=TEA-000001.abc'],
    ['another order’s', `order=${checkoutFixture().handleOf({ outTradeNo: 'TEA-000002' }).replace('2.', '1.')}`],
    ['nonsense', 'order=%00%ff'],
  ])('%s', async (_name, query) => {
    const { comeBack } = checkoutFixture();
    for (const method of ['GET', 'POST']) {
      const { status, body } = await comeBack(query, { method, headers: OWN_FORM });
      expect(status).toBe(404);
      expect(body).toContain('HANDLE_INVALID');
    }
  });

  test('every refusal is the same page, and says nothing of the order', async () => {
    const { comeBack } = checkoutFixture();
    const bodies = await Promise.all(
      ['', 'order=TEA-000001', 'order=TEA-000009.AAAAAAAAAAAAAAAAAAAAAA'].map((query) => comeBack(query)),
    );
    expect(new Set(bodies.map(({ body }) => body)).size).toBe(1);
  });

  test('a changed character anywhere is another handle', () => {
    const { pay } = checkoutFixture();
    const handle = pay.signHandle({ outTradeNo: 'TEA-000001' });
    fc.assert(
      fc.property(fc.nat(handle.length - 2), fc.constantFrom(...'aZ09-_|*.'), (at, character) => {
        if (handle[at] === character) return;
        expect(pay.readHandle(handle.slice(0, at) + character + handle.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  test('any number that WeChat Pay takes is read back', () => {
    const { pay } = checkoutFixture();
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9A-Za-z_\-|*]{6,32}$/), (outTradeNo) => {
        const query = new URLSearchParams({ order: pay.signHandle({ outTradeNo }) });
        expect(pay.readHandle(query.get('order') ?? '')?.outTradeNo).toBe(outTradeNo);
      }),
    );
  });

  test('a handle is the merchant’s own: another key, another merchant, another secret', () => {
    const handle = checkoutFixture().handleOf(ORDER);
    const other = 'AnotherKeyAnotherKeyAnotherKey00';
    const readBy = (merchant: object, checkout = {}): unknown =>
      checkoutFixture(checkout, { merchant: { ...MERCHANT, ...merchant } }).pay.readHandle(handle);
    expect(readBy({})).toMatchObject({ outTradeNo: ORDER.outTradeNo });
    expect(readBy({ apiKey: [other, MERCHANT.apiKey] })).toMatchObject({ outTradeNo: ORDER.outTradeNo });
    expect(readBy({ apiKey: other })).toBeUndefined();
    expect(readBy({ mchId: '10000101' })).toBeUndefined();
    expect(readBy({ appId: 'wx0000000000000000' })).toBeUndefined();
    expect(readBy({ subMchId: '10000200' })).toBeUndefined();
    expect(readBy({}, { handleSecret: 'a-secret-of-its-own-here' })).toBeUndefined();
  });

  test('of several merchants the right one is named', () => {
    const merchant = [MERCHANT, { ...MERCHANT, mchId: '10000101', apiKey: 'AnotherKeyAnotherKeyAnotherKey00' }];
    const { pay } = checkoutFixture({}, { merchant });
    for (const { mchId } of merchant)
      expect(pay.readHandle(pay.signHandle({ outTradeNo: 'TEA-000001', mchId }))).toMatchObject({ mchId });
    expect(() => pay.signHandle({ outTradeNo: 'TEA-000001' })).toThrow(
      expect.objectContaining({ code: 'MERCHANT_UNKNOWN' }),
    );
  });
});

describe('against a gateway', () => {
  let gateway: Server;
  let asked: string[];
  let state: string;
  let base: string;

  beforeEach(async () => {
    asked = [];
    state = 'NOTPAY';
    gateway = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push(request.url ?? '');
        const { nonce_str = '', out_trade_no = '' } = parseXml(Buffer.concat(chunks));
        const fields: Record<string, string> = {
          return_code: 'SUCCESS',
          result_code: 'SUCCESS',
          appid: MERCHANT.appId,
          mch_id: MERCHANT.mchId,
          nonce_str,
          out_trade_no,
          trade_state: state,
          trade_state_desc: 'x',
        };
        if (request.url === '/pay/unifiedorder') {
          Object.assign(fields, {
            trade_type: 'MWEB',
            prepay_id: 'wx20',
            mweb_url: `${base}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20&package=1`,
          });
        }
        response.end(buildXml({ ...fields, sign: sign(fields, MERCHANT.apiKey) }));
      });
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    base = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    gateway.closeAllConnections();
    gateway.close();
    await once(gateway, 'close');
  });

  async function returned() {
    const fixture = checkoutFixture({}, { gateway: base });
    await fixture.pay.createOrder({ ...ORDER, clientIp: '127.0.0.1' });
    asked = [];
    return { ...fixture, query: `order=${fixture.handleOf(ORDER)}` };
  }

  test('the page asks nobody; its button asks once, and bounded', async () => {
    const { comeBack, query } = await returned();
    for (let i = 0; i < 3; i++) expect(await comeBack(query)).toMatchObject({ status: 200 });
    await comeBack(query, { method: 'HEAD' });
    expect(asked).toEqual([]);
    const pressed = await Promise.all(
      Array.from({ length: 20 }, () => comeBack(query, { method: 'POST', headers: OWN_FORM })),
    );
    for (const { status, body } of pressed) {
      expect(status).toBe(200);
      expect(body).toContain('data-state="unpaid"');
    }
    expect(asked).toEqual(['/pay/orderquery']);
  });

  test('X18: a form of another site asks nothing', async () => {
    const { comeBack, query } = await returned();
    const headers = { ...OWN_FORM, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' };
    expect(await comeBack(query, { method: 'POST', headers })).toMatchObject({ status: 403 });
    expect(asked).toEqual([]);
  });

  test('what was closed is said to be closed', async () => {
    const { comeBack, query } = await returned();
    state = 'CLOSED';
    const { body } = await comeBack(query, { method: 'POST', headers: OWN_FORM });
    expect(body).toContain('data-state="closed"');
  });

  test('other methods are refused', async () => {
    const { comeBack, query } = await returned();
    expect(await comeBack(query, { method: 'DELETE' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, POST' },
    });
  });
});

test('the shop’s name and the way back are the merchant’s', async () => {
  const { comeBack, handleOf } = checkoutFixture({ shopName: '茶 & Tea', shopUrl: `${SHOP}/shop?a=1&b=2` });
  const { body } = await comeBack(`order=${handleOf(ORDER)}`);
  expect(body).toContain(`<a href="${SHOP}/shop?a=1&#38;b=2">茶 &#38; Tea</a>`);
});
