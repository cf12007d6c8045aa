import { NOTHING_TO_DELIVER, readyAt } from './order-delivery.js';
import type { OrderRecord, RefundRecord } from './order-record.js';
import type { Step, RefundChange, Stay, To } from './order-transition.js';

/** An order takes no more of them. */
const MAX_REFUNDS = 50;
/** From the intent to the first question about it. */
const FIRST_LOOK_MS = 60_000;

/** One step of a refund. Together they are never more than the order: that is decided here, under its lock. */
export function refundStep(order: OrderRecord, change: RefundChange, now: Date, to: To, stay: Stay): Step {
  const { outRefundNo } = change;
  // `__proto__` is a legal out_refund_no.
  const refund = Object.hasOwn(order.refunds, outRefundNo) ? order.refunds[outRefundNo] : undefined;
  const set = (next: RefundRecord, detail: string): Step =>
    to({ refunds: { ...order.refunds, [outRefundNo]: next } }, `${outRefundNo} ${detail}`);
  const askedAt = new Date(now.getTime() + FIRST_LOOK_MS);

  if (change.type === 'refund-intend') {
    if (refund !== undefined && !sameRefund(refund, change)) return stay('conflict');
    if (refund !== undefined && refund.state !== 'FAILED') return stay('unchanged');
    if (refund === undefined && Object.keys(order.refunds).length >= MAX_REFUNDS) return stay('exceeds');
    if (underWay(order) + change.refundFee > order.totalFee) return stay('exceeds');
    const { refundFee, params } = change;
    return set(
      {
        refundFee,
        state: 'REQUESTED',
        params,
        reason: undefined,
        delivery: NOTHING_TO_DELIVER,
        pollAt: askedAt,
        polls: 0,
      },
      String(refundFee),
    );
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
  // Confirmed is confirmed: what is said of its way there comes too late.
  if (refund === undefined || refund.state === 'REFUNDED') return stay('unchanged');
  switch (change.type) {
    case 'refund-accepted':
      return refund.state === 'REQUESTED' ? set({ ...refund, state: 'ACCEPTED' }, 'ACCEPTED') : stay('unchanged');
    case 'refund-failed':
      return refund.state === 'FAILED'
        ? stay('unchanged')
        : set({ ...refund, state: 'FAILED', reason: change.reason, pollAt: undefined }, change.reason);
    case 'refund-looked':
      return set(
        {
          ...refund,
          polls: refund.polls + 1,
          pollAt: change.nextInMs === undefined ? undefined : new Date(now.getTime() + change.nextInMs),
        },
        change.verdict,
      );
  }
}

/** What has been given back or may have been. */
function underWay(order: OrderRecord): number {
  let sum = 0;
  for (const { state, refundFee } of Object.values(order.refunds)) if (state !== 'FAILED') sum += refundFee;
  return sum;
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
