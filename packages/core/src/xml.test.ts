import fc from 'fast-check';
import { isWechatH5Error } from './errors.js';
import { DOCUMENTED_NAMES } from './field-name.js';
import { buildXml, parseFlatXml, parseXml } from './xml.js';

const xml = (inside: string): string => `<xml>${inside}</xml>`;
const entries = (document: string | Uint8Array): [string, string][] => Object.entries(parseXml(document));

describe('what the dialect allows', () => {
  test.each<[string, string, Record<string, string>]>([
    ['text', xml('<a>1</a>'), { a: '1' }],
    ['CDATA', xml('<a><![CDATA[1]]></a>'), { a: '1' }],
    ['several sections', xml('<a><![CDATA[x]]><![CDATA[y]]></a>'), { a: 'xy' }],
    ['D11: CDATA next to text', xml('<a>x<![CDATA[y]]>z</a>'), { a: 'xyz' }],
    ['D11: an empty section', xml('<a><![CDATA[]]></a>'), { a: '' }],
    ['D11: ]]> split over two sections', xml('<a><![CDATA[x]]]]><![CDATA[>y]]></a>'), { a: 'x]]>y' }],
    ['markup inside CDATA', xml('<a><![CDATA[<b>&amp;</b>]]></a>'), { a: '<b>&amp;</b>' }],
    ['an empty element', xml('<a></a><b/>'), { a: '', b: '' }],
    ['no fields', xml(''), {}],
    ['white space between', `\n <xml>\r\n\t<a>1</a> \n<b>2</b></xml>\n`, { a: '1', b: '2' }],
    ['I16: a byte order mark', `\ufeff${xml('<a>1</a>')}`, { a: '1' }],
    ['a declaration', `<?xml version="1.0" encoding="UTF-8"?>\n${xml('<a>1</a>')}`, { a: '1' }],
    ['a declaration without an encoding', `<?xml version='1.0'?>${xml('<a>1</a>')}`, { a: '1' }],
    [
      'a declaration with everything',
      `\ufeff<?xml\tversion = "1.0"\n encoding = 'utf-8' standalone="yes" ?>\r\n${xml('<a>1</a>')}`,
      { a: '1' },
    ],
    ['D12: white space inside a value', xml('<a>  x\t</a><b><![CDATA[ y ]]></b>'), { a: '  x\t', b: ' y ' }],
    ['line ends as they are', xml('<a>x\r\ny</a><b><![CDATA[\r\n]]></b>'), { a: 'x\r\ny', b: '\r\n' }],
    [
      'D13: numbers are text',
      xml('<a>1004400740201409030005092168</a><b>007</b><c>1e3</c><d>+1</d><e>1.0</e>'),
      { a: '1004400740201409030005092168', b: '007', c: '1e3', d: '+1', e: '1.0' },
    ],
    ['D14: the five entities', xml('<a>&lt;&gt;&amp;&quot;&apos;</a>'), { a: '<>&"\'' }],
    ['D14: decoded once', xml('<a>&amp;lt;&amp;#49;</a>'), { a: '&lt;&#49;' }],
    ['D14: numeric references', xml('<a>&#49;&#x652F;&#128512;&#10;</a>'), { a: '1支😀\n' }],
    ['D14: a reference to white space', xml('<a>&#13;&#10;&#x9;&#x20;</a>'), { a: '\r\n\t ' }],
    [
      'D14: the last characters that XML allows',
      xml('<a>&#xFFFD;&#x10FFFF;&#xE000;&#xD7FF;</a>'),
      { a: '\ufffd\u{10ffff}\ue000\ud7ff' },
    ],
    ['D14: leading zeros', xml('<a>&#0000000000000000000065;</a>'), { a: 'A' }],
    ['D11: references next to CDATA', xml('<a>&lt;<![CDATA[&lt;]]>&lt;</a>'), { a: '<&lt;<' }],
    [
      'D11: brackets',
      xml('<a>]]</a><b>]]]&gt;</b><c><![CDATA[]]]]]></c><d>></d>'),
      { a: ']]', b: ']]]>', c: ']]]', d: '>' },
    ],
    ['D13: full-width digits', xml('<a>１００</a>'), { a: '１００' }],
    ['D12: controls that XML allows', xml('<a>\t\n\r\x7f\x85</a>'), { a: '\t\n\r\x7f\x85' }],
    ['D21: four-byte characters', xml('<a>𠮷🎁</a>'), { a: '𠮷🎁' }],
    [
      'D15: names nobody knows',
      xml('<coupon_fee_0>1</coupon_fee_0><Neu-1.x>2</Neu-1.x>'),
      { coupon_fee_0: '1', 'Neu-1.x': '2' },
    ],
  ])('%s', (_title, document, expected) => {
    expect(Object.fromEntries(entries(document))).toEqual(expected);
    expect(Object.fromEntries(entries(Buffer.from(document)))).toEqual(expected);
  });

  test('D07: a name of the prototype is a name like any other', () => {
    const fields = parseXml(
      xml('<__proto__>1</__proto__><constructor>2</constructor><hasOwnProperty>3</hasOwnProperty>'),
    );
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(Object.keys(fields)).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });
});

const BYTES = (...bytes: number[]): Uint8Array =>
  Buffer.concat([Buffer.from('<xml><a>'), Buffer.from(bytes), Buffer.from('</a></xml>')]);

describe('what it refuses', () => {
  test.each<[string, string | Uint8Array]>([
    ['D02: a field twice', xml('<a>1</a><a>1</a>')],
    ['D02: a field twice, far apart', xml('<a>1</a><b>2</b><a>1</a>')],
    ['D03: nesting', xml('<a><b>1</b></a>')],
    ['D03: an attribute', xml('<a x="1">1</a>')],
    ['D03: an attribute of the root', '<xml a="1"><a>1</a></xml>'],
    ['D03: stray text', xml('hello<a>1</a>')],
    ['D03: a comment between', xml('<!-- c --><a>1</a>')],
    ['D03: a comment inside', xml('<a>1<!-- c -->2</a>')],
    ['D03: a processing instruction', xml('<?php 1 ?><a>1</a>')],
    ['D03: white space before a declaration', ` <?xml version="1.0"?>${xml('<a>1</a>')}`],
    ['D03: a second declaration', `<?xml version="1.0"?><?xml version="1.0"?>${xml('<a>1</a>')}`],
    ['D03: XML 1.1', `<?xml version="1.1"?>${xml('<a>1</a>')}`],
    ['D03: a declaration without a version', `<?xml encoding="utf-8"?>${xml('<a>1</a>')}`],
    ['D03: white space behind a name', xml('<a >1</a>')],
    ['D03: white space in a close tag', xml('<a>1</a >')],
    ['D03: a close tag of another field', xml('<aaaa>1</aaab>')],
    ['D03: a close tag that is longer', xml('<aaaa>1</aaaab>')],
    ['D03: a close tag that is shorter', xml('<aaaab>1</aaaa>')],
    ['D03: a close tag alone', xml('</a>')],
    ['D03: a root without an end', '<xml/>'],
    ['D03: text behind the last field', xml('<a>1</a>x')],
    ['D03: a byte order mark between', xml('<a>1</a>\ufeff<b>2</b>')],
    ['D03: two roots', xml('<a>1</a>') + xml('<a>2</a>')],
    ['D03: trailing garbage', `${xml('<a>1</a>')}x`],
    ['D03: leading garbage', `x${xml('<a>1</a>')}`],
    ['D03: a stray CDATA section', xml('<![CDATA[x]]>')],
    ['D04: a DOCTYPE', `<!DOCTYPE xml>${xml('<a>1</a>')}`],
    ['D04: an external entity', `<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xml('<a>&e;</a>')}`],
    ['D05: billion laughs', `<!DOCTYPE xml [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${xml('<a>&b;</a>')}`],
    ['D05: an entity nobody declared', xml('<a>&nbsp;</a>')],
    ['D05: a reference that denotes no character', xml('<a>&#0;</a>')],
    ['D05: a reference to half of a pair', xml('<a>&#xD800;</a>')],
    ['D05: a reference beyond Unicode', xml('<a>&#x110000;</a>')],
    ['D05: a reference without an end', xml('<a>&amp</a>')],
    ['D05: a reference without digits', xml('<a>&#;</a>')],
    ['D05: a hexadecimal reference without digits', xml('<a>&#x;</a>')],
    ['D05: a reference with an upper-case X', xml('<a>&#X41;</a>')],
    ['D05: hexadecimal digits in a decimal reference', xml('<a>&#4A;</a>')],
    ['D05: an entity in upper case', xml('<a>&LT;</a>')],
    ['D05: a reference to U+FFFF', xml('<a>&#xFFFF;</a>')],
    ['D05: a reference to a control', xml('<a>&#8;</a>')],
    ['D05: a number with a million digits', xml(`<a>&#${'9'.repeat(60_000)};</a>`)],
    ['D05: a number that overflows into a letter', xml('<a>&#4294967361;</a>')],
    ['D05: a bare ampersand', xml('<a>x & y</a>')],
    ['D06: 20,000 levels', `${'<a>'.repeat(20_000)}`],
    ['D08: invalid UTF-8', BYTES(0xff)],
    ['D08: an overlong form', BYTES(0xc0, 0xaf)],
    ['D08: half of a surrogate pair', BYTES(0xed, 0xa0, 0x80)],
    ['D08: a truncated sequence', BYTES(0xe6, 0x94)],
    ['D08: a continuation byte alone', BYTES(0x80)],
    ['D08: beyond Unicode', BYTES(0xf4, 0x90, 0x80, 0x80)],
    ['D08: an overlong form of three bytes', BYTES(0xe0, 0x80, 0xaf)],
    [
      'D08: a character that two sections share',
      Buffer.concat([
        Buffer.from('<xml><a><![CDATA['),
        Buffer.from([0xe6]),
        Buffer.from(']]><![CDATA['),
        Buffer.from([0x94, 0xaf]),
        Buffer.from(']]></a></xml>'),
      ]),
    ],
    ['D09: NUL', BYTES(0)],
    ...Array.from({ length: 32 }, (_, byte) => byte)
      .filter((byte) => ![0x09, 0x0a, 0x0d].includes(byte))
      .flatMap((byte): [string, Uint8Array][] => [
        [`D09: the control ${byte} in text`, BYTES(0x61, byte, 0x62)],
        [`D09: the control ${byte} in CDATA`, Buffer.from(xml(`<a><![CDATA[x${String.fromCharCode(byte)}]]></a>`))],
      ]),
    ['D09: a control between fields', xml('<a>1</a>\u0000<b>2</b>')],
    ['D09: a NUL behind the root', `${xml('<a>1</a>')}\u0000`],
    ['D09: U+FFFF in CDATA', xml('<a><![CDATA[\uffff]]></a>')],
    ['D09: U+FFFE', xml('<a>\ufffe</a>')],
    ['D10: UTF-16', Buffer.from(`\ufeff${xml('<a>1</a>')}`, 'utf16le')],
    ['D10: GBK', BYTES(0xd6, 0xa7, 0xb8, 0xb6)],
    ['D10: another encoding declared', `<?xml version="1.0" encoding="GBK"?>${xml('<a>1</a>')}`],
    ['D11: ]]> in text', xml('<a>x]]>y</a>')],
    ['D19: 129 fields', xml(Array.from({ length: 129 }, (_, n) => `<f${n}>1</f${n}>`).join(''))],
    ['D19: a name of 65 characters', xml(`<${'n'.repeat(65)}>1</${'n'.repeat(65)}>`)],
    ['D19: a name of a megabyte', `<xml><${'n'.repeat(1_000_000)}>`],
    ['D19: a byte more than 64 KiB', Buffer.from(xml(`<a>${'x'.repeat(65_536 - 17)}</a>`))],
    ['D19: more than 64 KiB', xml(`<a>${'x'.repeat(65_536)}</a>`)],
    ['a name in another case at the end', xml('<a>1</A>')],
    ['another root', '<root><a>1</a></root>'],
    ['a name that begins with a digit', xml('<1a>1</1a>')],
    ['a name that is none', xml('<a[]>1</a[]>')],
    ['a blank before the name', xml('< a>1</a>')],
    ['D27: HTML', '<!DOCTYPE html><html><body>502</body></html>'],
    ['D27: JSON', '{"a":1}'],
    ['nothing', ''],
    ['white space', ' \n '],
  ])('%s', (_title, document) => {
    expect(() => parseXml(document)).toThrow(
      expect.objectContaining({ code: 'XML_INVALID', message: expect.stringMatching(/./) }),
    );
    if (typeof document === 'string')
      expect(() => parseXml(Buffer.from(document))).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
  });

  test('D08: half of a surrogate pair in a string, which no bytes can carry', () => {
    expect(() => parseXml(xml('<a>\ud83d</a>'))).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
  });

  test('D19: the limits themselves are allowed', () => {
    expect(entries(xml(Array.from({ length: 128 }, (_, n) => `<f${n}>1</f${n}>`).join('')))).toHaveLength(128);
    expect(entries(xml(`<${'n'.repeat(64)}>1</${'n'.repeat(64)}>`))).toHaveLength(1);
    const full = xml(`<a>${'x'.repeat(65_536 - 18)}</a>`);
    expect(Buffer.byteLength(full)).toBe(65_536);
    expect(entries(full)).toHaveLength(1);
  });
});

describe('what a refusal says', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['where', xml('<a>1</a><b>2</c>'), 'at byte 17: expected </b>, found "</c"'],
    ['where, in bytes', xml('<a>支付</a><b c="d"/>'), 'at byte 20: expected > or /> right behind the name, found " "'],
    [
      'no name in a value',
      xml('<a>1<secret</a>'),
      'at byte 9: expected text, a CDATA section or a close tag, found "<"',
    ],
    ['no name behind a name', xml('<a<secret</a>'), 'at byte 7: expected > or /> right behind the name, found "<"'],
    ['which field came twice', xml('<a>1</a><b>2</b><a>3</a>'), 'at byte 21: expected <a> only once, found "<a"'],
    ['that it ended', '<xml><a>1', 'at byte 9: expected a close tag, found the end'],
    ['that a section ended', '<xml><a><![CDATA[1]]', 'at byte 20: expected ]]>, found the end'],
    ['which byte', BYTES(0x61, 0), 'at byte 9: expected a character that XML allows, found byte 0x00'],
    ['where UTF-8 breaks', BYTES(0xe6, 0x94, 0xaf, 0x80, 0x61), 'at byte 11: expected UTF-8, found byte 0x80'],
    ['how long it is', 'x'.repeat(65_537), 'expected at most 65536 bytes, found 65537'],
    ['what was passed instead', { a: 1 } as unknown as string, 'expected bytes or a string, found object'],
  ])('%s', (_title, document, reason) => {
    expect(() => parseXml(document)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(reason), hint: expect.stringContaining('报文') }),
    );
  });

  test('X12: nothing of a value', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(255), (at, byte) => {
        const bytes = Buffer.from(xml('<a>CANARY</a><b><![CDATA[CANARY]]></b><c>&amp;CANARY&amp;</c>').repeat(2));
        bytes[at % bytes.length] = byte;
        try {
          parseXml(bytes);
        } catch (error) {
          expect(isWechatH5Error(error) && error.message + error.hint).not.toMatch(/ANAR/);
        }
      }),
      {
        examples: [
          [7, 0x3c],
          [8, 0x3c],
          [13, 0x3c],
          [21, 0x3c],
        ],
      },
    );
  });
});

test('the root of what req_info holds', () => {
  expect({ ...parseFlatXml('<root><refund_status>SUCCESS</refund_status></root>', 'root') }).toEqual({
    refund_status: 'SUCCESS',
  });
  expect(() => parseFlatXml(xml(''), 'root')).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
  expect(entries(xml('<a>1</a>'))).toEqual([['a', '1']]);
});

describe('wherever it stands among characters that need no second look', () => {
  const PLACES = {
    text: (value: Buffer) => Buffer.concat([Buffer.from('<xml><a>'), value, Buffer.from('</a></xml>')]),
    CDATA: (value: Buffer) => Buffer.concat([Buffer.from('<xml><a><![CDATA['), value, Buffer.from(']]></a></xml>')]),
  };
  type Place = keyof typeof PLACES;
  const BOTH: Place[] = ['text', 'CDATA'];
  /** Values with the piece at every distance from both ends. */
  const around = (piece: Buffer): Buffer[] =>
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((before) =>
      [0, 1, 2, 3, 4].map((behind) =>
        Buffer.concat([Buffer.from('abcdefg'.slice(0, before)), piece, Buffer.from('hijk'.slice(0, behind))]),
      ),
    );
  const CONTROLS = Array.from({ length: 32 }, (_, byte) => byte).filter((byte) => ![0x09, 0x0a, 0x0d].includes(byte));

  test.each<[string, Buffer, Place[]]>([
    ...CONTROLS.map((byte): [string, Buffer, Place[]] => [`D09: the control ${byte}`, Buffer.from([byte]), BOTH]),
    ['D09: U+FFFE', Buffer.from([0xef, 0xbf, 0xbe]), BOTH],
    ['D09: U+FFFF', Buffer.from([0xef, 0xbf, 0xbf]), BOTH],
    ['D08: a byte that begins nothing', Buffer.from([0xff]), BOTH],
    ['D08: a character cut short', Buffer.from([0xef, 0xbf]), BOTH],
    ['D11: the end of a section', Buffer.from(']]>'), BOTH],
    ['D11: the end of a section behind a bracket', Buffer.from(']]]>'), BOTH],
    ['D05: an ampersand', Buffer.from('&'), ['text']],
    ['D03: a bracket', Buffer.from('<'), ['text']],
  ])('%s is refused', (_title, piece, places) => {
    for (const value of around(piece)) {
      for (const place of places)
        expect(() => parseXml(PLACES[place](value))).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
    }
  });

  test.each<[string, Place[]]>([
    ...['\t', '\r\n', '\x7f', '\x80', '\ufffd', '\uf000', '\ufdd0', '支', '🎁', ']', ']]', '>'].map(
      (piece): [string, Place[]] => [piece, BOTH],
    ),
    ...['<', '</a>', '&', '&amp;', '<![CDATA[', ']>'].map((piece): [string, Place[]] => [piece, ['CDATA']]),
  ])('D12: %j is kept', (piece, places) => {
    for (const value of around(Buffer.from(piece))) {
      for (const place of places) expect(entries(PLACES[place](value))).toEqual([['a', value.toString()]]);
    }
  });
});

test('a name is read whole, whichever was expected', () => {
  for (const name of DOCUMENTED_NAMES) {
    for (const other of [`${name}_`, `${name}0`, name.slice(0, -1), `${name.slice(0, -1)}Z`]) {
      // Read once before, a name is expected where it stood.
      expect(entries(xml(`<${name}>1</${name}>`))).toEqual([[name, '1']]);
      expect(entries(xml(`<${other}>2</${other}>`))).toEqual([[other, '2']]);
      expect(() => parseXml(xml(`<${name}>1</${other}>`))).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
      expect(() => parseXml(xml(`<${other}>1</${name}>`))).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
    }
  }
});

test('where a document is cut off, the one before shows in nothing', () => {
  const document = Buffer.from(xml('<a><![CDATA[1]]]]></a><b>x&#65;]]</b><c/>'));
  for (let length = 0; length < document.length; length++) {
    const reasons = ['/', '<', '>', ']', ';', 'p', '[', 'a', '\xbf'].map((byte) => {
      expect(() => parseXml(Buffer.alloc(document.length, byte, 'latin1'))).toThrow('not the XML of WeChat Pay');
      try {
        return JSON.stringify(entries(document.subarray(0, length)));
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect([length, new Set(reasons).size]).toEqual([length, 1]);
  }
});

test('a document leaves nothing behind for the next one', () => {
  const documents = fc.array(
    fc.oneof(
      fc.dictionary(fc.stringMatching(/^[a-c]{1,3}$/), fc.string({ maxLength: 20 })).map((fields) => {
        const inside = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
        return xml(inside.join(''));
      }),
      fc.constantFrom('<xml><sign>AB</sign><a', '<xml><b>1</b></xml>', '<xml><b/><a>&#x652F;</a></xml>', '<root/>'),
    ),
    { minLength: 2, maxLength: 6 },
  );
  const outcome = (document: string): unknown => {
    try {
      return entries(document);
    } catch (error) {
      return (error as Error).message;
    }
  };
  fc.assert(
    fc.property(documents, (list) => {
      const alone = outcome(list[0] as string);
      for (const document of list) outcome(document);
      expect(outcome(list[0] as string)).toEqual(alone);
    }),
  );
});

describe('D01: truncated at every byte', () => {
  test.each([
    xml('<appid><![CDATA[wx2421b1c4370ec43b]]></appid><attach>支付&amp;测试</attach><sign><![CDATA[AB]]></sign>'),
    `\ufeff<?xml version="1.0" encoding="utf-8"?>\n<xml>\n <a/>\n <b><![CDATA[x]]]]><![CDATA[>y]]></b>\n</xml>`,
    xml('<a>&#x652F;</a><b></b>'),
    xml('<sign>A</sign><appid>1</appid>\r\n<b1/>\t<a>x]]<![CDATA[]]]>y</a>'),
    `<?xml version='1.0' encoding='UTF-8' standalone='no' ?><xml><__proto__>1</__proto__></xml>`,
  ])('%j', (document) => {
    const bytes = Buffer.from(document);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseXml(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
    }
    expect(entries(bytes).length).toBeGreaterThan(0);
  });
});

const fieldName = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,30}$/);
const fieldValue = fc.string({
  unit: fc.oneof(
    fc.constantFrom(']]>', '<![CDATA[', '&amp;', '<', '>', '&', '"', "'", ' ', '\t', '\n', '\r', '\r\n', '支付', '🎁'),
    fc.stringMatching(/^[\x20-\x7e]$/),
  ),
});

test('what is built is read back, exactly and in order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fieldName, fieldValue), { selector: ([name]) => name, maxLength: 30 }),
      (fields) => {
        // Integer-like names cannot occur, so a record keeps the order.
        expect(entries(buildXml(Object.fromEntries(fields)))).toEqual(fields);
      },
    ),
  );
});

describe('buildXml', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a number', { total_fee: 1 }, 'total_fee'],
    ['undefined', { attach: undefined }, 'attach'],
    ['a control character', { body: 'a\u0000' }, 'body'],
    ['half of a pair', { body: '\ud83d' }, 'body'],
    ['a name that is none', { 'a b': '1' }, 'a b'],
    ['a name with a colon', { 'a:b': '1' }, 'a:b'],
    ['a name that begins with a digit', { '1a': '1' }, '1a'],
    ['an empty name', { '': '1' }, ''],
    ['a name of 65 characters', { ['n'.repeat(65)]: '1' }, 'n'.repeat(65)],
    ['U+FFFE', { body: '\ufffe' }, 'body'],
    ['null', { body: null }, 'body'],
    ['a list', { body: ['1'] }, 'body'],
  ])('%s is refused by name', (_title, fields, field) => {
    expect(() => buildXml(fields as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'FIELD_INVALID', field }),
    );
  });

  test.each<[string, Record<string, string>]>([
    ['129 fields', Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`f${n}`, '']))],
    ['more than 64 KiB', { body: 'x'.repeat(65_536) }],
  ])('%s are refused', (_title, fields) => {
    expect(() => buildXml(fields)).toThrow(expect.objectContaining({ code: 'FIELD_INVALID', field: undefined }));
  });

  test('D11: the bytes', () => {
    expect(buildXml({ b: '1', a: '', c: 'x]]>y\r\n<&' })).toBe(
      '<xml><b><![CDATA[1]]></b><a><![CDATA[]]></a>' +
        '<c><![CDATA[x]]]]><![CDATA[>y]]>&#13;<![CDATA[\n<&]]></c></xml>',
    );
    expect(buildXml({})).toBe('<xml></xml>');
  });
});
