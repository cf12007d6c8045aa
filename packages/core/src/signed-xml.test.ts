import fc from 'fast-check';
import { prepareKey, sign, verifySign } from './signature.js';
import { signedXml } from './signed-xml.js';
import { buildXml, parseXml } from './xml.js';

const API_KEY = '192006250b4c09247ec02edce69f6a2d';
const key = prepareKey(API_KEY);
/** The first `cut` fields are our own. */
function make(fields: Record<string, string>, signType: 'MD5' | 'HMAC-SHA256' = 'MD5', cut = 0): string {
  const entries = Object.entries(fields);
  const [own, business] = [entries.slice(0, cut), entries.slice(cut)].map((part) => Object.fromEntries(part));
  return signedXml(own!, business!, key, () => API_KEY, signType);
}

/** What the two steps would do: the fields, or the code of the error. */
function outcome(work: () => string): unknown {
  try {
    return { ...parseXml(work()) };
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('the same fields and the same signature as in two steps, whatever the fields', () => {
  const name = fc.oneof(
    fc.constantFrom('body', 'attach', 'total_fee', 'nonce_str', 'sign', '0'),
    fc.string({ maxLength: 5 }),
  );
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      ']]>',
      'a]]>b',
      '\r\n',
      '中文，测试',
      '😀',
      '\ud800',
      '\u0000',
      '&<>"',
      '\ufffd',
      '\uffff',
      '￼',
    ),
  );
  fc.assert(
    fc.property(
      fc.dictionary(name, value),
      fc.constantFrom('MD5' as const, 'HMAC-SHA256' as const),
      fc.nat({ max: 5 }),
      (fields, signType, cut) => {
        const twoSteps = outcome(() => buildXml({ ...fields, sign: sign(fields, API_KEY, signType) }));
        expect(outcome(() => make(fields, signType, cut))).toEqual(twoSteps);
      },
    ),
  );
});

test('what XML cannot carry as it is goes the long way, wherever in the message it stands', () => {
  const unusual = ['\u0000', '\u001f', '\r', '\ud800', '\udfff', '\ufffe', '\uffff', ']]>'];
  for (const character of unusual) {
    for (let before = 0; before < 8; before++) {
      const fields = { attach: `${'中'.repeat(before % 3)}${'x'.repeat(before)}${character}`, body: 'tea' };
      const twoSteps = outcome(() => buildXml({ ...fields, sign: sign(fields, API_KEY) }));
      expect(outcome(() => make(fields))).toEqual(twoSteps);
    }
  }
});

test('characters beside those are carried in one pass: the fields come in the order of their names', () => {
  for (const character of ['\t', '\n', ' ', '\u007f', '，', '￼', '\uf8ff', '😀', '\u{10ffff}', ']] >', '']) {
    const read = parseXml(make({ total_fee: '1', attach: character }));
    expect(Object.keys(read)).toEqual(['attach', 'total_fee', 'sign']);
    expect(read['attach']).toBe(character);
    expect(verifySign(read, API_KEY)).toBe(true);
  }
});

test('what is not a string, or too much, is refused as in two steps', () => {
  expect(() => make({ total_fee: 1 as unknown as string })).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
  expect(() => make({ body: 'x'.repeat(70_000) })).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
  const many = Object.fromEntries(Array.from({ length: 128 }, (_, n) => [`f${n}`, '1']));
  expect(() => make(many)).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
});

test('names in another order, or others of the same number, are not taken for the last ones', () => {
  for (const fields of [
    { a: '1', b: '2' },
    { b: '2', a: '1' },
    { a: '1', c: '2' },
  ] as Record<string, string>[]) {
    expect(verifySign(parseXml(make(fields)), API_KEY)).toBe(true);
    expect(Object.keys(parseXml(make(fields))).slice(0, -1)).toEqual(Object.keys(fields).sort());
  }
});
