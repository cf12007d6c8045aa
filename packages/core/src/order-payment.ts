import type { OrderChange, Step, Stay, To } from './order-changes.js';
import { readyAt, withheld } from './order-delivery.js';
import { closableAt, purchaseName, transactionName, type OrderRecord, type PaymentEvidence } from './order-record.js';

/**
 * Joins a signed payment to its order.
 * @param taken names of `namesOf` that another order holds
 */
export function joinPayment(
  order: OrderRecord,
  payment: PaymentEvidence,
  now: Date,
  taken: ReadonlySet<string>,
  to: To,
  stay: Stay,
): Step {
  if (isKnown(order, payment, taken)) return stay('unchanged');
  const elsewhere = isElsewhere(order, payment, taken);
  const difference = elsewhere ? 'transaction_id' : contradiction(order, payment);
  if (difference !== undefined || order.state === 'QUARANTINED') {
    const isFitting = !elsewhere && isBetter(order, payment);
    if (order.state === 'QUARANTINED' && !isFitting)
      return stay(difference === undefined && order.delivery.state === 'DONE' ? 'unchanged' : 'conflict');
    // What was delivered stays delivered: only the state says that a person has to look. WeChat Pay is asked once, so
    // that this person can tell a leaked key from a wrong order.
    const quarantined = to(
      {
        state: 'QUARANTINED',
        reason: difference ?? order.reason,
        payment: isFitting ? payment : (order.payment ?? (elsewhere ? undefined : payment)),
        link: undefined,
        pollAt: order.state === 'QUARANTINED' ? order.pollAt : now,
      },
      difference,
    );
    return { ...quarantined, outcome: 'conflict' };
  }
  if (order.state === 'PAID') return stay('unchanged');
  const paid = { state: 'PAID', payment, link: undefined, pollAt: undefined, takenUntil: undefined } as const;
  // Paid after WeChat Pay had confirmed the close: the goods may have been sold to somebody else.
  const reason = order.state === 'CLOSED' ? 'paid-after-close' : paidTwice(order, taken);
  return reason === undefined
    ? to({ ...paid, reason: undefined, delivery: readyAt(order.delivery, now) })
    : to({ ...paid, reason, delivery: withheld(order.delivery) }, reason);
}

/**
 * Whether it fits the order and what is recorded does not: then it is the one that a person may accept. A forgery that
 * came first must not keep the genuine payment out.
 */
function isBetter(order: OrderRecord, payment: PaymentEvidence): boolean {
  const { payment: recorded, delivery } = order;
  if (delivery.state !== 'NONE' && delivery.state !== 'WITHHELD') return false;
  const fits = (one: PaymentEvidence): boolean => contradiction({ ...order, payment: undefined }, one) === undefined;
  return fits(payment) && (recorded === undefined || !fits(recorded));
}

/** Once a payment is accepted as it is, maybe by a person, its repeats say nothing new. */
export function isKnown(order: OrderRecord, payment: PaymentEvidence, taken: ReadonlySet<string>): boolean {
  return order.state === 'PAID' && sameEvidence(order.payment, payment) && !isElsewhere(order, payment, taken);
}

/** Another order holds this payment. */
function isElsewhere(order: OrderRecord, payment: PaymentEvidence, taken: ReadonlySet<string>): boolean {
  return taken.size > 0 && taken.has(transactionName(order.key.mchId, payment.transactionId));
}

/** The purchase was paid for by another attempt. */
function paidTwice(order: OrderRecord, taken: ReadonlySet<string>): 'paid-twice' | undefined {
  const { key, orderRef } = order;
  return orderRef !== undefined && taken.has(purchaseName(key, orderRef)) ? 'paid-twice' : undefined;
}

/** A person has decided about an order in quarantine. What is to be handed over is due at once: nobody else brings it. */
export function resolved(
  order: OrderRecord,
  { as, note, seen }: Extract<OrderChange, { type: 'resolve' }>,
  now: Date,
  taken: ReadonlySet<string>,
  to: To,
  stay: Stay,
): Step {
  // A better payment may have come while the person was thinking about the worse one.
  if (seen !== undefined && !sameEvidence(seen.payment, order.payment)) return stay('conflict');
  const detail = note === undefined ? as : `${as}: ${note}`;
  // What it was told of is another order's, and it can still be paid: it is closed as any other, after asking.
  if (order.payment === undefined) {
    const closable = closableAt(order);
    const pollAt = closable > now ? closable : now;
    return to({ state: 'CLOSING', reason: undefined, polls: 0, pollAt, takenUntil: undefined }, detail);
  }
  const paid = { state: 'PAID', pollAt: undefined, takenUntil: undefined } as const;
  if (order.delivery.state === 'DONE') return to({ ...paid, reason: undefined }, detail);
  const reason = as === 'withhold' ? 'resolved' : paidTwice(order, taken);
  return reason === undefined
    ? to({ ...paid, reason, delivery: { ...readyAt(order.delivery, now), retryAt: now } }, detail)
    : to({ ...paid, reason, delivery: withheld(order.delivery) }, detail);
}

/** The field in which a signed payment contradicts the stored order, or `undefined`. */
function contradiction(order: OrderRecord, payment: PaymentEvidence): string | undefined {
  if (payment.appId !== order.appId) return 'appid';
  if (payment.totalFee !== order.totalFee) return 'total_fee';
  if (payment.feeType !== order.feeType) return 'fee_type';
  if (order.attach !== undefined && payment.attach !== order.attach) return 'attach';
  if (order.payment !== undefined && payment.transactionId !== order.payment.transactionId) return 'transaction_id';
  return undefined;
}

function sameEvidence(a: PaymentEvidence | undefined, b: PaymentEvidence | undefined): boolean {
  return (
    a?.transactionId === b?.transactionId &&
    a?.appId === b?.appId &&
    a?.totalFee === b?.totalFee &&
    a?.feeType === b?.feeType &&
    a?.attach === b?.attach
  );
}
