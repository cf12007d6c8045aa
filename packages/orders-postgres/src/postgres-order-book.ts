import {
  cursorOf,
  decodeOrder,
  namesOf,
  transactionName,
  transition,
  type Applied,
  type OrderBook,
  type OrderChange,
  type OrderFilter,
  type OrderKey,
  type OrderPage,
  type OrderRecord,
} from '@wechat-h5/core/order-book';
import type { PoolClient } from 'pg';
import { Connections, bookFailed, sqlState } from './connection.js';
import { lend } from './lent-client.js';
import { checked, type PostgresOrderBookOptions, type Settings } from './options.js';
import { checkVersion, migrate } from './schema.js';
import { columnsOf, keyOf, statementsFor } from './statements.js';

const PAGE = 100;
const UNIQUE_VIOLATION = '23505';

/**
 * Keeps orders in PostgreSQL 12 or later, for any number of machines. Each change is one statement that stores only
 * what nobody else has changed since it was read, so nothing is asked of a session: a pooler in transaction mode may
 * stand in between.
 */
export class PostgresOrderBook implements OrderBook<PoolClient> {
  readonly leaseMs: number;
  readonly #settings: Settings;
  readonly #connections: Connections;
  readonly #sql: ReturnType<typeof statementsFor>;

  /** @throws {WechatH5Error} `OPTIONS_INVALID` */
  constructor(options: PostgresOrderBookOptions) {
    this.#settings = checked(options);
    this.leaseMs = this.#settings.leaseMs;
    this.#connections = new Connections(this.#settings);
    this.#sql = statementsFor(this.#settings.prefix);
  }

  apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    return this.#connections.run((client) => this.#apply(client, key, change, false));
  }

  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    return (await this.#records(this.#sql.get, keyOf(key)))[0];
  }

  async findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined> {
    return (await this.#records(this.#sql.byName, [transactionName(mchId, transactionId)]))[0];
  }

  /** Skips what somebody else is taking at this moment: callers do not wait for each other. */
  claimDue({ limit, leaseMs, oldestFirst = false }: Parameters<OrderBook['claimDue']>[0]): Promise<OrderRecord[]> {
    return this.#records(this.#sql.take(oldestFirst ? 'ASC' : 'DESC'), [limit, leaseMs]);
  }

  async list(
    filter: OrderFilter,
    { limit = PAGE, after }: { limit?: number; after?: string } = {},
  ): Promise<OrderPage> {
    const conditions: string[] = [];
    const values: unknown[] = [];
    const where = (condition: string, value: string | undefined): void => {
      if (value !== undefined) conditions.push(`${condition} $${values.push(value)}`);
    };
    where('mch_id =', filter.mchId);
    where('state =', filter.state);
    where('delivery =', filter.delivery);
    where('order_ref =', filter.orderRef);
    where('paid_on =', filter.paidOn);
    where('position <', after);
    if (filter.due !== undefined) {
      conditions.push(`(due_at IS NOT NULL AND due_at <= statement_timestamp()) = ${filter.due ? 'true' : 'false'}`);
    }
    const size = Math.max(1, Math.floor(limit));
    const orders = await this.#records(this.#sql.list(conditions, size + 1), values);
    const last = orders.length > size ? orders[size - 1] : undefined;
    return { orders: orders.slice(0, size), next: last && cursorOf(last) };
  }

  /**
   * `tx` is a client of the pool with an open transaction, isolation level READ COMMITTED. Once that has ended, its
   * methods throw.
   * @throws what `work` throws; {@link WechatH5Error} `ORDER_BOOK_FAILED`
   */
  transaction<T>(work: (tx: PoolClient, apply: OrderBook['apply']) => Promise<T>): Promise<T> {
    return this.#connections.transaction(async (client) => {
      const { tx, end } = lend(client);
      try {
        return await work(tx, (key, change) =>
          this.#connections.inTime(this.#apply(client, key, change, true)).catch((error: unknown) => {
            throw bookFailed(error);
          }),
        );
      } finally {
        end();
      }
    });
  }

  /** @throws {WechatH5Error} `ORDER_BOOK_FAILED`: unreachable, not migrated, or made for later versions only */
  async open(): Promise<void> {
    await this.#connections.run((client) => checkVersion(client, this.#settings.prefix));
  }

  /** Creates or updates the tables, in one transaction. Several may try at once. */
  async migrate(): Promise<void> {
    const { schema, prefix } = this.#settings;
    await this.#connections
      .transaction((client) => migrate(client, schema, prefix))
      .catch((error: unknown) => {
        throw bookFailed(error);
      });
  }

  async #apply(client: PoolClient, key: OrderKey, change: OrderChange, inTransaction: boolean): Promise<Applied> {
    const ids = keyOf(key);
    let taken: ReadonlySet<string> | undefined;
    for (;;) {
      const { rows } = await client.query<{ record: string | null; now: number }>(this.#sql.read, ids);
      const [row] = rows;
      if (row === undefined) throw new Error('PostgreSQL answered without a row');
      const before = row.record === null ? undefined : decodeOrder(row.record);
      const applied = transition(before, key, change, new Date(row.now), taken);
      const { order } = applied;
      if (order === undefined || order === before) return applied;
      const had = before === undefined ? [] : namesOf(before);
      const has = namesOf(order);
      const added = has.filter((name) => !had.includes(name));
      const dropped = had.filter((name) => !has.includes(name));
      // A statement that fails would end the transaction it is in: there, look first.
      const held = inTransaction && added.length > 0 ? await this.#held(client, ids, added) : [];
      if (held.length === 0) {
        try {
          if (await this.#write(client, before, order, added, dropped)) return applied;
          taken = undefined;
          continue;
        } catch (error) {
          if (inTransaction || sqlState(error) !== UNIQUE_VIOLATION) throw error;
        }
      }
      taken = new Set([...(taken ?? []), ...(held.length > 0 ? held : await this.#held(client, ids, added))]);
    }
  }

  /** @returns whether it was stored: not if somebody else has changed the order since it was read */
  async #write(
    client: PoolClient,
    before: OrderRecord | undefined,
    order: OrderRecord,
    added: readonly string[],
    dropped: readonly string[],
  ): Promise<boolean> {
    const values = [...columnsOf(order), String(this.#settings.lockTimeoutMs), before?.version ?? 0];
    const onlyOrder = before !== undefined && added.length === 0 && dropped.length === 0;
    const sql = before === undefined ? this.#sql.insert : onlyOrder ? this.#sql.updateOnly : this.#sql.update;
    const { rows } = await client.query<{ count: number }>(sql, onlyOrder ? values : [...values, dropped, added]);
    return rows[0]?.count === 1;
  }

  async #held(client: PoolClient, ids: readonly string[], names: readonly string[]): Promise<string[]> {
    const { rows } = await client.query<{ name: string }>(this.#sql.heldByOthers, [...ids, names]);
    return rows.map(({ name }) => name);
  }

  #records(sql: string, values: unknown[]): Promise<OrderRecord[]> {
    return this.#connections.run(async (client) => {
      const { rows } = await client.query<{ record: string }>(sql, values);
      return rows.map(({ record }) => decodeOrder(record));
    });
  }
}
