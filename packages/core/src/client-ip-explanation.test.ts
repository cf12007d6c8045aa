import { createClientIpResolver, type ClientIpOptions } from './client-ip.js';

function explain(options: ClientIpOptions, remoteAddress: string | undefined, ...rawHeaders: string[]) {
  return createClientIpResolver(options).explain({ remoteAddress, rawHeaders });
}

test('tells the peer, every line, every hop and the address', () => {
  const explanation = explain(
    { trust: ['10.0.0.0/8', 'unix'] },
    '::ffff:10.0.0.2',
    'Host',
    'pay.example.com',
    'X-Forwarded-For',
    '6.6.6.6, 223.104.111.97',
    'X-Client-IP',
    '6.6.6.6',
    'x-forwarded-for',
    'unix:, 10.0.0.3:80',
  );
  expect(explanation).toEqual({
    peer: { address: '10.0.0.2', verdict: 'trusted' },
    header: 'x-forwarded-for',
    lines: [
      { name: 'X-Forwarded-For', value: '6.6.6.6, 223.104.111.97', read: true },
      { name: 'X-Client-IP', value: '6.6.6.6', read: false },
      { name: 'x-forwarded-for', value: 'unix:, 10.0.0.3:80', read: true },
    ],
    hops: [
      { hop: 1, text: '10.0.0.3:80', address: '10.0.0.3', verdict: 'trusted' },
      { hop: 2, text: 'unix:', address: undefined, verdict: 'trusted' },
      { hop: 3, text: '223.104.111.97', address: '223.104.111.97', verdict: 'payer' },
    ],
    clientIp: { ip: '223.104.111.97', family: 4, source: 'x-forwarded-for', hop: 3, public: true },
    error: undefined,
    suggestion: undefined,
  });
  expect(JSON.parse(JSON.stringify(explanation))).toMatchObject({ clientIp: { ip: '223.104.111.97' } });
});

test('tells where a walk ended, and the line that repairs it', () => {
  expect(explain({ trust: ['10.0.0.2'] }, '10.0.0.2', 'X-Forwarded-For', '223.104.111.97, unix:')).toMatchObject({
    hops: [{ hop: 1, text: 'unix:', address: undefined, verdict: 'not-an-address' }],
    clientIp: undefined,
    error: { code: 'ITEM_INVALID', message: 'X-Forwarded-For: entry 1 from the right is "unix:", not an IP address' },
    suggestion: { line: "clientIp: { trust: ['10.0.0.2', 'unix'] }" },
  });
});

test('the lines of a peer that is not trusted are shown, and not read', () => {
  expect(explain({ trust: ['10.0.0.2'] }, '223.104.111.97', 'X-Forwarded-For', '6.6.6.6')).toMatchObject({
    peer: { address: '223.104.111.97', verdict: 'not-trusted' },
    lines: [{ name: 'X-Forwarded-For', value: '6.6.6.6', read: false }],
    hops: [],
    clientIp: { ip: '223.104.111.97', source: 'socket' },
  });
});

test('hops are not judged by their address', () => {
  expect(explain({ trust: { hops: 2 } }, '10.0.0.2', 'X-Forwarded-For', '223.104.111.97, unknown')).toMatchObject({
    peer: { address: '10.0.0.2', verdict: 'not-checked' },
    lines: [{ read: true }],
    hops: [
      { hop: 1, text: 'unknown', verdict: 'not-checked' },
      { hop: 2, address: '223.104.111.97', verdict: 'payer' },
    ],
  });
});

test.each<[string, ClientIpOptions, Parameters<typeof explain>[1], string[], string]>([
  [
    'a proxy that is not listed',
    {},
    '127.0.0.1',
    ['X-Forwarded-For', '223.104.111.97'],
    "clientIp: { trust: ['127.0.0.1'] }",
  ],
  [
    'a second proxy that is not listed',
    { trust: ['10.0.0.2'] },
    '10.0.0.3',
    ['X-Forwarded-For', '6.6.6.6'],
    "clientIp: { trust: ['10.0.0.2', '10.0.0.3'] }",
  ],
  [
    'many are listed',
    { trust: ['10.0.0.2', '10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7'] },
    '10.0.0.3',
    ['X-Real-IP', '6.6.6.6'],
    "clientIp: { trust: [/* … */, '10.0.0.3'] }",
  ],
  [
    'the header stays as configured',
    { header: 'x-real-ip' },
    '10.0.0.3',
    ['X-Real-IP', '6.6.6.6'],
    "clientIp: { trust: ['10.0.0.3'], header: 'x-real-ip' }",
  ],
  [
    'a forger, or a CDN',
    {},
    '223.104.111.97',
    ['X-Forwarded-For', '6.6.6.6'],
    "clientIp: { trust: ['223.104.111.97'] }",
  ],
  ['a private peer that sends nothing', {}, '192.168.1.5', [], "clientIp: { trust: ['192.168.1.5'] }"],
  [
    'a private address behind the proxy',
    { trust: ['10.0.0.2'] },
    '10.0.0.2',
    ['X-Forwarded-For', '100.64.0.9'],
    "clientIp: { trust: ['10.0.0.2', '100.64.0.9'] }",
  ],
  ['an IPv6 payer', {}, '240e::1', [], "clientIp: { ipv6: 'send' }"],
])('suggests: %s', (_, options, peer, rawHeaders, line) => {
  const { suggestion, error } = explain(options, peer, ...rawHeaders);
  expect(error).toBeUndefined();
  expect(suggestion?.line).toBe(line);
  expect(suggestion?.en).toMatch(/^[A-Z0-9]/);
  expect(suggestion?.zh).toMatch(/\p{Script=Han}/u);
});

test.each<[string, ClientIpOptions, Parameters<typeof explain>[1], string[]]>([
  ['a public payer', {}, '223.104.111.97', []],
  [
    'a public payer behind a proxy',
    { trust: ['10.0.0.2'] },
    '10.0.0.2',
    ['X-Forwarded-For', '6.6.6.6, 223.104.111.97'],
  ],
  ['an IPv6 payer who may be sent', { ipv6: 'send' }, '240e::1', []],
])('suggests nothing: %s', (_, options, peer, rawHeaders) => {
  expect(explain(options, peer, ...rawHeaders)).toMatchObject({ error: undefined, suggestion: undefined });
});

test.each([
  ['none', undefined],
  ['gone', ''],
  ['no address', 'ohno'],
  ['huge', 'x'.repeat(100_000)],
])('never throws: peer %s', (_, peer) => {
  const { error, peer: shown } = explain({}, peer, 'X-Forwarded-For', ','.repeat(100_000), 'Forwarded');
  expect(error?.code).toMatch(/^(NO_PEER|PEER_INVALID)$/);
  expect(JSON.stringify(shown).length).toBeLessThan(600);
});

test('long foreign text is cut', () => {
  const { lines, hops } = explain({ trust: ['10.0.0.2'] }, '10.0.0.2', 'X-Forwarded-For', 'x'.repeat(100_000));
  expect(lines[0]?.value).toHaveLength(513);
  expect(hops[0]?.text.length).toBeLessThan(520);
});
