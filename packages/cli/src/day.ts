import { usage } from './failure.js';
import { beijing } from './output.js';

const DAY_MS = 24 * 3_600_000;

/** A day as it is typed (`20260801`, `2026-08-01`, `yesterday`, in Beijing), as `yyyyMMdd`; core says whether there is such a day. */
export function dayOf(given: string): string {
  return (given === 'yesterday' ? yesterday() : given).replace(/^(\d{4})-(\d\d)-(\d\d)$/, '$1$2$3');
}

/** @throws {Failure} of usage if none is given */
export function requiredDay(given: string | undefined, command: string): string {
  if (given !== undefined) return dayOf(given);
  const example = `wechat-h5 ${command} 20260801`;
  throw usage({ en: 'Which day?', zh: '请指定日期' }, { en: example, zh: example });
}

/** In Beijing, whatever the clock here calls today. */
function yesterday(): string {
  return beijing(new Date(Date.now() - DAY_MS)).slice(0, 'yyyy-MM-dd'.length);
}
