import { bookFailed } from './delivery-refusals.js';
import { findInShop, type FindOrder } from './found-order.js';
import type { Applied, OrderBook, OrderChange, OrderKey, OrderRecord } from './order-book.js';

/** The orders of the book, and with `findOrder` those of the shop's own table. All throw `ORDER_BOOK_FAILED`. */
export class KnownOrders<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #findOrder: FindOrder | undefined;

  constructor(book: OrderBook<Tx>, findOrder: FindOrder | undefined) {
    this.#book = book;
    this.#findOrder = findOrder;
  }

  /** From the book alone. An orphan is a payment, not an order. */
  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    try {
      const order = await this.#book.get(key);
      return order?.state === 'ORPHAN' ? undefined : order;
    } catch (thrown) {
      throw bookFailed(thrown, 'The order book failed');
    }
  }

  /** From the book, or else from the shop's own table. */
  async find(key: OrderKey, appId: string): Promise<OrderRecord | undefined> {
    return (await this.get(key)) ?? (await this.adopt(key, appId))?.order;
  }

  /** From the shop's own table into the book. A payment that waited as an orphan is joined in the same step. */
  async adopt(key: OrderKey, appId: string): Promise<Applied | undefined> {
    const intent = this.#findOrder && (await findInShop(this.#findOrder, key, appId));
    return intent && this.apply(key, { type: 'found', intent });
  }

  async apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    try {
      return await this.#book.apply(key, change);
    } catch (thrown) {
      throw bookFailed(thrown, 'The order book failed');
    }
  }
}
