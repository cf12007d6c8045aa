import type { Deliveries } from './delivery.js';
import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import type { OrderBook, OrderRecord, RefundRecord } from './order-book.js';
import type { Asker } from './order-settlement.js';
import type { ProblemReporter } from './problems.js';
import { nextRefundLookIn, nextRefundTryIn, withJitter } from './reconciler-schedule.js';
import { refundFailed } from './refund-settlement.js';
import { queryRefund, type Refund } from './refunds.js';

/** How questions without an answer begin in an order's history. */
const UNANSWERED = 'unanswered ';
/** In a row, and half an hour from the first to the last: this does not pass by itself. */
const LASTING_FAILURES = 5;

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
    let refund: Refund | undefined;
    try {
      refund = await this.#query(outRefundNo, merchant);
    } catch (error) {
      if (!isWechatH5Error(error)) throw error;
      return this.#unanswered(order, outRefundNo, error);
    }
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
    const next = nextRefundLookIn(record.polls);
    if (next === undefined) this.#report('gave-up', stillUnderWay(outRefundNo, status), order.key);
    return this.#looked(order, outRefundNo, status, next);
  }

  /** Asked less and less often, and never given up: what is told, once, is that it stays without an answer. */
  async #unanswered(order: OrderRecord, outRefundNo: string, error: WechatH5Error): Promise<void> {
    const failures = 1 + failuresInARow(order, outRefundNo);
    const change = {
      type: 'refund-looked',
      outRefundNo,
      verdict: `${UNANSWERED}${(error.errCode ?? error.code).slice(0, 64)}`,
      nextInMs: withJitter(nextRefundTryIn(failures)),
      counts: false,
      source: this.#asker.source,
    } as const;
    await this.#book.apply(order.key, change);
    if (failures === LASTING_FAILURES) this.#report('misconfigured', refundUnanswered(outRefundNo, error), order.key);
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

function failuresInARow({ history }: OrderRecord, outRefundNo: string): number {
  const about = history
    .filter(({ what, detail }) => what.startsWith('refund') && detail?.startsWith(`${outRefundNo} `))
    .reverse();
  const answered = about.findIndex(({ detail = '' }) => !detail.startsWith(UNANSWERED, outRefundNo.length + 1));
  return answered === -1 ? about.length : answered;
}

function refundUnanswered(outRefundNo: string, error: WechatH5Error): WechatH5Error {
  const { code, message, hint, field, errCode, errCodeDes } = error;
  return new WechatH5Error(code, `Refund ${quoted(outRefundNo)} cannot be asked about: ${message}`, {
    ...(field === undefined ? {} : { field }),
    ...(errCode === undefined ? {} : { errCode }),
    ...(errCodeDes === undefined ? {} : { errCodeDes }),
    hint: `${hint} It is asked about again, at last every six hours. 将继续查询，间隔逐渐延长至 6 小时。`,
    cause: error,
  });
}

function stillUnderWay(outRefundNo: string, status: string): WechatH5Error {
  return new WechatH5Error(
    'GATEWAY_REFUSED',
    `Refund ${quoted(outRefundNo)} is still ${quoted(status)}, and is not asked about any more`,
    {
      errCode: status.slice(0, 32),
      field: 'refund_status',
      hint: 'See how it stands in the merchant platform, or with queryRefund. 该退款长期未完结，不再自动查询：请到商户平台核实，或调用 queryRefund。',
    },
  );
}
