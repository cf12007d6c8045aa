import fc from 'fast-check';
import { yuan } from './yuan.js';

test.each([
  ['19.90', 1990],
  ['19.9', 1990],
  ['9.8', 980],
  ['0.01', 1],
  ['1', 100],
  ['0', 0],
  ['007.10', 710],
  ['21474836.47', 2_147_483_647],
])('%s yuan are %i fen', (text, fen) => {
  expect(yuan(text)).toBe(fen);
});

test.each([
  '',
  ' 1',
  '1 ',
  '-1',
  '+1',
  '1.',
  '.5',
  '1.999',
  '1,5',
  '1e3',
  '0x10',
  '１',
  '1.0.0',
  'NaN',
  '21474836.48',
  '99999999',
])('D25: %j is refused', (text) => {
  expect(() => yuan(text)).toThrow(expect.objectContaining({ code: 'ORDER_FIELD_INVALID', field: 'total_fee' }));
});

test('D25: a number is refused: it has been rounded already', () => {
  expect(() => yuan(19.9 as unknown as string)).toThrow(expect.objectContaining({ code: 'ORDER_FIELD_INVALID' }));
});

test('D25: whatever is multiplied or added up in floating point, text is exact', () => {
  expect(19.9 * 100).not.toBe(1990);
  expect(yuan('19.9')).toBe(1990);
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      const text = String(value);
      fc.pre(!/^\d{1,8}(\.\d{1,2})?$/.test(text));
      expect(() => yuan(text)).toThrow(expect.objectContaining({ code: 'ORDER_FIELD_INVALID' }));
    }),
  );
});

test('D25: every amount survives the round trip', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_147_483_647 }), (fen) => {
      const text = `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;
      expect(yuan(text)).toBe(fen);
    }),
  );
});
