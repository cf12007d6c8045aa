import { createHash } from 'node:crypto';
import { handOver, NOTHING_TO_DELIVER, readyAt, withheld } from './order-delivery.js';
import { refundStep } from './order-refund.js';
import {
  closableAt,
  dueAt,
  purchaseName,
  transactionName,
  type HistoryEntry,
  type HistorySource,
  type OrderKey,
  type OrderLink,
  type OrderRecord,
  type PaymentEvidence,
} from './order-record.js';

export interface OrderIntent {
  appId: string;
  totalFee: number;
  feeType: string;
  attach: string | undefined;
  params: Record<string, string>;
  clientIp: string;
  orderRef?: string | undefined;
}

/** One thing that happened to an order. Books pass it to {@link transition} and store what comes out; they look at none of it. */
export type OrderChange = { source?: HistorySource } & (
  | { type: 'intend'; intent: OrderIntent }
  /** The order was found in the shop's own table: nothing is known of its link. */
  | { type: 'found'; intent: OrderIntent }
  /** The link came, `tookMs` after it had been asked for. */
  | { type: 'created'; link: Omit<OrderLink, 'expiresAt'>; clientIp: string; tookMs: number }
  | { type: 'create-failed'; reason: string }
  | { type: 'create-unknown'; reason: string }
  /** A newer attempt takes its place. */
  | { type: 'superseded' }
  | { type: 'paid'; payment: PaymentEvidence }
  /** The intent to close it. */
  | { type: 'closing' }
  | { type: 'closed' }
  | RefundChange
  | HandOverChange
  /** For one machine to look at what is due. */
  | { type: 'take'; leaseMs: number }
  /** That look ended with `verdict`; the next one is due after `nextInMs`, if any. `counts`: it was one of the schedule. */
  | { type: 'looked'; verdict: string; nextInMs: number | undefined; counts: boolean }
  /** A person decides about an order in quarantine: hand over what was paid, or keep it from `onPaid` (and refund it). */
  | { type: 'resolve'; as: 'deliver' | 'withhold' }
);

export type RefundChange =
  | { type: 'refund-intend'; outRefundNo: string; refundFee: number; params: Record<string, string> }
  /** WeChat Pay has it; it may have been asked for elsewhere. */
  | { type: 'refund-accepted'; outRefundNo: string; refundFee: number }
  | { type: 'refund-failed'; outRefundNo: string; reason: string }
  /** It is not done, or nobody is there to take it; looked at again after `nextInMs`, if at all. */
  | { type: 'refund-looked'; outRefundNo: string; verdict: string; nextInMs: number | undefined }
  /** `refundquery` confirmed that it is done. */
  | { type: 'refunded'; outRefundNo: string; refundFee: number };

/** About the payment, or with `outRefundNo` about that refund. */
export type HandOverChange =
  | { type: 'claim'; leaseMs: number; outRefundNo?: string }
  | { type: 'renew'; attempt: number; leaseMs: number; outRefundNo?: string }
  | { type: 'complete'; attempt: number; outRefundNo?: string }
  /** The run did not succeed. Without a notification it is tried again after `retryInMs`. */
  | { type: 'release'; attempt: number; retryInMs?: number; outRefundNo?: string }
  /** A person starts again what is `DEAD`; with `force` also what is `WITHHELD` or `DONE`. */
  | { type: 'redrive'; force?: boolean; outRefundNo?: string };

/**
 * What became of a change. `applied`: stored. `unchanged`: it said nothing new. `conflict`: it contradicts
 * what is stored (for `intend` and `refund-intend`: the number is taken with other parameters, nothing is stored;
 * for `paid`: the order is now quarantined). `unknown`: there is no such order; a payment was kept as an orphan.
 * `early`: an order may not be closed yet. `exceeds`: the refunds would be more than the order.
 * For a claim, `applied`: the lease is ours, unless it left the delivery `WITHHELD` or `DEAD`; `busy`: another
 * run holds the lease, `done`: delivered before, `withheld`: not for `onPaid`, `dead`: failed too often,
 * `unpaid`: nothing to deliver. For take, `busy`: not due. For renew, complete and release, `lost`: the lease is
 * no longer ours.
 */
export type Outcome =
  | 'applied'
  | 'unchanged'
  | 'conflict'
  | 'unknown'
  | 'early'
  | 'exceeds'
  | 'busy'
  | 'done'
  | 'withheld'
  | 'dead'
  | 'unpaid'
  | 'lost';

export interface Applied {
  readonly outcome: Outcome;
  /** The record after the change; `undefined` only with `unknown`. */
  readonly order: OrderRecord | undefined;
  /** What the book's clock said: times of the record are compared with it, and never with another clock. */
  readonly at: Date;
}

export type Step = Omit<Applied, 'at'>;
export type To = (changes: Partial<OrderRecord>, detail?: string) => Step;
export type Stay = (outcome: Outcome) => Step;

/** From the intent to the first question that nobody asked for: within the minute WeChat Pay recommends. */
const FIRST_LOOK_MS = 35_000;
/** From the close to the first look for a payment that slipped through. */
const AFTER_CLOSE_MS = 10 * 60_000;
const ORPHAN_LOOK_MS = 60_000;
const CLOSING_LOOK_MS = 60_000;
/** WeChat Pay's, from when it made the link. */
const LINK_LIFE_MS = 5 * 60_000;
const KEPT_FIRST = 8;
const KEPT_LATEST = 32;
/** They would fill the history and say nothing of the order. */
const NOT_HISTORY: ReadonlySet<string> = new Set(['renew', 'take']);
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
  return { ...step(order, key, change, now, taken), at: now };
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
    if (!NOT_HISTORY.has(change.type)) next.history = withEntry(order.history, entry(change, now, next.state, detail));
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
          pollAt: after(now, FIRST_LOOK_MS),
        });
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
      return order.state === 'QUARANTINED' ? resolved(order, change.as, now, taken, to) : stay('unchanged');
    case 'refund-intend':
    case 'refund-accepted':
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
  const over = order.state === 'PAID' || order.state === 'QUARANTINED' || nextInMs === undefined;
  return to(
    {
      pollAt: over ? undefined : after(now, nextInMs),
      polls: order.polls + (counts ? 1 : 0),
      takenUntil: undefined,
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
  if (change.type === 'take') {
    const due = dueAt(order);
    return due === undefined || due > now ? stay('busy') : to({ takenUntil: after(now, change.leaseMs) });
  }
  return stay('unknown');
}

function joinPayment(
  order: OrderRecord,
  payment: PaymentEvidence,
  now: Date,
  taken: ReadonlySet<string>,
  to: To,
  stay: Stay,
): Step {
  const elsewhere = taken.has(transactionName(order.key.mchId, payment.transactionId));
  // Once a person has accepted a payment as it is, its repeats say nothing new.
  if (order.state === 'PAID' && order.payment !== undefined && !elsewhere && sameEvidence(order.payment, payment))
    return stay('unchanged');
  const difference = elsewhere ? 'transaction_id' : contradiction(order, payment);
  if (difference !== undefined) {
    if (order.state === 'QUARANTINED') return stay('conflict');
    // What was delivered stays delivered: only the state says that a person has to look.
    const quarantined = to(
      {
        state: 'QUARANTINED',
        reason: difference,
        payment: order.payment ?? (elsewhere ? undefined : payment),
        link: undefined,
        pollAt: undefined,
      },
      difference,
    );
    return { ...quarantined, outcome: 'conflict' };
  }
  if (order.state === 'QUARANTINED') return stay(order.delivery.state === 'DONE' ? 'unchanged' : 'conflict');
  if (order.state === 'PAID') return stay('unchanged');
  const paid = { state: 'PAID', payment, link: undefined, pollAt: undefined, takenUntil: undefined } as const;
  // Paid after WeChat Pay had confirmed the close: the goods may have been sold to somebody else.
  const reason = order.state === 'CLOSED' ? 'paid-after-close' : paidTwice(order, taken);
  return reason === undefined
    ? to({ ...paid, reason: undefined, delivery: readyAt(order.delivery, now) })
    : to({ ...paid, reason, delivery: withheld(order.delivery) }, reason);
}

/** The purchase was paid for by another attempt. */
function paidTwice(order: OrderRecord, taken: ReadonlySet<string>): 'paid-twice' | undefined {
  const { key, orderRef } = order;
  return orderRef !== undefined && taken.has(purchaseName(key, orderRef)) ? 'paid-twice' : undefined;
}

function resolved(order: OrderRecord, as: 'deliver' | 'withhold', now: Date, taken: ReadonlySet<string>, to: To): Step {
  if (order.payment === undefined) return to({ state: 'CLOSED', reason: 'resolved', pollAt: undefined }, as);
  if (order.delivery.state === 'DONE') return to({ state: 'PAID', reason: undefined }, as);
  const reason = as === 'withhold' ? 'resolved' : paidTwice(order, taken);
  return reason === undefined
    ? to({ state: 'PAID', reason, delivery: readyAt(order.delivery, now) }, as)
    : to({ state: 'PAID', reason, delivery: withheld(order.delivery) }, as);
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

/** The payer's address is not part of the comparison: the same order may be asked for again from another one. */
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
  const entries = Object.entries(params).filter(([name]) => name !== 'spbill_create_ip');
  return createHash('sha256')
    .update(JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64');
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

function sameEvidence(a: PaymentEvidence, b: PaymentEvidence): boolean {
  return (
    a.transactionId === b.transactionId &&
    a.appId === b.appId &&
    a.totalFee === b.totalFee &&
    a.feeType === b.feeType &&
    a.attach === b.attach
  );
}

function entry(change: OrderChange, at: Date, state: HistoryEntry['state'], detail?: string): HistoryEntry {
  const line: HistoryEntry = { at, source: change.source ?? SOURCE[change.type] ?? 'shop', what: change.type, state };
  return detail === undefined ? line : { ...line, detail };
}

const SOURCE: Partial<Record<OrderChange['type'], HistorySource>> = {
  paid: 'notification',
  looked: 'reconciler',
  redrive: 'operator',
  resolve: 'operator',
};

/** The beginning explains an order and the end its present state: what is left out is in between. */
function withEntry(history: readonly HistoryEntry[], line: HistoryEntry): HistoryEntry[] {
  return history.length < KEPT_FIRST + KEPT_LATEST
    ? [...history, line]
    : [...history.slice(0, KEPT_FIRST), ...history.slice(KEPT_FIRST + 1), line];
}

function after(date: Date, milliseconds: number): Date {
  return new Date(date.getTime() + milliseconds);
}
