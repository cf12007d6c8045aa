import fc from 'fast-check';
import { assertMwebUrl, withRedirectUrl } from './mweb-url.js';

const LINK =
  'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20161110163838f231619da20804912345&package=1037687096';

test('the example of the official guide', () => {
  expect(withRedirectUrl(LINK, 'https://www.wechatpay.com.cn')).toBe(
    `${LINK}&redirect_url=https%3A%2F%2Fwww.wechatpay.com.cn`,
  );
});

test('the target comes out exactly as it went in, encoded once', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (target) => {
      const link = withRedirectUrl(LINK, target);
      expect(link.startsWith(`${LINK}&redirect_url=`)).toBe(true);
      expect(new URL(link).searchParams.get('redirect_url')).toBe(target);
      expect(new URL(link).searchParams.size).toBe(3);
    }),
  );
});

test('a query and Chinese text in the target do not leak into the link', () => {
  const link = withRedirectUrl(LINK, 'https://shop.example/返回?order=1&from=wechat#top');
  expect(new URL(link).searchParams.get('redirect_url')).toBe('https://shop.example/返回?order=1&from=wechat#top');
  expect(new URL(link).searchParams.get('from')).toBeNull();
});

describe('X15: only H5 domains', () => {
  const h5Domains = ['shop.example', '127.0.0.1:8080'];

  test.each([
    'https://shop.example/return',
    'https://SHOP.example',
    'https://m.shop.example/a',
    'http://127.0.0.1:8080/return',
  ])('%s may be returned to', (target) => {
    expect(new URL(withRedirectUrl(LINK, target, { h5Domains })).searchParams.get('redirect_url')).toBe(target);
  });

  test.each([
    'https://evil.example/',
    'https://shop.example.evil.example/',
    'https://notshop.example/',
    'https://evil.example/?shop.example',
    'https://evil.example\\@shop.example/',
    'https://shop.example@evil.example/',
    'https://user:secret@shop.example/',
    'http://127.0.0.1:9090/return',
    '//shop.example/return',
    '/return',
    'javascript:alert(1)',
    'weixin://shop.example/',
    'https://shop.example/\r\nX-Evil: 1',
    'https%3A%2F%2Fshop.example%2Freturn',
    '',
  ])('%j is refused', (target) => {
    expect(() => withRedirectUrl(LINK, target, { h5Domains })).toThrow(
      expect.objectContaining({ code: 'REDIRECT_URL_INVALID', field: 'redirect_url' }),
    );
  });
});

test.each([
  '',
  'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb',
  'weixin://wap/pay?prepayid=1',
  `${LINK}&redirect_url=https%3A%2F%2Fa.example`,
])('%j is no link to append to', (link) => {
  expect(() => withRedirectUrl(link, 'https://shop.example/')).toThrow(
    expect.objectContaining({ code: 'MWEB_URL_INVALID' }),
  );
});

describe('X16: a payer is only sent to WeChat Pay', () => {
  test('the genuine host, over https', () => {
    expect(assertMwebUrl(LINK, undefined)).toBe(LINK);
  });

  test.each([
    undefined,
    '',
    'https://evil.example/?a=1',
    LINK.replace('https:', 'http:'),
    'https://wx.tenpay.com.evil.example/?a=1',
    'https://x@wx.tenpay.com/?a=1',
    'http://127.0.0.1:8080/?a=1',
    // What no header can carry.
    `${LINK}中`,
    `${LINK}\u0001`,
  ])('%j is refused', (link) => {
    expect(() => assertMwebUrl(link, undefined)).toThrow(
      expect.objectContaining({ code: 'GATEWAY_REPLY_INVALID', field: 'mweb_url' }),
    );
  });

  test('a simulator sends to itself', () => {
    expect(assertMwebUrl('http://127.0.0.1:8080/?a=1', '127.0.0.1:8080')).toBe('http://127.0.0.1:8080/?a=1');
    expect(assertMwebUrl('http://127.0.0.1:8081/?a=1', '127.0.0.1:8080')).toBe('http://127.0.0.1:8081/?a=1');
    for (const link of ['http://127.0.0.1.evil.example/?a=1', 'http://10.0.0.1:8080/?a=1', 'http://127.0.0.1:8080/']) {
      expect(() => assertMwebUrl(link, '127.0.0.1:8080')).toThrow(
        expect.objectContaining({ code: 'GATEWAY_REPLY_INVALID' }),
      );
    }
    expect(() => assertMwebUrl('http://127.0.0.1:8080/?a=1', undefined)).toThrow(
      expect.objectContaining({ code: 'GATEWAY_REPLY_INVALID' }),
    );
  });
});
