import { XMLParser, XMLValidator } from 'fast-xml-parser';
import fc from 'fast-check';
import { buildXml, parseXml } from './xml.js';

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
    ['D05: a bare ampersand', xml('<a>x & y</a>')],
    ['D06: 20,000 levels', `${'<a>'.repeat(20_000)}`],
    ['D08: invalid UTF-8', BYTES(0xff)],
    ['D08: an overlong form', BYTES(0xc0, 0xaf)],
    ['D08: half of a surrogate pair', BYTES(0xed, 0xa0, 0x80)],
    ['D08: a truncated sequence', BYTES(0xe6, 0x94)],
    ['D09: NUL', BYTES(0)],
    ['D09: a control', BYTES(0x1b)],
    ['D09: U+FFFE', xml('<a>\ufffe</a>')],
    ['D10: UTF-16', Buffer.from(`\ufeff${xml('<a>1</a>')}`, 'utf16le')],
    ['D10: GBK', BYTES(0xd6, 0xa7, 0xb8, 0xb6)],
    ['D10: another encoding declared', `<?xml version="1.0" encoding="GBK"?>${xml('<a>1</a>')}`],
    ['D11: ]]> in text', xml('<a>x]]>y</a>')],
    ['D19: 129 fields', xml(Array.from({ length: 129 }, (_, n) => `<f${n}>1</f${n}>`).join(''))],
    ['D19: a name of 65 characters', xml(`<${'n'.repeat(65)}>1</${'n'.repeat(65)}>`)],
    ['D19: a name of a megabyte', `<xml><${'n'.repeat(1_000_000)}>`],
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

describe('D01: truncated at every byte', () => {
  test.each([
    xml('<appid><![CDATA[wx2421b1c4370ec43b]]></appid><attach>支付&amp;测试</attach><sign><![CDATA[AB]]></sign>'),
    `\ufeff<?xml version="1.0" encoding="utf-8"?>\n<xml>\n <a/>\n <b><![CDATA[x]]]]><![CDATA[>y]]></b>\n</xml>`,
    xml('<a>&#x652F;</a><b></b>'),
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

test('fast-xml-parser reads the same from every valid document', () => {
  // It normalises line ends as XML says, and has names of its own that it refuses: the intended differences.
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: true,
    htmlEntities: false,
    ignoreDeclaration: true,
  });
  const names = fieldName.filter(
    (name) => !(name in Object.prototype) && name !== '__proto__' && !name.startsWith('xml'),
  );
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('支付', '🎁', ' ', '.', '&amp;', '&lt;', '&gt;', '&quot;', '&apos;'),
      fc.stringMatching(/^[A-Za-z0-9]$/),
    ),
  });
  const cdata = fc
    .string({
      unit: fc.oneof(fc.constantFrom('支付', '<b>', '&amp;', ']', '>', ' '), fc.stringMatching(/^[A-Za-z0-9]$/)),
    })
    .filter((value) => !value.includes(']]>') && !value.endsWith(']'));
  const element = fc.tuple(
    names,
    fc.oneof(
      text,
      cdata.map((value) => `<![CDATA[${value}]]>`),
    ),
  );
  fc.assert(
    fc.property(fc.uniqueArray(element, { selector: ([name]) => name, minLength: 1, maxLength: 20 }), (fields) => {
      const document = xml(fields.map(([name, value]) => `<${name}>${value}</${name}>`).join(''));
      expect(XMLValidator.validate(document)).toBe(true);
      const read = (parser.parse(document) as { xml: Record<string, string> }).xml;
      expect(Object.fromEntries(entries(document))).toEqual(read);
    }),
    { numRuns: 300 },
  );
});

test('D28: a mutated document is refused, or says what a mutation of it can say', () => {
  const genuine = xml(
    '<appid><![CDATA[wx2421b1c4370ec43b]]></appid><attach>支&amp;付</attach><out_trade_no>1409811653</out_trade_no><total_fee>100</total_fee>',
  );
  const bytes = Buffer.from(genuine);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const mutated = Buffer.from(bytes);
        for (const [at, byte] of changes) mutated[at] = byte;
        let fields: Record<string, string>;
        try {
          fields = parseXml(mutated);
        } catch (error) {
          expect(error).toMatchObject({ code: 'XML_INVALID' });
          return;
        }
        // Accepted means well-formed: built again and read again, it is the same.
        expect(entries(buildXml(fields))).toEqual(Object.entries(fields));
        expect(XMLValidator.validate(mutated.toString('utf8'))).toBe(true);
      },
    ),
    { numRuns: 20_000 },
  );
});

describe('buildXml', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a number', { total_fee: 1 }, 'total_fee'],
    ['undefined', { attach: undefined }, 'attach'],
    ['a control character', { body: 'a\u0000' }, 'body'],
    ['half of a pair', { body: '\ud83d' }, 'body'],
    ['a name that is none', { 'a b': '1' }, 'a b'],
  ])('%s is refused by name', (_title, fields, field) => {
    expect(() => buildXml(fields as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'FIELD_INVALID', field }),
    );
  });
});
