import {
  orderId,
  transition,
  type Applied,
  type OrderBook,
  type OrderChange,
  type OrderKey,
  type OrderRecord,
} from './order-book.js';

/**
 * Keeps orders in this process only: for development, tests, and shops whose own table answers `findOrder`.
 * Everything is forgotten at exit, so production refuses it unless it is passed as `orderBook` on purpose.
 */
export class MemoryOrderBook implements OrderBook {
  readonly #orders = new Map<string, OrderRecord>();
  readonly #byTransactionId = new Map<string, string>();
  readonly #now: () => Date;

  /** @param options.now the book's clock, for tests */
  constructor(options: { now?: () => Date } = {}) {
    this.#now = options.now ?? (() => new Date());
  }

  // Nothing is awaited between reading and writing: that is what makes a change atomic here.
  async apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    const id = orderId(key);
    const before = this.#orders.get(id);
    if (change.type === 'paid' && before !== undefined) {
      const owner = this.#byTransactionId.get(transactionIdOf(key.mchId, change.payment.transactionId));
      if (owner !== undefined && owner !== id) return { outcome: 'conflict', order: before };
    }
    const applied = transition(before, key, change, this.#now());
    if (applied.order !== undefined && applied.order !== before) {
      this.#orders.set(id, applied.order);
      if (applied.order.state === 'PAID' && applied.order.payment !== undefined) {
        this.#byTransactionId.set(transactionIdOf(key.mchId, applied.order.payment.transactionId), id);
      }
    }
    return applied;
  }

  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    return this.#orders.get(orderId(key));
  }

  async findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined> {
    const id = this.#byTransactionId.get(transactionIdOf(mchId, transactionId));
    return id === undefined ? undefined : this.#orders.get(id);
  }
}

function transactionIdOf(mchId: string, transactionId: string): string {
  return `${mchId} ${transactionId}`;
}
