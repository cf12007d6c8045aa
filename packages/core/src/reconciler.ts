import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Deliveries } from './delivery.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import type { OrderBook, OrderKey, OrderRecord } from './order-book.js';
import type { Asker, Settlements } from './order-settlement.js';
import { paymentOf } from './payment.js';
import { asWechatH5Error, type ProblemReporter } from './problems.js';
import type { Reconcile } from './reconciler-options.js';
import type { RefundLooks } from './refund-looks.js';
import { ageOf, isTooOld, mayBeUnseen, NEXT_TRY_MS, nextLookIn, withJitter } from './reconciler-schedule.js';

/** Longer than a look can take, as a multiple of a hand-over's lease. Another machine takes over when this one has died. */
const LOOK_LEASES = 4;
/** How long `stop()` waits for what is under way. What is left then is taken over when its lease ends. */
const DRAIN_MS = 10_000;
/** Another machine may know the merchant. */
const NOT_OURS_MS = 10 * 60_000;
/** Under a constant overload the oldest would never have their turn. */
const OLDEST_EVERY = 4;

/**
 * Looks after orders that no notification has settled: asks WeChat Pay by the schedule it recommends, hands over what a
 * crash or an error has left, closes what nobody pays. What is due, and for which machine, the book decides by its own
 * clock; no timer here is longer than a minute.
 */
export class Reconciler<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #merchants: Merchants;
  readonly #deliveries: Deliveries<Tx>;
  readonly #settlements: Settlements<Tx>;
  readonly #refunds: RefundLooks<Tx>;
  readonly #asker: Asker;
  readonly #close: (key: OrderKey, merchant: KnownMerchant) => Promise<void>;
  readonly #report: ProblemReporter;
  readonly #options: Reconcile;
  #stopping: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #underWay = new Set<Promise<void>>();
  #isAway = false;
  #batches = 0;

  constructor(parts: {
    book: OrderBook<Tx>;
    merchants: Merchants;
    deliveries: Deliveries<Tx>;
    settlements: Settlements<Tx>;
    refunds: RefundLooks<Tx>;
    asker: Asker;
    close: (key: OrderKey, merchant: KnownMerchant) => Promise<void>;
    report: ProblemReporter;
    options: Reconcile;
  }) {
    this.#book = parts.book;
    this.#merchants = parts.merchants;
    this.#deliveries = parts.deliveries;
    this.#settlements = parts.settlements;
    this.#refunds = parts.refunds;
    this.#asker = parts.asker;
    this.#close = parts.close;
    this.#report = parts.report;
    this.#options = parts.options;
  }

  /**
   * Once; a second call does nothing. It keeps no process alive.
   * @throws {WechatH5Error} `NO_HANDLER`
   */
  start(): void {
    if (this.#stopping !== undefined) return;
    if (!this.#deliveries.hasHandler) {
      throw new WechatH5Error('NO_HANDLER', 'start() was called and there is no onPaid', {
        field: 'onPaid',
        hint: 'What the reconciler finds paid has to be delivered: pass onPaid. 请配置 onPaid 后再启动对账。',
      });
    }
    const stopping = new AbortController();
    // Pauses that a look has overtaken still listen until they end.
    setMaxListeners(0, stopping.signal);
    this.#stopping = stopping;
    this.#running = this.#run(stopping.signal);
  }

  /** Takes no more orders and waits for those under way, and for handlers that run, up to ten seconds. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    const drained = new AbortController();
    const rest = delay(DRAIN_MS, undefined, { signal: drained.signal }).catch(() => {});
    await Promise.race([Promise.all([this.#running, this.#deliveries.idle()]), rest]);
    drained.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const pause = (): Promise<void> =>
      delay(withJitter(this.#options.idleMs), undefined, { signal, ref: false }).catch(() => {});
    // Machines that were started together do not ask together.
    await pause();
    await this.#opened();
    while (!signal.aborted) {
      const places = this.#options.concurrency - this.#underWay.size;
      if (places <= 0) {
        await Promise.race(this.#underWay);
        continue;
      }
      const looks = await this.#begin(places);
      // One whose handler takes long keeps its place, and holds up nobody else.
      await Promise.race([Promise.all(looks), pause()]);
      if (looks.length < places && !signal.aborted) await pause();
    }
    await Promise.all(this.#underWay);
  }

  async #opened(): Promise<void> {
    try {
      await this.#book.open?.();
    } catch (thrown) {
      this.#away(thrown);
    }
  }

  /** Takes what is due and looks at it. @returns how many orders that were */
  async look(): Promise<number> {
    const looks = await this.#begin(this.#options.concurrency);
    await Promise.all(looks);
    return looks.length;
  }

  /** The looks at what is due, at most so many, each under way. */
  async #begin(limit: number): Promise<Promise<void>[]> {
    let orders: OrderRecord[];
    try {
      orders = await this.#book.claimDue({
        limit,
        leaseMs: LOOK_LEASES * this.#deliveries.leaseMs,
        oldestFirst: ++this.#batches % OLDEST_EVERY === 0,
      });
      this.#isAway = false;
    } catch (thrown) {
      this.#away(thrown);
      return [];
    }
    return orders.map((order) => {
      const look = this.#lookAt(order).finally(() => this.#underWay.delete(look));
      this.#underWay.add(look);
      return look;
    });
  }

  /** Told once for each time it is away. */
  #away(thrown: unknown): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#report(
      'misconfigured',
      asWechatH5Error(
        thrown,
        'ORDER_BOOK_FAILED',
        'The order book failed, and nothing is reconciled until it is back',
        'The error is the cause. 订单簿不可用，恢复前不会对账。',
      ),
    );
  }

  async #lookAt(order: OrderRecord): Promise<void> {
    try {
      await this.#lookAtParts(order);
    } catch (thrown) {
      await this.#failed(order, thrown).catch((error: unknown) => this.#away(error));
    }
  }

  async #lookAtParts(order: OrderRecord): Promise<void> {
    const now = order.updatedAt;
    const merchant = this.#merchantOf(order);
    const { state, payment, delivery, pollAt } = order;
    if (state === 'PAID' && payment !== undefined && (delivery.state === 'READY' || delivery.state === 'LEASED')) {
      await this.#deliveries.deliver(paymentOf(payment.raw));
    }
    await this.#refunds.lookAt(order, merchant);
    if (pollAt === undefined || pollAt > now) return;
    // Before the age: a person may have asked for this look.
    if (state === 'ORPHAN' && payment !== undefined) return this.#lookAtOrphan(order);
    if (isTooOld(order)) return this.#looked(order, 'TOO_OLD', undefined);
    if (this.#isToBeClosed(order)) return this.#closeIt(order, merchant);
    return this.#ask(order, merchant);
  }

  async #lookAtOrphan(order: OrderRecord): Promise<void> {
    const payment = paymentOf(order.payment?.raw ?? {});
    const standing = await this.#deliveries.record(payment, this.#asker.source);
    if (standing === 'due') await this.#deliveries.deliver(payment);
    else if (standing === 'unknown' && isTooOld(order)) await this.#looked(order, 'TOO_OLD', undefined);
    else if (standing === 'unknown') await this.#unchanged(order, 'ORPHAN');
  }

  #isToBeClosed(order: OrderRecord): boolean {
    if (order.state === 'CLOSING') return true;
    if (order.state !== 'PENDING' && order.state !== 'CREATE_UNKNOWN' && order.state !== 'CREATING') return false;
    return order.superseded || ageOf(order) >= this.#options.closeAfterMs;
  }

  async #closeIt(order: OrderRecord, merchant: KnownMerchant): Promise<void> {
    try {
      await this.#close(order.key, merchant);
    } catch (error) {
      // Paid at the last moment: that was settled, and found by the close.
      if (isWechatH5Error(error) && error.code === 'ORDER_PAID') return;
      if (!isWechatH5Error(error) || (error.code !== 'CLOSE_TOO_EARLY' && error.code !== 'ORDER_IN_PROGRESS'))
        throw error;
      await this.#unchanged({ ...order, state: 'CLOSING' }, error.code);
    }
  }

  async #ask(order: OrderRecord, merchant: KnownMerchant): Promise<void> {
    const { key, state } = order;
    const { tradeState, payment, standing } = await this.#settlements.settle(key, merchant, this.#asker);
    if (payment !== undefined) {
      await this.#settlements.handOver(payment, standing);
      // What WeChat Pay says is in the history: a person decides.
      if (state === 'QUARANTINED') await this.#unchanged(order, tradeState);
      return;
    }
    // What was never answered and is not known later on was never placed.
    const isUnanswered = state === 'CREATING' || state === 'CREATE_UNKNOWN';
    if (tradeState === 'ORDERNOTEXIST' && isUnanswered && !mayBeUnseen(order)) {
      await this.#book.apply(key, { type: 'create-failed', reason: tradeState, source: 'reconciler' });
      return;
    }
    await this.#unchanged(order, tradeState);
  }

  #unchanged(order: OrderRecord, verdict: string): Promise<void> {
    return this.#looked(order, verdict, nextLookIn(order, this.#options.closeAfterMs));
  }

  async #looked(order: OrderRecord, verdict: string, next: number | undefined): Promise<void> {
    const nextInMs = next === undefined ? undefined : withJitter(next);
    await this.#book.apply(order.key, { type: 'looked', verdict, nextInMs, counts: true });
  }

  /** Not a question of the schedule: nobody has answered. */
  async #failed(order: OrderRecord, thrown: unknown): Promise<void> {
    const error = isWechatH5Error(thrown)
      ? thrown
      : asWechatH5Error(thrown, 'ORDER_BOOK_FAILED', 'An order could not be looked at', 'The error is the cause.');
    const verdict = error.errCode ?? error.code;
    await this.#book.apply(order.key, {
      type: 'looked',
      verdict: verdict.slice(0, 64),
      nextInMs: withJitter(error.code === 'MERCHANT_UNKNOWN' ? NOT_OURS_MS : NEXT_TRY_MS),
      counts: false,
    });
    if (!PASSING.has(error.code) && error.errCode === undefined)
      this.#report('misconfigured', error, { outTradeNo: order.key.outTradeNo });
  }

  #merchantOf({ key, appId }: OrderRecord): KnownMerchant {
    const { mchId, subMchId } = key;
    return this.#merchants.named({ mchId, appId, ...(subMchId === undefined ? {} : { subMchId }) });
  }
}

/** They pass by themselves, or were told where they arose. */
const PASSING: ReadonlySet<string> = new Set([
  'GATEWAY_TIMEOUT',
  'GATEWAY_UNREACHABLE',
  'RATE_LIMITED',
  'ORDER_BOOK_FAILED',
]);
