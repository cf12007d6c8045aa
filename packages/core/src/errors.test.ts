import fc from 'fast-check';
import { quoted } from './errors.js';

test.each([
  ['DEL', '\u007f'],
  ['C1', '\u009b31m'],
  ['next line', '\u0085'],
  ['separators', 'a\u2028b\u2029c'],
  ['text turned around', '\u202egpj.exe\u2066\u2069'],
  ['marks of direction', '\u200e\u200f\u061c'],
  ['no width', 'pay\u200bpal\ufeff\u00ad'],
  ['controls', '\u0000\u001b[2J\r\n'],
  ['half a pair', '\ud83d'],
])('%s in foreign text shows and does not act', (_what, text) => {
  expect(quoted(text)).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(quoted(text))).toBe(text);
});

test('quoted text reads back as what it was, and is clipped', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => JSON.parse(quoted(text)) === text));
  expect(quoted('中文，“测试” 😀')).toBe('"中文，“测试” 😀"');
  expect(quoted('x'.repeat(61))).toBe(`"${'x'.repeat(60)}…"`);
});
