import { WechatH5Error, type PaymentStatus } from '@wechat-h5/core';
import { errorCode, errorPage } from './error-page.js';
import { pageHeaders, type Page } from './page.js';
import { priceText, PRODUCT } from './product.js';
import { productPage } from './product-page.js';
import { resultPage } from './result-page.js';
import { returnPage } from './return-page.js';
import { DARK, LIGHT, type Palette } from './style.js';
import { TicketOffice, type Ticket } from './tickets.js';

const ORDER = 'Zk3_9f-QmW1xAbCdEfGhIj';
const PAYMENT = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '10000100',
  outTradeNo: ORDER,
  transactionId: '9900000000202601021234567890',
  totalFee: 1990,
  feeType: 'CNY',
  attach: '',
  tradeType: 'MWEB',
  raw: {},
};
const TICKET: Ticket = { code: '9F31C0DA', outTradeNo: ORDER, transactionId: PAYMENT.transactionId };

function status(state: PaymentStatus['state'], paid = false): PaymentStatus {
  const known: PaymentStatus = { outTradeNo: ORDER, state, delivered: paid, source: 'query' };
  return paid ? { ...known, payment: PAYMENT } : known;
}

const PAGES: readonly (readonly [name: string, page: Page])[] = [
  ['product', productPage(PRODUCT, ORDER)],
  ['return', returnPage(ORDER)],
  ['paid', resultPage(status('paid', true), TICKET)],
  ['paid, no ticket yet', resultPage(status('paid', true), undefined)],
  ['unpaid', resultPage(status('unpaid'), undefined)],
  ['closed', resultPage(status('closed'), undefined)],
  ['refunded', resultPage(status('refunded', true), TICKET)],
  ['quarantined', resultPage(status('quarantined'), undefined)],
  ['error with an order', errorPage('PAYER_ADDRESS_CHANGED', ORDER)],
  ['error without one', errorPage('NOT_SAME_ORIGIN')],
  ['unforeseen error', errorPage('UNEXPECTED')],
];

describe.each(PAGES)('the %s page', (_name, { html }) => {
  test('runs nothing and loads nothing', () => {
    expect(html).not.toMatch(
      /<script|<link|<img|<iframe|@import|url\((?!#)|https?:\/\/|\son\w+=|javascript:|http-equiv/i,
    );
  });

  test('sends every form with POST to the shop itself', () => {
    for (const [form] of html.matchAll(/<form[^>]*>/g))
      expect(form).toMatch(/^<form method="post" action="\/(?:pay|check)">$/);
  });

  test('names its language, its subject and every control', () => {
    expect(html).toContain('<html lang="zh-CN">');
    expect(html).toMatch(/<title>[^<]*\p{Script=Han}[^<]* [A-Za-z][^<]*<\/title>/u);
    expect(html.match(/<h1>/g)).toHaveLength(1);
    const controls = [...html.matchAll(/<(?:button|a class="button)[^>]*>([^]*?)<\/(?:button|a)>/g)];
    expect(controls.length).toBeGreaterThan(0);
    for (const [, label = ''] of controls) {
      expect(label).toMatch(/\p{Script=Han}/u);
      expect(label).toMatch(/<span class="english" lang="en">[^<]*[a-z][^<]*<\/span>/);
    }
  });

  test('closes every element it opens', () => {
    const open: string[] = [];
    for (const [, closing, name = '', selfClosed] of html.matchAll(/<(\/?)([a-z][a-zA-Z1-6]*)[^>]*?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!selfClosed) open.push(name);
    }
    expect(open).toEqual([]);
  });
});

test.each<[PaymentStatus['state'], Ticket | undefined, readonly string[]]>([
  ['paid', TICKET, []],
  ['paid', undefined, ['/check']],
  ['unpaid', undefined, ['/check', '/pay']],
  ['closed', undefined, []],
  ['refunded', TICKET, []],
  ['quarantined', undefined, ['/check']],
])('a result of %s with ticket %j leads to %j', (state, ticket, actions) => {
  const { html, status: code } = resultPage(status(state, state === 'paid'), ticket);
  expect(code).toBe(200);
  expect([...html.matchAll(/action="([^"]*)"/g)].map(([, action]) => action)).toEqual(actions);
  expect(html).toContain(`data-state="${state}"`);
  expect(html.includes(TICKET.code)).toBe(state === 'paid' && ticket !== undefined);
});

test('the return page claims nothing about the payment', () => {
  expect(returnPage(ORDER).html).not.toMatch(/支付成功|Payment received|data-state/);
});

test('whoever may have paid is offered the check before anything that costs', () => {
  const actionsOf = (code: Parameters<typeof errorPage>[0]): string[] =>
    [...errorPage(code, ORDER).html.matchAll(/<(form|a class="button)/g)].map(([, kind = '']) => kind);
  expect(actionsOf('ORDER_PAID')[0]).toBe('form');
  expect(actionsOf('GATEWAY_TIMEOUT')[0]).toBe('form');
  expect(actionsOf('PAYER_ADDRESS_CHANGED')).toEqual(['a class="button', 'form']);
});

test.each([
  ['ORDER_PAID', 409],
  ['ORDER_UNKNOWN', 404],
  ['CHAIN_TOO_SHORT', 500],
  ['GATEWAY_UNREACHABLE', 503],
  ['NOT_SAME_ORIGIN', 403],
  ['FORM_INVALID', 400],
  ['HANDLER_FAILED', 500],
] as const)('%s is answered with %i and shown as code', (code, expected) => {
  const page = errorPage(code, ORDER);
  expect(page.status).toBe(expected);
  expect(page.html).toContain(code);
});

test.each([
  [new WechatH5Error('ORDER_PAID', 'paid'), 'ORDER_PAID'],
  [Object.assign(new Error('too large'), { status: 413 }), 'FORM_INVALID'],
  [Object.assign(new Error('away'), { status: 503 }), 'UNEXPECTED'],
  [new TypeError('a mistake'), 'UNEXPECTED'],
  [undefined, 'UNEXPECTED'],
  ['a text', 'UNEXPECTED'],
])('%s is shown as %s', (thrown, code) => expect(errorCode(thrown)).toBe(code));

test('X14: text from outside cannot become markup', () => {
  const sly = `"'><script>alert(1)</script>&amp;`;
  const { html } = productPage({ name: sly, englishName: sly, price: 1 }, sly);
  expect(html).not.toContain('<script');
  expect(html).toContain('&#34;&#39;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;');
});

test('X14 X31 X32: the policy admits the page’s own style, its forms and the payment link, nothing else, and nobody keeps or frames a page', () => {
  const headers = pageHeaders('https://wx.tenpay.com');
  const policy = headers['Content-Security-Policy'] ?? '';
  expect(policy).toMatch(
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self' https:\/\/wx\.tenpay\.com; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers).toMatchObject({
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    'X-Content-Type-Options': 'nosniff',
  });
});

test.each([
  [1, '¥0.01'],
  [10, '¥0.10'],
  [100, '¥1.00'],
  [1990, '¥19.90'],
  [123456789, '¥1234567.89'],
])('%i fen read %s', (fen, text) => expect(priceText(fen)).toBe(text));

test('the ticket office finds what it issued, and hides no second issue', () => {
  const office = new TicketOffice();
  const ticket = office.issue(PAYMENT);
  expect(office.find(ORDER)).toBe(ticket);
  expect(office.find('another')).toBeUndefined();
  office.issue(PAYMENT);
  expect(office.issued).toHaveLength(2);
});

/** Relative luminance and contrast as WCAG 2 defines them. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

describe.each<[string, Palette]>([
  ['light', LIGHT],
  ['dark', DARK],
])('in the %s scheme', (_name, palette) => {
  test.each<[keyof Palette, keyof Palette, number]>([
    ['ink', 'ground', 4.5],
    ['ink', 'card', 4.5],
    ['soft', 'ground', 4.5],
    ['soft', 'card', 4.5],
    ['onPay', 'pay', 4.5],
    ['good', 'card', 4.5],
    ['wait', 'card', 4.5],
    ['bad', 'card', 4.5],
    // Edges of controls and of the focus ring.
    ['line', 'ground', 3],
    ['line', 'card', 3],
    ['pay', 'ground', 3],
  ])('%s on %s has a contrast of at least %f', (ink, paper, least) => {
    expect(contrast(palette[ink], palette[paper])).toBeGreaterThanOrEqual(least);
  });
});
