import { beijingTime, parseBeijingTime } from './beijing-time.js';

const DAY = 24 * 3_600_000;
const KEPT_DAYS = 92;
const READY_HOUR = '10';

/** Whether there can be a statement of a day at some moment: it is made in the morning of the next one, in Beijing. */
export type StatementAge = 'no day' | 'not over' | 'being made' | 'there' | 'too old';

export function statementAge(day: string, now: Date): StatementAge {
  const start = parseBeijingTime(`${day}000000`);
  if (!start) return 'no day';
  const today = beijingTime(now).slice(0, 8);
  if (day >= today) return 'not over';
  if (now.getTime() - start.getTime() > KEPT_DAYS * DAY) return 'too old';
  const yesterday = beijingTime(new Date(now.getTime() - DAY)).slice(0, 8);
  return day === yesterday && beijingTime(now).slice(8, 10) < READY_HOUR ? 'being made' : 'there';
}

/** `yyyyMMdd` in UTC+8. */
export function beijingDay(at: Date): string {
  return beijingTime(at).slice(0, 8);
}
