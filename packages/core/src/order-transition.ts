import { createHash } from 'node:crypto';
import type { Applied, OrderChange, OrderIntent, Stay, Step, To } from './order-changes.js';
import { handOver, NOTHING_TO_DELIVER } from './order-delivery.js';
import { entry, isHistory, withEntry } from './order-history.js';
import { isKnown, joinPayment, resolved } from './order-payment.js';
import { closableAt, dueAt, transactionName, type OrderKey, type OrderRecord } from './order-record.js';
import { refundStep } from './order-refund.js';

/** From the intent to the first question that nobody asked for: within the minute WeChat Pay recommends. */
const FIRST_LOOK_MS = 35_000;
/** From the close to the first look for a payment that slipped through. */
const AFTER_CLOSE_MS = 10 * 60_000;
const ORPHAN_LOOK_MS = 60_000;
const CLOSING_LOOK_MS = 60_000;
/** WeChat Pay's, from when it made the link. */
const LINK_LIFE_MS = 5 * 60_000;
const NOTHING_TAKEN: ReadonlySet<string> = new Set();

/**
 * The state machine, pure. Evidence of payment is joined, never counted: the same messages in any order, any
 * number of times, end in the same state, so a race between notification and query decides nothing. Only a
 * confirmed close leaves a trace: a payment that arrives after it is withheld from `onPaid`.
 *
 * @param now the book's clock
 * @param taken the names (`namesOf`) of the result that another order holds: run again with them, it holds none of them
 */
export function transition(
  order: OrderRecord | undefined,
  key: OrderKey,
  change: OrderChange,
  now: Date,
  taken: ReadonlySet<string> = NOTHING_TAKEN,
): Applied {
  // Most messages about an order are repeats, of what was delivered long ago.
  if (change.type === 'paid' && order?.delivery.state === 'DONE' && isKnown(order, change.payment, taken))
    return { outcome: 'unchanged', order, at: now };
  const joined = step(order, key, change, now, taken);
  const leaseMs = change.type === 'paid' ? change.leaseMs : undefined;
  const result = leaseMs === undefined ? joined : withClaim(joined, order, leaseMs, now, taken);
  return { outcome: result.outcome, order: result.order, at: now };
}

/** Whoever brings a payment mostly hands it over as well: both in one write, if there is something to claim. */
function withClaim(
  joined: Step,
  before: OrderRecord | undefined,
  leaseMs: number,
  now: Date,
  taken: ReadonlySet<string>,
): Step {
  if (joined.order === undefined) return joined;
  const claimed = step(joined.order, joined.order.key, { type: 'claim', leaseMs }, now, taken);
  if (claimed.outcome !== 'applied' || claimed.order === undefined) return joined;
  return { ...claimed, order: { ...claimed.order, version: (before?.version ?? 0) + 1 } };
}

function step(
  order: OrderRecord | undefined,
  key: OrderKey,
  change: OrderChange,
  now: Date,
  taken: ReadonlySet<string>,
): Step {
  if (order === undefined) {
    if (change.type === 'intend' || change.type === 'found')
      return { outcome: 'applied', order: opened(key, change, now) };
    if (change.type !== 'paid' || taken.has(transactionName(key.mchId, change.payment.transactionId)))
      return { outcome: 'unknown', order: undefined };
    return { outcome: 'unknown', order: orphan(key, change, now) };
  }
  const to: To = (changes, detail) => {
    const next = { ...order, ...changes, updatedAt: now, version: order.version + 1 };
    if (isHistory(change)) next.history = withEntry(order.history, entry(change, now, next.state, detail));
    return { outcome: 'applied', order: next };
  };
  const stay: Stay = (outcome) => ({ outcome, order });

  if (order.state === 'ORPHAN') return ofOrphan(order, change, now, taken, to, stay);
  switch (change.type) {
    case 'intend':
      if (!sameOrder(order, change.intent)) return stay('conflict');
      // WeChat Pay refused it for certain: the same number may be tried again, from any address.
      if (order.state === 'CREATE_FAILED') {
        return to({
          state: 'CREATING',
          reason: undefined,
          clientIp: change.intent.clientIp,
          params: change.intent.params,
          orderedAt: now,
          polls: 0,
          pollAt: after(now, FIRST_LOOK_MS),
        });
      }
      // Known from the shop's own table so far. Placed here from now on, and an attempt of its purchase.
      if (!isPlacedHere(order) && !isOver(order)) {
        const { params, orderRef } = change.intent;
        return to({ params, orderRef, orderedAt: now, pollAt: after(now, FIRST_LOOK_MS) });
      }
      return stay('unchanged');
    case 'found':
      return stay('unchanged');
    case 'created':
      // A notification may have been faster than this reply: what is settled stays settled.
      if (isOver(order)) return stay('unchanged');
      return to({
        state: 'PENDING',
        reason: undefined,
        link: { ...change.link, expiresAt: after(now, LINK_LIFE_MS - change.tookMs) },
        clientIp: change.clientIp,
        orderedAt: order.state === 'PENDING' ? order.orderedAt : now,
        pollAt: order.pollAt ?? after(now, FIRST_LOOK_MS),
      });
    case 'create-failed':
      return order.state === 'CREATING' || order.state === 'CREATE_UNKNOWN'
        ? to({ state: 'CREATE_FAILED', reason: change.reason, pollAt: undefined }, change.reason)
        : stay('unchanged');
    case 'create-unknown':
      return order.state === 'CREATING' || order.state === 'CREATE_UNKNOWN'
        ? to({ state: 'CREATE_UNKNOWN', reason: change.reason, orderedAt: now }, change.reason)
        : stay('unchanged');
    case 'superseded':
      if (order.superseded || isOver(order) || order.state === 'CREATE_FAILED') return stay('unchanged');
      return to({ superseded: true, pollAt: closableAt(order) });
    case 'paid':
      return joinPayment(order, change.payment, now, taken, to, stay);
    case 'payment-failed':
      return order.history.some(({ what, detail }) => what === change.type && detail === change.errCode)
        ? stay('unchanged')
        : to({}, change.errCode);
    case 'closing':
      if (order.state === 'CLOSING' || isSettled(order)) return stay('unchanged');
      // Of an order from the shop's own table nobody here knows how old it is.
      if (isPlacedHere(order) && now < closableAt(order)) return stay('early');
      return to({ state: 'CLOSING', link: undefined, polls: 0, pollAt: after(now, CLOSING_LOOK_MS) });
    case 'closed':
      return isSettled(order)
        ? stay('unchanged')
        : to({ state: 'CLOSED', link: undefined, polls: 0, pollAt: after(now, AFTER_CLOSE_MS) });
    case 'take': {
      const due = dueAt(order);
      return due === undefined || due > now ? stay('busy') : to({ takenUntil: after(now, change.leaseMs) });
    }
    case 'looked':
      return looked(order, change, now, to);
    case 'resolve':
      return order.state === 'QUARANTINED' ? resolved(order, change, now, taken, to, stay) : stay('unchanged');
    case 'refund-intend':
    case 'refund-accepted':
    case 'refund-refused':
    case 'refund-failed':
    case 'refund-looked':
    case 'refunded':
      return refundStep(order, change, now, to, stay);
    case 'claim':
    case 'renew':
    case 'complete':
    case 'release':
    case 'redrive':
      return handOver(order, change, now, taken, to, stay);
  }
}

type Looked = Extract<OrderChange, { type: 'looked' }>;

function looked(order: OrderRecord, change: Looked, now: Date, to: To): Step {
  const { verdict, nextInMs, counts } = change;
  // What is in quarantine is asked about once, until there is an answer.
  const over = order.state === 'PAID' || (order.state === 'QUARANTINED' && counts) || nextInMs === undefined;
  return to(
    {
      pollAt: over ? undefined : after(now, nextInMs),
      polls: order.polls + (counts ? 1 : 0),
      // What else is due of it, a refund or a hand-over, waits as well: it was not seen to.
      takenUntil: counts || nextInMs === undefined ? undefined : after(now, nextInMs),
    },
    verdict,
  );
}

/** Nothing was intended: all that is known is a payment. It becomes an order by an intent, and joins it. */
function ofOrphan(
  order: OrderRecord,
  change: OrderChange,
  now: Date,
  taken: ReadonlySet<string>,
  to: To,
  stay: Stay,
): Step {
  if (change.type === 'intend' || change.type === 'found') {
    const next = { ...opened(order.key, change, now), history: order.history, version: order.version };
    const join: To = (changes, detail) => to({ ...next, ...changes }, detail);
    return order.payment === undefined
      ? join({})
      : joinPayment({ ...next, payment: undefined }, order.payment, now, taken, join, stay);
  }
  if (change.type === 'looked') return { ...looked(order, change, now, to), outcome: 'applied' };
  // The order may be known by now: whoever looks finds out.
  if (change.type === 'redrive') return to({ pollAt: now, takenUntil: undefined });
  if (change.type === 'take') {
    const due = dueAt(order);
    return due === undefined || due > now ? stay('busy') : to({ takenUntil: after(now, change.leaseMs) });
  }
  return stay('unknown');
}

function opened(key: OrderKey, change: Extract<OrderChange, { type: 'intend' | 'found' }>, now: Date): OrderRecord {
  const { intent, type } = change;
  const state = type === 'intend' ? 'CREATING' : 'PENDING';
  return {
    key: { ...key },
    ...intent,
    orderRef: intent.orderRef,
    state,
    link: undefined,
    payment: undefined,
    reason: undefined,
    delivery: NOTHING_TO_DELIVER,
    refunds: {},
    superseded: false,
    // An order of the shop's own table was not placed here, and is not closed from here.
    pollAt: type === 'intend' ? after(now, FIRST_LOOK_MS) : undefined,
    polls: 0,
    takenUntil: undefined,
    history: [entry(change, now, state)],
    orderedAt: now,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

function orphan(key: OrderKey, change: Extract<OrderChange, { type: 'paid' }>, now: Date): OrderRecord {
  const { payment } = change;
  const intent = {
    appId: payment.appId,
    totalFee: payment.totalFee,
    feeType: payment.feeType,
    attach: undefined,
    params: {},
    clientIp: '',
  };
  return {
    ...opened(key, { type: 'found', intent }, now),
    state: 'ORPHAN',
    payment,
    pollAt: after(now, ORPHAN_LOOK_MS),
    history: [entry(change, now, 'ORPHAN')],
  };
}

function isSettled(order: OrderRecord): boolean {
  return order.state === 'PAID' || order.state === 'CLOSED' || order.state === 'QUARANTINED';
}

function isOver(order: OrderRecord): boolean {
  return order.state === 'CLOSING' || isSettled(order);
}

function isPlacedHere(order: OrderRecord): boolean {
  return Object.keys(order.params).length > 0;
}

/**
 * What is not part of the comparison: from where the payer asks, and what the shop's configuration says beside every
 * order. WeChat Pay is sent what was stored, so that both may have changed.
 */
const NOT_OF_THE_ORDER: ReadonlySet<string> = new Set(['spbill_create_ip', 'notify_url', 'scene_info']);

function sameOrder(order: OrderRecord, intent: OrderIntent): boolean {
  if (!isPlacedHere(order)) {
    return (
      order.appId === intent.appId &&
      order.totalFee === intent.totalFee &&
      order.feeType === intent.feeType &&
      (order.attach === undefined || order.attach === intent.attach)
    );
  }
  return order.orderRef === intent.orderRef && fingerprint(order.params) === fingerprint(intent.params);
}

function fingerprint(params: Readonly<Record<string, string>>): string {
  const entries = Object.entries(params).filter(([name]) => !NOT_OF_THE_ORDER.has(name));
  return createHash('sha256')
    .update(JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64');
}

function after(date: Date, milliseconds: number): Date {
  return new Date(date.getTime() + milliseconds);
}
