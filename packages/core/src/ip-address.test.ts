import fc from 'fast-check';
import { isIP } from 'node:net';
import { ipFromGroups, isUnspecified, nat64Address, parseIpAddress, parseIpAndPort } from './ip-address.js';

describe('parseIpAddress', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7', 4],
    ['0.0.0.0', '0.0.0.0', 4],
    ['255.255.255.255', '255.255.255.255', 4],
    ['2001:db8:cafe::17', '2001:db8:cafe::17', 6],
    ['2001:0DB8:CAFE:0000:0000:0000:0000:0017', '2001:db8:cafe::17', 6],
    ['::', '::', 6],
    ['::1', '::1', 6],
    ['1::', '1::', 6],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', 6],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8', 6],
    // RFC 5952 §4.2: the longest run, the first of equals, never one group alone
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 6],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', 6],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 6],
    ['64:ff9b::203.0.113.7', '64:ff9b::cb00:7107', 6],
    ['::203.0.113.7', '::cb00:7107', 6],
    ['::ffff:203.0.113.7', '203.0.113.7', 4],
    ['::FFFF:cb00:7107', '203.0.113.7', 4],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7', 4],
    ['fe80::1%eth0', 'fe80::1', 6],
    ['febf::1%en0.5-x_y', 'febf::1', 6],
    ['fe80::1%12', 'fe80::1', 6],
  ])('%s is %s', (text, canonical, family) => {
    expect(parseIpAddress(text)).toMatchObject({ text: canonical, family });
  });

  test.each([
    ['empty', ''],
    ['octal', '010.0.0.1'],
    ['leading zero', '203.0.113.07'],
    ['double zero', '10.00.0.1'],
    ['hexadecimal', '0x7f000001'],
    ['one number', '2130706433'],
    ['inet_aton, two parts', '127.1'],
    ['three parts', '1.2.3'],
    ['five parts', '1.2.3.4.5'],
    ['octet over 255', '203.0.113.256'],
    ['empty octet', '1..2.3'],
    ['dot at the end', '1.2.3.4.'],
    ['dot at the start', '.1.2.3.4'],
    ['sign', '+1.2.3.4'],
    ['blank', ' 1.2.3.4'],
    ['newline', '1.2.3.4\n'],
    ['NUL', '1.2.3.4\0'],
    ['no-break space', '1.2.3.4\u00a0'],
    ['full-width digits', '２０３.0.113.7'],
    ['Arabic-Indic digits', '٢.0.113.7'],
    ['port', '1.2.3.4:80'],
    ['brackets', '[::1]'],
    ['prefix', '10.0.0.0/8'],
    ['colon alone', ':'],
    ['three colons', ':::'],
    ['gap twice', '1::2::3'],
    ['gap for nothing', '1:2:3:4::5:6:7:8'],
    ['seven groups', '1:2:3:4:5:6:7'],
    ['nine groups', '1:2:3:4:5:6:7:8:9'],
    ['five digits', '12345::'],
    ['five zeros', '::00000'],
    ['not hexadecimal', '::g'],
    ['quad too early', '::1.2.3.4:5'],
    ['quad with eight groups', '1:2:3:4:5:6:7:1.2.3.4'],
    ['octal quad', '::ffff:010.0.0.1'],
    ['hexadecimal quad', '::ffff:a.b.c.d'],
    ['colon at the end', '1:2:3:4:5:6:7:8:'],
    ['colon at the start', ':1:2:3:4:5:6:7:8'],
    ['zone on a global address', '2001:db8::1%eth0'],
    ['zone on a mapped address', '::ffff:1.2.3.4%eth0'],
    ['zone on IPv4', '169.254.0.1%eth0'],
    ['empty zone', 'fe80::1%'],
    ['zone too long', `fe80::1%${'x'.repeat(17)}`],
    ['zone with markup', 'fe80::1%<x>'],
    ['two zones', 'fe80::1%a%b'],
    ['too long', `${'0'.repeat(64)}::1`],
  ])('refuses: %s', (_, text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });
});

describe('parseIpAndPort', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['203.0.113.7:0', '203.0.113.7'],
    ['203.0.113.7:65535', '203.0.113.7'],
    ['2001:db8::17', '2001:db8::17'],
    ['[2001:db8::17]', '2001:db8::17'],
    ['[2001:db8::17]:443', '2001:db8::17'],
    ['[::ffff:203.0.113.7]:80', '203.0.113.7'],
    ['[fe80::1%eth0]:80', 'fe80::1'],
  ])('%s is %s', (text, canonical) => {
    expect(parseIpAndPort(text)?.text).toBe(canonical);
  });

  test.each([
    '',
    ':',
    ':80',
    '203.0.113.7:',
    '203.0.113.7:65536',
    '203.0.113.7:123456',
    '203.0.113.7:8o',
    '203.0.113.7: 80',
    '203.0.113.7:80:90',
    '[203.0.113.7]',
    '[203.0.113.7]:80',
    '[2001:db8::17',
    '2001:db8::17]',
    '[2001:db8::17]443',
    '[2001:db8::17]:',
    '[[::1]]',
    '[]',
    '[',
    '"203.0.113.7"',
    'unknown',
    'example.com:80',
  ])('refuses %s', (text) => {
    expect(parseIpAndPort(text)).toBeUndefined();
  });

  test('refuses 64 KiB', () => {
    expect(parseIpAndPort('1'.repeat(65_536))).toBeUndefined();
    expect(parseIpAndPort(`[${':'.repeat(65_536)}]`)).toBeUndefined();
  });
});

test('nat64Address unwraps 64:ff9b::/96 and nothing else', () => {
  const embedded = (text: string) => nat64Address(parseIpAddress(text)!)?.text;
  expect(embedded('64:ff9b::223.104.111.97')).toBe('223.104.111.97');
  expect(embedded('64:ff9b::')).toBeUndefined();
  expect(embedded('64:ff9b:1::223.104.111.97')).toBeUndefined();
  expect(embedded('64:ff9b::1:223.104.111.97')).toBeUndefined();
  expect(embedded('65:ff9b::223.104.111.97')).toBeUndefined();
  expect(embedded('223.104.111.97')).toBeUndefined();
});

test('isUnspecified knows both spellings of nobody', () => {
  expect(
    ['0.0.0.0', '::', '::ffff:0.0.0.0', '0:0:0:0:0:0:0:0'].map((text) => isUnspecified(parseIpAddress(text)!)),
  ).toEqual(Array(4).fill(true));
  expect(['0.0.0.1', '::1'].map((text) => isUnspecified(parseIpAddress(text)!))).toEqual([false, false]);
});

test("I20 the text of an IPv6 address is the URL standard's host", () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xf), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const written = groups.map((value) => value.toString(16)).join(':');
      const address = ipFromGroups(groups);
      expect(parseIpAddress(written)).toEqual(address);
      if (address.family === 6) expect(`[${address.text}]`).toBe(new URL(`http://[${written}]`).hostname);
    }),
    { numRuns: 5_000 },
  );
});

test('I20 reading what was written gives the same address', () => {
  fc.assert(
    fc.property(fc.ipV6(), (written) => {
      const address = parseIpAddress(written)!;
      expect(parseIpAddress(address.text)).toEqual(address);
    }),
    { numRuns: 2_000 },
  );
});

// net.isIP is an independent implementation. Zones apart (it takes any, on any address), the two must agree.
test('I20 agrees with net.isIP on what is an address', () => {
  const runs = process.env['NIGHTLY'] ? 4_000_000 : 250_000;
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
  const random = mulberry32(seed);
  let valid = 0;
  for (let i = 0; i < runs; i++) {
    const text = nearlyAnAddress(random);
    const expected = isIP(text) > 0;
    const actual = parseIpAddress(text) !== undefined;
    if (actual !== expected)
      throw new Error(`SEED=${seed}: ${JSON.stringify(text)} is ${expected ? '' : 'not '}an address`);
    if (expected) valid++;
  }
  // Strings that are all wrong, or all right, would prove nothing.
  expect(valid / runs).toBeGreaterThan(0.1);
  expect(valid / runs).toBeLessThan(0.9);
});

// Under Jest each look-up of a global costs as much as parsing an address.
const { floor, imul } = Math;

/** An address in one of its spellings, with up to three characters changed, dropped or added. */
function nearlyAnAddress(random: () => number): string {
  const below = (limit: number): number => floor(random() * limit);
  let text = below(3) === 0 ? dottedQuad(below) : colonGroups(below);
  for (let edits = below(4); edits > 0; edits--) {
    const at = below(text.length + 1);
    const inserted = below(3) === 0 ? '' : '0123456789abcdefABCDEFg:::..x \n'.charAt(below(32));
    text = text.slice(0, at) + inserted + text.slice(at + below(2));
  }
  return text;
}

function dottedQuad(below: (limit: number) => number): string {
  return [0, 0, 0, 0].map(() => below([10, 100, 256, 260][below(4)]!)).join('.');
}

function colonGroups(below: (limit: number) => number): string {
  const groups = [0, 0, 0, 0, 0, 0, 0, 0].map(() =>
    below([1, 16, 65_536][below(3)]!).toString(16).padStart(below(5), '0'),
  );
  if (below(3) === 0) groups.splice(6, 2, dottedQuad(below));
  if (below(2) === 0) {
    const from = below(groups.length);
    groups.splice(from, 1 + below(groups.length - from), '');
    if (groups[0] === '') groups.unshift('');
    if (groups.at(-1) === '') groups.push('');
  }
  return groups.join(':');
}

/** A small seeded generator: fast-check's is too slow for this many. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
