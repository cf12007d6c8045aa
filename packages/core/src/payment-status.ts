import type { Deliveries } from './delivery.js';
import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { outTradeNo as checkedOutTradeNo } from './new-order.js';
import { orderId, type OrderBook, type OrderKey, type OrderRecord } from './order-book.js';
import { CLOSED_STATES, type OrderQuery, type OrderRef } from './orders.js';
import { orderKeyOf, paymentOf, type Payment } from './payment.js';

/**
 * Where a payment stands, for the page the payer came back to. `paid` is WeChat Pay's word; `delivered`
 * is the shop's: `onPaid` has succeeded.
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
/** The payer waits for the answer: a slow `onPaid` goes on without them. */
const DELIVERY_WAIT_MS = 4000;

/** Answers the payer's button: what a notification has brought, else what WeChat Pay says now. */
export class PaymentConfirmations<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #merchants: Merchants;
  readonly #deliveries: Deliveries<Tx>;
  readonly #findsOrders: boolean;
  readonly #query: (ref: OrderRef) => Promise<OrderQuery>;
  readonly #confirmations = new Map<string, { at: number; status: Promise<PaymentStatus> }>();

  constructor(parts: {
    book: OrderBook<Tx>;
    merchants: Merchants;
    deliveries: Deliveries<Tx>;
    findsOrders: boolean;
    query: (ref: OrderRef) => Promise<OrderQuery>;
  }) {
    this.#book = parts.book;
    this.#merchants = parts.merchants;
    this.#deliveries = parts.deliveries;
    this.#findsOrders = parts.findsOrders;
    this.#query = parts.query;
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
    const stored = found?.state === 'ORPHAN' ? undefined : found;
    if (stored === undefined && !this.#findsOrders) {
      throw new WechatH5Error('ORDER_UNKNOWN', `out_trade_no ${quoted(key.outTradeNo)} is not in the order book`, {
        field: 'out_trade_no',
        hint: 'Only orders placed here, or found by findOrder, can be confirmed.',
      });
    }
    const settled = stored === undefined ? undefined : await this.#settled(stored);
    if (settled !== undefined) return settled;
    let query: OrderQuery;
    try {
      query = await this.#query({
        outTradeNo: key.outTradeNo,
        mchId: merchant.mchId,
        appId: merchant.appId,
        ...(merchant.subMchId === undefined ? {} : { subMchId: merchant.subMchId }),
      });
    } catch (error) {
      // A moment after creation, and for ever if the creation failed, WeChat Pay does not know the number.
      if (isWechatH5Error(error) && error.code === 'ORDER_UNKNOWN')
        return { outTradeNo: key.outTradeNo, state: 'unpaid', delivered: false, source: 'query' };
      throw error;
    }
    if (query.payment !== undefined && query.tradeState === 'SUCCESS') return this.#deliver(query.payment, 'query');
    if (query.tradeState === 'REFUND') {
      const status: PaymentStatus = {
        outTradeNo: key.outTradeNo,
        state: 'refunded',
        delivered: false,
        source: 'query',
      };
      if (query.payment !== undefined) status.payment = query.payment;
      return status;
    }
    if (CLOSED_STATES.has(query.tradeState)) {
      await this.#book.apply(key, { type: 'closed' });
      return { outTradeNo: key.outTradeNo, state: 'closed', delivered: false, source: 'query' };
    }
    return { outTradeNo: key.outTradeNo, state: 'unpaid', delivered: false, source: 'query' };
  }

  /** What the book alone can answer. */
  async #settled(order: OrderRecord): Promise<PaymentStatus | undefined> {
    const { outTradeNo } = order.key;
    if (order.state === 'QUARANTINED')
      return { outTradeNo, state: 'quarantined', delivered: order.delivery.state === 'DONE', source: 'notification' };
    if (order.state !== 'PAID' || order.payment === undefined) return undefined;
    const payment = paymentOf(order.payment.raw);
    if (order.delivery.state === 'READY' || order.delivery.state === 'LEASED')
      return this.#deliver(payment, 'notification');
    return { outTradeNo, state: 'paid', delivered: order.delivery.state === 'DONE', source: 'notification', payment };
  }

  async #deliver(payment: Payment, source: PaymentStatus['source']): Promise<PaymentStatus> {
    const { outTradeNo } = payment;
    const standing = await this.#deliveries.record(payment);
    if (standing === 'withheld') return { outTradeNo, state: 'paid', delivered: false, source, payment };
    if (standing === 'quarantined' || standing === 'unknown') {
      if (standing === 'unknown') this.#deliveries.reportUnknown(payment);
      return { outTradeNo, state: 'quarantined', delivered: false, source };
    }
    let delivered = standing === 'settled';
    if (standing === 'due' && this.#deliveries.hasHandler) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), DELIVERY_WAIT_MS);
      });
      delivered = (await Promise.race([this.#deliveries.deliver(payment), late])) === 'done';
      clearTimeout(timer);
    }
    return { outTradeNo, state: 'paid', delivered, source, payment };
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
