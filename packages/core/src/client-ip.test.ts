import {
  createClientIpResolver,
  type ClientIp,
  type ClientIpOptions,
  type ClientIpRequest,
  type TrustFunction,
} from './client-ip.js';
import { isWechatH5Error, type WechatH5Error } from './errors.js';

const OUR_PROXIES = ['10.0.0.0/8'];

function request(remoteAddress: string | undefined, ...rawHeaders: string[]): ClientIpRequest {
  return { remoteAddress, rawHeaders };
}

function xff(value: string): [name: string, value: string] {
  return ['X-Forwarded-For', value];
}

function resolve(options: ClientIpOptions, from: ClientIpRequest, trust?: TrustFunction): ClientIp {
  return createClientIpResolver(options).resolve(from, trust);
}

function refused(run: () => unknown): WechatH5Error {
  try {
    run();
  } catch (error) {
    if (isWechatH5Error(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('options', () => {
  test.each<[string, unknown, string, string]>([
    ['misspelt option', { maxHop: 3 }, 'OPTIONS_INVALID', 'Did you mean maxHops?'],
    ['option in another case', { nonpublic: 'reject' }, 'OPTIONS_INVALID', 'Did you mean nonPublic?'],
    ['unknown option', { proxies: [] }, 'OPTIONS_INVALID', 'trust, header, maxHops'],
    ['not an object', 'loopback', 'OPTIONS_INVALID', 'trust'],
    ['null', null, 'OPTIONS_INVALID', 'trust'],
    ['a list', ['loopback'], 'OPTIONS_INVALID', 'trust'],
    ['no hops', { maxHops: 0 }, 'OPTIONS_INVALID', '16'],
    ['half a hop', { maxHops: 1.5 }, 'OPTIONS_INVALID', '16'],
    ['hops as text', { maxHops: '16' }, 'OPTIONS_INVALID', '16'],
    ['too many hops', { maxHops: 1001 }, 'OPTIONS_INVALID', '16'],
    ['unknown nonPublic', { nonPublic: 'warn' }, 'OPTIONS_INVALID', "'reject'"],
    ['unknown ipv6', { ipv6: true }, 'OPTIONS_INVALID', "'send'"],
    ['nat64 as text', { nat64: 'no' }, 'OPTIONS_INVALID', 'false'],
    ['trust everybody', { trust: true }, 'TRUST_ALL', "trust: ['127.0.0.1']"],
    ['trust a star', { trust: '*' }, 'TRUST_ALL', "trust: ['127.0.0.1']"],
    ['trust as a number', { trust: 1 }, 'TRUST_INVALID', 'trust: { hops: 1 }'],
    ['trust as one entry', { trust: 'loopback' }, 'TRUST_INVALID', "trust: ['loopback']"],
    ['trust as a list in a string', { trust: '10.0.0.1,10.0.0.2' }, 'TRUST_INVALID', "trust: ['10.0.0.1', '10.0.0.2']"],
    ['Express in capitals', { trust: 'Express' }, 'TRUST_INVALID', "trust: 'express'"],
    ['trust false', { trust: false }, 'TRUST_INVALID', "trust: 'none'"],
    ['trust null', { trust: null }, 'TRUST_INVALID', "trust: 'none'"],
    ['trust a function', { trust: () => true }, 'TRUST_INVALID', "trust: 'none'"],
    ['misspelt hops', { trust: { hop: 1 } }, 'OPTIONS_INVALID', 'Did you mean hops?'],
    ['no hops given', { trust: {} }, 'TRUST_INVALID', '{ hops: 1 }'],
    ['negative hops', { trust: { hops: -1 } }, 'TRUST_INVALID', '{ hops: 1 }'],
    ['fractional hops', { trust: { hops: 0.5 } }, 'TRUST_INVALID', '{ hops: 1 }'],
    ['infinite hops', { trust: { hops: Infinity } }, 'TRUST_INVALID', '{ hops: 1 }'],
    ['hops as text', { trust: { hops: '1' } }, 'TRUST_INVALID', '{ hops: 1 }'],
    ['hops over maxHops', { trust: { hops: 17 } }, 'TRUST_INVALID', 'maxHops: 17'],
    ['a wrong entry', { trust: ['10.0.0.0/8', '10.0.0.5/8'] }, 'TRUST_INVALID', "'10.0.0.0/8'"],
    ['header name with a blank', { header: 'X Forwarded For' }, 'HEADER_NAME_INVALID', 'exactly one'],
    ['two header names', { header: 'x-forwarded-for,x-real-ip' }, 'HEADER_NAME_INVALID', 'exactly one'],
    ['a list of header names', { header: ['x-forwarded-for'] }, 'HEADER_NAME_INVALID', 'exactly one'],
    ['empty header name', { header: '' }, 'HEADER_NAME_INVALID', 'exactly one'],
    ['header name with a colon', { header: 'x-real-ip:' }, 'HEADER_NAME_INVALID', 'exactly one'],
    ['underscores', { header: 'X_Forwarded_For' }, 'HEADER_NAME_INVALID', "Did you mean 'x-forwarded-for'?"],
  ])('%s', (_, options, code, hint) => {
    const error = refused(() => createClientIpResolver(options as ClientIpOptions));
    expect(error).toMatchObject({
      code,
      hint: expect.stringContaining(hint),
      field: expect.stringContaining('clientIp'),
    });
  });

  test('undefined is the default, and the default trusts nobody', () => {
    const options = {
      trust: undefined,
      header: undefined,
      maxHops: undefined,
      nonPublic: undefined,
      ipv6: undefined,
      nat64: undefined,
    };
    for (const given of [undefined, {}, options as unknown as ClientIpOptions]) {
      expect(createClientIpResolver(given).resolve(request('203.0.113.7', ...xff('6.6.6.6')))).toEqual({
        ip: '203.0.113.7',
        family: 4,
        source: 'socket',
        hop: 0,
        public: false,
      });
    }
  });

  test("changing the caller's list later changes nothing", () => {
    const trust = ['10.0.0.2'];
    const resolver = createClientIpResolver({ trust });
    trust[0] = '203.0.113.7';
    expect(resolver.resolve(request('10.0.0.2', ...xff('203.0.113.7'))).ip).toBe('203.0.113.7');
    expect(resolver.explain(request('10.0.0.3', ...xff('6.6.6.6'))).suggestion?.line).toBe(
      "clientIp: { trust: ['10.0.0.2', '10.0.0.3'] }",
    );
  });

  test('the methods need no this', () => {
    const { resolve: bare } = createClientIpResolver();
    expect(bare(request('223.104.111.97')).ip).toBe('223.104.111.97');
  });
});

describe('I20 resolve', () => {
  test.each<[string, ClientIpOptions, ClientIpRequest, Partial<ClientIp>]>([
    [
      'direct',
      {},
      request('223.104.111.97'),
      { ip: '223.104.111.97', source: 'socket', hop: 0, public: true, family: 4 },
    ],
    [
      'one proxy',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('223.104.111.97')),
      { ip: '223.104.111.97', source: 'x-forwarded-for', hop: 1, public: true },
    ],
    [
      'two proxies',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('6.6.6.6, 203.0.113.7, 10.0.0.3')),
      { ip: '203.0.113.7', hop: 2 },
    ],
    ['UNIX socket', { trust: ['unix'] }, request(undefined, ...xff('203.0.113.7')), { ip: '203.0.113.7', hop: 1 }],
    [
      'UNIX socket between proxies',
      { trust: ['unix', '10.0.0.2'] },
      request('10.0.0.2', ...xff('6.6.6.6, 203.0.113.7, unix:')),
      { ip: '203.0.113.7', hop: 2 },
    ],
    [
      'an untrusted peer on its own is the payer',
      { trust: ['10.0.0.2'] },
      request('10.0.0.3', ...xff('6.6.6.6')),
      { ip: '10.0.0.3', source: 'socket' },
    ],
    ['mapped peer', { trust: ['10.0.0.2'] }, request('::ffff:10.0.0.2', ...xff('203.0.113.7')), { ip: '203.0.113.7' }],
    [
      'IPv6 proxy',
      { trust: ['fd00::/8'] },
      request('fd00::2', ...xff('240e::1')),
      { ip: '240e::1', family: 6, public: true },
    ],
    [
      'link-local proxy with a zone',
      { trust: ['linklocal'] },
      request('fe80::2%eth0', ...xff('203.0.113.7')),
      { ip: '203.0.113.7' },
    ],
    [
      'upper-case option',
      { trust: OUR_PROXIES, header: 'X-Real-IP' },
      request('10.0.0.2', 'x-real-ip', '203.0.113.7'),
      { ip: '203.0.113.7', source: 'x-real-ip', hop: 1 },
    ],
    [
      'blanks around a single address',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', '\t203.0.113.7 '),
      { ip: '203.0.113.7' },
    ],
    [
      'a single header ignores the list',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', ...xff('6.6.6.6'), 'X-Real-IP', '203.0.113.7', ...xff('7.7.7.7')),
      { ip: '203.0.113.7' },
    ],
    [
      'a single trusted address is still the answer',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', '10.0.0.9'),
      { ip: '10.0.0.9' },
    ],
    [
      'empty lines in between',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('203.0.113.7'), ...xff(''), ...xff(' , 10.0.0.3,')),
      { ip: '203.0.113.7', hop: 2 },
    ],
    [
      '64 empty items',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff(`203.0.113.7${','.repeat(64)}`)),
      { ip: '203.0.113.7', hop: 1 },
    ],
    [
      '16 hops',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff(`203.0.113.7${', 10.0.0.3'.repeat(15)}`)),
      { ip: '203.0.113.7', hop: 16 },
    ],
    [
      'more hops when told so',
      { trust: OUR_PROXIES, maxHops: 17 },
      request('10.0.0.2', ...xff(`203.0.113.7${', 10.0.0.3'.repeat(16)}`)),
      { hop: 17 },
    ],
    [
      'Forwarded over several lines',
      { trust: OUR_PROXIES, header: 'forwarded' },
      request('10.0.0.2', 'Forwarded', 'for=6.6.6.6, for="[2001:db8::17]:80"', 'Forwarded', 'proto=https;for=10.0.0.3'),
      { ip: '2001:db8::17', hop: 2, source: 'forwarded' },
    ],
    [
      'Forwarded, a proxy on a UNIX socket',
      { trust: ['10.0.0.2', 'unix'], header: 'forwarded' },
      request('10.0.0.2', 'Forwarded', 'for=203.0.113.7, for="unix:"'),
      { ip: '203.0.113.7' },
    ],
    [
      '0 hops are the socket',
      { trust: { hops: 0 } },
      request('203.0.113.7', ...xff('6.6.6.6')),
      { ip: '203.0.113.7', source: 'socket', hop: 0 },
    ],
    [
      '1 hop',
      { trust: { hops: 1 } },
      request('10.0.0.2', ...xff('6.6.6.6, 203.0.113.7')),
      { ip: '203.0.113.7', hop: 1 },
    ],
    [
      'hops over several lines',
      { trust: { hops: 2 } },
      request('10.0.0.2', ...xff('6.6.6.6, 203.0.113.7'), ...xff('10.0.0.3')),
      { ip: '203.0.113.7', hop: 2 },
    ],
    ['hops on a UNIX socket', { trust: { hops: 1 } }, request(undefined, ...xff('203.0.113.7')), { ip: '203.0.113.7' }],
    [
      'hops do not look at the peer',
      { trust: { hops: 1 } },
      request('ohno', ...xff('203.0.113.7')),
      { ip: '203.0.113.7' },
    ],
    [
      'hops count what is no address',
      { trust: { hops: 2 } },
      request('10.0.0.2', ...xff('203.0.113.7, unknown')),
      { ip: '203.0.113.7', hop: 2 },
    ],
    [
      'hops and a single header',
      { trust: { hops: 2 }, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', '203.0.113.7'),
      { ip: '203.0.113.7', hop: 1 },
    ],
    [
      'NAT64 payer',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('64:ff9b::223.104.111.97')),
      { ip: '223.104.111.97', family: 4, public: true },
    ],
    ['NAT64 peer', {}, request('64:ff9b::df68:6f61'), { ip: '223.104.111.97', source: 'socket' }],
    [
      'NAT64 is unwrapped after the trust decision',
      { trust: OUR_PROXIES },
      request('64:ff9b::10.0.0.2', ...xff('6.6.6.6')),
      { ip: '10.0.0.2', source: 'socket', public: false },
    ],
    ['NAT64 of nobody stays what it is', {}, request('64:ff9b::'), { ip: '64:ff9b::', public: false }],
    ['private, allowed', {}, request('192.168.1.5'), { ip: '192.168.1.5', public: false }],
  ])('%s', (_, options, from, expected) => {
    expect(resolve(options, from)).toMatchObject(expected);
  });

  test.each<[string, ClientIpOptions, ClientIpRequest, string, string]>([
    [
      'UNIX socket, not trusted',
      { trust: ['loopback'] },
      request(undefined),
      'NO_PEER',
      "clientIp: { trust: ['loopback', 'unix'] }",
    ],
    [
      'UNIX socket, 0 hops',
      { trust: { hops: 0 } },
      request(undefined, ...xff('6.6.6.6')),
      'NO_PEER',
      "clientIp: { trust: ['unix'] }",
    ],
    ['peer gone', { trust: OUR_PROXIES }, request('', ...xff('6.6.6.6')), 'NO_PEER', 'before any await'],
    [
      'peer gone is not a UNIX socket',
      { trust: ['unix'] },
      request('', ...xff('6.6.6.6')),
      'NO_PEER',
      'before any await',
    ],
    ['peer null', {}, request(null as unknown as string), 'PEER_INVALID', 'req.socket.remoteAddress'],
    ['peer with a port', {}, request('203.0.113.7:80'), 'PEER_INVALID', 'req.socket.remoteAddress'],
    ['peer unspecified', {}, request('0.0.0.0'), 'PEER_INVALID', 'req.socket.remoteAddress'],
    [
      'header missing',
      { trust: OUR_PROXIES },
      request('10.0.0.2', 'X-Real-IP', '6.6.6.6'),
      'HEADER_MISSING',
      'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    ],
    [
      'header of commas',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff(' , ,')),
      'HEADER_MISSING',
      'ProxyAddHeaders',
    ],
    [
      'Forwarded missing',
      { trust: OUR_PROXIES, header: 'forwarded' },
      request('10.0.0.2', ...xff('6.6.6.6')),
      'HEADER_MISSING',
      'option forwarded',
    ],
    [
      'single header missing',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2'),
      'HEADER_MISSING',
      'proxy_set_header X-Real-IP $remote_addr;',
    ],
    [
      'single header empty',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', ' '),
      'HEADER_MISSING',
      'proxy_set_header X-Real-IP $remote_addr;',
    ],
    [
      "a vendor's header missing",
      { trust: OUR_PROXIES, header: 'ali-cdn-real-ip' },
      request('10.0.0.2'),
      'HEADER_MISSING',
      'Aliyun CDN',
    ],
    [
      'single header twice',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', '203.0.113.7', 'X-REAL-IP', '203.0.113.7'),
      'HEADER_REPEATED',
      'http-request set-header X-Real-IP %[src]',
    ],
    [
      "a vendor's header twice",
      { trust: OUR_PROXIES, header: 'cf-connecting-ip' },
      request('10.0.0.2', 'CF-Connecting-IP', '6.6.6.6', 'CF-Connecting-IP', '203.0.113.7'),
      'HEADER_REPEATED',
      'Cloudflare',
    ],
    [
      'single header, no address',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', 'unknown'),
      'HEADER_INVALID',
      'RequestHeader set X-Real-IP "expr=%{REMOTE_ADDR}"',
    ],
    [
      'single header, unspecified',
      { trust: OUR_PROXIES, header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', '0.0.0.0'),
      'HEADER_INVALID',
      'proxy_set_header X-Real-IP $remote_addr;',
    ],
    [
      'single header, UNIX',
      { trust: ['10.0.0.2', 'unix'], header: 'x-real-ip' },
      request('10.0.0.2', 'X-Real-IP', 'unix:'),
      'HEADER_INVALID',
      'proxy_set_header',
    ],
    [
      'unspecified',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('0.0.0.0')),
      'ITEM_INVALID',
      'proxy_set_header X-Forwarded-For $remote_addr;',
    ],
    [
      'unknown',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('203.0.113.7, unknown')),
      'ITEM_INVALID',
      'forwarded_for on',
    ],
    [
      'UNIX socket between, not trusted',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('203.0.113.7, unix:')),
      'ITEM_INVALID',
      "clientIp: { trust: ['10.0.0.0/8', 'unix'] }",
    ],
    [
      'two addresses without a comma',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('6.6.6.6 203.0.113.7')),
      'ITEM_INVALID',
      'proxy_set_header',
    ],
    [
      'no-break space',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('203.0.113.7\u00a0')),
      'ITEM_INVALID',
      'proxy_set_header',
    ],
    [
      'markup',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('1.1.1.1</spbill_create_ip>')),
      'ITEM_INVALID',
      'proxy_set_header',
    ],
    [
      'Forwarded, hidden',
      { trust: OUR_PROXIES, header: 'forwarded' },
      request('10.0.0.2', 'Forwarded', 'for=_hidden'),
      'ITEM_INVALID',
      'for="[2001:db8::1]"',
    ],
    [
      'Forwarded, unspecified',
      { trust: OUR_PROXIES, header: 'forwarded' },
      request('10.0.0.2', 'Forwarded', 'for="[::]"'),
      'ITEM_INVALID',
      'option forwarded',
    ],
    [
      'Forwarded, a quoted comma',
      { trust: OUR_PROXIES, header: 'forwarded' },
      request('10.0.0.2', 'Forwarded', 'for=203.0.113.7;host="a,for=6.6.6.6;x=b"'),
      'ITEM_INVALID',
      'option forwarded',
    ],
    [
      'fewer entries than hops',
      { trust: { hops: 3 } },
      request('10.0.0.2', ...xff('203.0.113.7, 10.0.0.3')),
      'CHAIN_TOO_SHORT',
      'clientIp: { trust: { hops: 2 } }',
    ],
    [
      'no entries for hops',
      { trust: { hops: 1 } },
      request('10.0.0.2', ...xff('')),
      'HEADER_MISSING',
      'proxy_set_header',
    ],
    [
      '17 hops',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff(`203.0.113.7${', 10.0.0.3'.repeat(16)}`)),
      'TOO_MANY_HOPS',
      'clientIp: { maxHops: 32 }',
    ],
    [
      '65 empty items',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff(`203.0.113.7${','.repeat(65)}`)),
      'TOO_MANY_HOPS',
      'proxy_set_header',
    ],
    [
      '65 empty lines',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('203.0.113.7'), ...Array(65).fill(xff('')).flat()),
      'TOO_MANY_HOPS',
      'proxy_set_header',
    ],
    [
      'everybody is a proxy',
      { trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('10.0.0.4, 10.0.0.3')),
      'ALL_TRUSTED',
      'each proxy, and nothing else',
    ],
    ['private payer', { nonPublic: 'reject' }, request('192.168.1.5'), 'NOT_PUBLIC', '由于商家传入的H5交易参数有误'],
    [
      'private payer behind a proxy',
      { nonPublic: 'reject', trust: OUR_PROXIES },
      request('10.0.0.2', ...xff('100.64.0.9')),
      'NOT_PUBLIC',
      "clientIp: { trust: ['10.0.0.0/8', '100.64.0.9'] }",
    ],
    [
      'private payer in NAT64',
      { nonPublic: 'reject' },
      request('64:ff9b::192.168.1.5'),
      'NOT_PUBLIC',
      '由于商家传入的H5交易参数有误',
    ],
    ['IPv6 payer', { ipv6: 'reject' }, request('240e::1'), 'IPV6_NOT_ALLOWED', 'AAAA'],
    [
      'non-public comes before IPv6',
      { ipv6: 'reject', nonPublic: 'reject' },
      request('fd00::1'),
      'NOT_PUBLIC',
      'fd00::1',
    ],
  ])('refuses: %s', (_, options, from, code, hint) => {
    const error = refused(() => resolve(options, from));
    expect(error).toMatchObject({ code, hint: expect.stringContaining(hint) });
    expect(error.hint).toMatch(/\p{Script=Han}/u);
    expect(error.field).toBeTruthy();
  });

  test.each([['warn'], ['send']] as const)("ipv6: '%s' gives the address and leaves the rest to the caller", (ipv6) => {
    expect(resolve({ ipv6 }, request('240e::1'))).toEqual({
      ip: '240e::1',
      family: 6,
      source: 'socket',
      hop: 0,
      public: true,
    });
  });

  test("ipv6: 'reject' lets a NAT64 payer through, who is IPv4 to the cashier", () => {
    expect(resolve({ ipv6: 'reject' }, request('64:ff9b::223.104.111.97')).family).toBe(4);
    expect(refused(() => resolve({ ipv6: 'reject', nat64: false }, request('64:ff9b::223.104.111.97'))).code).toBe(
      'IPV6_NOT_ALLOWED',
    );
  });

  test('a message quotes and clips what the visitor sent', () => {
    const { message } = refused(() =>
      resolve({ trust: OUR_PROXIES }, request('10.0.0.2', ...xff(`\u001b[2J"${'x'.repeat(300)}`))),
    );
    expect(message).toContain('\\u001b[2J\\"xxx');
    expect(message.length).toBeLessThan(160);
  });
});

describe("trust: 'express'", () => {
  const express: ClientIpOptions = { trust: 'express' };

  test('walks by the function of the application', () => {
    const asked: [string, number][] = [];
    const trusts: TrustFunction = (address, hop) => {
      asked.push([address, hop]);
      return address.startsWith('10.');
    };
    expect(
      resolve(express, request('::ffff:10.0.0.2', ...xff('6.6.6.6, 203.0.113.7, 10.0.0.3:80')), trusts),
    ).toMatchObject({ ip: '203.0.113.7', hop: 2 });
    expect(asked.slice(-3)).toEqual([
      ['10.0.0.2', 0],
      ['10.0.0.3', 1],
      ['203.0.113.7', 2],
    ]);
  });

  test('a hop count', () => {
    expect(resolve(express, request('10.0.0.2', ...xff('6.6.6.6, 203.0.113.7')), (_, hop) => hop < 1).ip).toBe(
      '203.0.113.7',
    );
    expect(resolve(express, request(undefined, ...xff('6.6.6.6, 203.0.113.7')), (_, hop) => hop < 1).ip).toBe(
      '203.0.113.7',
    );
  });

  test('trust proxy off', () => {
    expect(resolve(express, request('203.0.113.7', ...xff('6.6.6.6')), () => false).ip).toBe('203.0.113.7');
  });

  test('an async function trusts nobody, not everybody', () => {
    const trusts = (async () => true) as unknown as TrustFunction;
    expect(resolve(express, request('203.0.113.7', ...xff('6.6.6.6')), trusts).ip).toBe('203.0.113.7');
  });

  test.each<[string, TrustFunction | undefined, string]>([
    ['trust proxy true', () => true, 'TRUST_ALL'],
    ['no application', undefined, 'OPTIONS_INVALID'],
    [
      'a function that throws',
      () => {
        throw new Error('broken');
      },
      'TRUST_INVALID',
    ],
  ])('refuses: %s', (_, trusts, code) => {
    const from = request('10.0.0.2', ...xff('203.0.113.7'));
    expect(refused(() => resolve(express, from, trusts)).code).toBe(code);
    expect(createClientIpResolver(express).explain(from, trusts)).toMatchObject({
      error: { code },
      peer: { verdict: 'unknown' },
    });
  });

  test('another trust does not look at the function', () => {
    const never: TrustFunction = () => {
      throw new Error('asked');
    };
    expect(resolve({ trust: OUR_PROXIES }, request('10.0.0.2', ...xff('203.0.113.7')), never).ip).toBe('203.0.113.7');
  });
});
