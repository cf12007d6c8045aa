import {
  cursorOf,
  transactionName,
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
import type { PoolClient } from 'pg';
import { askByName, askOnce, type Ask } from './asking.js';
import { Connections, bookFailed } from './connection.js';
import { Grouped, type Change } from './grouped.js';
import { lend } from './lent-client.js';
import { checked, type PostgresOrderBookOptions, type Settings } from './options.js';
import { checkVersion, migrate } from './schema.js';
import { orderOf, type OrderRow, type SeenRow } from './order-row.js';
import { RememberedRows } from './remembered-rows.js';
import { keyOf, statementsFor } from './statements.js';
import { StoredChanges } from './stored-changes.js';

const PAGE = 100;

/**
 * Keeps orders in PostgreSQL 12 or later, for any number of machines. Changes are stored by one statement, and only of
 * orders that nobody else has changed since they were read, so nothing is asked of a session: a pooler in transaction
 * mode may stand in between.
 */
export class PostgresOrderBook implements OrderBook<PoolClient> {
  readonly leaseMs: number;
  readonly #settings: Settings;
  readonly #connections: Connections;
  readonly #sql: ReturnType<typeof statementsFor>;
  readonly #ask: Ask;
  readonly #remembered = new RememberedRows();
  readonly #changes: StoredChanges;
  readonly #grouped: Grouped;

  /** @throws {WechatH5Error} `OPTIONS_INVALID` */
  constructor(options: PostgresOrderBookOptions) {
    this.#settings = checked(options);
    this.leaseMs = this.#settings.leaseMs;
    this.#connections = new Connections(this.#settings);
    this.#sql = statementsFor(this.#settings.prefix);
    this.#ask = this.#settings.preparedStatements ? askByName() : askOnce;
    this.#changes = new StoredChanges({
      sql: this.#sql,
      ask: this.#ask,
      lockTimeoutMs: this.#settings.lockTimeoutMs,
      remembered: this.#remembered,
    });
    this.#grouped = new Grouped({
      together: (changes) => this.#connections.run((client) => this.#changes.together(client, changes)),
      alone: (change) => this.#connections.run((client) => this.#changes.alone(client, change)),
      timeoutMs: this.#settings.timeoutMs,
      late: () => bookFailed(new Error('PostgreSQL is busy with earlier changes')),
    });
  }

  /** Together with what else is asked for meanwhile. */
  apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    return this.#grouped.apply(key, change);
  }

  async get(key: OrderKey): Promise<OrderRecord | undefined> {
    return (await this.#records(this.#ask, this.#sql.get, keyOf(key)))[0];
  }

  async findByTransactionId(mchId: string, transactionId: string): Promise<OrderRecord | undefined> {
    return (await this.#records(this.#ask, this.#sql.byName, [transactionName(mchId, transactionId)]))[0];
  }

  /** Skips what somebody else is taking at this moment: callers do not wait for each other. */
  claimDue({ limit, leaseMs, oldestFirst = false }: Parameters<OrderBook['claimDue']>[0]): Promise<OrderRecord[]> {
    return this.#connections.run(async (client) => {
      const sentAt = performance.now();
      const sql = this.#sql.take(oldestFirst ? 'ASC' : 'DESC');
      const rows = await this.#ask<SeenRow>(client, sql, [limit, leaseMs]);
      return rows.map((row) => {
        const order = orderOf(row);
        this.#remembered.set(order.key, row, sentAt);
        return order;
      });
    });
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
    // Its text depends on the filter.
    const orders = await this.#records(askOnce, this.#sql.list(conditions, size + 1), values);
    const last = orders.length > size ? orders[size - 1] : undefined;
    return { orders: orders.slice(0, size), next: last && cursorOf(last) };
  }

  async turn(mchId: string, options: TurnOptions): Promise<number | undefined> {
    const { intervalMs, aheadMs, furthestMs } = turnPlan(options);
    const values = [mchId, intervalMs, aheadMs, furthestMs, options.withinMs];
    return this.#connections.run(async (client) => {
      const [row] = await this.#ask<{ wait: number }>(client, this.#sql.turn, values);
      return row?.wait;
    });
  }

  /**
   * `tx` is a client of the pool. With the first statement on it a transaction is opened, isolation level READ COMMITTED;
   * once that has ended, its methods throw. Who uses `apply` alone, and once, opens none: the change is then stored when
   * `work` has resolved, together with those of others, and it is an error if it comes to something else by then.
   * @throws what `work` throws; {@link WechatH5Error} `ORDER_BOOK_FAILED`
   */
  async transaction<T>(work: (tx: PoolClient, apply: OrderBook['apply']) => Promise<T>): Promise<T> {
    let held = undefined as Held | undefined;
    const result = await this.#connections.transaction(async ({ client, begin, step }) => {
      let isOpen = false;
      const open = (): Promise<void> => {
        isOpen = true;
        return begin();
      };
      const store = (change: Change): Promise<Applied> => step(this.#changes.inTransaction(client, change));
      const storeHeld = async (): Promise<void> => {
        if (held === undefined) return;
        const { change, applied } = held;
        held = undefined;
        assertSame(await store(change), applied);
      };
      const { tx, end } = lend(client, () => void open().catch(() => {}));
      try {
        const done = await work(tx, async (key, change) => {
          if (!isOpen && held === undefined) {
            const applied = await step(this.#changes.look(client, { key, change }));
            if (applied !== undefined) {
              held = { change: { key, change }, applied };
              return applied;
            }
          }
          await open();
          await storeHeld();
          return store({ key, change });
        });
        if (isOpen) await storeHeld();
        return done;
      } finally {
        end();
      }
    });
    if (held !== undefined) assertSame(await this.apply(held.change.key, held.change.change), held.applied);
    return result;
  }

  /** @throws {WechatH5Error} `ORDER_BOOK_FAILED`: unreachable, not migrated, or made for later versions only */
  async open(): Promise<void> {
    await this.#connections.run((client) => checkVersion(client, this.#settings.prefix));
  }

  /** Creates or updates the tables, in one transaction. Several may try at once. */
  async migrate(): Promise<void> {
    const { schema, prefix } = this.#settings;
    await this.#connections
      .transaction(async ({ client, begin }) => {
        await begin();
        await migrate(client, schema, prefix);
      })
      .catch((error: unknown) => {
        throw bookFailed(error);
      });
  }

  #records(ask: Ask, sql: string, values: unknown[]): Promise<OrderRecord[]> {
    return this.#connections.run(async (client) => (await ask<OrderRow>(client, sql, values)).map(orderOf));
  }
}

/** What somebody was told that a change comes to. */
interface Held {
  readonly change: Change;
  readonly applied: Applied;
}

function assertSame(applied: Applied, told: Applied): void {
  if (applied.outcome === told.outcome) return;
  throw bookFailed(new Error(`Somebody else has changed the order meanwhile: ${applied.outcome}`));
}
