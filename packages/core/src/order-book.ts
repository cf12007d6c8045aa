import { createHash } from 'node:crypto';
import {
  dueAt,
  orderId,
  paidOn,
  type Delivery,
  type OrderKey,
  type OrderRecord,
  type OrderState,
} from './order-record.js';
import type { TurnOptions } from './call-turns.js';
import type { Applied, OrderChange } from './order-changes.js';

export { nextTurn, turnPlan, type Turn, type TurnOptions, type TurnPlan } from './call-turns.js';
export { isRefunded } from './order-delivery.js';
export { quoted } from './errors.js';
export { decodeOrder, encodeOrder } from './order-text.js';
export { closableAt, dueAt, namesOf, orderId, paidOn, transactionName } from './order-record.js';
export type {
  Delivery,
  HistoryEntry,
  HistorySource,
  OrderKey,
  OrderLink,
  OrderRecord,
  OrderState,
  PaymentEvidence,
  RefundRecord,
} from './order-record.js';
export { transition } from './order-transition.js';
export type { Applied, OrderChange, OrderIntent, Outcome } from './order-changes.js';

/**
 * The port to wherever orders are kept. What every book must guarantee is in docs/order-book.md; testkit checks it.
 * @typeParam Tx what {@link transaction} hands out: a client on which a transaction is open
 */
export interface OrderBook<Tx = never> {
  /**
   * Milliseconds for which a run of a handler holds its delivery without a sign of life; it renews three times as often.
   * The same on every machine that shares the book. Default 30 000.
   */
  readonly leaseMs?: number;
  /**
   * Runs `transition` on the stored record, atomically with respect to every other change of the same order on every
   * machine that shares the book, with the book's own clock, and resolves only when the result is as durable as the
   * book promises.
   */
  apply(key: OrderKey, change: OrderChange): Promise<Applied>;
  get(key: OrderKey): Promise<OrderRecord | undefined>;
  /** By WeChat Pay's number, once it is known. */
  findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined>;
  /**
   * Applies `take` to orders whose `dueAt` has come, the latest due first, and hands them out. None is handed to two
   * machines while the lease lasts.
   * @param options.limit at most so many, 1 to 1000
   * @param options.oldestFirst those that have waited longest instead
   */
  claimDue(options: { limit: number; leaseMs: number; oldestFirst?: boolean }): Promise<OrderRecord[]>;
  /** Orders that fit, the newest first. For operators and reports: it may be slow, and it locks nothing. */
  list(filter: OrderFilter, page?: { limit?: number; after?: string }): Promise<OrderPage>;
  /**
   * For books that several machines share: gives one call its turn among those of all of them, by the book's clock. The
   * reconciler asks before each call it makes to WeChat Pay; what a payer waits for asks nobody. It may be forgotten
   * when the store goes down.
   * @returns milliseconds until the call may be made; `undefined`: more than `withinMs`, and no turn was given
   */
  turn?(mchId: string, options: TurnOptions): Promise<number | undefined>;
  /**
   * For books that let handlers write in the same transaction: `work` runs in one, `tx` is open on it, and `apply`
   * (which is not {@link OrderBook.apply}) belongs to it. It commits when `work` resolves and rolls back when it rejects.
   */
  transaction?<T>(work: (tx: Tx, apply: OrderBook['apply']) => Promise<T>): Promise<T>;
  /** Finds out whether the book can be used: the schema's version, a server that persists. `start()` calls it. */
  open?(): Promise<void>;
  /** Creates or changes what the book needs. Nothing here calls it: an operator does, once for each version. */
  migrate?(): Promise<void>;
  /** Ends what the book itself has opened. Whoever made the book calls it. */
  close?(): Promise<void>;
}

/** Everything given must hold. */
export interface OrderFilter {
  mchId?: string;
  state?: OrderState;
  delivery?: Delivery['state'];
  orderRef?: string;
  /** Paid on that day of the bill: `yyyyMMdd` in UTC+8. */
  paidOn?: string;
  /** Due now, by the book's clock. */
  due?: boolean;
}

export interface OrderPage {
  readonly orders: readonly OrderRecord[];
  /** Give it as `after` for the next page; `undefined`: this was the last one. */
  readonly next: string | undefined;
}

/** Whether an order fits, for books that look through their orders one by one. */
export function matches(order: OrderRecord, filter: OrderFilter, now: Date): boolean {
  if (filter.mchId !== undefined && order.key.mchId !== filter.mchId) return false;
  if (filter.state !== undefined && order.state !== filter.state) return false;
  if (filter.delivery !== undefined && order.delivery.state !== filter.delivery) return false;
  if (filter.orderRef !== undefined && order.orderRef !== filter.orderRef) return false;
  if (filter.paidOn !== undefined && paidOn(order) !== filter.paidOn) return false;
  if (filter.due === undefined) return true;
  const due = dueAt(order);
  return (due !== undefined && due <= now) === filter.due;
}

/** Where a page ends: orders are listed by this text, the greatest first. */
export function cursorOf(order: OrderRecord): string {
  return `${String(order.createdAt.getTime()).padStart(14, '0')} ${orderId(order.key)}`;
}

/** How {@link attemptOf} begins for a purchase. Hashed: keys of an index are short, and an `orderRef` may be any text. */
export function attemptsOf(orderRef: string): string {
  return `${createHash('sha256').update(orderRef).digest('base64url')} `;
}

/** Where an attempt stands among those of its purchase, listed like {@link cursorOf}; `undefined` for an order of none. */
export function attemptOf(order: OrderRecord): string | undefined {
  return order.orderRef === undefined ? undefined : `${attemptsOf(order.orderRef)}${cursorOf(order)}`;
}
