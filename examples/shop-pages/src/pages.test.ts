import { pageHeaders } from './page.js';
import { priceText, PRODUCT } from './product.js';
import { productPage } from './product-page.js';
import { DARK, LIGHT, type Palette } from './style.js';
import { TicketOffice } from './tickets.js';

const ORDER = 'Zk3_9f-QmW1xAbCdEfGhIj';

describe('the product page', () => {
  const html = productPage(PRODUCT, ORDER);

  test('runs nothing and loads nothing', () => {
    expect(html).not.toMatch(
      /<script|<link|<img|<iframe|@import|url\((?!#)|https?:\/\/|\son\w+=|javascript:|http-equiv/i,
    );
  });

  test('has one form, which posts the order’s number and no price', () => {
    expect(html.match(/<form[^>]*>/g)).toEqual(['<form method="post" action="/pay">']);
    expect(html.match(/<input[^>]*>/g)).toEqual([`<input type="hidden" name="order" value="${ORDER}" />`]);
  });

  test('names its language, its subject and every control', () => {
    expect(html).toContain('<html lang="zh-CN">');
    expect(html).toMatch(/<title>[^<]*\p{Script=Han}[^<]* [A-Za-z][^<]*<\/title>/u);
    expect(html.match(/<h1>/g)).toHaveLength(1);
    const [, label = ''] = /<button>([^]*?)<\/button>/.exec(html) ?? [];
    expect(label).toMatch(/\p{Script=Han}/u);
    expect(label).toMatch(/<span class="english" lang="en">[^<]*[a-z][^<]*<\/span>/);
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

test('X14: text from outside cannot become markup', () => {
  const sly = `"'><script>alert(1)</script>&amp;`;
  const html = productPage({ name: sly, englishName: sly, price: 1 }, sly);
  expect(html).not.toContain('<script');
  expect(html).toContain('&#34;&#39;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;');
});

test('X14 X31: the policy admits the page’s own style, its forms and the payment link, nothing else, and nobody shares or frames a page', () => {
  const headers = pageHeaders('https://wx.tenpay.com');
  const policy = headers['Content-Security-Policy'] ?? '';
  expect(policy).toMatch(
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self' https:\/\/wx\.tenpay\.com; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers).toMatchObject({
    'Cache-Control': 'private, no-cache',
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
  const ticket = office.issue({ outTradeNo: ORDER, transactionId: '4200000001' });
  expect(office.find(ORDER)).toBe(ticket);
  expect(office.find('another')).toBeUndefined();
  office.issue({ outTradeNo: ORDER, transactionId: '4200000001' });
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
    // Edges of controls and of the focus ring.
    ['line', 'ground', 3],
    ['line', 'card', 3],
    ['pay', 'ground', 3],
  ])('%s on %s has a contrast of at least %f', (ink, paper, least) => {
    expect(contrast(palette[ink], palette[paper])).toBeGreaterThanOrEqual(least);
  });
});
