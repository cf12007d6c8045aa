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
  /** What the shop calls the purchase. Attempts that share it are paid once. */
  readonly orderRef: string | undefined;

  readonly state: OrderState;
  /** The payer's address the present link was made for (`spbill_create_ip`). */
  readonly clientIp: string;
  readonly link: OrderLink | undefined;
  readonly payment: PaymentEvidence | undefined;
  /** Why the order is quarantined, failed, unknown or kept from `onPaid`: a stable word, or the field concerned. */
  readonly reason: string | undefined;
  readonly delivery: Delivery;
  /** By `out_refund_no`. */
  readonly refunds: Readonly<Record<string, RefundRecord>>;
  /** A newer attempt has taken its place: it is closed as soon as WeChat Pay allows, and its link is not handed out again. */
  readonly superseded: boolean;

  /** When WeChat Pay is to be asked next; `undefined`: not at all. */
  readonly pollAt: Date | undefined;
  /** How often it was asked without an end since the order came into this state. */
  readonly polls: number;
  /** Until then the order is in the hands of one machine, and due for no other. */
  readonly takenUntil: Date | undefined;
  /** What happened, oldest first: the first entries and the latest ones. */
  readonly history: readonly HistoryEntry[];

  /** When WeChat Pay was asked for the order: the first time that brought a link or, as long as there was none, the last. */
  readonly orderedAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Grows by one with every stored change. */
  readonly version: number;
}

/**
 * `CREATING`: the intent is stored, WeChat Pay has not answered. `CREATE_UNKNOWN`: the call ended without
 * an answer that can be believed; the order may exist. `CREATE_FAILED`: WeChat Pay refused it for certain.
 * `PENDING`: payable. `CLOSING`: to be closed, and not known to be closed yet. `CLOSED`: WeChat Pay confirmed
 * that it is closed. `PAID`: WeChat Pay said so, signed, for the stored amount. `QUARANTINED`: a signed message
 * contradicts the stored order; a person decides. `ORPHAN`: a signed payment for a number nobody intended; it
 * becomes an order when one is intended or found, and is never acknowledged before.
 */
export type OrderState =
  | 'CREATING'
  | 'CREATE_UNKNOWN'
  | 'CREATE_FAILED'
  | 'PENDING'
  | 'CLOSING'
  | 'CLOSED'
  | 'PAID'
  | 'QUARANTINED'
  | 'ORPHAN';

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

/**
 * A refund. `REQUESTED`: the intent is stored, WeChat Pay has not answered, or not believably. `ACCEPTED`: it is
 * on its way. `REFUNDED`: `refundquery` confirmed it, and it is handed over to `onRefunded`. `FAILED`: refused for
 * certain or closed; the same number may be tried again.
 */
export interface RefundRecord {
  readonly refundFee: number;
  readonly state: 'REQUESTED' | 'ACCEPTED' | 'REFUNDED' | 'FAILED';
  /** As sent to WeChat Pay. Empty for a refund that was made elsewhere. */
  readonly params: Readonly<Record<string, string>>;
  readonly reason: string | undefined;
  readonly delivery: Delivery;
  readonly pollAt: Date | undefined;
  readonly polls: number;
}

/**
 * The hand-over of a payment or a refund to the shop. `attempt` only grows: it is the fencing token of a lease,
 * so a run that lost its lease can no longer complete. `NONE` until there is something to hand over. `WITHHELD`
 * for a payment that must not reach `onPaid` (paid after it was closed, paid twice, or refunded in full before).
 * `DEAD` after too many failures: a person starts it again.
 */
export interface Delivery {
  readonly state: 'NONE' | 'READY' | 'LEASED' | 'DONE' | 'WITHHELD' | 'DEAD';
  readonly attempt: number;
  /** Runs that did not succeed since it was made ready. */
  readonly failures: number;
  readonly leaseUntil: Date | undefined;
  /** When it is tried again if no notification comes first. */
  readonly retryAt: Date | undefined;
}

/** Who said it, or did it. */
export type HistorySource = 'shop' | 'payer' | 'notification' | 'query' | 'reconciler' | 'operator';

/** One line of an order's history. It holds no field of a message and no secret. */
export interface HistoryEntry {
  readonly at: Date;
  readonly source: HistorySource;
  /** The type of the change. */
  readonly what: string;
  /** The state of the order after it. */
  readonly state: OrderState;
  /** A word more: a `trade_state`, an error code, a number of an attempt. */
  readonly detail?: string;
}

const MIN_CLOSE_AGE_MS = 5 * 60_000;

/**
 * When somebody has to look at the order: to ask WeChat Pay, or to hand over what was not handed over.
 * `undefined`: never. Books keep it in an index, for `claimDue`.
 */
export function dueAt(order: OrderRecord): Date | undefined {
  let due = Infinity;
  const at = (date: Date | undefined): void => {
    if (date !== undefined && date.getTime() < due) due = date.getTime();
  };
  at(order.pollAt);
  // What is quarantined is not handed over.
  if (order.state !== 'QUARANTINED') at(handOverAt(order.delivery));
  for (const refund of Object.values(order.refunds)) {
    at(refund.pollAt);
    if (order.state !== 'QUARANTINED') at(handOverAt(refund.delivery));
  }
  if (due === Infinity) return undefined;
  return new Date(Math.max(due, order.takenUntil?.getTime() ?? due));
}

function handOverAt({ state, leaseUntil, retryAt }: Delivery): Date | undefined {
  if (state === 'LEASED') return leaseUntil;
  return state === 'READY' ? retryAt : undefined;
}

/**
 * Names that no two orders of a book may hold: the transaction that paid, and the purchase that was paid for.
 * Books keep them in a unique index, each with its order, as they keep the order itself.
 */
export function namesOf(order: OrderRecord): string[] {
  const names: string[] = [];
  const { key, payment, orderRef, delivery } = order;
  if (payment !== undefined) names.push(transactionName(key.mchId, payment.transactionId));
  if (orderRef !== undefined && delivery.state !== 'NONE' && delivery.state !== 'WITHHELD')
    names.push(purchaseName(key, orderRef));
  return names;
}

export function transactionName(mchId: string, transactionId: string): string {
  return `transaction ${mchId} ${transactionId}`;
}

export function purchaseName({ mchId, subMchId }: OrderKey, orderRef: string): string {
  return `order_ref ${mchId} ${subMchId ?? ''} ${orderRef}`;
}

/** WeChat Pay closes no younger order; and while its newest link lives a payer may be on it. */
export function closableAt(order: OrderRecord): Date {
  return new Date(Math.max(order.orderedAt.getTime() + MIN_CLOSE_AGE_MS, order.link?.expiresAt.getTime() ?? 0));
}

/** The day on which it was paid, as the bill has it: `yyyyMMdd` in UTC+8. */
export function paidOn(order: OrderRecord): string | undefined {
  return /^\d{8}(?=\d{6}$)/.exec(order.payment?.raw['time_end'] ?? '')?.[0];
}
