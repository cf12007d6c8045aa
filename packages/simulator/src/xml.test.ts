import fc from 'fast-check';
import { buildRootXml, buildXml, parseXml, XmlFormatError } from './xml.js';

test.each([
  ['text and CDATA', '<xml><a>1</a><b><![CDATA[2]]></b></xml>', { a: '1', b: '2' }],
  ['nothing', '<xml></xml>', {}],
  ['an empty root', '<xml/>', {}],
  ['empty fields', '<xml><a/><b></b><c><![CDATA[]]></c></xml>', { a: '', b: '', c: '' }],
  [
    'a declaration, a BOM, blanks between',
    '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\r\n<xml>\n\t<a>1</a> \r\n</xml>\n',
    { a: '1' },
  ],
  [
    'digits that are no number',
    '<xml><a>00123</a><b>1e5</b><c>0x1F</c><d>4200000000201411110005820873</d></xml>',
    { a: '00123', b: '1e5', c: '0x1F', d: '4200000000201411110005820873' },
  ],
  [
    'blanks that belong to the value',
    '<xml><a> 1 </a><b><![CDATA[ 2\r\n ]]></b><c>\r\n3\r</c></xml>',
    { a: ' 1 ', b: ' 2\r\n ', c: '\r\n3\r' },
  ],
  ['entities in text', '<xml><a>&lt;&gt;&amp;&quot;&apos;&#20013;&#x6587;&#13;</a></xml>', { a: '<>&"\'中文\r' }],
  ['entities in CDATA, which are none', '<xml><a><![CDATA[&lt;&#20013;]]></a></xml>', { a: '&lt;&#20013;' }],
  ['an escaped entity', '<xml><a>&amp;lt;</a></xml>', { a: '&lt;' }],
  ['text and CDATA in one value', '<xml><a>x<![CDATA[<y>]]>z<![CDATA[]]></a></xml>', { a: 'x<y>z' }],
  ['a split CDATA end', '<xml><a><![CDATA[1]]]]><![CDATA[>2]]></a></xml>', { a: '1]]>2' }],
  ['markup inside CDATA', '<xml><a><![CDATA[<!-- <?x <!DOCTYPE <b>]]></a></xml>', { a: '<!-- <?x <!DOCTYPE <b>' }],
])('%s is read exactly', (_what, document, expected) => {
  expect(parseXml(document)).toEqual(Object.assign(Object.create(null), expected));
});

test.each([
  ['an empty message', ''],
  ['JSON', '{"a":1}'],
  ['another root', '<root><a>1</a></root>'],
  ['two roots', '<xml/><xml/>'],
  ['text beside the fields', '<xml>1<a>1</a></xml>'],
  ['CDATA beside the fields', '<xml><![CDATA[ ]]></xml>'],
  ['a field twice', '<xml><a>1</a><a>1</a></xml>'],
  ['a nested element', '<xml><a><b>1</b></a></xml>'],
  ['an attribute', '<xml><a b="1">1</a></xml>'],
  ['an attribute of the root', '<xml a="1"/>'],
  ['a comment', '<xml><!-- --><a>1</a></xml>'],
  ['a comment around CDATA', '<xml><!-- <![CDATA[ --><a>1</a><!-- ]]> --></xml>'],
  ['a DOCTYPE', '<!DOCTYPE xml [<!ENTITY e "1">]><xml><a>&e;</a></xml>'],
  ['a processing instruction', '<xml><?php ?><a>1</a></xml>'],
  ['an unknown entity', '<xml><a>&nbsp;</a></xml>'],
  ['an entity named like a property', '<xml><a>&toString;</a></xml>'],
  ['an open entity', '<xml><a>1 & 2</a></xml>'],
  ['an entity beyond Unicode', '<xml><a>&#x110000;</a></xml>'],
  ['an entity for a control', '<xml><a>&#0;</a></xml>'],
  ['a NUL', '<xml><a>\0</a></xml>'],
  ['half a surrogate pair', '<xml><a>\ud800</a></xml>'],
  ['a prototype name', '<xml><__proto__>1</__proto__></xml>'],
  ['a CDATA end in text', '<xml><a>1]]>2</a></xml>'],
  ['a wrong closing tag', '<xml><a>1</b></xml>'],
])('%s is refused', (_what, document) => {
  expect(() => parseXml(document)).toThrow(XmlFormatError);
});

test('a document cut off anywhere is refused', () => {
  const document = '<xml><a>1&amp;</a><b><![CDATA[2]]></b><sign>AB</sign></xml>';
  for (let length = 0; length < document.length; length++) {
    expect(() => parseXml(document.slice(0, length))).toThrow(XmlFormatError);
  }
});

const values = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...']>&<\'"\r\n\t ', '中', '😀', '\ue000'),
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
  ),
});
const names = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/).filter((name) => name !== '__proto__' && !(name in {}));

test('whatever is written is read back exactly', () => {
  fc.assert(
    fc.property(fc.dictionary(names, values, { noNullPrototype: true }), (fields) => {
      expect({ ...parseXml(buildXml(fields)) }).toEqual(fields);
    }),
  );
});

test('writes the inside of req_info: <root>, in alphabetical order, everything in CDATA', () => {
  expect(buildRootXml({ total_fee: '1', refund_status: ']]>', out_refund_no: 'R1' })).toBe(
    '<root><out_refund_no><![CDATA[R1]]></out_refund_no>\n<refund_status><![CDATA[]]]]><![CDATA[>]]></refund_status>\n<total_fee><![CDATA[1]]></total_fee></root>',
  );
});

test('writes as WeChat does: total_fee bare, the rest in CDATA', () => {
  expect(buildXml({ return_code: 'SUCCESS', total_fee: '1990', time_end: '20141030133525' })).toBe(
    '<xml><return_code><![CDATA[SUCCESS]]></return_code>\n<total_fee>1990</total_fee>\n<time_end><![CDATA[20141030133525]]></time_end></xml>',
  );
});
