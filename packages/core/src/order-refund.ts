import { NOTHING_TO_DELIVER, readyAt, refundsUnderWay } from './order-delivery.js';
import type { OrderRecord, RefundRecord } from './order-record.js';
import type { Step, RefundChange, Stay, To } from './order-changes.js';

/** An order takes no more of them. */
const MAX_REFUNDS = 50;
/** From the intent to the first question about it. */
const FIRST_LOOK_MS = 60_000;

const NEW = { reason: undefined, delivery: NOTHING_TO_DELIVER, polls: 0 } as const;

/** One step of a refund. Together they are never more than the order: that is decided here, under its lock. */
export function refundStep(order: OrderRecord, change: RefundChange, now: Date, to: To, stay: Stay): Step {
  const { outRefundNo } = change;
  // `__proto__` is a legal out_refund_no.
  const refund = Object.hasOwn(order.refunds, outRefundNo) ? order.refunds[outRefundNo] : undefined;
  const set = (next: RefundRecord, detail: string): Step =>
    to({ refunds: { ...order.refunds, [outRefundNo]: next }, takenUntil: undefined }, `${outRefundNo} ${detail}`);
  const askedAt = new Date(now.getTime() + FIRST_LOOK_MS);

  if (change.type === 'refund-intend') {
    if (refund !== undefined && !sameRefund(refund, change)) return stay('conflict');
    if (refund !== undefined && refund.state !== 'FAILED') return stay('unchanged');
    if (refund === undefined && Object.keys(order.refunds).length >= MAX_REFUNDS) return stay('exceeds');
    if (refundsUnderWay(order) + change.refundFee > order.totalFee) return stay('exceeds');
    const { refundFee, params } = change;
    return set({ ...NEW, refundFee, state: 'REQUESTED', params, pollAt: askedAt }, String(refundFee));
  }
  if (change.type === 'refunded') {
    if (refund?.state === 'REFUNDED') return stay('unchanged');
    return set(
      {
        refundFee: change.refundFee,
        state: 'REFUNDED',
        params: refund?.params ?? {},
        reason: undefined,
        delivery: readyAt(NOTHING_TO_DELIVER, now),
        pollAt: undefined,
        polls: refund?.polls ?? 0,
      },
      String(change.refundFee),
    );
  }
  if (change.type === 'refund-accepted') {
    if (refund !== undefined && refund.state !== 'REQUESTED' && refund.state !== 'FAILED') return stay('unchanged');
    // Of two calls for the same refund one may have been refused.
    if (refund !== undefined)
      return set({ ...refund, state: 'ACCEPTED', reason: undefined, pollAt: refund.pollAt ?? askedAt }, 'ACCEPTED');
    const { refundFee } = change;
    return set({ ...NEW, refundFee, state: 'ACCEPTED', params: {}, pollAt: askedAt }, `ACCEPTED ${refundFee}`);
  }
  if (refund === undefined) return stay('unchanged');
  if (refund.state === 'REFUNDED') {
    // Nobody is there to take it: it stays ready, and is not looked at again.
    if (change.type !== 'refund-looked' || refund.delivery.retryAt === undefined) return stay('unchanged');
    return set({ ...refund, delivery: { ...refund.delivery, retryAt: undefined } }, change.verdict);
  }
  switch (change.type) {
    case 'refund-refused':
    case 'refund-failed':
      return refund.state === 'FAILED' || (change.type === 'refund-refused' && refund.state === 'ACCEPTED')
        ? stay('unchanged')
        : set({ ...refund, state: 'FAILED', reason: change.reason, pollAt: undefined }, change.reason);
    case 'refund-looked':
      return set(
        {
          ...refund,
          polls: refund.polls + (change.counts === false ? 0 : 1),
          pollAt: change.nextInMs === undefined ? undefined : new Date(now.getTime() + change.nextInMs),
        },
        change.verdict,
      );
  }
}

function sameRefund(
  refund: RefundRecord,
  { refundFee, params }: { refundFee: number; params: Record<string, string> },
): boolean {
  if (refund.refundFee !== refundFee) return false;
  const names = Object.keys(refund.params);
  // One that was made elsewhere has none to compare.
  if (names.length === 0) return true;
  return names.length === Object.keys(params).length && names.every((name) => params[name] === refund.params[name]);
}
