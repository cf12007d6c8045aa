import { WechatH5Error, isWechatH5Error } from '@wechat-h5/core';
import {
  attemptOf,
  attemptsOf,
  cursorOf,
  decodeOrder,
  dueAt,
  encodeOrder,
  matches,
  namesOf,
  nextTurn,
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
  type TurnOptions,
} from '@wechat-h5/core/order-book';
import { open, type Database, type RootDatabase } from 'lmdb';
import { bookFailed, checked, prepareFolder, type LmdbOrderBookOptions } from './options.js';

const PAGE = 100;
/** The layout of the tables below. */
const LAYOUT = 1;

/**
 * Keeps orders in a folder of this machine, for any number of its processes: cluster, pm2, a command beside the server.
 * Writers of all processes take turns; readers wait for nobody. A change is on the disk when it resolves.
 */
export class LmdbOrderBook implements OrderBook {
  readonly leaseMs: number;
  readonly #timeoutMs: number;
  readonly #root: RootDatabase<string, string>;
  /** Records by `orderId`. */
  readonly #orders: Database<string, string>;
  /** Which order holds a name. */
  readonly #names: Database<string, string>;
  /** Orders by the time they are due. */
  readonly #due: Database<string, [number, string]>;
  /** Orders by where they are listed. */
  readonly #positions: Database<string, string>;
  /** The same of each purchase: a payer asks for all attempts of theirs. */
  readonly #attempts: Database<string, string>;
  /** By `mch_id`: when an even pace of calls would have room again. */
  readonly #turns: Database<string, string>;

  /** @throws {WechatH5Error} `OPTIONS_INVALID`, `ORDER_BOOK_FAILED`: the folder cannot be written, or is of a later version */
  constructor(options: LmdbOrderBookOptions) {
    const { path, timeoutMs, leaseMs } = checked(options);
    this.leaseMs = leaseMs;
    this.#timeoutMs = timeoutMs;
    prepareFolder(path);
    try {
      // Without overlappingSync a commit is over when it is on the disk. With eventTurnBatching lmdb makes a promise of its
      // own for each turn: on a full disk nobody would be there to handle it.
      this.#root = open<string, string>({
        path,
        encoding: 'string',
        maxDbs: 8,
        overlappingSync: false,
        eventTurnBatching: false,
      });
      this.#orders = this.#root.openDB<string, string>({ name: 'orders', encoding: 'string' });
      this.#names = this.#root.openDB<string, string>({ name: 'names', encoding: 'string' });
      this.#due = this.#root.openDB<string, [number, string]>({ name: 'due', encoding: 'string' });
      this.#positions = this.#root.openDB<string, string>({ name: 'positions', encoding: 'string' });
      this.#attempts = this.#root.openDB<string, string>({ name: 'attempts', encoding: 'string' });
      this.#turns = this.#root.openDB<string, string>({ name: 'turns', encoding: 'string' });
      const layout = this.#root.get('layout');
      if (layout === undefined) this.#root.putSync('layout', String(LAYOUT));
      else if (layout !== String(LAYOUT)) throw laterLayout();
    } catch (error) {
      throw isWechatH5Error(error) ? error : bookFailed(error);
    }
  }

  apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    return this.#write(() => this.#apply(orderId(key), key, change, new Date()));
  }

  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    return this.#read(() => this.#record(orderId(key)));
  }

  async findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined> {
    return this.#read(() => {
      const id = this.#names.get(transactionName(mchId, transactionId));
      return id === undefined ? undefined : this.#record(id);
    });
  }

  claimDue({ limit, leaseMs, oldestFirst = false }: Parameters<OrderBook['claimDue']>[0]): Promise<OrderRecord[]> {
    return this.#write(() => {
      const now = new Date();
      const end: [number, string] = [now.getTime() + 1, ''];
      const range = oldestFirst ? { end, limit } : { start: end, reverse: true, limit };
      // All of them first: taking one moves it.
      const due = [...this.#due.getKeys(range)];
      const taken: OrderRecord[] = [];
      for (const [, id] of due) {
        const before = this.#record(id);
        if (before === undefined) continue;
        const { outcome, order } = this.#apply(id, before.key, { type: 'take', leaseMs }, now);
        if (outcome === 'applied' && order !== undefined) taken.push(order);
      }
      return taken;
    });
  }

  async list(
    filter: OrderFilter,
    { limit = PAGE, after }: { limit?: number; after?: string } = {},
  ): Promise<OrderPage> {
    const size = Math.max(1, Math.floor(limit));
    const { orderRef } = filter;
    const [table, of] = orderRef === undefined ? [this.#positions, ''] : [this.#attempts, attemptsOf(orderRef)];
    return this.#read(() => {
      const now = new Date();
      const orders: OrderRecord[] = [];
      // Positions begin with a digit.
      const start = `${of}${after ?? ':'}`;
      for (const { key: position, value: id } of table.getRange({ reverse: true, start, end: of })) {
        const order = position === start ? undefined : this.#record(id);
        if (order === undefined || !matches(order, filter, now)) continue;
        const last = orders.at(-1);
        if (orders.length === size && last !== undefined) return { orders, next: cursorOf(last) };
        orders.push(order);
      }
      return { orders, next: undefined };
    });
  }

  turn(mchId: string, options: TurnOptions): Promise<number | undefined> {
    return this.#write(() => {
      const stored = this.#turns.get(mchId);
      const turn = nextTurn(stored === undefined ? undefined : Number(stored), Date.now(), options);
      if (turn !== undefined) this.#turns.putSync(mchId, String(turn.freeAt));
      return turn?.waitMs;
    });
  }

  /** The files are made when the book is; this version needs nothing more. */
  async migrate(): Promise<void> {}

  async close(): Promise<void> {
    await this.#root.close();
  }

  // All of it runs while this process holds the one lock of all writers.
  #apply(id: string, key: OrderKey, change: OrderChange, now: Date): Applied {
    const before = this.#record(id);
    let applied = transition(before, key, change, now);
    if (applied.order === undefined || applied.order === before) return applied;
    const taken = namesOf(applied.order).filter((name) => (this.#names.get(name) ?? id) !== id);
    if (taken.length > 0) applied = transition(before, key, change, now, new Set(taken));
    const { order } = applied;
    if (order !== undefined && order !== before) this.#store(id, before, order);
    return applied;
  }

  #store(id: string, before: OrderRecord | undefined, order: OrderRecord): void {
    const names = namesOf(order);
    const had = before === undefined ? [] : namesOf(before);
    for (const name of had) if (!names.includes(name)) this.#names.removeSync(name);
    for (const name of names) if (!had.includes(name)) this.#names.putSync(name, id);
    const due = dueAt(order)?.getTime();
    const wasDue = before === undefined ? undefined : dueAt(before)?.getTime();
    if (due !== wasDue) {
      if (wasDue !== undefined) this.#due.removeSync([wasDue, id]);
      if (due !== undefined) this.#due.putSync([due, id], '');
    }
    const position = cursorOf(order);
    const wasAt = before === undefined ? undefined : cursorOf(before);
    if (position !== wasAt) {
      if (wasAt !== undefined) this.#positions.removeSync(wasAt);
      this.#positions.putSync(position, id);
    }
    const attempt = attemptOf(order);
    const wasAttempt = before && attemptOf(before);
    if (attempt !== wasAttempt) {
      if (wasAttempt !== undefined) this.#attempts.removeSync(wasAttempt);
      if (attempt !== undefined) this.#attempts.putSync(attempt, id);
    }
    this.#orders.putSync(id, encodeOrder(order));
  }

  #record(id: string): OrderRecord | undefined {
    const text = this.#orders.get(id);
    return text === undefined ? undefined : decodeOrder(text);
  }

  #read<T>(work: () => T): T {
    try {
      // What other processes have written since the last turn of the event loop.
      this.#root.resetReadTxn();
      return work();
    } catch (error) {
      throw isWechatH5Error(error) ? error : bookFailed(error);
    }
  }

  async #write<T>(work: () => T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `no turn to write within ${this.#timeoutMs} ms`;
      timer = setTimeout(() => reject(new Error(message)), this.#timeoutMs);
    });
    try {
      const writing = this.#root.transaction(work);
      writing.catch(settleCommitError);
      return await Promise.race([writing, late]);
    } catch (error) {
      throw isWechatH5Error(error) ? error : bookFailed(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

function laterLayout(): WechatH5Error {
  return new WechatH5Error('ORDER_BOOK_FAILED', `The files are not of layout ${LAYOUT}`, {
    hint: 'Update @wechat-h5/orders-lmdb on this machine. 请升级本机的 @wechat-h5/orders-lmdb。',
  });
}

/** lmdb rejects a promise of its own beside ours; nobody has it to handle, and it would end the process. */
function settleCommitError(error: unknown): void {
  const { commitError } = error as { commitError?: Promise<unknown> };
  commitError?.catch(() => {});
}
