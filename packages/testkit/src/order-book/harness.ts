import type { OrderBook, OrderKey } from '@wechat-h5/core/order-book';

/**
 * One kind of order book, and how its store is looked at without it. A harness only opens and reads; it decides
 * nothing and asserts nothing.
 */
export interface OrderBookHarness {
  /** `memory`, `postgres through pgbouncer`. */
  readonly name: string;
  /** An empty store. */
  create(): Promise<Store>;
}

export interface Store {
  /** A book over this store, with connections of its own: as another process has one. */
  open(): Promise<OrderBook<unknown>>;
  /** What is stored of an order, read with the store's own tools; `undefined`: nothing. */
  stored(key: OrderKey): Promise<Stored | undefined>;
  /** Ends every book that was opened, and throws the store away. */
  remove(): Promise<void>;
}

export interface Stored {
  /** The text of the record. */
  readonly record: string;
  /** When it is due, as the index has it: milliseconds since 1970. */
  readonly dueAt: number | undefined;
  /** The names the index says it holds, sorted. */
  readonly names: readonly string[];
}

/** A store that several processes share. */
export interface SharedStore extends Store {
  /** How another process opens it. */
  readonly program: BookProgram;
}

export interface SharedOrderBookHarness extends OrderBookHarness {
  create(): Promise<SharedStore>;
}

/** A module that exports `openBook(options)`, which resolves with an order book, and what to give it. */
export interface BookProgram {
  /** An absolute path. */
  readonly module: string;
  readonly options: Readonly<Record<string, string>>;
}

/** One thing that every order book has to do. Data: any test runner can loop over a list of these. */
export interface OrderBookCase<Harness extends OrderBookHarness = OrderBookHarness> {
  /** Stable for ever. A case is never edited to mean something else; it gets a new id. */
  readonly id: string;
  /** One sentence. `B01` … `X34` name the faults it covers. */
  readonly title: string;
  /** Rejects, mostly with an AssertionError, if the book does otherwise. */
  run(harness: Harness): Promise<void>;
}
