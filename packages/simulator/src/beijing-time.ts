const UTC8_MILLISECONDS = 8 * 3_600_000;

/** `yyyyMMddHHmmss` in UTC+8, as every V2 time field is written, whatever this machine's zone. */
export function beijingTime(time: Date): string {
  return new Date(time.getTime() + UTC8_MILLISECONDS)
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
}

/** `yyyy-MM-dd HH:mm:ss` in UTC+8, as refunds have it and nothing else does. */
export function beijingDateTime(time: Date): string {
  return new Date(time.getTime() + UTC8_MILLISECONDS).toISOString().slice(0, 19).replace('T', ' ');
}

/** `MM-dd HH:mm:ss` in UTC+8, for people. */
export function beijingClock(time: Date): string {
  return beijingDateTime(time).slice(5);
}

/** Reads `yyyyMMddHHmmss` (UTC+8); `undefined` when it is not 14 digits or names no real moment. */
export function parseBeijingTime(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second) - UTC8_MILLISECONDS);
  // Date.UTC rolls 31 April over to 1 May; such a text was no moment.
  return beijingTime(time) === text ? time : undefined;
}
