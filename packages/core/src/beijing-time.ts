import { WechatH5Error } from './errors.js';

// WeChat Pay writes every time as UTC+8, whatever the zone of the server. China has had no daylight saving
// time since 1991, so the offset is a constant and the host's zone never enters.
const OFFSET_MS = 8 * 3600_000;

/**
 * `yyyyMMddHHmmss` in UTC+8, as `time_start` and `time_expire` want it.
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID` for an invalid date or a year that has not four digits
 */
export function formatTime(time: Date, field: string): string {
  const shifted = new Date(time.getTime() + OFFSET_MS);
  const year = shifted.getUTCFullYear();
  if (!(year >= 1000 && year <= 9999)) {
    throw new WechatH5Error('ORDER_FIELD_INVALID', `${field} is not a valid time`, {
      field,
      hint: 'Pass a valid Date.',
    });
  }
  return shifted.toISOString().slice(0, 19).replace(/[-T:]/g, '');
}

/**
 * Reads `yyyyMMddHHmmss` (UTC+8), `time_end` of a notification. Anything that is not such a time gives
 * `undefined`: money is never refused for a date. A leap second (`…60`) is read as the following second.
 */
export function parseTime(text: string | undefined): Date | undefined {
  if (text === undefined || text.length !== 14) return undefined;
  const year = numberAt(text, 0, 4);
  const month = numberAt(text, 4, 2);
  const day = numberAt(text, 6, 2);
  const hour = numberAt(text, 8, 2);
  const minute = numberAt(text, 10, 2);
  const second = numberAt(text, 12, 2);
  // NaN is in no range.
  const isTime =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(month, year) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 60;
  if (!isTime) return undefined;
  return new Date((((dayNumber(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 - OFFSET_MS);
}

/** Days since 1970-01-01 in the Gregorian calendar. Date.UTC costs ten times as much. */
function dayNumber(year: number, month: number, day: number): number {
  // Counted from March, a leap day is the last of its year and every month begins at a multiple of 30.6 days.
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((m * 153 + 2) / 5) + day - 719_469;
}

/** The number that these digits write, or NaN. */
function numberAt(text: string, at: number, length: number): number {
  let number = 0;
  for (let i = at; i < at + length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

function daysIn(month: number, year: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Reads `yyyy-MM-dd HH:mm:ss` (UTC+8), as refunds have it; `undefined` for anything else. */
export function parseRefundTime(text: string | undefined): Date | undefined {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text ?? '') ? parseTime(text?.replace(/[- :]/g, '')) : undefined;
}
