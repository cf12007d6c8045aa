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
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text ?? '');
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wallClock = Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59));
  const back = new Date(wallClock);
  const real =
    back.getUTCMonth() === month - 1 &&
    back.getUTCDate() === day &&
    back.getUTCHours() === hour &&
    back.getUTCMinutes() === minute &&
    second <= 60;
  return real ? new Date(wallClock - OFFSET_MS + (second === 60 ? 1000 : 0)) : undefined;
}

/** Reads `yyyy-MM-dd HH:mm:ss` (UTC+8), as refunds have it; `undefined` for anything else. */
export function parseRefundTime(text: string | undefined): Date | undefined {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text ?? '') ? parseTime(text?.replace(/[- :]/g, '')) : undefined;
}
