import type { Deliveries, Standing } from './delivery.js';
import { quoted, WechatH5Error } from './errors.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { outTradeNo as checkedOutTradeNo } from './new-order.js';
import { isRefunded, orderId, type OrderBook, type OrderKey, type OrderRecord } from './order-book.js';
import { CLOSED_STATES, type OrderRef } from './orders.js';
import { orderKeyOf, paymentOf, type Payment } from './payment.js';
import { ordersOfPurchase } from './purchase.js';
import type { Asker, Settlements } from './order-settlement.js';

/**
 * Where a payment stands, for the page the payer came back to. `paid` is WeChat Pay's word; `delivered`
 * is the shop's: `onPaid` has succeeded. `refunded`: all of it is back; an order of which a part was given
 * back is `paid`, and delivered.
 */
export interface PaymentStatus {
  outTradeNo: string;
  state: 'paid' | 'unpaid' | 'closed' | 'refunded' | 'quarantined';
  delivered: boolean;
  /** Who said so: a notification that had come before, or the query made now. */
  source: 'notification' | 'query';
  payment?: Payment;
}

/** A payer who presses the button again within this time gets the answer of a moment ago. */
const QUERY_GAP_MS = 2000;

/** Answers the payer's button: what a notification has brought, else what WeChat Pay says now. */
export class PaymentConfirmations<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #merchants: Merchants;
  readonly #deliveries: Deliveries<Tx>;
  readonly #settlements: Settlements<Tx>;
  readonly #findsOrders: boolean;
  readonly #asker: Asker;
  readonly #confirmations = new Map<string, { at: number; status: Promise<PaymentStatus> }>();

  constructor(parts: {
    book: OrderBook<Tx>;
    merchants: Merchants;
    deliveries: Deliveries<Tx>;
    settlements: Settlements<Tx>;
    findsOrders: boolean;
    asker: Asker;
  }) {
    this.#book = parts.book;
    this.#merchants = parts.merchants;
    this.#deliveries = parts.deliveries;
    this.#settlements = parts.settlements;
    this.#findsOrders = parts.findsOrders;
    this.#asker = parts.asker;
  }

  /** One query at a time for each order, and one in two seconds. */
  async confirm(ref: OrderRef): Promise<PaymentStatus> {
    const merchant = this.#merchants.named(ref);
    const key = await this.#keyOf(ref, merchant);
    const id = orderId(key);
    const recent = this.#confirmations.get(id);
    if (recent !== undefined && performance.now() - recent.at < QUERY_GAP_MS) return recent.status;
    const status = this.#confirm(key, merchant);
    const entry = { at: performance.now(), status };
    this.#confirmations.set(id, entry);
    const forget = (): void => {
      if (this.#confirmations.get(id) === entry) this.#confirmations.delete(id);
    };
    // What failed, and what is still open, may be asked again; the timer only keeps the map small.
    status.then(() => setTimeout(forget, QUERY_GAP_MS).unref(), forget);
    return status;
  }

  async #confirm(key: OrderKey, merchant: KnownMerchant): Promise<PaymentStatus> {
    const found = await this.#book.get(key);
    // An orphan is a payment, not an order.
    const stored = found?.state === 'ORPHAN' ? undefined : found;
    if (stored === undefined && !this.#findsOrders) {
      throw new WechatH5Error('ORDER_UNKNOWN', `out_trade_no ${quoted(key.outTradeNo)} is not in the order book`, {
        field: 'out_trade_no',
        hint: 'Only orders placed here, or found by findOrder, can be confirmed.',
      });
    }
    if (stored === undefined) return this.#ask(key, merchant);
    if (stored.orderRef === undefined) return (await this.#settled(stored)) ?? this.#ask(key, merchant);
    return this.#confirmPurchase(stored, stored.orderRef, merchant);
  }

  /** The payer may have paid by any attempt, and knows one purchase. */
  async #confirmPurchase(asked: OrderRecord, orderRef: string, merchant: KnownMerchant): Promise<PaymentStatus> {
    const ofThis = await ordersOfPurchase(this.#book, asked.key, orderRef);
    const settled: PaymentStatus[] = [];
    for (const attempt of ofThis) {
      const status = await this.#settled(attempt);
      if (status !== undefined) settled.push(status);
    }
    const best =
      settled.find(({ delivered }) => delivered) ?? settled.find(({ state }) => state === 'paid') ?? settled[0];
    if (best !== undefined) return best;
    let answer: PaymentStatus | undefined;
    for (const { key, state } of ofThis) {
      if (state === 'CLOSED' || state === 'CREATE_FAILED') continue;
      const status = await this.#ask(key, merchant);
      if (status.state !== 'unpaid' && status.state !== 'closed') return status;
      answer = answer?.state === 'unpaid' ? answer : status;
    }
    return answer ?? this.#ask(asked.key, merchant);
  }

  async #ask(key: OrderKey, merchant: KnownMerchant): Promise<PaymentStatus> {
    const { outTradeNo } = key;
    const { tradeState, payment, standing } = await this.#settlements.settle(key, merchant, this.#asker);
    if (payment !== undefined && standing !== undefined) return this.#deliver(key, payment, standing, 'query');
    const state = CLOSED_STATES.has(tradeState) ? 'closed' : 'unpaid';
    return { outTradeNo, state, delivered: false, source: 'query' };
  }

  /** What the book alone can answer. */
  async #settled(order: OrderRecord): Promise<PaymentStatus | undefined> {
    const { key, delivery } = order;
    const delivered = delivery.state === 'DONE';
    if (order.state === 'QUARANTINED')
      return { outTradeNo: key.outTradeNo, state: 'quarantined', delivered, source: 'notification' };
    if (order.state !== 'PAID' || order.payment === undefined) return undefined;
    const payment = paymentOf(order.payment.raw);
    if (delivery.state === 'READY' || delivery.state === 'LEASED') {
      return this.#deliver(key, payment, await this.#deliveries.record(payment), 'notification');
    }
    return paidStatus(order, payment, 'notification');
  }

  async #deliver(
    key: OrderKey,
    payment: Payment,
    standing: Standing,
    source: PaymentStatus['source'],
  ): Promise<PaymentStatus> {
    const { outTradeNo } = payment;
    const delivered = await this.#settlements.handOver(payment, standing);
    if (standing === 'quarantined' || standing === 'unknown')
      return { outTradeNo, state: 'quarantined', delivered: false, source };
    const order = await this.#book.get(key);
    return order === undefined
      ? { outTradeNo, state: 'paid', delivered, source, payment }
      : { ...paidStatus(order, payment, source), delivered };
  }

  async #keyOf(ref: OrderRef, merchant: KnownMerchant): Promise<OrderKey> {
    if ('outTradeNo' in ref) {
      return orderKeyOf({
        mchId: merchant.mchId,
        subMchId: merchant.subMchId,
        outTradeNo: checkedOutTradeNo(ref.outTradeNo),
      });
    }
    const order = await this.#book.findByTransactionId(merchant.mchId, ref.transactionId);
    if (order !== undefined) return order.key;
    throw new WechatH5Error('ORDER_UNKNOWN', `No order has transaction_id ${quoted(String(ref.transactionId))}`, {
      field: 'transaction_id',
      hint: 'Ask by outTradeNo: until an order is paid, its transaction_id is not known here.',
    });
  }
}

function paidStatus(order: OrderRecord, payment: Payment, source: PaymentStatus['source']): PaymentStatus {
  return {
    outTradeNo: order.key.outTradeNo,
    state: isRefunded(order) ? 'refunded' : 'paid',
    delivered: order.delivery.state === 'DONE',
    source,
    payment,
  };
}
