import type { Deliveries, Standing } from './delivery.js';
import { isWechatH5Error } from './errors.js';
import type { Caller } from './gateway.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { orderId, type HistorySource, type OrderBook, type OrderKey } from './order-book.js';
import { CLOSED_STATES, type OrderQuery, type OrderRef } from './orders.js';
import type { Payment } from './payment.js';
import { listRefunds } from './refunds.js';

/** By whom, and at whose cost, WeChat Pay is asked. */
export interface Asker {
  readonly gateway: Caller;
  readonly query: (ref: OrderRef) => Promise<OrderQuery>;
  readonly source: HistorySource;
  /** Nobody waits for the answer. */
  readonly isBackground: boolean;
}

/** What WeChat Pay said, after it was joined to the order. */
export interface Settlement {
  /** The `trade_state`, or `ORDERNOTEXIST`. */
  readonly tradeState: string;
  /** Present if it was paid; then `standing` is where the payment stands now. */
  readonly payment?: Payment;
  readonly standing?: Standing;
}

/** Somebody waits for the answer. */
const HAND_OVER_WAIT_MS = 4000;

/** Asks WeChat Pay how an order stands and joins the answer to the book, for the payer's button and the reconciler alike. */
export class Settlements<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #merchants: Merchants;
  readonly #deliveries: Deliveries<Tx>;
  readonly #asking = new Map<string, Promise<Settlement>>();

  constructor(parts: { book: OrderBook<Tx>; merchants: Merchants; deliveries: Deliveries<Tx> }) {
    this.#book = parts.book;
    this.#merchants = parts.merchants;
    this.#deliveries = parts.deliveries;
  }

  /**
   * One question at a time for each order. A person does not wait for one that was asked in the background and may be
   * waiting for its turn.
   */
  settle(key: OrderKey, merchant: KnownMerchant, asker: Asker): Promise<Settlement> {
    const id = `${asker.isBackground ? '' : '!'}${orderId(key)}`;
    const asking = this.#asking.get(`!${orderId(key)}`) ?? this.#asking.get(id);
    if (asking !== undefined) return asking;
    const settling = this.#settle(key, merchant, asker).finally(() => this.#asking.delete(id));
    this.#asking.set(id, settling);
    return settling;
  }

  /** Whether `onPaid` runs for it in this process. */
  isUnderWay(payment: Payment): boolean {
    return this.#deliveries.isUnderWay(payment);
  }

  /** Delivers what is due; a slow `onPaid` goes on without the caller. @returns whether it is delivered */
  async handOver(payment: Payment, standing: Standing | undefined): Promise<boolean> {
    if (standing === 'unknown') this.#deliveries.reportUnknown(payment);
    if (standing !== 'due' || !this.#deliveries.hasHandler) return standing === 'settled';
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), HAND_OVER_WAIT_MS);
    });
    const result = await Promise.race([this.#deliveries.deliver(payment), late]);
    clearTimeout(timer);
    return result === 'done';
  }

  async #settle(key: OrderKey, merchant: KnownMerchant, asker: Asker): Promise<Settlement> {
    const { mchId, appId, subMchId } = merchant;
    const ref = { outTradeNo: key.outTradeNo, mchId, appId, ...(subMchId === undefined ? {} : { subMchId }) };
    let query: OrderQuery;
    try {
      query = await asker.query(ref);
    } catch (error) {
      // A moment after creation, and for ever if the creation failed, WeChat Pay does not know the number.
      if (isWechatH5Error(error) && error.code === 'ORDER_UNKNOWN') return { tradeState: 'ORDERNOTEXIST' };
      throw error;
    }
    const { payment, tradeState } = query;
    if (payment !== undefined) {
      // What went back is known before the payment is: goods must not follow money that is gone.
      if (tradeState === 'REFUND') await this.#joinRefunds(ref, payment, asker);
      return { tradeState, payment, standing: await this.#deliveries.record(payment, asker.source) };
    }
    if (CLOSED_STATES.has(tradeState)) await this.#book.apply(key, { type: 'closed', source: asker.source });
    return { tradeState };
  }

  /** `trade_state` REFUND says that there were refunds, and not of how much. */
  async #joinRefunds(ref: OrderRef & { outTradeNo: string }, payment: Payment, asker: Asker): Promise<void> {
    const { appId, mchId, subMchId, outTradeNo, transactionId, totalFee, feeType, raw } = payment;
    const about = { appId, mchId, outTradeNo, transactionId, totalFee, feeType, raw };
    for await (const entry of listRefunds(asker.gateway, this.#merchants, ref)) {
      const refund = { ...entry, ...about, ...(subMchId === undefined ? {} : { subMchId }) };
      if (entry.refundStatus === 'SUCCESS') await this.#deliveries.recordRefund(refund, asker.source);
      else if (entry.refundStatus !== 'REFUNDCLOSE') await this.#deliveries.recordAccepted(refund, asker.source);
    }
  }
}
