import { beijingDateTime, beijingTime, parseBeijingTime } from './beijing-time.js';

test('writes and reads UTC+8 whatever the zone of this machine', () => {
  const time = new Date('2026-12-31T16:00:05.999Z');
  expect(beijingTime(time)).toBe('20270101000005');
  expect(beijingDateTime(time)).toBe('2027-01-01 00:00:05');
  expect(parseBeijingTime('20270101000005')).toEqual(new Date('2026-12-31T16:00:05.000Z'));
});

test.each([
  '',
  '2027010100000',
  '202701010000055',
  '20270431000000',
  '20271301000000',
  '20270101240000',
  '2027-01-01 0000',
])('%p is no moment', (text) => {
  expect(parseBeijingTime(text)).toBeUndefined();
});
