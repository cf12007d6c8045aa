import type { HistorySource, OrderLink, OrderRecord, PaymentEvidence } from './order-record.js';

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
  /** With `leaseMs`, what may be handed over is claimed in the same step: two changes for one write. */
  | { type: 'paid'; payment: PaymentEvidence; leaseMs?: number }
  /** WeChat Pay says that an attempt to pay it failed. It is told in the history, once for each code, and nowhere else. */
  | { type: 'payment-failed'; errCode: string }
  /** The intent to close it. */
  | { type: 'closing' }
  | { type: 'closed' }
  | RefundChange
  | HandOverChange
  /** For one machine to look at what is due. */
  | { type: 'take'; leaseMs: number }
  /** That look ended with `verdict`; the next one is due after `nextInMs`, if any. `counts`: it was one of the schedule. */
  | { type: 'looked'; verdict: string; nextInMs: number | undefined; counts: boolean }
  /**
   * A person decides about an order in quarantine: hand over what was paid, or keep it from `onPaid` (and refund it).
   * `note`: why. `seen`: the order as that person saw it; if another payment has come into its place since, nothing is decided.
   */
  | { type: 'resolve'; as: 'deliver' | 'withhold'; note?: string; seen?: Pick<OrderRecord, 'payment'> }
);

export type RefundChange =
  | { type: 'refund-intend'; outRefundNo: string; refundFee: number; params: Record<string, string> }
  /** WeChat Pay has it; it may have been asked for elsewhere. */
  | { type: 'refund-accepted'; outRefundNo: string; refundFee: number }
  /** The call for it was refused, or WeChat Pay knows of none: no word against an acceptance. */
  | { type: 'refund-refused'; outRefundNo: string; reason: string }
  /** `refundquery` confirmed that it did not happen. */
  | { type: 'refund-failed'; outRefundNo: string; reason: string }
  /**
   * It is not done, or nobody is there to take it; looked at again after `nextInMs`, if at all. `counts: false`: nobody
   * has answered, so it was not one of the schedule.
   */
  | { type: 'refund-looked'; outRefundNo: string; verdict: string; nextInMs: number | undefined; counts?: false }
  /** `refundquery` confirmed that it is done. */
  | { type: 'refunded'; outRefundNo: string; refundFee: number };

/** About the payment, or with `outRefundNo` about that refund. */
export type HandOverChange =
  | { type: 'claim'; leaseMs: number; outRefundNo?: string }
  | { type: 'renew'; attempt: number; leaseMs: number; outRefundNo?: string }
  | { type: 'complete'; attempt: number; outRefundNo?: string }
  /** The run did not succeed. Without a notification it is tried again after `retryInMs`. */
  | { type: 'release'; attempt: number; retryInMs?: number; outRefundNo?: string }
  /**
   * A person makes due now what is `DEAD`, or `READY` and waits for its next try, and the look at an orphan; with `force`
   * also what is `WITHHELD` or `DONE`.
   */
  | { type: 'redrive'; force?: boolean; outRefundNo?: string };

/**
 * What became of a change. `applied`: stored. `unchanged`: it said nothing new. `conflict`: it contradicts
 * what is stored (for `intend` and `refund-intend`: the number is taken with other parameters, nothing is stored;
 * for `paid`: the order is now quarantined; for `resolve`: its payment is not the one that was seen). `unknown`: there is
 * no such order; a payment was kept as an orphan. `early`: an order may not be closed yet. `exceeds`: the refunds would be more than the order.
 * For a claim, `applied`: the lease is ours, unless it left the delivery `WITHHELD` or `DEAD`; `busy`: another
 * run holds the lease, `done`: delivered before, `withheld`: not for `onPaid`, `dead`: failed too often,
 * `unpaid`: nothing to deliver. For a payment with `leaseMs`: the lease is ours if `applied` left the delivery
 * `LEASED`. For take, `busy`: not due. For renew, complete and release, `lost`: the lease is
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
