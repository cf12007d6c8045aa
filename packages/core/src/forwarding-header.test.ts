import { forwardedFor, headerLines, ItemsFromTheRight, parseForwardedNode, trimmed } from './forwarding-header.js';

test('headerLines finds a name in any case, and never folds an underscore', () => {
  const raw = [
    'X-Forwarded-For',
    'a',
    'X_Forwarded_For',
    'b',
    'x-FORWARDED-for',
    'c',
    'X-Forwarded-Fo',
    'd',
    'x-forwarded-for',
  ];
  expect(headerLines(raw, 'x-forwarded-for')).toEqual(['a', 'c']);
  expect(headerLines([], 'x-forwarded-for')).toEqual([]);
});

test("trimmed takes HTTP's white space and no other", () => {
  expect(trimmed(' \t a b\t ')).toBe('a b');
  expect(trimmed('\u00a0a\u2003')).toBe('\u00a0a\u2003');
  expect(trimmed('\na\r')).toBe('\na\r');
  expect(trimmed(' \t')).toBe('');
});

describe('ItemsFromTheRight', () => {
  test.each([
    [[], []],
    [[''], ['']],
    [['a'], ['a']],
    [['a, b,c'], ['c', 'b', 'a']],
    [[' a\t,\t b '], ['b', 'a']],
    [['a,,b,'], ['', 'b', '', 'a']],
    [[','], ['', '']],
    [
      ['a, b', 'c'],
      ['c', 'b', 'a'],
    ],
    [
      ['a', '', 'b'],
      ['b', '', 'a'],
    ],
    [['for="a, b"'], ['b"', 'for="a']],
    [['a b, c d'], ['c d', 'a b']],
  ])('%j', (lines, items) => {
    expect(all(lines)).toEqual(items);
  });

  test('cuts an item that is too long to be one, and stops there', () => {
    expect(all(['a', `b,${'x'.repeat(512)}`])).toEqual(['x'.repeat(512), 'b', 'a']);
    expect(all(['a', `b,${'x'.repeat(513)}`])).toEqual([`…${'x'.repeat(512)}`]);
    expect(all([`,${' '.repeat(600)}x`])).toEqual([expect.stringMatching(/^… +x$/)]);
  });

  function all(lines: readonly string[]): string[] {
    const reader = new ItemsFromTheRight(lines);
    const items: string[] = [];
    for (let item = reader.next(); item !== undefined; item = reader.next()) items.push(item);
    expect(reader.next()).toBeUndefined();
    return items;
  }
});

describe('forwardedFor', () => {
  test.each([
    ['for=203.0.113.7', '203.0.113.7'],
    ['FOR=203.0.113.7', '203.0.113.7'],
    ['for="203.0.113.7"', '203.0.113.7'],
    ['for="203.0.113.7:4711"', '203.0.113.7:4711'],
    ['for="[2001:db8::17]:4711"', '[2001:db8::17]:4711'],
    ['for="\\[2001:db8::17\\]"', '[2001:db8::17]'],
    ['for="2\\03.0.113.7"', '203.0.113.7'],
    ['for="a\\"b\\\\c"', 'a"b\\c'],
    ['proto=https;for=203.0.113.7;by=10.0.0.3', '203.0.113.7'],
    ['for=203.0.113.7; proto=https ;by=_x', '203.0.113.7'],
    ['for=203.0.113.7;', '203.0.113.7'],
    ['for=203.0.113.7;host="a;for=6.6.6.6"', '203.0.113.7'],
    ['for=203.0.113.7;host=pay.example.com:8443', '203.0.113.7'],
    ['for=unknown', 'unknown'],
    ['for=_hidden', '_hidden'],
    ['for=""', ''],
  ])('%s', (element, node) => {
    expect(forwardedFor(element)).toBe(node);
  });

  test.each([
    ['no for', 'proto=https'],
    ['not a pair', '203.0.113.7'],
    ['no value', 'for='],
    ['no name', '=203.0.113.7'],
    ['two of them', 'for=203.0.113.7;for=6.6.6.6'],
    ['two, in different case', 'for=203.0.113.7;For=203.0.113.7'],
    ['bare brackets', 'for=[2001:db8::17]'],
    ['bare colon', 'for=203.0.113.7:4711'],
    ['blank around =', 'for = 203.0.113.7'],
    ['unbalanced quote', 'for="203.0.113.7'],
    ['quote at the end', 'for=203.0.113.7"'],
    ['text after the quote', 'for="203.0.113.7"x'],
    ['blank between pairs', 'for=203.0.113.7 proto=https'],
    // a visitor's Host, quoted by the proxy after for=, cut at its comma
    ['end of a quoted text', 'for=6.6.6.6;x=b"'],
    ['end of an escaped quoted text', 'for=6.6.6.6;x=\\"b"'],
    ['end of a quoted text before for=', 'for=6.6.6.6";for=203.0.113.7'],
    ['an unterminated quote before for=', 'x=";for=203.0.113.7'],
    ['cut off', '…for=203.0.113.7'],
  ])('refuses: %s', (_, element) => {
    expect(forwardedFor(element)).toBeUndefined();
  });
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:4711', '203.0.113.7'],
  ['203.0.113.7:_port', '203.0.113.7'],
  ['[2001:db8::17]', '2001:db8::17'],
  ['[2001:db8::17]:_p', '2001:db8::17'],
  ['[::ffff:203.0.113.7]', '203.0.113.7'],
  ['2001:db8::17', undefined],
  ['::ffff:203.0.113.7', undefined],
  ['203.0.113.7:_', undefined],
  ['unknown', undefined],
  ['_hidden', undefined],
  ['', undefined],
])('the node of a Forwarded element: %s', (node, ip) => {
  expect(parseForwardedNode(node)?.text).toBe(ip);
});
