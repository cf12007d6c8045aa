import { newOrderNumber, readOrderNumber } from './order-number.js';

test('a number has 128 random bits in the alphabet and length of out_trade_no', () => {
  const numbers = Array.from({ length: 1000 }, newOrderNumber);
  for (const number of numbers) expect(number).toMatch(/^[0-9A-Za-z_-]{6,32}$/);
  expect(new Set(numbers).size).toBe(1000);
  expect(new Set(numbers.map((number) => Buffer.from(number, 'base64url').length))).toEqual(new Set([16]));
});

test('its own numbers are read back, anything else is not', () => {
  const number = newOrderNumber();
  expect(readOrderNumber({ order: number, more: '1' })).toBe(number);
  for (const other of [
    undefined,
    '',
    number.slice(1),
    `${number}a`,
    `${number}\n`,
    `${number.slice(1)}*`,
    [number],
    7,
  ]) {
    expect(readOrderNumber({ order: other })).toBeUndefined();
  }
  for (const nothing of [undefined, null, '', number, {}, [number]]) expect(readOrderNumber(nothing)).toBeUndefined();
});
