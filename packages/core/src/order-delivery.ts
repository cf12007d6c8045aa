import { purchaseName, type Delivery, type OrderRecord } from './order-record.js';
import type { Step, HandOverChange, Stay, To } from './order-changes.js';

export const NOTHING_TO_DELIVER: Delivery = Object.freeze({
  state: 'NONE',
  attempt: 0,
  failures: 0,
  leaseUntil: undefined,
  retryAt: undefined,
});

/** After so many failures it waits for a person: an order that always fails must not use up the rest's time. */
const MAX_FAILURES = 20;
/** Whoever brought the evidence hands over at once; this is for when that process dies before. */
const FIRST_RETRY_MS = 30_000;

/** Due now. The attempts go on where they were. */
export function readyAt(delivery: Delivery, now: Date): Delivery {
  return {
    state: 'READY',
    attempt: delivery.attempt,
    failures: 0,
    leaseUntil: undefined,
    retryAt: new Date(now.getTime() + FIRST_RETRY_MS),
  };
}

export function withheld(delivery: Delivery): Delivery {
  return { ...delivery, state: 'WITHHELD', leaseUntil: undefined, retryAt: undefined };
}

/** Leases over the payment, or over one refund. */
export function handOver(
  order: OrderRecord,
  change: HandOverChange,
  now: Date,
  taken: ReadonlySet<string>,
  to: To,
  stay: Stay,
): Step {
  const { outRefundNo } = change;
  // `__proto__` is a legal out_refund_no.
  const refund =
    outRefundNo !== undefined && Object.hasOwn(order.refunds, outRefundNo) ? order.refunds[outRefundNo] : undefined;
  const delivery = outRefundNo === undefined ? order.delivery : (refund?.delivery ?? NOTHING_TO_DELIVER);
  const set = (changes: Partial<Delivery>, also: Partial<OrderRecord> = {}): Step => {
    const next = { ...delivery, leaseUntil: undefined, retryAt: undefined, ...changes };
    const detail = `${outRefundNo === undefined ? '' : `${outRefundNo} `}${next.state} ${next.attempt}`;
    return refund === undefined || outRefundNo === undefined
      ? to({ ...also, delivery: next }, detail)
      : to({ ...also, refunds: { ...order.refunds, [outRefundNo]: { ...refund, delivery: next } } }, detail);
  };
  if (change.type === 'claim') {
    if (delivery.state === 'DONE') return stay('done');
    if (delivery.state === 'WITHHELD') return stay('withheld');
    if (delivery.state === 'DEAD') return stay('dead');
    // A refund of an order whose payment is in doubt waits for the same person.
    if (delivery.state === 'NONE' || order.state === 'QUARANTINED') return stay('unpaid');
    if (delivery.state === 'LEASED' && delivery.leaseUntil !== undefined && delivery.leaseUntil > now)
      return stay('busy');
    // The money is back already: the goods must not follow it. While it is on its way back nobody knows.
    if (refund === undefined && isRefunded(order)) return set({ state: 'WITHHELD' }, { reason: 'refunded' });
    if (refund === undefined && refundsUnderWay(order) >= order.totalFee) return stay('busy');
    // A run that ended without a word has failed: it may be the one that ends the process.
    const failures = delivery.failures + (delivery.state === 'LEASED' ? 1 : 0);
    if (failures >= MAX_FAILURES) return set({ state: 'DEAD', failures });
    return set({ state: 'LEASED', attempt: delivery.attempt + 1, failures, leaseUntil: later(now, change.leaseMs) });
  }
  if (change.type === 'redrive') {
    if (delivery.state === 'NONE' || order.state === 'QUARANTINED') return stay('unpaid');
    const waits = delivery.state === 'DEAD' || delivery.state === 'READY';
    if (!waits && (change.force !== true || delivery.state === 'LEASED')) return stay('unchanged');
    if (refund === undefined && order.orderRef !== undefined && taken.has(purchaseName(order.key, order.orderRef)))
      return stay('conflict');
    // Due at once, also when somebody has just looked at it.
    return set({ ...readyAt(delivery, now), retryAt: now }, { takenUntil: undefined });
  }
  if (delivery.state !== 'LEASED' || delivery.attempt !== change.attempt) {
    return stay(change.type !== 'renew' && delivery.state === 'DONE' ? 'done' : 'lost');
  }
  if (change.type === 'renew') return set({ leaseUntil: later(now, change.leaseMs) });
  if (change.type === 'complete') return set({ state: 'DONE' }, { takenUntil: undefined });
  const failures = delivery.failures + 1;
  return failures >= MAX_FAILURES
    ? set({ state: 'DEAD', failures })
    : set(
        { state: 'READY', failures, retryAt: later(now, change.retryInMs ?? FIRST_RETRY_MS) },
        { takenUntil: undefined },
      );
}

/** What has been given back or may have been. */
export function refundsUnderWay(order: OrderRecord): number {
  let sum = 0;
  for (const { state, refundFee } of Object.values(order.refunds)) if (state !== 'FAILED') sum += refundFee;
  return sum;
}

/** All of it is back with the payer, confirmed. */
export function isRefunded(order: OrderRecord): boolean {
  let sum = 0;
  for (const { state, refundFee } of Object.values(order.refunds)) if (state === 'REFUNDED') sum += refundFee;
  return sum >= order.totalFee;
}

function later(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() + milliseconds);
}
