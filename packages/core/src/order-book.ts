import { createHash } from 'node:crypto';

/** Which order: the merchant's number is unique per `mch_id`, and per `sub_mch_id` in service-provider mode. */
export interface OrderKey {
  mchId: string;
  subMchId?: string;
  outTradeNo: string;
}

/** The key as one text. Numbers are checked before they get here and hold no blank: the parts cannot run into each other. */
export function orderId(key: OrderKey): string {
  return `${key.mchId} ${key.subMchId ?? ''} ${key.outTradeNo}`;
}

/**
 * What is known of one order. The first block is fixed by the intent; the rest only ever moves forward.
 * Books store it whole and hand out copies.
 */
export interface OrderRecord {
  readonly key: Readonly<OrderKey>;
  readonly appId: string;
  /** Smallest unit of `feeType` (fen for CNY). */
  readonly totalFee: number;
  /** ISO 4217; `CNY` when the order named none. */
  readonly feeType: string;
  /** `undefined`: not known (the shop's own table gave none), so not compared; `''`: the order had none. */
  readonly attach: string | undefined;
  /** The business parameters as sent to WeChat Pay, without `nonce_str`, `sign` and `sign_type`. Empty when found by `findOrder`. */
  readonly params: Readonly<Record<string, string>>;

  readonly state: OrderState;
  /** The payer's address the present link was made for (`spbill_create_ip`). */
  readonly clientIp: string;
  readonly link: OrderLink | undefined;
  readonly payment: PaymentEvidence | undefined;
  /** Why the order is quarantined, failed or unknown: a stable word and, for people, some text. */
  readonly reason: string | undefined;
  readonly delivery: Delivery;
  /** Confirmed refunds by `out_refund_no`. */
  readonly refunds: Readonly<Record<string, RefundRecord>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Grows by one with every stored change. */
  readonly version: number;
}

/**
 * `CREATING`: the intent is stored, WeChat Pay has not answered. `CREATE_UNKNOWN`: the call ended without
 * an answer that can be believed; the order may exist. `CREATE_FAILED`: WeChat Pay refused it for certain.
 * `PENDING`: payable. `CLOSED`: WeChat Pay confirmed that it is closed. `PAID`: WeChat Pay said so, signed,
 * for the stored amount. `QUARANTINED`: a signed message contradicts the stored order; a person decides.
 */
export type OrderState =
  'CREATING' | 'CREATE_UNKNOWN' | 'CREATE_FAILED' | 'PENDING' | 'CLOSED' | 'PAID' | 'QUARANTINED';

export interface OrderLink {
  readonly prepayId: string;
  readonly mwebUrl: string;
  /** Five minutes after the reply that brought it. */
  readonly expiresAt: Date;
  /** The reply, untouched. */
  readonly raw: Readonly<Record<string, string>>;
}

/** What a signed notification or a signed `orderquery` reply says about an order that was paid. */
export interface PaymentEvidence {
  readonly transactionId: string;
  readonly appId: string;
  readonly totalFee: number;
  readonly feeType: string;
  readonly attach: string;
  /** The message, untouched. */
  readonly raw: Readonly<Record<string, string>>;
}

/** A refund that `refundquery` confirmed, and its hand-over to `onRefunded`. */
export interface RefundRecord {
  readonly refundFee: number;
  readonly delivery: Delivery;
}

/**
 * The hand-over of a payment to the shop. `attempt` only grows: it is the fencing token of a lease, so a
 * run that lost its lease can no longer complete. `NONE` until paid; `WITHHELD` for a payment that must
 * not reach `onPaid` (paid after it was closed, or refunded in full before it was handed over).
 */
export interface Delivery {
  readonly state: 'NONE' | 'READY' | 'LEASED' | 'DONE' | 'WITHHELD';
  readonly attempt: number;
  readonly leaseUntil: Date | undefined;
}

export interface OrderIntent {
  appId: string;
  totalFee: number;
  feeType: string;
  attach: string | undefined;
  params: Record<string, string>;
  clientIp: string;
}

/** One thing that happened to an order. Books pass it to {@link transition} and store what comes out. */
export type OrderChange =
  | { type: 'intend'; intent: OrderIntent }
  /** The order was found in the shop's own table: nothing is known of its link. */
  | { type: 'found'; intent: OrderIntent }
  | { type: 'created'; link: OrderLink; clientIp: string }
  | { type: 'create-failed'; reason: string }
  | { type: 'create-unknown'; reason: string }
  | { type: 'paid'; payment: PaymentEvidence }
  | { type: 'closed' }
  | { type: 'refunded'; outRefundNo: string; refundFee: number }
  /** These four are about the payment, or with `outRefundNo` about that refund. */
  | { type: 'claim'; leaseMs: number; outRefundNo?: string }
  | { type: 'renew'; attempt: number; leaseMs: number; outRefundNo?: string }
  | { type: 'complete'; attempt: number; outRefundNo?: string }
  | { type: 'release'; attempt: number; outRefundNo?: string };

/**
 * What became of a change. `applied`: stored. `unchanged`: it said nothing new. `conflict`: it contradicts
 * what is stored and was not applied (for `intend`: the number is taken by an order with other parameters;
 * for `paid`: the order is now quarantined). `unknown`: there is no such order. For a claim, `applied`: the
 * lease is ours, unless it found a refund of everything and left the delivery `WITHHELD`; `busy`: another
 * run holds the lease, `done`: delivered before, `withheld`: not for `onPaid`, `unpaid`: nothing to deliver.
 * For renew, complete and release, `lost`: the lease is no longer ours.
 */
export type Outcome =
  'applied' | 'unchanged' | 'conflict' | 'unknown' | 'busy' | 'done' | 'withheld' | 'unpaid' | 'lost';

export interface Applied {
  readonly outcome: Outcome;
  /** The record after the change; `undefined` only with `unknown`. */
  readonly order: OrderRecord | undefined;
}

/**
 * The port to wherever orders are kept. A book does one thing: it runs {@link transition} on the stored
 * record, atomically with respect to every other change of the same order on every machine that shares the
 * book, with the book's own clock, and resolves only when the result is as durable as the book promises.
 */
export interface OrderBook<Tx = never> {
  apply(key: OrderKey, change: OrderChange): Promise<Applied>;
  get(key: OrderKey): Promise<OrderRecord | undefined>;
  /** By WeChat Pay's number, once it is known. */
  findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined>;
  /** A type-level mark only: what `context.tx` is with this book. */
  readonly tx?: Tx;
}

const NOTHING_TO_DELIVER: Delivery = Object.freeze({ state: 'NONE', attempt: 0, leaseUntil: undefined });
const DUE: Delivery = Object.freeze({ state: 'READY', attempt: 0, leaseUntil: undefined });

/**
 * The state machine, pure. Evidence of payment is joined, never counted: the same messages in any order, any
 * number of times, end in the same state, so a race between notification and query decides nothing. Only a
 * confirmed close leaves a trace: a payment that arrives after it is withheld from `onPaid`.
 */
export function transition(order: OrderRecord | undefined, key: OrderKey, change: OrderChange, now: Date): Applied {
  if (order === undefined) {
    if (change.type !== 'intend' && change.type !== 'found') return { outcome: 'unknown', order: undefined };
    return { outcome: 'applied', order: opened(key, change.intent, change.type, now) };
  }
  const to = (changes: Partial<OrderRecord>): Applied => ({
    outcome: 'applied',
    order: { ...order, ...changes, updatedAt: now, version: order.version + 1 },
  });
  const stay = (outcome: Outcome): Applied => ({ outcome, order });

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
        });
      }
      return stay('unchanged');
    case 'found':
      return stay('unchanged');
    case 'created':
      // A notification may have been faster than this reply: what is settled stays settled.
      if (isSettled(order)) return stay('unchanged');
      return to({ state: 'PENDING', reason: undefined, link: change.link, clientIp: change.clientIp });
    case 'create-failed':
      return order.state === 'CREATING' || order.state === 'CREATE_UNKNOWN'
        ? to({ state: 'CREATE_FAILED', reason: change.reason })
        : stay('unchanged');
    case 'create-unknown':
      return order.state === 'CREATING' ? to({ state: 'CREATE_UNKNOWN', reason: change.reason }) : stay('unchanged');
    case 'paid':
      return joinPayment(order, change.payment, to, stay);
    case 'closed':
      return isSettled(order) ? stay('unchanged') : to({ state: 'CLOSED', link: undefined });
    case 'refunded':
      return refundOf(order, change.outRefundNo) === undefined
        ? to({ refunds: { ...order.refunds, [change.outRefundNo]: { refundFee: change.refundFee, delivery: DUE } } })
        : stay('unchanged');
    case 'claim':
    case 'renew':
    case 'complete':
    case 'release':
      return handOver(order, change, now, to, stay);
  }
}

type HandOver = Extract<OrderChange, { type: 'claim' | 'renew' | 'complete' | 'release' }>;

function handOver(order: OrderRecord, change: HandOver, now: Date, to: To, stay: Stay): Applied {
  const { outRefundNo } = change;
  const refund = outRefundNo === undefined ? undefined : refundOf(order, outRefundNo);
  const delivery = outRefundNo === undefined ? order.delivery : (refund?.delivery ?? NOTHING_TO_DELIVER);
  const set = (changes: Partial<Delivery>): Applied => {
    const next = { ...delivery, leaseUntil: undefined, ...changes };
    return refund === undefined || outRefundNo === undefined
      ? to({ delivery: next })
      : to({ refunds: { ...order.refunds, [outRefundNo]: { ...refund, delivery: next } } });
  };
  if (change.type === 'claim') {
    if (delivery.state === 'DONE') return stay('done');
    if (delivery.state === 'WITHHELD') return stay('withheld');
    // A refund of an order whose payment is in doubt waits for the same person.
    if (delivery.state === 'NONE' || order.state === 'QUARANTINED') return stay('unpaid');
    if (delivery.state === 'LEASED' && delivery.leaseUntil !== undefined && delivery.leaseUntil > now)
      return stay('busy');
    // The money is back already: the goods must not follow it.
    if (refund === undefined && isRefunded(order)) return set({ state: 'WITHHELD' });
    return set({ state: 'LEASED', attempt: delivery.attempt + 1, leaseUntil: after(now, change.leaseMs) });
  }
  if (delivery.state !== 'LEASED' || delivery.attempt !== change.attempt) {
    return stay(change.type === 'complete' && delivery.state === 'DONE' ? 'done' : 'lost');
  }
  if (change.type === 'renew') return set({ leaseUntil: after(now, change.leaseMs) });
  return set({ state: change.type === 'complete' ? 'DONE' : 'READY' });
}

// `__proto__` is a legal out_refund_no.
function refundOf(order: OrderRecord, outRefundNo: string): RefundRecord | undefined {
  return Object.hasOwn(order.refunds, outRefundNo) ? order.refunds[outRefundNo] : undefined;
}

function isRefunded(order: OrderRecord): boolean {
  return Object.values(order.refunds).reduce((sum, { refundFee }) => sum + refundFee, 0) >= order.totalFee;
}

function after(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() + milliseconds);
}

type To = (changes: Partial<OrderRecord>) => Applied;
type Stay = (outcome: Outcome) => Applied;

function joinPayment(order: OrderRecord, payment: PaymentEvidence, to: To, stay: Stay): Applied {
  const difference = contradiction(order, payment);
  if (difference !== undefined) {
    if (order.state === 'QUARANTINED') return stay('conflict');
    // What was delivered stays delivered: only the state says that a person has to look.
    return {
      ...to({ state: 'QUARANTINED', reason: difference, payment: order.payment ?? payment }),
      outcome: 'conflict',
    };
  }
  if (order.state === 'QUARANTINED') return stay(order.delivery.state === 'DONE' ? 'unchanged' : 'conflict');
  if (order.state === 'PAID') return stay('unchanged');
  // Paid after WeChat Pay had confirmed the close: the goods may have been sold to somebody else.
  const state = order.state === 'CLOSED' ? 'WITHHELD' : 'READY';
  return to({ state: 'PAID', payment, reason: undefined, delivery: { state, attempt: 0, leaseUntil: undefined } });
}

function opened(key: OrderKey, intent: OrderIntent, type: 'intend' | 'found', now: Date): OrderRecord {
  return {
    key: { ...key },
    ...intent,
    state: type === 'intend' ? 'CREATING' : 'PENDING',
    link: undefined,
    payment: undefined,
    reason: undefined,
    delivery: NOTHING_TO_DELIVER,
    refunds: {},
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

function isSettled(order: OrderRecord): boolean {
  return order.state === 'PAID' || order.state === 'CLOSED' || order.state === 'QUARANTINED';
}

/** The payer's address is not part of the comparison: the same order may be asked for again from another one. */
function sameOrder(order: OrderRecord, intent: OrderIntent): boolean {
  if (Object.keys(order.params).length === 0) {
    return (
      order.appId === intent.appId &&
      order.totalFee === intent.totalFee &&
      order.feeType === intent.feeType &&
      (order.attach === undefined || order.attach === intent.attach)
    );
  }
  return fingerprint(order.params) === fingerprint(intent.params);
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
