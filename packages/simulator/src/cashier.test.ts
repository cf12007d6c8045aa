import { openScene, type BrowseOptions, type Scene } from './merchant.fixture.js';

let scene: Scene;
let now: Date;
beforeEach(async () => {
  now = new Date('2026-11-23T04:00:00Z');
  scene = await openScene({
    now: () => now,
    merchant: { h5Domains: ['Shop.example', '127.0.0.1', 'port.example:8080', '茶.example'] },
  });
});
afterEach(() => scene.stop());

const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1';

interface Opening extends BrowseOptions {
  readonly referer?: string;
  readonly userAgent?: string;
  readonly cookie?: string;
}

function open(link: string, opening: Opening = {}) {
  const { referer = 'https://shop.example/cart?x=1', userAgent = ANDROID, cookie, ...rest } = opening;
  const headers = { 'user-agent': userAgent, ...(referer && { referer }), ...(cookie !== undefined && { cookie }) };
  return scene.browse(link, { headers, ...rest });
}

interface Pressing {
  readonly more?: string;
  readonly userAgent?: string;
  readonly cookie?: string;
}

async function submit(page: string, path: string, { more = '', userAgent = ANDROID, cookie = '' }: Pressing = {}) {
  const visit = /name="visit" value="([0-9a-f]{32})"/.exec(page)?.[1] ?? '';
  return scene.browse(`${scene.simulator.url}/cgi-bin/mmpayweb-bin/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': userAgent, cookie },
    body: `visit=${visit}${more}`,
  });
}

const follow = ({ location = '' }: { location?: string }, headers: Record<string, string> = {}) =>
  scene.browse(new URL(location, scene.simulator.url).href, { headers });

const verdict = () => scene.simulator.events.list().at(-1)?.verdict;

describe('the middle page judges the browser’s own request against the stored order', () => {
  test.each<[code: string, text: string, order: Record<string, string>, opening: Opening, suffix: string]>([
    ['IN_WECHAT', '请在微信外打开订单，进行支付', {}, { userAgent: `${ANDROID} MicroMessenger/8.0.50` }, ''],
    ['REFERER_MISSING', '商家参数格式有误，请联系商家解决', {}, { referer: '' }, ''],
    ['REFERER_MISSING', '商家参数格式有误，请联系商家解决', {}, { referer: 'about:blank' }, ''],
    ['REFERER_NOT_CONFIGURED', '商家存在未配置的参数，请联系商家解决', {}, { referer: 'https://other.example/' }, ''],
    [
      'REFERER_NOT_CONFIGURED',
      '商家存在未配置的参数，请联系商家解决',
      {},
      { referer: 'https://sub.shop.example/' },
      '',
    ],
    [
      'REFERER_NOT_CONFIGURED',
      '商家存在未配置的参数，请联系商家解决',
      {},
      { referer: 'https://shop.example.evil.example/' },
      '',
    ],
    ['REFERER_NOT_CONFIGURED', '商家存在未配置的参数，请联系商家解决', {}, { referer: 'http://port.example/' }, ''],
    [
      'REDIRECT_NOT_CONFIGURED',
      '商家存在未配置的参数，请联系商家解决',
      {},
      {},
      `&redirect_url=${encodeURIComponent('https://other.example/done')}`,
    ],
    [
      'REDIRECT_NOT_CONFIGURED',
      '商家存在未配置的参数，请联系商家解决',
      {},
      {},
      `&redirect_url=${encodeURIComponent(encodeURIComponent('https://shop.example/'))}`,
    ],
    ['REDIRECT_NOT_CONFIGURED', '商家存在未配置的参数，请联系商家解决', {}, {}, '&redirect_url=javascript%3Aalert(1)'],
    ['REDIRECT_NOT_ENCODED', '系统繁忙，请稍后再试', {}, {}, '&redirect_url=https://shop.example/done?a=1&b=2'],
    ['REDIRECT_NOT_ENCODED', '签名验证失败', {}, { userAgent: IPHONE }, '&redirect_url=https://shop.example/done'],
    ['ADDRESS_DIFFERS', '网络环境未能通过安全验证，请稍后再试', { spbill_create_ip: '203.0.113.7' }, {}, ''],
    ['ADDRESS_DIFFERS', '网络环境未能通过安全验证，请稍后再试', {}, { from: '127.0.0.2' }, ''],
    [
      'ADDRESS_INVALID',
      '由于商家传入的H5交易参数有误，该笔交易暂时无法完成，请联系商家解决',
      { spbill_create_ip: '10.0.0.5' },
      {},
      '',
    ],
  ])('%s: %s %j %j %s', async (code, text, order, opening, suffix) => {
    const link = await scene.place('journey', order);
    const { status, page } = await open(`${link}${suffix}`, opening);
    expect({ status, verdict: verdict() }).toEqual({ status: 200, verdict: code });
    expect(page).toContain(`<h1>${text}</h1>`);
    expect(page).not.toContain('<form');
  });

  test.each<[string, Record<string, string>, Opening, string]>([
    ['the order’s own address', {}, {}, ''],
    ['another spelling of this machine', { spbill_create_ip: '::1' }, {}, ''],
    ['an IPv4 address inside IPv6', { spbill_create_ip: '::ffff:127.0.0.1' }, {}, ''],
    [
      'the address of another network, when it is the order’s',
      { spbill_create_ip: '127.0.0.2' },
      { from: '127.0.0.2' },
      '',
    ],
    ['a Referer that is only an origin', {}, { referer: 'http://127.0.0.1:3000/' }, ''],
    ['a domain with its port', {}, { referer: 'http://PORT.example:8080/' }, ''],
    ['a domain of another script', {}, { referer: 'https://xn--cl1a.example/' }, ''],
    [
      'an encoded redirect_url with a query of its own',
      {},
      {},
      `&redirect_url=${encodeURIComponent('https://shop.example/done?a=1&b=2')}`,
    ],
  ])('lets through %s', async (_what, order, opening, suffix) => {
    const link = await scene.place('journey', order);
    const { page } = await open(`${link}${suffix}`, opening);
    expect(verdict()).toBe('OK');
    expect(page).toContain('¥19.90');
  });

  test('a link lives five minutes, the order longer', async () => {
    const link = await scene.place('journey');
    now = new Date(now.getTime() + 299_999);
    await open(link);
    expect(verdict()).toBe('OK');
    now = new Date(now.getTime() + 1);
    expect((await open(link)).page).toContain('支付请求已失效，请重新发起支付');
    expect(verdict()).toBe('LINK_EXPIRED');
    await open(await scene.place('journey'));
    expect(verdict()).toBe('OK');
  });

  test.each([
    ['系统繁忙，请稍后再试', ANDROID],
    ['签名验证失败', IPHONE],
  ])('a link that was cut off or changed: %s', async (text, userAgent) => {
    const link = await scene.place('journey');
    for (const broken of [link.slice(0, -1), link.replace('prepay_id=wx', 'prepay_id=wy'), link.split('?')[0] ?? '']) {
      expect((await open(broken, { userAgent })).page).toContain(text);
      expect(verdict()).toBe('LINK_INVALID');
    }
  });

  test('a paid and a closed order', async () => {
    const paid = await scene.place('paid-order');
    await scene.simulator.pay('paid-order');
    expect((await open(paid)).page).toContain('该订单已支付');
    const closed = await scene.place('closed-order');
    await scene.call('closeorder', { out_trade_no: 'closed-order' });
    expect((await open(closed)).page).toContain('订单已关闭');
  });
});

describe('paying and cancelling', () => {
  const DONE = 'https://shop.example/done?a=1&b="2"';

  test('pays with a form, tells the merchant, and leads back to redirect_url', async () => {
    const link = await scene.place('journey');
    const { page } = await open(`${link}&redirect_url=${encodeURIComponent(DONE)}`);
    const paid = await submit(page, 'pay');
    expect(paid.status).toBe(303);
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'SUCCESS' });
    const outcome = await scene.browse(new URL(paid.location ?? '', scene.simulator.url).href);
    expect(outcome.page).toContain('支付成功');
    expect(outcome.page).toContain('href="https://shop.example/done?a=1&#38;b=%222%22"');
    expect(outcome.page).toContain('content="5;url=https://shop.example/done?a=1&#38;b=%222%22"');
    expect(scene.simulator.events.list().filter(({ type }) => type === 'notification.request')).toHaveLength(1);
  });

  test('without redirect_url the way back is the page that opened the link', async () => {
    const { page } = await open(await scene.place('journey'));
    const { location = '' } = await submit(page, 'cancel');
    const outcome = await scene.browse(new URL(location, scene.simulator.url).href);
    expect(outcome.page).toContain('已取消支付');
    expect(outcome.page).toContain('href="https://shop.example/cart?x=1"');
  });

  test('cancelling leaves the order payable and tells the merchant nothing', async () => {
    const link = await scene.place('journey');
    await submit((await open(link)).page, 'cancel');
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'NOTPAY' });
    expect(scene.simulator.notifications.list()).toEqual([]);
    await submit((await open(link)).page, 'pay');
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'SUCCESS' });
  });

  test('pressing Pay twice pays once', async () => {
    const { page } = await open(await scene.place('journey'));
    const [first, second] = await Promise.all([submit(page, 'pay'), submit(page, 'pay')]);
    expect([first.status, second.status]).toEqual([303, 303]);
    expect(second.location).toBe(first.location);
    expect(scene.simulator.events.list().filter(({ type }) => type === 'notification.request')).toHaveLength(1);
  });

  test('an order closed while the page was open is not paid', async () => {
    const { page } = await open(await scene.place('journey'));
    await scene.call('closeorder', { out_trade_no: 'journey' });
    const { location = '' } = await submit(page, 'pay');
    expect((await scene.browse(new URL(location, scene.simulator.url).href)).page).toContain('订单已关闭');
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'CLOSED' });
  });

  test.each(['pay', 'insufficient', 'leave', 'cancel', 'account'])('%s without a visit does nothing', async (path) => {
    await scene.place('journey');
    expect((await submit('', path)).status).toBe(400);
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'NOTPAY' });
  });

  test('paying needs a POST: opening the address does nothing', async () => {
    const { page } = await open(await scene.place('journey'));
    const visit = /value="([0-9a-f]{32})"/.exec(page)?.[1];
    expect((await scene.browse(`${scene.simulator.url}/cgi-bin/mmpayweb-bin/pay?visit=${visit}`)).status).toBe(404);
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'NOTPAY' });
  });
});

describe('what else a payer does', () => {
  test.each([
    ['insufficient', 'INSUFFICIENT_BALANCE', '零钱余额不足'],
    ['leave', 'OK', '收银台仍开着，尚未付款'],
    ['cancel', 'OK', '已取消支付'],
  ])('%s leaves the order payable and tells the merchant nothing', async (button, code, shown) => {
    const { page } = await open(await scene.place('journey'));
    const pressed = await submit(page, button);
    expect({ status: pressed.status, verdict: verdict() }).toEqual({ status: 303, verdict: code });
    const next = await follow(pressed);
    expect(next.page).toContain(shown);
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'NOTPAY' });
    expect(scene.simulator.notifications.list()).toEqual([]);
    const outcome = await follow(await submit(page, 'pay'));
    expect(outcome.page).toContain('支付成功');
  });

  test('too little money keeps the payer on the cashier, another way to pay and all', async () => {
    const { page } = await open(await scene.place('journey'));
    const again = await follow(await submit(page, 'insufficient'));
    expect(again.page).toContain('role="alert"');
    expect(again.page).toContain('action="/cgi-bin/mmpayweb-bin/pay"');
    expect(again.page).not.toContain('http-equiv="refresh"');
  });

  test('an open cashier sends the browser back after five seconds, unpaid, and can still be paid in', async () => {
    const { page } = await open(await scene.place('journey'));
    const left = await follow(await submit(page, 'leave'));
    expect(left.page).toContain('content="5;url=https://shop.example/cart?x=1"');
    const cashier = await follow({ location: /href="([^"]*cashier[^"]*)"/.exec(left.page)?.[1] ?? '' });
    expect((await follow(await submit(cashier.page, 'pay'))).page).toContain('支付成功');
    const back = await follow({ location: /href="([^"]*cashier[^"]*)"/.exec(left.page)?.[1] ?? '' });
    expect(back.location).toMatch(/outcome\?visit=/);
  });

  test('the payer can be back before the notification, or after it', async () => {
    const { page } = await open(await scene.place('journey'));
    scene.simulator.faults.delayNotification(3_600_000);
    expect((await follow(await submit(page, 'pay'))).page).toContain('支付成功');
    expect(scene.notified).toEqual([]);
    expect(scene.simulator.notifications.nextAttemptAt('journey')).toBeInstanceOf(Date);
  });

  test.each([
    ['ios', IPHONE],
    ['android', ANDROID],
    ['android', 'curl/8.0'],
  ])('the cashier has the look of %s for %s', async (shape, userAgent) => {
    const { page } = await open(await scene.place('journey'), { userAgent });
    expect(page).toContain(`<body class="${shape}">`);
  });
});

describe('one link, one WeChat account', () => {
  const SECOND = 'wechat_account=2';

  test.each([
    ['签名验证失败', IPHONE],
    ['系统繁忙，请稍后再试', ANDROID],
  ])('the second account gets %s, by opening it or by any button', async (text, userAgent) => {
    const link = await scene.place('journey');
    const first = await open(link, { userAgent });
    expect(verdict()).toBe('OK');
    const second = await open(link, { userAgent, cookie: SECOND });
    expect(second.page).toContain(`<h1>${text}</h1>`);
    expect(verdict()).toBe('ACCOUNT_DIFFERS');
    for (const button of ['pay', 'insufficient', 'leave', 'cancel']) {
      expect((await submit(first.page, button, { userAgent, cookie: SECOND })).page).toContain(`<h1>${text}</h1>`);
      expect(verdict()).toBe('ACCOUNT_DIFFERS');
    }
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'NOTPAY' });
    expect((await submit(first.page, 'pay', { userAgent })).status).toBe(303);
    expect(scene.simulator.orders.get('journey')).toMatchObject({ tradeState: 'SUCCESS' });
  });

  test('switching on the cashier is refused for this link, and the way back is offered', async () => {
    const { page } = await open(await scene.place('journey'));
    const switched = await submit(page, 'account', { more: '&account=2' });
    const cookie = switched.headers['set-cookie']?.[0] ?? '';
    expect(cookie).toBe('wechat_account=2; Path=/cgi-bin/mmpayweb-bin/; HttpOnly; SameSite=Lax');
    const refused = await follow(switched, { cookie: SECOND, 'user-agent': ANDROID });
    expect(refused.page).toContain('系统繁忙');
    const back = await submit(refused.page, 'account', { more: '&account=1' });
    expect(back.headers['set-cookie']?.[0]).toContain('wechat_account=1;');
    expect((await follow(back)).page).toContain('action="/cgi-bin/mmpayweb-bin/pay"');
  });

  test('a fresh link of the same order belongs to whoever opens it first, and that is who pays', async () => {
    await open(await scene.place('journey'));
    const fresh = await scene.place('journey');
    const { page } = await open(fresh, { cookie: SECOND });
    await submit(page, 'pay', { cookie: SECOND });
    const { links, payment } = scene.simulator.orders.get('journey') ?? {};
    expect(links?.[1]?.openId).toBe(payment?.openId);
    expect(links?.[0]?.openId).not.toBe(payment?.openId);
  });
});

test('pages escape what the merchant sent, run nothing and load nothing', async () => {
  const link = await scene.place('journey', { body: '<script>alert("1")</script>&\'' });
  const { page, headers } = await open(link);
  expect(page).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;');
  expect(page).not.toMatch(/<script|<img|<link|<iframe|@import|url\(|https?:/i);
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers['cache-control']).toBe('no-store');
  expect(page).toContain('<html lang="zh-CN">');
  expect(page).toContain('name="viewport"');
  expect(page).toContain('prefers-color-scheme: dark');
});

test('the style sheet is the one that the policy names', async () => {
  const { createHash } = await import('node:crypto');
  const { page, headers } = await open(await scene.place('journey'));
  const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
  expect(headers['content-security-policy']).toContain(createHash('sha256').update(style).digest('base64'));
});

test('records what the browser sent and how it was judged', async () => {
  const link = await scene.place('journey', { spbill_create_ip: '127.0.0.9' });
  await open(link);
  const [request, reply] = scene.simulator.events.list().slice(-2);
  expect(request).toMatchObject({
    type: 'cashier.request',
    operation: 'open',
    outTradeNo: 'journey',
    fields: { prepay_id: expect.any(String), referer: 'https://shop.example/cart?x=1' },
  });
  expect(reply).toMatchObject({
    type: 'cashier.reply',
    outTradeNo: 'journey',
    status: 200,
    verdict: 'ADDRESS_DIFFERS',
    reason: expect.stringContaining("spbill_create_ip 127.0.0.9; this browser's address 127.0.0.1"),
  });
});

test.each([
  ['1', undefined, '¥0.01'],
  ['10', undefined, '¥0.10'],
  ['123456', 'CNY', '¥1234.56'],
  ['1750', 'JPY', 'JPY 1750 (smallest unit)'],
])('%s of %s is shown as %s', async (totalFee, feeType, shown) => {
  const { page } = await open(await scene.place('journey', { total_fee: totalFee, fee_type: feeType }));
  expect(page).toContain(shown);
});
