import {
  cursorOf,
  dueAt,
  matches,
  namesOf,
  orderId,
  transactionName,
  transition,
  type Applied,
  type OrderBook,
  type OrderChange,
  type OrderFilter,
  type OrderKey,
  type OrderPage,
  type OrderRecord,
} from './order-book.js';

const PAGE = 100;
/** Payments for orders that nobody knows: so many are kept, the latest. WeChat Pay repeats the others. */
const KEPT_ORPHANS = 1000;

/**
 * Keeps orders in this process only: for development, tests, and shops whose own table answers `findOrder`.
 * Everything is forgotten at exit, so production refuses it unless it is passed as `orderBook` on purpose.
 */
export class MemoryOrderBook implements OrderBook {
  readonly #orders = new Map<string, OrderRecord>();
  /** Which order holds a name. */
  readonly #names = new Map<string, string>();
  /** When each order is due, for those that ever are. */
  readonly #due = new Map<string, number>();
  readonly #orphans = new Set<string>();
  readonly #now: () => Date;

  /** @param options.now the book's clock, for tests */
  constructor(options: { now?: () => Date } = {}) {
    this.#now = options.now ?? (() => new Date());
  }

  // Nothing is awaited between reading and writing: that is what makes a change atomic here.
  async apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    return this.#apply(orderId(key), key, change);
  }

  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    return this.#orders.get(orderId(key));
  }

  async findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined> {
    const id = this.#names.get(transactionName(mchId, transactionId));
    return id === undefined ? undefined : this.#orders.get(id);
  }

  async claimDue({
    limit,
    leaseMs,
    oldestFirst = false,
  }: {
    limit: number;
    leaseMs: number;
    oldestFirst?: boolean;
  }): Promise<OrderRecord[]> {
    const now = this.#now().getTime();
    const due = [...this.#due].filter(([, at]) => at <= now).sort(([, a], [, b]) => (oldestFirst ? a - b : b - a));
    const taken: OrderRecord[] = [];
    for (const [id] of due.slice(0, limit)) {
      const before = this.#orders.get(id);
      if (before === undefined) continue;
      const { outcome, order } = this.#apply(id, before.key, { type: 'take', leaseMs });
      if (outcome === 'applied' && order !== undefined) taken.push(order);
    }
    return taken;
  }

  async list(filter: OrderFilter, page: { limit?: number; after?: string } = {}): Promise<OrderPage> {
    const { limit = PAGE, after } = page;
    const now = this.#now();
    const found = [...this.#orders.values()]
      .map((order) => ({ order, cursor: cursorOf(order) }))
      .filter(({ order, cursor }) => (after === undefined || cursor < after) && matches(order, filter, now))
      .sort((a, b) => (a.cursor < b.cursor ? 1 : -1));
    const orders = found.slice(0, limit);
    return { orders: orders.map(({ order }) => order), next: found.length > limit ? orders.at(-1)?.cursor : undefined };
  }

  #apply(id: string, key: OrderKey, change: OrderChange): Applied {
    const before = this.#orders.get(id);
    const now = this.#now();
    let applied = transition(before, key, change, now);
    let { order } = applied;
    if (order === undefined || order === before) return applied;
    const taken = namesOf(order).filter((name) => (this.#names.get(name) ?? id) !== id);
    if (taken.length > 0) {
      applied = transition(before, key, change, now, new Set(taken));
      ({ order } = applied);
      if (order === undefined || order === before) return applied;
    }
    const names = namesOf(order);
    if (before !== undefined) for (const name of namesOf(before)) if (!names.includes(name)) this.#names.delete(name);
    for (const name of names) this.#names.set(name, id);
    this.#orders.set(id, order);
    const due = dueAt(order)?.getTime();
    if (due === undefined) this.#due.delete(id);
    else this.#due.set(id, due);
    if (order.state === 'ORPHAN') this.#orphans.add(id);
    else this.#orphans.delete(id);
    if (this.#orphans.size > KEPT_ORPHANS) this.#forgetOldestOrphan();
    return applied;
  }

  #forgetOldestOrphan(): void {
    const [id] = this.#orphans;
    const order = id === undefined ? undefined : this.#orders.get(id);
    if (id === undefined || order === undefined) return;
    this.#orphans.delete(id);
    this.#orders.delete(id);
    this.#due.delete(id);
    for (const name of namesOf(order)) this.#names.delete(name);
  }
}
