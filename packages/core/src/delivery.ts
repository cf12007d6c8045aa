import {
  gaveUp,
  mismatch,
  paidTwice,
  purchasePaidTwice,
  orderUnknown,
  paidAfterClose,
  refundedBeforeDelivery,
  refundMismatch,
  refundOfQuarantined,
  secondHandler,
} from './delivery-refusals.js';
import { runHandler, type Handler, type HandlerContext } from './delivery-run.js';
import { deliveryOf, idempotencyKeyOf, idOf, refundOf, targetOf, type Target } from './delivery-target.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import { foundOrder, type FindOrder } from './found-order.js';
import { KnownOrders } from './known-orders.js';
import {
  type Applied,
  type HistorySource,
  type OrderBook,
  type OrderChange,
  type OrderKey,
  type OrderRecord,
} from './order-book.js';
import type { PaymentFailure } from './notification.js';
import { evidenceOf, orderKeyOf, type Payment } from './payment.js';
import { asWechatH5Error, type ProblemReporter } from './problems.js';
import type { Refund } from './refunds.js';

export type OnPaid<Tx = never> = (payment: Payment, context: HandlerContext<Tx>) => Promise<void> | void;

export type OnRefunded<Tx = never> = (refund: Refund, context: HandlerContext<Tx>) => Promise<void> | void;

/** What the shop runs once to success for each payment, and for each refund. */
export interface Handlers<Tx = never> {
  onPaid?: OnPaid<Tx> | undefined;
  onRefunded?: OnRefunded<Tx> | undefined;
}

/**
 * Where a payment stands once it is in the book. `due`: to be delivered. `settled`: delivered before.
 * `withheld`: not for `onPaid`, and reported. `unknown`: no such order. `quarantined`: it contradicts the order.
 */
export type Standing = 'due' | 'settled' | 'withheld' | 'unknown' | 'quarantined';

/**
 * `done`: delivered, now or before. `withheld`: not for `onPaid`, and reported. `failed`: this run did not
 * succeed. `busy`: another machine holds the lease.
 */
export type DeliveryResult = 'done' | 'withheld' | 'failed' | 'busy';

export interface Lease {
  readonly target: Target;
  readonly attempt: number;
  readonly orderRef: string | undefined;
}

interface PaymentIds {
  readonly outTradeNo: string;
  readonly transactionId: string;
}

const LEASE_MS = 30_000;
/** Before the second run, the third and so on, when no notification comes first. */
const RETRY_SECONDS = [2, 5, 15, 30, 60, 120, 300, 600, 1800];

/** Takes a payment from evidence to delivered, exactly once to success. */
export class Deliveries<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #orders: KnownOrders<Tx>;
  #onPaid: OnPaid<Tx> | undefined;
  #onRefunded: OnRefunded<Tx> | undefined;
  readonly #report: ProblemReporter;
  readonly #running = new Map<string, Promise<DeliveryResult>>();
  /** How long a run holds a delivery without renewing it. */
  readonly leaseMs: number;

  constructor(parts: {
    book: OrderBook<Tx>;
    findOrder: FindOrder | undefined;
    onPaid: OnPaid<Tx> | undefined;
    onRefunded: OnRefunded<Tx> | undefined;
    report: ProblemReporter;
  }) {
    this.#book = parts.book;
    this.leaseMs = parts.book.leaseMs ?? LEASE_MS;
    this.#orders = new KnownOrders(parts.book, parts.findOrder);
    this.#onPaid = parts.onPaid;
    this.#onRefunded = parts.onRefunded;
    this.#report = parts.report;
  }

  /**
   * Handlers that a framework finds only after it was given the instance.
   * @throws {WechatH5Error} `OPTIONS_INVALID`: there is one already
   */
  setHandlers({ onPaid, onRefunded }: Handlers<Tx>): void {
    if (onPaid !== undefined && this.#onPaid !== undefined) throw secondHandler('onPaid');
    if (onRefunded !== undefined && this.#onRefunded !== undefined) throw secondHandler('onRefunded');
    this.#onPaid ??= onPaid;
    this.#onRefunded ??= onRefunded;
  }

  get hasHandler(): boolean {
    return this.#onPaid !== undefined;
  }

  get hasRefundHandler(): boolean {
    return this.#onRefunded !== undefined;
  }

  /**
   * Joins a verified payment to its order.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`: nothing is known to be stored
   */
  async record(payment: Payment, source: HistorySource = 'notification'): Promise<Standing> {
    return this.#standingOf(payment, await this.#join({ type: 'paid', payment: evidenceOf(payment), source }, payment));
  }

  /**
   * As {@link record}, and claims what is due in the same write. `due` then: somebody else has it, or it has to wait.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`: nothing is known to be stored
   */
  async take(payment: Payment): Promise<Lease | Standing> {
    if (this.#running.size > 0 && this.isUnderWay(payment)) return this.record(payment);
    const { leaseMs } = this;
    const applied = await this.#join({ type: 'paid', payment: evidenceOf(payment), leaseMs }, payment);
    const standing = this.#standingOf(payment, applied);
    const claimed = standing === 'due' ? this.#leaseOf(targetOf(payment), applied) : undefined;
    return typeof claimed === 'object' ? claimed : standing;
  }

  /** The payment at its order, in the book or else found in the shop's own table. */
  async #join(paid: OrderChange, payment: Payment): Promise<Applied> {
    const key = orderKeyOf(payment);
    const applied = await this.#orders.apply(key, paid);
    if (applied.outcome !== 'unknown' || (await this.#orders.adopt(key, payment.appId)) === undefined) return applied;
    // What waited as an orphan was joined then: this one, or another payment for the same number.
    return this.#orders.apply(key, paid);
  }

  #standingOf(payment: Payment, { outcome, order }: Applied): Standing {
    if (order === undefined || outcome === 'unknown') return 'unknown';
    if (outcome === 'conflict') {
      const subject = { outTradeNo: payment.outTradeNo, transactionId: payment.transactionId };
      const second = order.payment !== undefined && order.payment.transactionId !== payment.transactionId;
      if (second) this.#report('paid-twice', paidTwice(payment, order), subject);
      else this.#report('quarantined', mismatch(payment, order), subject);
      return 'quarantined';
    }
    if (order.delivery.state === 'WITHHELD') {
      if (outcome === 'applied') this.#reportWithheld(payment, order);
      return 'withheld';
    }
    return order.delivery.state === 'DONE' ? 'settled' : 'due';
  }

  #reportWithheld({ outTradeNo, transactionId }: PaymentIds, order: OrderRecord): void {
    const subject = { outTradeNo, transactionId };
    if (order.reason === 'refunded')
      this.#report('refunded-before-delivery', refundedBeforeDelivery(outTradeNo), subject);
    else if (order.reason === 'paid-twice') this.#report('paid-twice', purchasePaidTwice(outTradeNo, order), subject);
    else this.#report('paid-after-close', paidAfterClose(outTradeNo), subject);
  }

  /**
   * Notes a payment that failed in the history of its order, if that is known: it changes nothing else.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`
   */
  async recordFailure(failure: PaymentFailure): Promise<void> {
    await this.#orders.apply(orderKeyOf(failure), { type: 'payment-failed', errCode: failure.errCode.slice(0, 32) });
  }

  /** A payment for an order nobody knows: kept waiting by a FAIL until somebody looks. */
  reportUnknown(payment: Payment | Refund): void {
    const { outTradeNo, transactionId } = payment;
    this.#report('order-unknown', orderUnknown(outTradeNo), { outTradeNo, transactionId });
  }

  /**
   * The order, from the book or else from the shop's own table.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`
   */
  find(key: OrderKey, appId: string): Promise<OrderRecord | undefined> {
    return this.#orders.find(key, appId);
  }

  /**
   * Joins a refund that `refundquery` confirmed to its order.
   * @throws {WechatH5Error} `ORDER_MISMATCH`: the order it is of cost something else; `ORDER_QUARANTINED`; `ORDER_BOOK_FAILED`
   */
  async recordRefund(refund: Refund, source: HistorySource = 'notification'): Promise<'recorded' | 'unknown'> {
    const { outRefundNo, refundFee } = refund;
    return this.#ofRefund(refund, { type: 'refunded', outRefundNo, refundFee, source });
  }

  /** A refund that is on its way back, wherever it was asked for. */
  async recordAccepted(refund: Refund, source: HistorySource): Promise<'recorded' | 'unknown'> {
    const { outRefundNo, refundFee } = refund;
    return this.#ofRefund(refund, { type: 'refund-accepted', outRefundNo, refundFee, source });
  }

  /** A refund that did not happen: its number may be used again. */
  async recordRefundFailed(refund: Refund, source: HistorySource): Promise<void> {
    const { outRefundNo, refundStatus: reason } = refund;
    await this.#orders.apply(orderKeyOf(refund), { type: 'refund-failed', outRefundNo, reason, source });
  }

  async #ofRefund(refund: Refund, change: OrderChange): Promise<'recorded' | 'unknown'> {
    const key = orderKeyOf(refund);
    const order = await this.#orders.find(key, refund.appId);
    if (order === undefined) return 'unknown';
    if (order.state === 'QUARANTINED') throw refundOfQuarantined(refund);
    if (order.totalFee !== refund.totalFee || order.feeType !== refund.feeType) throw refundMismatch(refund, order);
    await this.#orders.apply(key, change);
    return 'recorded';
  }

  /** Whether a refund was handed over before: then a hint about it is not worth a query. */
  async isRefundDelivered(
    ids: { mchId: string; subMchId?: string; outTradeNo: string },
    outRefundNo: string,
  ): Promise<boolean> {
    const order = await this.#orders.get(orderKeyOf(ids));
    return (
      order !== undefined &&
      Object.hasOwn(order.refunds, outRefundNo) &&
      order.refunds[outRefundNo]?.delivery.state === 'DONE'
    );
  }

  /** Whether `onPaid` runs for it in this process: what it calls itself must not wait for it. */
  isUnderWay(payment: Payment): boolean {
    return this.#running.has(idOf(targetOf(payment)));
  }

  /** When the handlers that run now have ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /**
   * Runs `onPaid` for a payment that is due; concurrent calls for one order share one run.
   * @param lease what {@link take} has given, if it did
   */
  deliver(payment: Payment, lease?: Lease): Promise<DeliveryResult> {
    const handler = this.#onPaid;
    return this.#deliver(targetOf(payment), 'onPaid', handler && ((context) => handler(payment, context)), lease);
  }

  /** Runs `onRefunded` for a refund that is due. */
  deliverRefund(refund: Refund): Promise<DeliveryResult> {
    const handler = this.#onRefunded;
    const target = { ...targetOf(refund), outRefundNo: refund.outRefundNo };
    return this.#deliver(target, 'onRefunded', handler && ((context) => handler(refund, context)));
  }

  /** The lease a route holds while it decides whether to acknowledge. */
  async claim(payment: Payment): Promise<Lease | 'done' | 'withheld' | 'busy'> {
    const claimed = await this.#claim(targetOf(payment));
    return claimed === 'dead' ? 'busy' : claimed;
  }

  /** Takes an order the book does not know from the payment itself: the route has said that it knows it. */
  async adopt(payment: Payment): Promise<void> {
    const key = orderKeyOf(payment);
    await this.#orders.apply(key, { type: 'found', intent: foundOrder(payment.appId, payment) });
    await this.#orders.apply(key, { type: 'paid', payment: evidenceOf(payment) });
  }

  /** @returns whether the delivery is committed */
  async complete({ target, attempt }: Lease): Promise<boolean> {
    const { outcome } = await this.#orders.apply(target.key, { type: 'complete', attempt, ...refundOf(target) });
    return outcome === 'applied' || outcome === 'done';
  }

  /** @returns `done` if the delivery had been committed after all, though nobody was told */
  async release({ target, attempt }: Lease): Promise<'done' | 'released'> {
    const retryInMs = retryAfter(attempt);
    const change = { type: 'release', attempt, retryInMs, ...refundOf(target) } as const;
    const { outcome, order } = await this.#orders.apply(target.key, change);
    if (outcome === 'applied' && order !== undefined && deliveryOf(order, target).state === 'DEAD')
      this.#reportGivenUp(target, attempt);
    return outcome === 'done' ? 'done' : 'released';
  }

  #reportGivenUp({ key: { outTradeNo }, transactionId }: Target, attempt: number): void {
    this.#report('gave-up', gaveUp(outTradeNo, attempt), { outTradeNo, transactionId });
  }

  #deliver(target: Target, name: string, handler: Handler<Tx> | undefined, taken?: Lease): Promise<DeliveryResult> {
    const id = idOf(target);
    const running = this.#running.get(id);
    // A lease of our own is not left waiting for a run that has none.
    if (running !== undefined && taken === undefined) return running;
    const run = this.#deliverOnce(target, name, handler, taken).finally(() => {
      if (this.#running.get(id) === run) this.#running.delete(id);
    });
    this.#running.set(id, run);
    return run;
  }

  async #claim(target: Target): Promise<Lease | 'done' | 'withheld' | 'busy' | 'dead'> {
    const change = { type: 'claim', leaseMs: this.leaseMs, ...refundOf(target) } as const;
    const claimed = await this.#orders.apply(target.key, change);
    const { outcome } = claimed;
    if (outcome === 'done' || outcome === 'withheld' || outcome === 'dead') return outcome;
    return this.#leaseOf(target, claimed) ?? 'busy';
  }

  /** What a claim has brought, and `undefined` if nothing. */
  #leaseOf(target: Target, { outcome, order }: Applied): Lease | 'withheld' | 'dead' | undefined {
    if (outcome !== 'applied' || order === undefined) return undefined;
    const { attempt, state } = deliveryOf(order, target);
    if (state === 'LEASED') return { target, attempt, orderRef: order.orderRef };
    if (state === 'WITHHELD') {
      this.#reportWithheld({ ...target, outTradeNo: target.key.outTradeNo }, order);
      return 'withheld';
    }
    if (state === 'DEAD') {
      this.#reportGivenUp(target, attempt);
      return 'dead';
    }
    return undefined;
  }

  async #deliverOnce(
    target: Target,
    name: string,
    handler: Handler<Tx> | undefined,
    taken: Lease | undefined,
  ): Promise<DeliveryResult> {
    const lease = taken ?? (await this.#claim(target));
    if (lease === 'dead') return 'failed';
    if (typeof lease === 'string') return lease;
    const subject = { outTradeNo: target.key.outTradeNo, transactionId: target.transactionId };
    try {
      if (handler !== undefined && (await this.#runToCommit(name, handler, lease))) return 'done';
    } catch (thrown) {
      const error = asWechatH5Error(
        thrown,
        isWechatH5Error(thrown) && thrown.code === 'HANDLER_TIMEOUT' ? 'HANDLER_TIMEOUT' : 'HANDLER_FAILED',
        `${name} failed on attempt ${lease.attempt}`,
        `The notification was not acknowledged: WeChat Pay repeats it and ${name} runs again. The error is the cause. ${name} 执行失败，微信支付会重发通知。`,
      );
      this.#report('handler-failed', error, subject);
    }
    // Whether the release is stored or not, the lease ends by itself.
    return (await this.release(lease).catch(() => 'released')) === 'done' ? 'done' : 'failed';
  }

  /** @returns whether the run's success is committed */
  async #runToCommit(name: string, handler: Handler<Tx>, lease: Lease): Promise<boolean> {
    const { transaction } = this.#book;
    if (transaction === undefined) {
      await this.#run(name, handler, lease, {});
      return this.complete(lease);
    }
    const { target, attempt } = lease;
    // One transaction for what the handler writes and for the mark that it has: both are seen, or neither.
    await transaction.call(this.#book, async (tx, apply) => {
      await this.#run(name, handler, lease, { tx });
      const { outcome } = await apply(target.key, { type: 'complete', attempt, ...refundOf(target) });
      if (outcome !== 'applied') throw new WechatH5Error('HANDLER_FAILED', 'The lease was lost');
    });
    return true;
  }

  async #run(name: string, handler: Handler<Tx>, lease: Lease, transaction: { tx?: Tx }): Promise<void> {
    const { target, attempt, orderRef } = lease;
    const told = {
      attempt,
      idempotencyKey: idempotencyKeyOf(target),
      ...(orderRef === undefined ? {} : { orderRef }),
      ...transaction,
    };
    const { leaseMs } = this;
    await runHandler<Tx>(name, handler, told, {
      ms: leaseMs,
      renew: async () => {
        const { outcome } = await this.#orders.apply(target.key, {
          type: 'renew',
          attempt,
          leaseMs,
          ...refundOf(target),
        });
        return outcome === 'lost' ? 'lost' : 'held';
      },
    });
  }
}

/** Anywhere up to it: what failed together must not come back together. */
function retryAfter(attempt: number): number {
  const seconds = RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length) - 1] ?? 2;
  return Math.round(seconds * 1000 * (0.5 + Math.random() / 2));
}
