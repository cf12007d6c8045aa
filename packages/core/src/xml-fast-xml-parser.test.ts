import { XMLParser, XMLValidator } from 'fast-xml-parser';
import fc from 'fast-check';
import { parseXml } from './xml.js';

// Another parser as the judge. It is set to leave values alone as far as it can be: no trimming, no numbers.
const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  ignoreAttributes: false,
  ignoreDeclaration: true,
  processEntities: true,
});

type Outcome = Record<string, unknown> | 'refused';

function theirs(document: string): Outcome {
  if (XMLValidator.validate(document) !== true) return 'refused';
  try {
    const { xml } = parser.parse(document) as { xml: unknown };
    return typeof xml === 'object' && xml !== null ? { ...xml } : {};
  } catch {
    return 'refused';
  }
}

function ours(document: string | Uint8Array): Outcome {
  try {
    return { ...parseXml(document) };
  } catch {
    return 'refused';
  }
}

// What no valid document below contains, because the two differ on it by intention: see the table at the end.
const name = fc
  .stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,30}$/)
  .filter((text) => !(text in {}) && !/^xml/i.test(text));
const character = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[A-Za-z0-9]$/) },
  { weight: 2, arbitrary: fc.constantFrom(' ', '\t', '.', '-', '=', ';', '"', "'", '/', '{', '}', '#') },
  { weight: 2, arbitrary: fc.constantFrom('支', '付', '，', 'é', '\u{20BB7}', '🎁', '\u00a0', '\ufeff') },
);
const text = fc
  .array(fc.oneof(character, fc.constantFrom('&amp;', '&lt;', '&gt;', '&quot;', '&apos;', ']', '>')), { maxLength: 20 })
  .map((parts) => parts.join(''))
  .filter((value) => !value.includes(']]>'));
const cdata = fc
  .array(fc.oneof(character, fc.constantFrom('<', '>', '&', '&amp;', ']', ']]', '<b>')), { maxLength: 20 })
  .map((parts) => parts.join(''))
  .filter((value) => !`${value}]`.includes(']]>') && !value.endsWith(']'))
  .map((value) => `<![CDATA[${value}]]>`);
const value = fc.oneof(text, cdata);
const element = fc.tuple(name, value).map(([tag, inside]) => ({ tag, xml: `<${tag}>${inside}</${tag}>` }));
const empty = name.map((tag) => ({ tag, xml: `<${tag}/>` }));
const gap = fc.constantFrom('', '\n', ' ', '\t\n');
const prolog = fc.constantFrom('', '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?>\n', '\n', ' ');
const document = fc
  .tuple(
    prolog,
    fc.uniqueArray(fc.oneof({ weight: 5, arbitrary: element }, empty), {
      selector: ({ tag }) => tag,
      minLength: 1,
      maxLength: 25,
    }),
    gap,
  )
  .map(
    ([before, fields, between]) =>
      `${before}<xml>${between}${fields.map(({ xml }) => xml).join(between)}</xml>${between}`,
  );

/** White space between fields is text to the other parser. */
function withoutGaps(fields: Outcome): Outcome {
  if (fields === 'refused') return fields;
  const { '#text': gaps, ...rest } = fields;
  return typeof gaps === 'string' && gaps.trim() !== '' ? { ...rest, '#text': gaps } : rest;
}

test('fast-xml-parser reads the same from every valid document', () => {
  fc.assert(
    fc.property(document, (xml) => {
      const read = ours(xml);
      expect(read).not.toBe('refused');
      expect(read).toEqual(withoutGaps(theirs(xml)));
      expect(ours(Buffer.from(xml))).toEqual(read);
    }),
    { numRuns: 2_000 },
  );
});

test('D28: what a mutation leaves acceptable, fast-xml-parser reads the same', () => {
  const genuine = Buffer.from(
    '<xml><appid><![CDATA[wx2421b1c4370ec43b]]></appid><attach>支&amp;付</attach>\n<device_info/><out_trade_no>1409811653</out_trade_no>' +
      '<sign><![CDATA[DBBD7EA4E63C9C5D89C776C72E4B554A]]></sign><total_fee>100</total_fee></xml>',
  );
  const piece = fc.constantFrom(
    '<',
    '>',
    '/',
    '&',
    ']]>',
    '<![CDATA[',
    '</a>',
    '<a>',
    '<a/>',
    ' ',
    '\n',
    '-->',
    '<!--',
    '?',
    '1',
    '支',
  );
  const mutation = fc.oneof(
    fc.tuple(fc.constant('set'), fc.nat(genuine.length - 1), fc.nat(255)),
    fc.tuple(fc.constant('flip'), fc.nat(genuine.length - 1), fc.nat(7)),
    fc.tuple(fc.constant('insert'), fc.nat(genuine.length), piece),
    fc.tuple(fc.constant('remove'), fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 30 })),
    fc.tuple(fc.constant('repeat'), fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 60 })),
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      let bytes = genuine;
      for (const [kind, at, what] of mutations) {
        if (kind === 'set' || kind === 'flip') {
          bytes = Buffer.from(bytes);
          const index = at % bytes.length;
          bytes[index] = kind === 'set' ? (what as number) : bytes[index]! ^ (1 << (what as number));
        } else if (kind === 'insert') {
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(what as string), bytes.subarray(at)]);
        } else {
          const again = bytes.subarray(at, at + (what as number));
          const rest = bytes.subarray(kind === 'remove' ? at + (what as number) : at);
          bytes = Buffer.concat([bytes.subarray(0, at), ...(kind === 'remove' ? [] : [again]), rest]);
        }
      }
      const read = ours(bytes);
      if (read === 'refused') return;
      accepted++;
      // It turns CR LF and a lone CR into LF, as XML says; here, bytes are kept.
      const judged = withoutGaps(theirs(bytes.toString('utf8')));
      const lines = (fields: Outcome): string => JSON.stringify(fields).replaceAll(/\\r(?:\\n)?/g, '\\n');
      expect(lines(read)).toBe(lines(judged));
    }),
    { numRuns: 20_000 },
  );
  expect(accepted).toBeGreaterThan(1_000);
});

describe('where the two differ by intention', () => {
  const inside = (fields: string): string => `<xml>${fields}</xml>`;
  test.each<[string, string, Outcome, Outcome]>([
    ['D02: a field twice', inside('<a>1</a><a>2</a>'), 'refused', { a: ['1', '2'] }],
    ['D03: nesting', inside('<a><b>1</b></a>'), 'refused', { a: { b: '1' } }],
    ['D03: an attribute', inside('<a k="v">1</a>'), 'refused', { a: { '#text': '1', '@_k': 'v' } }],
    ['D03: a comment', inside('<a>1<!-- c -->2</a>'), 'refused', { a: '12' }],
    ['D03: stray text', inside('hello<a>1</a>'), 'refused', { '#text': 'hello', a: '1' }],
    ['D09: a control', inside('<a>x\u0000y</a>'), 'refused', { a: 'x\u0000y' }],
    ['D07: a name of the prototype', inside('<constructor>1</constructor>'), { constructor: '1' }, 'refused'],
    ['D12: a CR LF', inside('<a>x\r\ny</a>'), { a: 'x\r\ny' }, { a: 'x\ny' }],
  ])('%s', (_title, xml, expected, otherwise) => {
    expect([ours(xml), theirs(xml)]).toEqual([expected, otherwise]);
  });
});
