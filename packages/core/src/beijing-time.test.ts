import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { formatTime, parseTime } from './beijing-time.js';

test.each([
  ['2026-01-01T00:00:00Z', '20260101080000'],
  ['2025-12-31T16:00:00Z', '20260101000000'],
  ['2028-02-28T16:00:00Z', '20280229000000'],
  ['2038-01-19T03:14:08Z', '20380119111408'],
])('T06: %s is %s in UTC+8', (iso, text) => {
  expect(formatTime(new Date(iso), 'time_expire')).toBe(text);
  expect(parseTime(text)).toEqual(new Date(iso));
});

test.each([
  '',
  '2026',
  '20250230120000',
  '20261301000000',
  '20260101240000',
  '20260101006000',
  '20260101000061',
  '2026010100000x',
  ' 20260101000000',
])('D20: %j is no time', (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test('T05: a leap second is read as the second after', () => {
  expect(parseTime('20170101075960')).toEqual(new Date('2017-01-01T00:00:00Z'));
});

test('an invalid date is refused by name', () => {
  expect(() => formatTime(new Date(NaN), 'time_expire')).toThrow(
    expect.objectContaining({ code: 'ORDER_FIELD_INVALID', field: 'time_expire' }),
  );
});

test('every second survives the round trip', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true }),
      (date) => {
        const second = new Date(Math.floor(date.getTime() / 1000) * 1000);
        expect(parseTime(formatTime(second, 'time_expire'))).toEqual(second);
      },
    ),
  );
});

test.each(['America/New_York', 'Asia/Shanghai', 'Australia/Lord_Howe'])(
  'T03: the host zone %s changes nothing',
  (zone) => {
    // The zone is read once per process, so each one needs a process of its own.
    const script = `
    const { formatTime, parseTime } = require('./beijing-time.ts');
    // 2026-03-08 is the day New York skips an hour, 2026-11-01 the day it has one twice.
    for (const iso of ['2026-03-08T06:59:59Z', '2026-03-08T07:00:00Z', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'])
      console.log(formatTime(new Date(iso), 'x'), parseTime(formatTime(new Date(iso), 'x')).toISOString());`;
    const output = execFileSync(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
      cwd: __dirname,
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    expect(output.trim().split('\n')).toEqual([
      '20260308145959 2026-03-08T06:59:59.000Z',
      '20260308150000 2026-03-08T07:00:00.000Z',
      '20261101133000 2026-11-01T05:30:00.000Z',
      '20261101143000 2026-11-01T06:30:00.000Z',
    ]);
  },
);

test('every day of two thousand years is the day that Date makes of it', () => {
  const wrong: string[] = [];
  for (let day = Date.UTC(1000, 0, 2); day < Date.UTC(3000, 0, 1); day += 86_400_000) {
    const text = formatTime(new Date(day), 'time_expire');
    if (parseTime(text)?.getTime() !== day) wrong.push(text);
  }
  expect(wrong).toEqual([]);
});
