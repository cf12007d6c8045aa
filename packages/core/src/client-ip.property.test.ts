import fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';
import { createClientIpResolver, type ClientIpOptions, type ClientIpRequest, type TrustFunction } from './client-ip.js';
import { isWechatH5Error } from './errors.js';
import { ipFromGroups, ipv4FromBits, type IpAddress } from './ip-address.js';

const TRUST = ['10.0.0.0/8', 'fd00::/8'];
const RUNS = { numRuns: process.env['NIGHTLY'] ? 50_000 : 2_000 };

const ipv4 = fc.nat(0xffffffff).map(ipv4FromBits);
const ipv6 = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }).map(ipFromGroups);
const anyAddress: fc.Arbitrary<IpAddress> = fc.oneof(ipv4, ipv6);
const visitorAddress = anyAddress.filter(
  ({ text }) => !isOurs(text) && text !== '::' && text !== '0.0.0.0' && !text.startsWith('64:ff9b::'),
);
const proxyAddress = fc.oneof(
  fc.nat(0xffffff).map((bits) => ipv4FromBits(0x0a000000 + bits)),
  ipv6.filter((address) => address.family === 6).map(({ groups }) => ipFromGroups([0xfd00, ...groups.slice(1)])),
);

function isOurs(text: string): boolean {
  return text.startsWith('10.') || /^fd..:/.test(text);
}

/** What somebody writes who wants to be taken for somebody else, or to break the reading. */
const forgery = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ',',
          ', ',
          '"',
          '\\',
          ';',
          '=',
          'for=',
          'For="',
          '[',
          ']',
          ' ',
          '\t',
          ':80',
          'unix:',
          'unknown',
          '_x',
          '6.6.6.6',
        ),
        fc.constantFrom(
          '10.0.0.1',
          '::1',
          '[fd00::1]:80',
          '::ffff:10.0.0.9',
          '0x0a000001',
          ',,,,,,,,',
          '\u00a0',
          '%eth0',
        ),
        anyAddress.map(({ text }) => text),
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
  fc.nat(200).map((count) => ','.repeat(count)),
  fc.nat(2_000).map((count) => 'x'.repeat(count)),
);

const anyHeaders = fc.array(
  fc.tuple(
    fc.constantFrom('X-Forwarded-For', 'x-forwarded-for', 'Forwarded', 'X-Real-IP', 'X_Forwarded_For', 'Cookie'),
    forgery,
  ),
  { maxLength: 6 },
);

/** How one proxy hands on a header: into the last line, into one line made of all, or as a line of its own. */
const manner = fc.constantFrom<'last' | 'join' | 'line'>('last', 'join', 'line');

type Line = readonly [name: string, value: string];

function handOn(lines: readonly Line[], header: string, item: string, how: 'last' | 'join' | 'line'): Line[] {
  const isNamed = ([name]: Line): boolean => name.toLowerCase() === header;
  const last = lines.findLast(isNamed);
  if (last === undefined || how === 'line') return [...lines, [header, item]];
  if (how === 'last') return lines.map((line) => (line === last ? [line[0], `${line[1]}, ${item}`] : line));
  const joined = [...lines.filter(isNamed).map(([, value]) => value), item].join(', ');
  return [...lines.filter((line) => !isNamed(line)), [header, joined]];
}

const chain = fc.array(fc.tuple(proxyAddress, manner), { minLength: 1, maxLength: 4 });

/** A visitor's request, carried through the proxies: the first appends the visitor, each next one the proxy before it. */
function carried(
  header: string,
  visitor: IpAddress,
  sent: readonly Line[],
  proxies: readonly (readonly [IpAddress, 'last' | 'join' | 'line'])[],
  write: (address: IpAddress) => string,
): ClientIpRequest {
  let lines = [...sent];
  let from = visitor;
  for (const [proxy, how] of proxies) {
    lines = handOn(lines, header, write(from), how);
    from = proxy;
  }
  return { remoteAddress: from.text, rawHeaders: lines.flat() };
}

describe('I20 whatever a visitor sends, the address that our proxy appended wins', () => {
  test('X-Forwarded-For', () => {
    const resolver = createClientIpResolver({ trust: TRUST });
    const spelling = fc.constantFrom<(address: IpAddress) => string>(
      ({ text }) => text,
      ({ text, family }) => (family === 4 ? `${text}:51234` : `[${text}]:51234`),
      ({ text, family }) => (family === 4 ? `::ffff:${text}` : text.toUpperCase()),
    );
    fc.assert(
      fc.property(visitorAddress, anyHeaders, chain, spelling, (visitor, sent, proxies, write) => {
        const found = resolver.resolve(carried('x-forwarded-for', visitor, sent, proxies, write));
        expect([found.ip, found.hop]).toEqual([visitor.text, proxies.length]);
      }),
      RUNS,
    );
  });

  test('Forwarded', () => {
    const resolver = createClientIpResolver({ trust: TRUST, header: 'forwarded' });
    const write = ({ text, family }: IpAddress): string =>
      family === 4 ? `for=${text};proto=https` : `proto=https;for="[${text}]:80"`;
    fc.assert(
      fc.property(visitorAddress, anyHeaders, chain, (visitor, sent, proxies) => {
        const found = resolver.resolve(carried('forwarded', visitor, sent, proxies, write));
        expect([found.ip, found.hop]).toEqual([visitor.text, proxies.length]);
      }),
      RUNS,
    );
  });

  test('as many hops as there are proxies', () => {
    fc.assert(
      fc.property(visitorAddress, anyHeaders, chain, (visitor, sent, proxies) => {
        const resolver = createClientIpResolver({ trust: { hops: proxies.length } });
        expect(resolver.resolve(carried('x-forwarded-for', visitor, sent, proxies, ({ text }) => text)).ip).toBe(
          visitor.text,
        );
      }),
      RUNS,
    );
  });

  test('a header that our proxy overwrites', () => {
    const resolver = createClientIpResolver({ trust: TRUST, header: 'x-real-ip' });
    fc.assert(
      fc.property(visitorAddress, anyHeaders, proxyAddress, (visitor, sent, proxy) => {
        const kept = sent.filter(([name]) => name !== 'X-Real-IP');
        const rawHeaders = [...kept, ['X-Real-IP', visitor.text] as const].flat();
        expect(resolver.resolve({ remoteAddress: proxy.text, rawHeaders }).ip).toBe(visitor.text);
      }),
      RUNS,
    );
  });

  test('no proxy at all', () => {
    const trusts: ClientIpOptions['trust'][] = ['none', TRUST, { hops: 0 }];
    fc.assert(
      fc.property(
        visitorAddress,
        anyHeaders,
        fc.constantFrom(...trusts),
        fc.constantFrom('x-forwarded-for', 'forwarded', 'x-real-ip'),
        (visitor, sent, trust, header) => {
          const resolver = createClientIpResolver({ trust: trust!, header });
          expect(resolver.resolve({ remoteAddress: visitor.text, rawHeaders: sent.flat() })).toMatchObject({
            ip: visitor.text,
            source: 'socket',
          });
        },
      ),
      RUNS,
    );
  });
});

test('I20 every answer is a canonical address, every refusal a named error, and explain says the same', () => {
  const options = fc.record(
    {
      trust: fc.constantFrom<NonNullable<ClientIpOptions['trust']>>('none', TRUST, ['unix', ...TRUST], { hops: 2 }),
      header: fc.constantFrom('x-forwarded-for', 'forwarded', 'x-real-ip'),
      nonPublic: fc.constantFrom('allow' as const, 'reject' as const),
      ipv6: fc.constantFrom('send' as const, 'reject' as const),
      nat64: fc.boolean(),
    },
    { requiredKeys: ['trust', 'header'] },
  );
  const peer = fc.oneof(
    fc.constantFrom(undefined, '', '10.0.0.2', 'fd00::2'),
    anyAddress.map(({ text }) => text),
    forgery,
  );
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(options, peer, anyHeaders, (given, remoteAddress, headers) => {
      const resolver = createClientIpResolver(given as ClientIpOptions);
      const request = { remoteAddress, rawHeaders: headers.flat() };
      const explained = resolver.explain(request);
      let outcome: string;
      try {
        const found = resolver.resolve(request);
        expect(isIP(found.ip)).toBe(found.family);
        expect(new URL(`http://${found.family === 6 ? `[${found.ip}]` : found.ip}`).hostname).toBe(
          found.family === 6 ? `[${found.ip}]` : found.ip,
        );
        expect(explained.clientIp).toEqual(found);
        outcome = found.source;
      } catch (error) {
        if (!isWechatH5Error(error)) throw error;
        expect(explained.error).toEqual({ code: error.code, message: error.message, hint: error.hint });
        expect(error.message.length).toBeLessThan(300);
        outcome = error.code;
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
    RUNS,
  );
  // The inputs reach answers and refusals of most kinds, or the property would say little.
  expect(outcomes.size).toBeGreaterThanOrEqual(10);
});

describe('I20 bounded work', () => {
  const TEN_THOUSAND = 10_000;

  test.each<[string, string, number]>([
    ['trusted entries', `203.0.113.7${', 10.0.0.1'.repeat(TEN_THOUSAND)}`, 17],
    ['forged entries', `${'10.0.0.1, '.repeat(TEN_THOUSAND)}203.0.113.7`, 2],
    ['empty entries', `203.0.113.7${','.repeat(TEN_THOUSAND)}`, 1],
    ['entries that are no addresses', 'x,'.repeat(TEN_THOUSAND), 1],
  ])('%s', (_, value, limit) => {
    let asked = 0;
    const trusts: TrustFunction = (address, hop) => {
      if (hop < Number.MAX_SAFE_INTEGER) asked++;
      return address.startsWith('10.');
    };
    createClientIpResolver({ trust: 'express' }).explain(
      { remoteAddress: '10.0.0.2', rawHeaders: ['X-Forwarded-For', value] },
      trusts,
    );
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(limit);
  });

  test.each([
    ['a listed range is compared by proxy-addr, once for each hop', '10.0.0.0/9', 17],
    ['one that the leading octet decides is not compared at all', '10.0.0.0/8', 0],
  ])('%s', (_title, range, comparisons) => {
    let compared = 0;
    const { compile } = proxyAddr;
    const spy = jest.spyOn(proxyAddr, 'compile').mockImplementation((ranges) => {
      const matches = compile(ranges);
      return (address, hop) => {
        compared++;
        return matches(address, hop);
      };
    });
    const resolver = createClientIpResolver({ trust: [range] });
    spy.mockRestore();
    const rawHeaders = ['X-Forwarded-For', `203.0.113.7${', 10.0.0.1'.repeat(TEN_THOUSAND)}`];
    expect(() => resolver.resolve({ remoteAddress: '10.0.0.2', rawHeaders })).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_HOPS' }),
    );
    expect(compared).toBe(comparisons);
  });
});

test('I20 agrees with proxy-addr wherever every entry is a plain address and somebody is not a proxy', () => {
  const resolver = createClientIpResolver({ trust: TRUST });
  const trusts = proxyAddr.compile(TRUST);
  const entry = fc.oneof(visitorAddress, proxyAddress, proxyAddress);
  fc.assert(
    fc.property(
      proxyAddress,
      fc.array(entry, { minLength: 1, maxLength: 10 }),
      visitorAddress,
      (peer, entries, visitor) => {
        const value = [visitor, ...entries].map(({ text }) => text).join(', ');
        // proxy-addr reads these two properties and no other.
        const message = {
          headers: { 'x-forwarded-for': value },
          socket: { remoteAddress: peer.text },
        } as unknown as IncomingMessage;
        expect(resolver.resolve({ remoteAddress: peer.text, rawHeaders: ['X-Forwarded-For', value] }).ip).toBe(
          proxyAddr(message, trusts),
        );
      },
    ),
    RUNS,
  );
});
