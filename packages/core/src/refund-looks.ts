import type { Deliveries } from './delivery.js';
import { isWechatH5Error } from './errors.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import type { OrderBook, OrderRecord, RefundRecord } from './order-book.js';
import type { Asker } from './order-settlement.js';
import type { ProblemReporter } from './problems.js';
import { nextRefundLookIn, withJitter } from './reconciler-schedule.js';
import { refundFailed } from './refund-settlement.js';
import { queryRefund, type Refund } from './refunds.js';

/** Follows refunds that no notification has settled, and hands over those that have. */
export class RefundLooks<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #merchants: Merchants;
  readonly #deliveries: Deliveries<Tx>;
  readonly #asker: Asker;
  readonly #report: ProblemReporter;

  constructor(parts: {
    book: OrderBook<Tx>;
    merchants: Merchants;
    deliveries: Deliveries<Tx>;
    asker: Asker;
    report: ProblemReporter;
  }) {
    this.#book = parts.book;
    this.#merchants = parts.merchants;
    this.#deliveries = parts.deliveries;
    this.#asker = parts.asker;
    this.#report = parts.report;
  }

  /** Those of an order that are due: all of them, also when one fails. @throws what the first one that failed has thrown */
  async lookAt(order: OrderRecord, merchant: KnownMerchant): Promise<void> {
    const failures: unknown[] = [];
    for (const [outRefundNo, refund] of Object.entries(order.refunds))
      await this.#lookAtOne(order, outRefundNo, refund, merchant).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  async #lookAtOne(
    order: OrderRecord,
    outRefundNo: string,
    refund: RefundRecord,
    merchant: KnownMerchant,
  ): Promise<void> {
    const now = order.updatedAt;
    const { leaseUntil, retryAt, state } = refund.delivery;
    const handOverAt = state === 'LEASED' ? leaseUntil : retryAt;
    const isToHandOver = handOverAt !== undefined && handOverAt <= now;
    if (isToHandOver && !this.#deliveries.hasRefundHandler) await this.#looked(order, outRefundNo, 'NO_HANDLER');
    else if (isToHandOver || (refund.pollAt !== undefined && refund.pollAt <= now))
      await this.#ask(order, outRefundNo, refund, merchant);
  }

  async #ask(order: OrderRecord, outRefundNo: string, record: RefundRecord, merchant: KnownMerchant): Promise<void> {
    const refund = await this.#query(outRefundNo, merchant);
    const status = refund?.refundStatus ?? 'REFUNDNOTEXIST';
    if (refund !== undefined && status === 'SUCCESS') {
      await this.#deliveries.recordRefund(refund, this.#asker.source);
      if (this.#deliveries.hasRefundHandler) await this.#deliveries.deliverRefund(refund);
      return;
    }
    if (refund !== undefined && status === 'REFUNDCLOSE') {
      this.#report('refund-failed', refundFailed(refund), refund);
      await this.#deliveries.recordRefundFailed(refund, this.#asker.source);
      return;
    }
    if (refund !== undefined && status === 'CHANGE') {
      this.#report('refund-failed', refundFailed(refund), refund);
      return this.#looked(order, outRefundNo, status);
    }
    // What was never answered and is not known later on was never asked for; its number may be used again.
    if (refund === undefined && record.state === 'REQUESTED' && record.polls >= 2) {
      const change = { type: 'refund-refused', outRefundNo, reason: status, source: this.#asker.source } as const;
      await this.#book.apply(order.key, change);
      return;
    }
    return this.#looked(order, outRefundNo, status, nextRefundLookIn(record.polls));
  }

  async #looked(order: OrderRecord, outRefundNo: string, verdict: string, next?: number): Promise<void> {
    const nextInMs = next === undefined ? undefined : withJitter(next);
    const { source } = this.#asker;
    await this.#book.apply(order.key, { type: 'refund-looked', outRefundNo, verdict, nextInMs, source });
  }

  /** `undefined`: WeChat Pay does not know it. */
  async #query(outRefundNo: string, merchant: KnownMerchant): Promise<Refund | undefined> {
    const { mchId, appId, subMchId } = merchant;
    const sub = subMchId === undefined ? {} : { subMchId };
    try {
      const { refunds, ...about } = await queryRefund(this.#asker.gateway, this.#merchants, {
        outRefundNo,
        mchId,
        appId,
        ...sub,
      });
      const [entry] = refunds;
      return entry && { ...about, ...entry, appId, mchId, ...sub };
    } catch (error) {
      if (isWechatH5Error(error) && error.code === 'ORDER_UNKNOWN') return undefined;
      throw error;
    }
  }
}
