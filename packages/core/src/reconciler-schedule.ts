import type { OrderRecord } from './order-book.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Between one question and the next, after the first at 35 seconds: the intervals that WeChat Pay recommends.
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011984698
 */
const GAPS_MS = [MINUTE, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE];
/** WeChat Pay repeats a notification for 24 hours and 4 minutes. After that nothing comes by itself. */
const LAST_LOOK_MS = 24 * HOUR + 10 * MINUTE;
/** Of older orders WeChat Pay answers `FREQUENCY_LIMITED`, however slowly one asks. */
const TOO_OLD_MS = 28 * 24 * HOUR;
/** Until then an order may be placed and not be seen yet. */
const UNSEEN_MS = 10 * MINUTE;
/** Before a refund is asked about again, after the first time. It can take days. */
const REFUND_GAPS_MS = [5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 24 * HOUR];
const REFUND_LOOKS = 20;
/** The same where WeChat Pay has not answered: the last one for as long as it takes. */
const REFUND_RETRIES_MS = [30 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR];

/** After a question that was not answered. */
export const NEXT_TRY_MS = 30 * SECOND;

/** Since it was placed, by the book's clock, at the time it was taken: WeChat Pay knows of no earlier try. */
export function ageOf(order: OrderRecord): number {
  return order.updatedAt.getTime() - order.orderedAt.getTime();
}

export function isTooOld(order: OrderRecord): boolean {
  return ageOf(order) > TOO_OLD_MS;
}

export function mayBeUnseen(order: OrderRecord): boolean {
  return ageOf(order) < UNSEEN_MS;
}

/** In how many milliseconds an order is looked at again that is as it was; `undefined`: never. */
export function nextLookIn(order: OrderRecord, closeAfterMs: number): number | undefined {
  const age = ageOf(order);
  switch (order.state) {
    case 'CREATING':
    case 'CREATE_UNKNOWN':
    case 'PENDING':
      return Math.max(SECOND, Math.min(GAPS_MS[order.polls] ?? closeAfterMs, closeAfterMs - age));
    case 'CLOSING':
      return order.polls < 3 ? 10 * SECOND : MINUTE;
    case 'CLOSED':
      return age < LAST_LOOK_MS ? LAST_LOOK_MS - age : undefined;
    case 'ORPHAN':
      return age < LAST_LOOK_MS ? Math.min(MINUTE * 2 ** order.polls, HOUR) : undefined;
    case 'CREATE_FAILED':
    case 'PAID':
    case 'QUARANTINED':
      return undefined;
  }
}

/** The same for a refund. */
export function nextRefundLookIn(polls: number): number | undefined {
  return polls < REFUND_LOOKS ? REFUND_GAPS_MS[Math.min(polls, REFUND_GAPS_MS.length - 1)] : undefined;
}

/** @param failures questions about it that were not answered, in a row: at least one */
export function nextRefundTryIn(failures: number): number {
  return REFUND_RETRIES_MS[Math.min(failures, REFUND_RETRIES_MS.length) - 1] ?? HOUR;
}

/** Up to a tenth more: what came together must not go on together. */
export function withJitter(milliseconds: number): number {
  return Math.round(milliseconds * (1 + 0.1 * Math.random()));
}
