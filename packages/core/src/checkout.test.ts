import { checkoutFixture, MERCHANT, MWEB_URL, ORDER, OWN_FORM, SHOP } from './checkout.fixture.js';
import { WechatH5Error } from './errors.js';

const NO_REFERER = { ...OWN_FORM, Referer: undefined, Origin: 'null' };

test('a form of the shop leads to WeChat Pay, and from there back to the return page', async () => {
  const { post, problems, pay } = checkoutFixture();
  const { status, headers } = await post();
  expect(status).toBe(303);
  const link = new URL(headers['location'] ?? '');
  expect(link.href.startsWith(`${MWEB_URL}&redirect_url=`)).toBe(true);
  const back = new URL(link.searchParams.get('redirect_url') ?? '');
  expect(`${back.origin}${back.pathname}`).toBe(`${SHOP}/pay-return`);
  expect(pay.readHandle(back.searchParams.get('order') ?? '')).toEqual({
    outTradeNo: ORDER.outTradeNo,
    mchId: MERCHANT.mchId,
    appId: MERCHANT.appId,
  });
  expect(problems).toEqual([]);
});

test('an attempt with a number of its own comes back under that number', async () => {
  const { post, pay } = checkoutFixture();
  const { headers } = await post(OWN_FORM, { placed: { outTradeNo: 'TEA-000001-2' } });
  const back = new URL(new URL(headers['location'] ?? '').searchParams.get('redirect_url') ?? '');
  expect(pay.readHandle(back.searchParams.get('order') ?? '')?.outTradeNo).toBe('TEA-000001-2');
});

test('a redirectUrl of the order’s own is left to createOrder', async () => {
  const { post, ordered } = checkoutFixture();
  const { headers } = await post(OWN_FORM, { order: { ...ORDER, redirectUrl: `${SHOP}/mine` } });
  expect(ordered).toMatchObject([{ redirectUrl: `${SHOP}/mine` }]);
  expect(headers['location']).toBe(MWEB_URL);
});

describe('X18: only a POST from a page of the shop orders', () => {
  test.each(['GET', 'HEAD', 'PUT', 'OPTIONS'])('%s orders nothing', async (method) => {
    const { post, ordered } = checkoutFixture();
    const reply = await post({ ...OWN_FORM, 'Sec-Purpose': 'prefetch' }, { method });
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(ordered).toEqual([]);
  });

  test.each<[string, Record<string, string | undefined>]>([
    [
      'another site',
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', Referer: 'https://evil.example/' },
    ],
    ['another site, in an old browser', { Origin: 'https://evil.example', 'Sec-Fetch-Site': undefined }],
    [
      'a host that only ends like the shop’s',
      { Origin: 'https://evilpay.shop.example', 'Sec-Fetch-Site': 'cross-site' },
    ],
    ['a sandboxed frame', { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }],
    ['an old browser’s page without a referrer', { Origin: 'null', 'Sec-Fetch-Site': undefined }],
    ['no page at all', { Origin: undefined, 'Sec-Fetch-Site': undefined }],
    ['the address bar', { Origin: undefined, 'Sec-Fetch-Site': 'none' }],
    [
      'a script’s origin that is no origin',
      { Origin: 'https://pay.shop.example@evil.example', 'Sec-Fetch-Site': undefined },
    ],
  ])('%s is refused, and the merchant is told once', async (_name, headers) => {
    const { post, ordered, problems } = checkoutFixture();
    for (let i = 0; i < 2; i++) {
      const { status, body } = await post({ ...OWN_FORM, ...headers });
      expect(status).toBe(403);
      expect(body).toContain('data-state="ORIGIN_REFUSED"');
    }
    expect(ordered).toEqual([]);
    expect(problems).toMatchObject([{ type: 'misconfigured', code: 'ORIGIN_REFUSED', field: 'merchant.h5Domains' }]);
  });

  test.each<[string, Record<string, string | undefined>]>([
    ['an old browser', { 'Sec-Fetch-Site': undefined }],
    ['a subdomain', { Origin: 'https://m.pay.shop.example', 'Sec-Fetch-Site': 'same-site' }],
    ['behind a proxy that rewrites Host', { Host: '10.0.0.7:3000' }],
    ['a scheme in capitals', { Origin: 'HTTPS://PAY.SHOP.EXAMPLE', 'Sec-Fetch-Site': undefined }],
  ])('%s is let through', async (_name, headers) => {
    expect((await checkoutFixture().post({ ...OWN_FORM, ...headers })).status).toBe(303);
  });
});

test('a page of the shop on a host that is not registered is refused before the order', async () => {
  const { post, ordered, problems } = checkoutFixture();
  const { status, body } = await post({ ...OWN_FORM, Origin: 'https://new.example', Host: 'new.example' });
  expect(status).toBe(500);
  expect(body).toContain('ORIGIN_NOT_REGISTERED');
  expect(ordered).toEqual([]);
  expect(problems).toMatchObject([{ type: 'misconfigured', code: 'ORIGIN_NOT_REGISTERED' }]);
});

test('a page that hides its origin, on a host that may not be registered, is told', async () => {
  const hidden = { ...OWN_FORM, Origin: 'null', 'Sec-Fetch-Site': 'same-origin' };
  const { post, problems } = checkoutFixture();
  expect((await post({ ...hidden, Host: 'new.example' })).status).toBe(303);
  expect(problems).toMatchObject([{ type: 'misconfigured', code: 'ORIGIN_NOT_REGISTERED' }]);
  const registered = checkoutFixture();
  await registered.post(hidden);
  expect(registered.problems).toEqual([]);
});

describe('X17: the shop’s page hides where it is', () => {
  test('without a Referer the payer is sent on by a page of ours, under a policy of ours', async () => {
    const { post, problems } = checkoutFixture();
    const { status, headers, body } = await post(NO_REFERER);
    expect(status).toBe(200);
    expect(headers['referrer-policy']).toBe('strict-origin-when-cross-origin');
    const [, target = ''] = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(body) ?? [];
    const link = new URL(target.replaceAll('&#38;', '&'));
    expect(link.host).toBe('wx.tenpay.com');
    expect(new URL(link.searchParams.get('redirect_url') ?? '').origin).toBe(SHOP);
    expect(body).toContain(`<a class="button " href="${target}"`);
    expect(problems).toMatchObject([{ type: 'misconfigured', code: 'REFERRER_POLICY' }]);
    await post(NO_REFERER);
    expect(problems).toHaveLength(1);
  });

  test('the application’s own policy is named', async () => {
    const { post, problems } = checkoutFixture();
    await post(NO_REFERER, { applicationHeaders: { 'referrer-policy': 'no-referrer' } });
    expect(problems[0]?.message).toContain('Referrer-Policy: no-referrer');
  });

  test('a redirect carries a policy of ours', async () => {
    const { headers } = await checkoutFixture().post(OWN_FORM, {
      applicationHeaders: { 'referrer-policy': 'same-origin' },
    });
    expect(headers['referrer-policy']).toBe('strict-origin-when-cross-origin');
  });
});

test.each<[string, number]>([
  ["default-src 'self'; form-action 'self'", 200],
  ['form-action', 200],
  ["form-action 'self' https://wx.tenpay.com.evil.example", 200],
  ["form-action 'self' http://wx.tenpay.com", 200],
  ["form-action 'self' https://wx.tenpay.com", 303],
  ['FORM-ACTION wx.tenpay.com', 303],
  ['form-action https://*.tenpay.com', 303],
  ['form-action https:', 303],
  ["default-src 'none'", 303],
])('an application’s policy %j leads there with %i', async (policy, status) => {
  const { post, problems } = checkoutFixture();
  const applicationHeaders = { 'content-security-policy': policy };
  expect((await post(OWN_FORM, { applicationHeaders })).status).toBe(status);
  expect(problems.map(({ code }) => code)).toEqual(status === 200 ? ['FORM_ACTION'] : []);
});

test('inside WeChat nothing is ordered, and the payer reads what to do', async () => {
  const { post, ordered } = checkoutFixture();
  const { status, body } = await post({ ...OWN_FORM, 'User-Agent': 'Mozilla/5.0 MicroMessenger/8.0.49' });
  expect(status).toBe(200);
  expect(body).toContain('data-state="inside-wechat"');
  expect(ordered).toEqual([]);
});

test('X15: no payer is sent to another host than an H5 domain', async () => {
  const elsewhere = { returnUrl: 'https://evil.example/return' };
  expect(() => checkoutFixture(elsewhere)).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', field: 'checkout.returnUrl' }),
  );
  expect(() => checkoutFixture({ returnUrl: '//evil.example' })).toThrow(/checkout\.returnUrl/);
  expect(() => checkoutFixture({ returnUrl: '/\\evil.example' })).toThrow(/checkout\.returnUrl/);
});

test('X20: an amount comes from checkout.order alone', async () => {
  const { post, ordered } = checkoutFixture();
  await post();
  expect(ordered).toEqual([ORDER]);
});

describe('X21: order flooding', () => {
  test('the eleventh order of an address within a minute waits; another address does not', async () => {
    const { post, ordered } = checkoutFixture();
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await post()).status);
    expect(statuses).toEqual([...Array<number>(10).fill(303), 429]);
    const { headers } = await post();
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(6);
    expect(ordered).toHaveLength(10);
    expect((await post(OWN_FORM, { ip: '9.9.9.9' })).status).toBe(303);
  });

  test('a network of IPv6 is one address', async () => {
    const { post } = checkoutFixture({ ordersPerMinute: 1 });
    expect((await post(OWN_FORM, { ip: '2a00:1450:4001:1::1' })).status).toBe(303);
    expect((await post(OWN_FORM, { ip: '2a00:1450:4001:1::2' })).status).toBe(429);
    expect((await post(OWN_FORM, { ip: '2a00:1450:4001:2::1' })).status).toBe(303);
  });
});

describe('X26: no line break gets into a header', () => {
  test.each(['shopUrl', 'returnUrl', 'payPath'])('%s', (option) => {
    expect(() => checkoutFixture({ [option]: '/a\r\nset-cookie: a=b' })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', field: `checkout.${option}` }),
    );
  });

  test('a link with one is not sent', async () => {
    const { post } = checkoutFixture();
    const { status, headers } = await post(OWN_FORM, { placed: { mwebUrl: `${MWEB_URL}\r\nset-cookie: a=b` } });
    expect(status).toBe(500);
    expect(headers).not.toHaveProperty('location');
  });
});

test.each<[string, number, boolean]>([
  ['PAYER_ADDRESS_CHANGED', 409, false],
  ['ORDER_PAID', 409, false],
  ['GATEWAY_TIMEOUT', 503, true],
  ['NOT_PUBLIC', 500, true],
])('%s is a page of status %i', async (code, status, reported) => {
  const { post, problems } = checkoutFixture();
  const reply = await post(OWN_FORM, {
    placed: new WechatH5Error(code as 'ORDER_PAID', 'secret words', { hint: 'more' }),
  });
  expect(reply.status).toBe(status);
  expect(reply.body).toContain(`data-state="${code}"`);
  expect(reply.body).not.toMatch(/secret words|more</);
  // The order may have been paid: the payer can ask.
  expect(reply.body).toContain('<form method="post" action="https://pay.shop.example/pay-return?order=TEA-000001.');
  expect(problems.map(({ type, code: told }) => [type, told])).toEqual(reported ? [['checkout-failed', code]] : []);
});

test('of a purchase that another number has paid, the payer asks by that number', async () => {
  const { post } = checkoutFixture();
  const paid = new WechatH5Error('ORDER_PAID', 'is paid', { outTradeNo: 'TEA-000000' });
  const { body } = await post(OWN_FORM, { placed: paid });
  expect(body).toContain('<form method="post" action="https://pay.shop.example/pay-return?order=TEA-000000.');
});

test('what checkout.order throws becomes a page, and a problem with its cause', async () => {
  const { post, problems } = checkoutFixture();
  const thrown = new Error('the cellar is flooded');
  const { status, body } = await post(OWN_FORM, { order: thrown });
  expect(status).toBe(500);
  expect(body).not.toContain('cellar');
  expect(problems).toMatchObject([{ type: 'checkout-failed', code: 'HANDLER_FAILED', error: { cause: thrown } }]);
});

test('an order that cannot be is a page, too', async () => {
  const { post, ordered, problems } = checkoutFixture();
  expect(await post(OWN_FORM, { order: { ...ORDER, outTradeNo: 'TEA-1' } })).toMatchObject({ status: 500 });
  expect(ordered).toEqual([]);
  expect(problems).toMatchObject([{ type: 'checkout-failed', code: 'ORDER_FIELD_INVALID' }]);
});

test('a form that names nothing orders nothing', async () => {
  const { post, ordered } = checkoutFixture();
  expect(await post(OWN_FORM, { order: undefined })).toMatchObject({ status: 400 });
  expect(ordered).toEqual([]);
});

test('without h5Domains there is no checkout, but at a simulator', () => {
  const { h5Domains: _, ...merchant } = MERCHANT;
  expect(() => checkoutFixture({}, { merchant })).toThrow(expect.objectContaining({ field: 'merchant.h5Domains' }));
  expect(() => checkoutFixture({}, { merchant, gateway: 'http://127.0.0.1:9' })).not.toThrow();
});

test.each<[string, object]>([
  ['checkout.orders', { orders: () => undefined }],
  ['checkout.order', { order: 'TEA-1' }],
  ['checkout.ordersPerMinute', { ordersPerMinute: 0 }],
  ['checkout.handleSecret', { handleSecret: 'short' }],
  ['checkout.payPath', { payPath: 'https://pay.shop.example/pay' }],
])('%s is refused at the start', (field, checkout) => {
  expect(() => checkoutFixture(checkout)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID', field }));
});

test('the cashier’s origin is that of WeChat Pay, or of the simulator', () => {
  expect(checkoutFixture().pay.cashierOrigin).toBe('https://wx.tenpay.com');
  expect(checkoutFixture({}, { gateway: 'http://127.0.0.1:9/x' }).pay.cashierOrigin).toBe('http://127.0.0.1:9');
});
