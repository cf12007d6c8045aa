import { WechatH5Error } from '@wechat-h5/core';
import {
  attemptOf,
  attemptsOf,
  cursorOf,
  decodeOrder,
  dueAt,
  encodeOrder,
  matches,
  namesOf,
  orderId,
  quoted,
  transactionName,
  transition,
  turnPlan,
  type Applied,
  type OrderBook,
  type OrderChange,
  type OrderFilter,
  type OrderKey,
  type OrderPage,
  type OrderRecord,
  type TurnOptions,
} from '@wechat-h5/core/order-book';
import { commandOf, type Command, type RedisClient } from './client.js';
import { bookFailed, bookIsGone } from './failures.js';
import { checkPersistence } from './persistence.js';
import { DUE, READ, TURN, WRITE, type Script } from './scripts.js';

export interface RedisOrderBookOptions {
  /** A connected client of ioredis or redis. It stays the caller's to end. */
  client: RedisClient;
  /** In front of every key; letters, digits and `:_.-`. Default `wechat-h5`. */
  prefix?: string;
  /** Milliseconds for one command, 100 to 60 000: then it fails. Default 3000. */
  timeoutMs?: number;
  /** How many replicas must have a change before it counts, 0 to 16; needs one connection, no cluster. Default 0. */
  replicas?: number;
  /** See `leaseMs` of the port; 500 to 3 600 000. Default 30 000. */
  leaseMs?: number;
}

const PAGE = 100;
/** The layout of the keys below. */
const LAYOUT = '1';
const CHECK_EVERY_MS = 60_000;

/**
 * Keeps orders in Redis 6.2 or later, for any number of machines. Redis runs a change's last step as one script, which
 * stores only what nobody else has changed since it was read. All keys share a hash tag: in a cluster the book lies in
 * one slot. It promises what the server keeps: see the README.
 */
export class RedisOrderBook implements OrderBook {
  readonly leaseMs: number;
  readonly #command: Command;
  readonly #prefix: string;
  readonly #replicas: number;
  readonly #timeoutMs: number;
  #checked: { readonly at: number; readonly done: Promise<void> } | undefined;

  /** @throws {WechatH5Error} `OPTIONS_INVALID` */
  constructor({
    client,
    prefix = 'wechat-h5',
    timeoutMs = 3000,
    replicas = 0,
    leaseMs = 30_000,
  }: RedisOrderBookOptions) {
    const given: Partial<Record<'call' | 'sendCommand', unknown>> = client ?? {};
    if (typeof given.call !== 'function' && typeof given.sendCommand !== 'function') {
      throw invalid('client', 'is not a client of ioredis or redis', 'Pass new Redis(url), or createClient({ url }).');
    }
    if (typeof prefix !== 'string' || !/^[\w:.-]{1,64}$/.test(prefix)) {
      throw invalid('prefix', `is ${quoted(String(prefix))}`, 'Use 1 to 64 letters, digits and :_.-');
    }
    if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 100 || timeoutMs > 60_000) {
      throw invalid('timeoutMs', `is ${quoted(String(timeoutMs))}`, 'Give whole milliseconds from 100 to 60000.');
    }
    if (!Number.isSafeInteger(replicas) || replicas < 0 || replicas > 16) {
      throw invalid('replicas', `is ${quoted(String(replicas))}`, 'Give a whole number from 0 to 16.');
    }
    if (!Number.isSafeInteger(leaseMs) || leaseMs < 500 || leaseMs > 3_600_000) {
      throw invalid('leaseMs', `is ${quoted(String(leaseMs))}`, 'Give whole milliseconds from 500 to 3600000.');
    }
    this.leaseMs = leaseMs;
    this.#command = commandOf(client, timeoutMs);
    this.#prefix = `{${prefix}}`;
    this.#replicas = replicas;
    this.#timeoutMs = timeoutMs;
  }

  async apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    await this.#ready();
    return this.#guard(() => this.#apply(key, change));
  }

  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    await this.#ready();
    return this.#guard(() => this.#record(orderId(key)));
  }

  async findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined> {
    await this.#ready();
    return this.#guard(async () => {
      const id = await this.#command('HGET', this.#key('names'), transactionName(mchId, transactionId));
      return typeof id === 'string' ? this.#record(id) : undefined;
    });
  }

  /** Each is taken by itself: of two callers that see the same order, one gets it. */
  async claimDue({
    limit,
    leaseMs,
    oldestFirst = false,
  }: Parameters<OrderBook['claimDue']>[0]): Promise<OrderRecord[]> {
    await this.#ready();
    return this.#guard(async () => {
      const keys = [this.#key('marker'), this.#key('due')];
      const [, ...ids] = await this.#run(DUE, keys, [String(limit), oldestFirst ? '1' : '0']);
      const take = async (id: string): Promise<OrderRecord | undefined> => {
        const { outcome, order } = await this.#apply(keyOf(id), { type: 'take', leaseMs });
        return outcome === 'applied' ? order : undefined;
      };
      const taken = await Promise.all(ids.map((id) => take(String(id))));
      return taken.filter((order) => order !== undefined);
    });
  }

  async list(
    filter: OrderFilter,
    { limit = PAGE, after }: { limit?: number; after?: string } = {},
  ): Promise<OrderPage> {
    await this.#ready();
    const size = Math.max(1, Math.floor(limit));
    return this.#guard(async () => {
      const now = new Date((await this.#read('')).now);
      const orders: OrderRecord[] = [];
      // A payer asks for all attempts of a purchase: they have a list of their own.
      const of = filter.orderRef === undefined ? '' : attemptsOf(filter.orderRef);
      const key = this.#key(of === '' ? 'positions' : 'attempts');
      const start = of === '' ? '-' : `[${of}`;
      // Positions begin with a digit.
      let end = `(${of}${after ?? ':'}`;
      for (;;) {
        const range = ['ZRANGE', key, end, start, 'BYLEX', 'REV', 'LIMIT', '0', String(PAGE)] as const;
        const cursors = (await this.#command(...range)) as string[];
        const ids = cursors.map((cursor) => cursor.slice(cursor.indexOf(' ', of.length) + 1));
        const found = await Promise.all(ids.map((id) => this.#record(id)));
        for (const order of found) {
          if (order === undefined || !matches(order, filter, now)) continue;
          const last = orders.at(-1);
          if (orders.length === size && last !== undefined) return { orders, next: cursorOf(last) };
          orders.push(order);
        }
        const last = cursors.at(-1);
        if (last === undefined || cursors.length < PAGE) return { orders, next: undefined };
        end = `(${last}`;
      }
    });
  }

  async turn(mchId: string, options: TurnOptions): Promise<number | undefined> {
    const { intervalMs, aheadMs, furthestMs } = turnPlan(options);
    await this.#ready();
    return this.#guard(async () => {
      const keys = [this.#key('marker'), this.#key(`turns:${mchId}`)];
      const numbers = [intervalMs, aheadMs, furthestMs, options.withinMs];
      const [what, wait] = await this.#run(TURN, keys, numbers.map(String));
      return what === 'late' ? undefined : Number(wait);
    });
  }

  /**
   * Finds out whether this server keeps what it is given, and whether the book is there.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`: it evicts, does not persist, is a replica, or was emptied
   */
  async open(): Promise<void> {
    await this.#guard(async () => {
      await checkPersistence(this.#command);
      await this.#read('');
    });
  }

  /**
   * Makes the book: a marker by which an emptied server is told from a new one.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`: the server evicts, does not persist, or is a replica
   */
  async migrate(): Promise<void> {
    await this.#guard(async () => {
      await checkPersistence(this.#command);
      await this.#command('SET', this.#key('marker'), LAYOUT, 'NX');
      await this.#replicated();
    });
  }

  async #apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    const id = orderId(key);
    let taken: ReadonlySet<string> | undefined;
    for (;;) {
      const { before, now } = await this.#read(id);
      const applied = transition(before, key, change, new Date(now), taken);
      const { order } = applied;
      if (order === undefined || order === before) return applied;
      const had = before === undefined ? [] : namesOf(before);
      const has = namesOf(order);
      const added = has.filter((name) => !had.includes(name));
      const dropped = had.filter((name) => !has.includes(name));
      const keys = ['marker', `order:${id}`, 'due', 'positions', 'names', 'attempts'].map((name) => this.#key(name));
      const [what, ...names] = await this.#run(WRITE, keys, [
        id,
        String(before?.version ?? 0),
        String(order.version),
        encodeOrder(order),
        String(dueAt(order)?.getTime() ?? ''),
        cursorOf(order),
        before === undefined ? '' : cursorOf(before),
        attemptOf(order) ?? '',
        before === undefined ? '' : (attemptOf(before) ?? ''),
        String(added.length),
        ...added,
        ...dropped,
      ]);
      if (what === 'stored') {
        await this.#replicated();
        return applied;
      }
      taken = what === 'taken' ? new Set([...(taken ?? []), ...names.map(String)]) : undefined;
    }
  }

  async #record(id: string): Promise<OrderRecord | undefined> {
    return (await this.#read(id)).before;
  }

  async #read(id: string): Promise<{ before: OrderRecord | undefined; now: number }> {
    const keys = [this.#key('marker'), this.#key(`order:${id}`)];
    const [, now, text] = await this.#run(READ, keys, []);
    return { before: typeof text === 'string' ? decodeOrder(text) : undefined, now: Number(now) };
  }

  async #run({ sha, text }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown[]> {
    const words = [String(keys.length), ...keys, ...args];
    let reply: unknown;
    try {
      reply = await this.#command('EVALSHA', sha, ...words);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      reply = await this.#command('EVAL', text, ...words);
    }
    if (!Array.isArray(reply)) throw new Error('the reply to a script is no list');
    if (reply[0] === 'gone') throw bookIsGone(this.#prefix);
    return reply as unknown[];
  }

  /** @throws when too few replicas have it in time: then it may be stored, as after every failure */
  async #replicated(): Promise<void> {
    if (this.#replicas === 0) return;
    const reached = Number(await this.#command('WAIT', String(this.#replicas), String(this.#timeoutMs)));
    if (reached < this.#replicas) throw new Error(`${reached} of ${this.#replicas} replicas have the change`);
  }

  /** Before the first order, and from time to time: another server may have taken over at the same address. */
  #ready(): Promise<void> {
    const checked = this.#checked;
    if (checked !== undefined && performance.now() - checked.at < CHECK_EVERY_MS) return checked.done;
    const done = this.open().catch((error: unknown) => {
      this.#checked = undefined;
      throw error;
    });
    this.#checked = { at: performance.now(), done };
    return done;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw bookFailed(error);
    }
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }
}

/** The other way round than `orderId`. */
function keyOf(id: string): OrderKey {
  const [mchId = '', subMchId = '', outTradeNo = ''] = id.split(' ');
  return { mchId, ...(subMchId === '' ? {} : { subMchId }), outTradeNo };
}

function invalid(field: string, what: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${field} ${what}`, { field, hint });
}
