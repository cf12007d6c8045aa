import { createWechatH5, type Problem, type WechatH5Options } from './index.js';
import { bindToRequest, pageReply, type CapturedRequest } from './adapter.js';
import type { WechatH5 } from './index.js';

const doctorPage = (instance: WechatH5, visit: CapturedRequest): ReturnType<typeof pageReply> =>
  pageReply('doctor', instance, visit, { mounted: true });
const ipProbeAnswer = (instance: WechatH5, visit: CapturedRequest): ReturnType<typeof pageReply> =>
  pageReply('ip-probe', instance, visit, { mounted: false });

const SECRET = 'a-secret-of-the-operator';
const MERCHANT = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '10000100',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
  h5Domains: ['shop.example'],
};
const OPTIONS: WechatH5Options = { merchant: MERCHANT, notifyUrl: 'https://pay.shop.example/notify' };

function request(changes: Partial<CapturedRequest> & { headers?: Record<string, string> } = {}): CapturedRequest {
  const { headers = {}, ...rest } = changes;
  return {
    method: 'GET',
    path: '/',
    query: '',
    remoteAddress: '10.0.0.2',
    rawHeaders: Object.entries(headers).flat(),
    receivedAt: 0,
    ...rest,
  };
}

describe('the doctor', () => {
  const wechatH5 = createWechatH5({ ...OPTIONS, doctorSecret: SECRET, clientIp: { trust: ['10.0.0.2'] } });
  const bearer = { Authorization: `Bearer ${SECRET}` };

  test('without a secret there is no such page', () => {
    expect(doctorPage(createWechatH5(OPTIONS), request({ headers: bearer }))).toBeUndefined();
  });

  test('a short secret is refused at start', () => {
    expect(() => createWechatH5({ ...OPTIONS, doctorSecret: 'short' })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', field: 'doctorSecret' }),
    );
  });

  test.each([
    ['nothing', {}],
    ['another secret', { Authorization: 'Bearer a-secret-of-nobody' }],
    ['a part of it', { Authorization: `Bearer ${SECRET.slice(0, -1)}` }],
    ['an empty login', { Authorization: `Basic ${Buffer.from(':').toString('base64')}` }],
    ['the secret as user name', { Authorization: `Basic ${Buffer.from(`${SECRET}:`).toString('base64')}` }],
    ['a scheme nobody knows', { Authorization: `Digest ${SECRET}` }],
  ])('with %s it shows nothing', (_title, headers) => {
    const reply = doctorPage(wechatH5, request({ headers: headers as Record<string, string> }));
    expect(reply?.status).toBe(401);
    expect(reply?.headers['www-authenticate']).toMatch(/^Basic /);
    expect(reply?.body).not.toContain('10.0.0.2');
  });

  test('X17: the application’s own Referrer-Policy, and what forms have shown', async () => {
    const instance = createWechatH5({ ...OPTIONS, doctorSecret: SECRET, checkout: {}, onProblem: () => {} });
    const seen = (applicationHeaders: Record<string, string>): unknown =>
      JSON.parse(
        pageReply('doctor', instance, request({ headers: bearer, remoteAddress: '8.8.8.8' }), {
          mounted: true,
          applicationHeaders,
        })?.body ?? '',
      );
    expect(seen({ 'referrer-policy': 'strict-origin-when-cross-origin' })).toMatchObject({ verdict: 'fine' });
    expect(seen({ 'referrer-policy': 'no-referrer' })).toMatchObject({
      verdict: 'look',
      checkout: [{ code: 'REFERRER_POLICY', message: expect.stringContaining('no-referrer') }],
    });
    const form = request({
      method: 'POST',
      remoteAddress: '8.8.8.8',
      headers: { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
    });
    await bindToRequest(instance, form).pay({ outTradeNo: 'TEA-1', body: '', totalFee: 1 });
    expect(seen({})).toMatchObject({ verdict: 'fine', checkout: [] });
    await bindToRequest(instance, { ...form, rawHeaders: ['Origin', 'https://new.example'] }).pay({
      outTradeNo: 'TEA-000001',
      body: 'Tea',
      totalFee: 1,
    });
    expect(seen({})).toMatchObject({ verdict: 'look', checkout: [{ code: 'ORIGIN_REFUSED' }] });
  });

  test('X24: says that nothing may ask WeChat Pay to log in', () => {
    expect(JSON.parse(doctorPage(wechatH5, request({ headers: bearer }))?.body ?? '')).toMatchObject({
      checklist: expect.arrayContaining([
        expect.objectContaining({
          server: 'notifyUrl',
          en: expect.stringContaining('no session'),
          zh: expect.stringContaining('登录态'),
        }),
      ]),
    });
  });

  test('as JSON: peer, lines, hops, the address', () => {
    const reply = doctorPage(wechatH5, request({ headers: { ...bearer, 'X-Forwarded-For': '6.6.6.6, 8.8.8.8' } }));
    expect(reply?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(JSON.parse(reply?.body ?? '')).toMatchObject({
      verdict: 'fine',
      clientIp: {
        peer: { address: '10.0.0.2', verdict: 'trusted' },
        lines: [{ name: 'X-Forwarded-For', value: '6.6.6.6, 8.8.8.8', read: true }],
        hops: [{ text: '8.8.8.8', verdict: 'payer' }],
        clientIp: { ip: '8.8.8.8', public: true },
      },
      checklist: expect.arrayContaining([expect.objectContaining({ server: 'HAProxy' })]),
    });
  });

  test('as a page for a browser that logged in, with what to change', () => {
    const login = { Authorization: `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`, Accept: 'text/html,*/*' };
    const reply = doctorPage(
      wechatH5,
      request({ remoteAddress: '10.0.0.9', headers: { ...login, 'X-Forwarded-For': '<script>alert(1)</script>' } }),
    );
    expect(reply?.headers['content-security-policy']).toContain("default-src 'none'");
    expect(reply?.body).toContain('10.0.0.9');
    expect(reply?.body).not.toContain('<script');
  });

  test('posting to it is refused', () => {
    expect(doctorPage(wechatH5, request({ method: 'POST', headers: bearer }))?.status).toBe(405);
  });
});

describe('what the merchant is told, once each', () => {
  function shop(clientIp: WechatH5Options['clientIp']): {
    problems: Problem[];
    visit: (visitor: CapturedRequest) => void;
  } {
    const problems: Problem[] = [];
    const wechatH5 = createWechatH5({
      ...OPTIONS,
      ...(clientIp === undefined ? {} : { clientIp }),
      onProblem: (problem) => problems.push(problem),
    });
    const visit = (visitor: CapturedRequest): void => {
      try {
        void bindToRequest(wechatH5, visitor).clientIp;
      } catch {
        // The visitor's own error; what the merchant hears is the matter here.
      }
    };
    return { problems, visit };
  }

  test('a forwarding header from a peer that is not trusted, with the line that would trust it', () => {
    const { problems, visit } = shop(undefined);
    const visitor = request({ remoteAddress: '8.8.4.4', headers: { 'X-Forwarded-For': '9.9.9.9' } });
    visit(visitor);
    visit(visitor);
    expect(problems).toMatchObject([
      {
        type: 'misconfigured',
        code: 'PROXY_NOT_TRUSTED',
        field: 'clientIp.trust',
        hint: expect.stringContaining('8.8.4.4'),
      },
    ]);
  });

  test('a private address that was about to be sent', () => {
    const { problems, visit } = shop(undefined);
    visit(request());
    visit(request());
    expect(problems).toMatchObject([{ type: 'misconfigured', code: 'NOT_PUBLIC', hint: expect.stringMatching(/./) }]);
  });

  test('a trusted proxy that sends no header', () => {
    const { problems, visit } = shop({ trust: ['10.0.0.2'] });
    visit(request());
    expect(problems).toMatchObject([{ type: 'misconfigured', code: 'HEADER_MISSING' }]);
  });

  test('a stranger with a header does not use up the word about a proxy', () => {
    const { problems, visit } = shop(undefined);
    for (const remoteAddress of ['8.8.4.4', '8.8.8.8'])
      visit(request({ remoteAddress, headers: { 'X-Forwarded-For': '9.9.9.9' } }));
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('8.8.4.4'),
      expect.stringContaining('8.8.8.8'),
    ]);
  });

  test('an address that is not public is told of also when it is let through', () => {
    const { problems, visit } = shop({ nonPublic: 'allow' });
    visit(request());
    expect(problems).toMatchObject([{ type: 'misconfigured', code: 'NOT_PUBLIC', field: 'clientIp.nonPublic' }]);
  });

  test.each([
    ['one header', { trust: ['10.0.0.2'], header: 'x-real-ip' }, { 'X-Real-IP': '10.0.0.3' }, 'real_ip_recursive on'],
    ['hops', { trust: { hops: 1 } }, { 'X-Forwarded-For': '8.8.8.8, 10.0.0.3' }, '{ hops: 2 }'],
    ['a list', { trust: ['10.0.0.2'] }, { 'X-Forwarded-For': '8.8.8.8, 10.0.0.3' }, "['10.0.0.2', '10.0.0.3']"],
  ])('the cure for an address that is not public, with %s', (_title, clientIp, headers, cure) => {
    const { problems, visit } = shop(clientIp);
    visit(request({ headers: headers as Record<string, string> }));
    expect(problems).toMatchObject([{ code: 'NOT_PUBLIC', hint: expect.stringContaining(cure) }]);
  });

  test('an ordinary visitor: nothing', () => {
    const { problems, visit } = shop({ trust: ['10.0.0.2'] });
    visit(request({ headers: { 'X-Forwarded-For': '8.8.8.8' } }));
    visit(request({ remoteAddress: '8.8.8.8' }));
    expect(problems).toEqual([]);
  });
});

describe('the IPv4 probe', () => {
  const ipProbe = { url: 'https://v4.shop.example/wechat-h5/ip-probe', secret: 'probe-secret-of-the-shop' };
  const wechatH5 = createWechatH5({ ...OPTIONS, ipProbe, clientIp: { ipv6: 'send' } });
  const IPV6 = '240e:b0:203:4e90::1';

  /** One browser: asks for the page over IPv6, the probe over IPv4, and orders over IPv6. */
  function browse(
    probeFrom = '8.8.8.8',
    origin = 'https://shop.example',
  ): { token: string | null; cookie: string; status: number | undefined } {
    const page = bindToRequest(wechatH5, request({ remoteAddress: IPV6 })).ipProbePage('bm9uY2U=');
    const url = new URL(/fetch\("([^"]+)"/.exec(page.html)?.[1] ?? '');
    const cookie = page.setCookie?.split(';')[0] ?? '';
    const answer = ipProbeAnswer(
      wechatH5,
      request({
        remoteAddress: probeFrom,
        path: url.pathname,
        query: url.search.slice(1),
        headers: { Origin: origin },
      }),
    );
    return {
      token: answer?.status === 200 ? (JSON.parse(answer.body) as { token: string | null }).token : null,
      cookie,
      status: answer?.status,
    };
  }

  /** What would go over the wire; the gateway is never reached because the order is refused after the address is chosen. */
  async function payer(token: string | null, cookie: string, remoteAddress = IPV6): Promise<string> {
    let chosen = '';
    const bound = bindToRequest(
      {
        ...wechatH5,
        createOrder: async (order) => ((chosen = order.clientIp ?? ''), Promise.reject(new Error('stop'))),
      },
      request({ remoteAddress, headers: { Cookie: `a=b; ${cookie}` } }),
    );
    Object.getOwnPropertySymbols(wechatH5).forEach((symbol) =>
      Object.defineProperty(bound.instance, symbol, { value: Reflect.get(wechatH5, symbol) }),
    );
    await bound
      .createOrder({
        outTradeNo: 'ORDER-0001',
        body: 'Tea',
        totalFee: 1,
        ...(token === null ? {} : { ipProbe: token }),
      })
      .catch(() => {});
    return chosen;
  }

  test('the IPv4 address of the same browser is used', async () => {
    const { token, cookie } = browse();
    expect(token).toMatch(/^\d+\.8\.8\.8\.8\.[\w-]{43}$/);
    expect(await payer(token, cookie)).toBe('8.8.8.8');
  });

  test('a payer who orders over IPv4 needs none', async () => {
    const { token, cookie } = browse();
    expect(await payer(token, cookie, '9.9.9.9')).toBe('9.9.9.9');
  });

  test.each<[string, (token: string) => string, boolean]>([
    ['another browser', (token) => token, false],
    ['another address', (token) => token.replace('8.8.8.8', '9.9.9.9'), true],
    ['another end', (token) => token.replace(/^\d+/, (expires) => String(Number(expires) + 1)), true],
    ['none', () => '', true],
    ['garbage', () => '127.0.0.1', true],
  ])('%s: the token is worth nothing', async (_title, change, sameBrowser) => {
    const { token, cookie } = browse();
    expect(await payer(change(token ?? ''), sameBrowser ? cookie : browse().cookie)).toBe(IPV6);
  });

  test('after two minutes it is worth nothing', async () => {
    const { token, cookie } = browse();
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 121_000);
    expect(await payer(token, cookie)).toBe(IPV6);
    clock.mockReturnValue(now + 60_000);
    expect(await payer(token, cookie)).toBe('8.8.8.8');
    clock.mockRestore();
  });

  test("a shop that takes IPv4 payers only takes one who was probed, and with Express's own trust the probe finds him", async () => {
    const strict = createWechatH5({ ...OPTIONS, ipProbe, clientIp: { ipv6: 'reject', trust: 'express' } });
    const trust = (address: string): boolean => address === '10.0.0.2';
    const page = bindToRequest(strict, request({ remoteAddress: IPV6 }), trust).ipProbePage();
    const url = new URL(/fetch\("([^"]+)"/.exec(page.html)?.[1] ?? '');
    const headers = { Origin: 'https://shop.example', 'X-Forwarded-For': '8.8.8.8' };
    const visit = request({ path: url.pathname, query: url.search.slice(1), headers });
    const answer = pageReply('ip-probe', strict, visit, { mounted: false, trust });
    const { token } = JSON.parse(answer?.body ?? '') as { token: string };
    const cookie = page.setCookie?.split(';')[0] ?? '';
    const order = { outTradeNo: 'x', body: 'Tea', totalFee: 1 };
    const payerOverIpv6 = bindToRequest(strict, request({ remoteAddress: IPV6, headers: { Cookie: cookie } }), trust);
    await expect(payerOverIpv6.createOrder({ ...order, ipProbe: token })).rejects.toMatchObject({
      field: 'out_trade_no',
    });
    await expect(payerOverIpv6.createOrder(order)).rejects.toMatchObject({ code: 'IPV6_NOT_ALLOWED' });
  });

  test('reached over IPv6, the probe vouches for nothing', () => {
    expect(browse(IPV6)).toMatchObject({ status: 200, token: null });
  });

  test.each(['https://evil.example', 'https://shop.example.evil.example', 'null', 'https://evilshop.example'])(
    'a page of %s may not ask',
    (origin) => {
      expect(browse('8.8.8.8', origin).status).toBe(403);
    },
  );

  test('a subdomain may', () => {
    expect(browse('8.8.8.8', 'https://m.shop.example')).toMatchObject({ status: 200, token: expect.any(String) });
  });

  test('the page: one field, one script, a cookie no script can read', () => {
    const page = bindToRequest(wechatH5, request({ remoteAddress: IPV6 })).ipProbePage('bm9uY2U=');
    expect(page.html).toMatch(
      /^<input type="hidden" name="wechat_h5_ip" value=""><script nonce="bm9uY2U=">[^<]+<\/script>$/,
    );
    expect(page.setCookie).toMatch(/^wechat_h5_probe=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(() => bindToRequest(wechatH5, request()).ipProbePage('"><script>')).toThrow(
      expect.objectContaining({ field: 'nonce' }),
    );
  });

  test.each([
    ['ipProbe.url', { ...OPTIONS, ipProbe: { ...ipProbe, url: 'http://v4.shop.example/p' } }],
    ['ipProbe.url', { ...OPTIONS, ipProbe: { ...ipProbe, url: '/p' } }],
    ['ipProbe.secret', { ...OPTIONS, ipProbe: { ...ipProbe, secret: 'short' } }],
    ['merchant.h5Domains', { ...OPTIONS, merchant: { ...MERCHANT, h5Domains: [] }, ipProbe }],
  ])('%s is checked at start', (field, options) => {
    expect(() => createWechatH5(options)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID', field }));
  });
});
