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
  if (text === undefined || !/^\d{14}$/.test(text)) return undefined;
  // One number and its digits: a quarter of the time that six captures take. Fourteen digits are exact.
  const digits = Number(text);
  const year = Math.floor(digits / 1e10);
  const month = Math.floor(digits / 1e8) % 100;
  const day = Math.floor(digits / 1e6) % 100;
  const hour = Math.floor(digits / 1e4) % 100;
  const minute = Math.floor(digits / 1e2) % 100;
  const second = digits % 100;
  const wallClock = Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59));
  const back = new Date(wallClock);
  // 30 February comes back as the first days of March.
  const real =
    back.getUTCMonth() === month - 1 && back.getUTCDate() === day && hour < 24 && minute < 60 && second <= 60;
  return real ? new Date(wallClock - OFFSET_MS + (second === 60 ? 1000 : 0)) : undefined;
}

/** Reads `yyyy-MM-dd HH:mm:ss` (UTC+8), as refunds have it; `undefined` for anything else. */
export function parseRefundTime(text: string | undefined): Date | undefined {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text ?? '') ? parseTime(text?.replace(/[- :]/g, '')) : undefined;
}
