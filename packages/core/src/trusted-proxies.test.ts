import fc from 'fast-check';
import { isWechatH5Error } from './errors.js';
import { parseIpAddress } from './ip-address.js';
import { trustList } from './trusted-proxies.js';

function trusts(entries: readonly unknown[], text: string): boolean {
  return trustList(entries).trusts(parseIpAddress(text)!, 1);
}

function refusal(entry: unknown): { code: string; message: string; hint: string; field: string | undefined } {
  try {
    trustList(['127.0.0.1', entry]);
  } catch (error) {
    if (isWechatH5Error(error))
      return { code: error.code, message: error.message, hint: error.hint, field: error.field };
    throw error;
  }
  throw new Error(`accepted ${String(entry)}`);
}

test.each([
  [
    '10.0.0.0/8',
    ['10.0.0.0', '10.255.255.255', '::ffff:10.0.0.1'],
    ['9.255.255.255', '11.0.0.0', '::10.0.0.1', '64:ff9b::10.0.0.1'],
  ],
  ['10.0.0.2', ['10.0.0.2', '::ffff:a00:2'], ['10.0.0.1', '10.0.0.3']],
  ['::ffff:10.0.0.0/104', ['10.0.0.2', '10.255.255.255'], ['11.0.0.0', '::a00:2']],
  ['::ffff:10.0.0.2', ['10.0.0.2'], ['10.0.0.3']],
  ['198.51.100.128/25', ['198.51.100.128', '198.51.100.255'], ['198.51.100.127', '198.51.101.128']],
  ['2001:db8:1::/48', ['2001:db8:1::', '2001:db8:1:ffff::1'], ['2001:db8:2::', '2001:db8::1']],
  ['2001:DB8::17', ['2001:db8::17'], ['2001:db8::18']],
  ['fc00::/7', ['fc00::1', 'fdff::1'], ['fe00::1', 'fbff::1']],
  [
    'loopback',
    ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1'],
    ['126.255.255.255', '128.0.0.0', '::2', '10.0.0.1'],
  ],
  ['linklocal', ['169.254.0.1', 'fe80::1', 'febf::1'], ['169.255.0.1', 'fec0::1', '127.0.0.1']],
  [
    'uniquelocal',
    ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fd12::1'],
    ['172.32.0.0', '192.169.0.1', '127.0.0.1', '100.64.0.1'],
  ],
  ['cgnat', ['100.64.0.1', '100.127.255.255'], ['100.128.0.0', '100.63.255.255', '10.0.0.1']],
  ['unix', [], ['127.0.0.1', '::1', '0.0.0.1']],
])('%s', (entry, inside, outside) => {
  for (const text of inside) expect([text, trusts([entry], text)]).toEqual([text, true]);
  for (const text of outside) expect([text, trusts([entry], text)]).toEqual([text, false]);
});

test('a UNIX socket is trusted by its name only', () => {
  expect(trustList(['unix']).trusts(undefined, 0)).toBe(true);
  expect(trustList(['loopback', 'uniquelocal']).trusts(undefined, 0)).toBe(false);
  expect(trustList([]).trusts(undefined, 0)).toBe(false);
});

test('IPv4 and IPv6 ranges with the same leading octet keep apart', () => {
  const entries = ['10.0.0.0/8', '1000::/8'];
  expect(['10.0.0.1', '1000::1', '1100::1', 'a00::1', '16.0.0.1'].map((text) => trusts(entries, text))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(['32.0.0.1', '2001:db8::1', '2002::1'].map((text) => trusts(['32.0.0.0/8', '2001:db8::/32'], text))).toEqual([
    true,
    true,
    false,
  ]);
});

test('an empty list trusts nobody', () => {
  expect(['127.0.0.1', '::1', '203.0.113.7'].some((text) => trusts([], text))).toBe(false);
});

test.each([
  ['octal', '010.0.0.1', undefined],
  ['hexadecimal', '0x7f000001', undefined],
  ['host name', 'proxy.example.com', undefined],
  ['empty', '', undefined],
  ['localhost', 'localhost', "'loopback'"],
  ['misspelt preset', 'lopback', "'loopback'"],
  ['preset in capitals', 'Loopback', "'loopback'"],
  ['private', 'private', "'uniquelocal'"],
  ['inherited name', 'constructor', undefined],
  ['two in one string', '10.0.0.1, 10.0.0.2', "'10.0.0.1', '10.0.0.2'"],
  ['blank in front', ' 10.0.0.1', "'10.0.0.1'"],
  ['port', '10.0.0.1:8080', "'10.0.0.1'"],
  ['brackets', '[2001:db8::1]', "'2001:db8::1'"],
  ['zone', 'fe80::1%eth0', "'fe80::1'"],
  ['host bits', '10.0.0.5/8', "'10.0.0.0/8'"],
  ['host bits of IPv6', '2001:db8::1/32', "'2001:db8::/32'"],
  ['host bits of a mapped range', '::ffff:10.0.0.5/104', "'10.0.0.0/8'"],
  ['prefix too long', '10.0.0.0/33', undefined],
  ['IPv6 prefix too long', '2001:db8::/129', undefined],
  ['prefix with leading zero', '10.0.0.0/08', undefined],
  ['no prefix', '10.0.0.0/', undefined],
  ['negative prefix', '10.0.0.0/-8', undefined],
  ['two slashes', '10.0.0.0/8/8', undefined],
  ['netmask', '10.0.0.0/255.0.0.0', "'10.0.0.0/8'"],
  ['netmask with a hole', '10.0.0.0/255.0.255.0', undefined],
  ['mapped prefix that means IPv4 (CVE-2026-90711)', '::ffff:10.0.0.0/8', "'10.0.0.0/8'"],
  ['mapped prefix over the marker', '::ffff:10.0.0.0/95', undefined],
  ['unspecified', '0.0.0.0', undefined],
  ['unspecified IPv6', '::', undefined],
  ['too long', '1'.repeat(65), undefined],
  ['number', 10, undefined],
  ['null', null, undefined],
])('TRUST_INVALID: %s', (_, entry, meant) => {
  const { code, hint, field } = refusal(entry);
  expect({ code, field }).toEqual({ code: 'TRUST_INVALID', field: 'clientIp.trust[1]' });
  if (meant === undefined) expect(hint).not.toMatch(/Did you mean/);
  else expect(hint).toContain(`Did you mean ${meant}`);
  expect(hint).toMatch(/\p{Script=Han}/u);
});

test.each([
  '0.0.0.0/0',
  '::/0',
  '::ffff:0:0/96',
  '::ffff:0.0.0.0/96',
  '::ffff:1.2.3.4/0',
  '8.8.8.8/0',
  '0.0.0.0/1',
  '128.0.0.0/1',
  '2000::/3',
  '::/1',
])('TRUST_ALL: %s', (entry) => {
  expect(refusal(entry)).toMatchObject({ code: 'TRUST_ALL', field: 'clientIp.trust[1]' });
});

test('a huge entry is clipped in the message', () => {
  expect(refusal('x'.repeat(1e6)).message.length).toBeLessThan(200);
});

test("I20 an address is trusted exactly when its leading bits are a range's", () => {
  const address = fc.oneof(
    fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 }),
  );
  // Most flips keep the address inside or just outside of a range: random pairs would never meet.
  const pair = fc.record({ network: address, prefix: fc.nat(128), flip: fc.nat(127) });
  fc.assert(
    fc.property(pair, fc.array(pair, { maxLength: 3 }), ({ network, prefix: wish, flip }, others) => {
      const ranges = [...others.map(({ network: bytes, prefix }) => rangeOf(bytes, prefix)), rangeOf(network, wish)];
      const candidate = flipped(network, flip);
      const expected = ranges.some(
        ({ bytes, prefix }) =>
          bytes.length === candidate.length && bitsOf(bytes).startsWith(bitsOf(candidate).slice(0, prefix)),
      );
      const entries = ranges.map(({ bytes, prefix }) => `${textOf(bytes)}/${prefix}`);
      expect([entries, textOf(candidate), trusts(entries, textOf(candidate))]).toEqual([
        entries,
        textOf(candidate),
        expected,
      ]);
    }),
    { numRuns: 2_000 },
  );
});

/** Bytes cut to a prefix that the option accepts: IPv6 with its first bit set, clear of IPv4-mapped and `::`. */
function rangeOf(bytes: readonly number[], wish: number): { bytes: number[]; prefix: number } {
  const prefix = Math.max(8, wish % (bytes.length * 8 + 1));
  const first = anchored(bytes);
  return { bytes: first.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i)))), prefix };
}

function anchored(bytes: readonly number[]): number[] {
  return bytes.map((byte, i) => (i === 0 ? byte | 0x80 : byte));
}

function flipped(bytes: readonly number[], bit: number): number[] {
  const at = bit % (bytes.length * 8);
  return anchored(bytes).map((byte, i) => (i === at >> 3 && at > 0 ? byte ^ (0x80 >> (at & 7)) : byte));
}

function bitsOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

function textOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! * 256 + bytes[2 * i + 1]!).toString(16)).join(':');
}
