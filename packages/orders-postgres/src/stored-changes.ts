import { decodeOrder, namesOf, transition, type Applied, type OrderRecord } from '@wechat-h5/core/order-book';
import type { PoolClient } from 'pg';
import { bookFailed, sqlState } from './connection.js';
import type { Change } from './grouped.js';
import { columnsOf, keyOf, type statementsFor } from './statements.js';

const UNIQUE_VIOLATION = '23505';
/** One change of many can be the reason: then each goes alone. The others are serialization failure, deadlock, lock timeout. */
const OF_ONE: ReadonlySet<string> = new Set([UNIQUE_VIOLATION, '40001', '40P01', '55P03']);

/** For who has to keep nobody waiting. */
const HARDLY_MS = '5';

/** As a row is read. */
interface Row {
  record: string | null;
  /** The server's clock, milliseconds since 1970. */
  now: number;
}

/** Reads orders, lets the state machine compute the next ones, and stores those that nobody has changed meanwhile. */
export class StoredChanges {
  readonly #sql: ReturnType<typeof statementsFor>;
  readonly #lockTimeoutMs: string;

  constructor(sql: ReturnType<typeof statementsFor>, lockTimeoutMs: number) {
    this.#sql = sql;
    this.#lockTimeoutMs = String(lockTimeoutMs);
  }

  /** Until it is stored, whoever else is at work on the order. Each statement is a transaction. */
  alone(client: PoolClient, change: Change): Promise<Applied> {
    return this.#apply(client, change, false);
  }

  /**
   * What it would come to if it was made now, for a change that takes no name. Nothing is stored.
   * @returns `undefined` for one that does: whether it may is known only when it has
   */
  async look(client: PoolClient, change: Change): Promise<Applied | undefined> {
    const row = await this.#read(client, change);
    const before = orderOf(row);
    const applied = next(before, change, row);
    return applied.order === undefined || names(before, applied.order).added.length === 0 ? applied : undefined;
  }

  /** In the transaction that is open. */
  inTransaction(client: PoolClient, change: Change): Promise<Applied> {
    return this.#apply(client, change, true);
  }

  /**
   * Changes of as many orders, each once: all that can be stored without waiting are, in one transaction.
   * @returns what each came to; `undefined`: it has to go alone
   */
  async together(client: PoolClient, changes: readonly Change[]): Promise<(Applied | Error | undefined)[]> {
    const rows = await this.#readMany(client, changes);
    const writes: Write[] = [];
    const results = changes.map(({ key, change }, index): Applied | Error | undefined => {
      const row = rows[index];
      if (row === undefined) return bookFailed(new Error('PostgreSQL answered with fewer rows'));
      try {
        const before = orderOf(row);
        const applied = next(before, { key, change }, row);
        const { order } = applied;
        if (order === undefined || order === before) return applied;
        const { added, dropped } = names(before, order);
        if (before !== undefined && dropped.length === 0) writes.push({ index, applied, before, order, added });
      } catch (error) {
        // A record of another version: it is no reason to fail the others.
        return bookFailed(error);
      }
      return undefined;
    });
    for (const { index, applied } of await this.#writeMany(client, writes)) results[index] = applied;
    return results;
  }

  /** @returns those that are stored. None if one of them takes a name that another order has: that fails all of them */
  async #writeMany(client: PoolClient, writes: readonly Write[]): Promise<readonly Write[]> {
    const [first] = writes;
    if (first === undefined) return [];
    const values = [
      ...columns(writes.map(({ order }) => columnsOf(order))),
      this.#lockTimeoutMs,
      writes.map(({ before }) => before.version),
      writes.flatMap(({ added }) => added),
      writes.flatMap(({ added }, index) => added.map(() => index + 1)),
    ];
    try {
      // The statements for one take less time than those for many.
      if (writes.length === 1)
        return (await this.#write(client, first.before, first.order, first.added, [], HARDLY_MS)) ? writes : [];
      const { rows } = await client.query<{ n: number }>(this.#sql.updateMany, values);
      return rows.flatMap(({ n }) => writes[n - 1] ?? []);
    } catch (error) {
      if (OF_ONE.has(sqlState(error) ?? '')) return [];
      throw error;
    }
  }

  async #apply(client: PoolClient, change: Change, inTransaction: boolean): Promise<Applied> {
    const ids = keyOf(change.key);
    let taken: ReadonlySet<string> | undefined;
    for (;;) {
      const row = await this.#read(client, change);
      const before = orderOf(row);
      const applied = next(before, change, row, taken);
      const { order } = applied;
      if (order === undefined || order === before) return applied;
      const { added, dropped } = names(before, order);
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

  async #readMany(client: PoolClient, changes: readonly Change[]): Promise<readonly Row[]> {
    const [first] = changes;
    if (first !== undefined && changes.length === 1) return [await this.#read(client, first)];
    return (await client.query<Row>(this.#sql.readMany, columns(changes.map(({ key }) => keyOf(key))))).rows;
  }

  async #read(client: PoolClient, { key }: Change): Promise<Row> {
    const { rows } = await client.query<Row>(this.#sql.read, keyOf(key));
    const [row] = rows;
    if (row === undefined) throw new Error('PostgreSQL answered without a row');
    return row;
  }

  /** @returns whether it was stored: not if somebody else has changed the order since it was read */
  async #write(
    client: PoolClient,
    before: OrderRecord | undefined,
    order: OrderRecord,
    added: readonly string[],
    dropped: readonly string[],
    lockTimeoutMs = this.#lockTimeoutMs,
  ): Promise<boolean> {
    const values = [...columnsOf(order), lockTimeoutMs, before?.version ?? 0];
    const onlyOrder = before !== undefined && added.length === 0 && dropped.length === 0;
    const sql = before === undefined ? this.#sql.insert : onlyOrder ? this.#sql.updateOnly : this.#sql.update;
    const { rows } = await client.query<{ count: number }>(sql, onlyOrder ? values : [...values, dropped, added]);
    return rows[0]?.count === 1;
  }

  async #held(client: PoolClient, ids: readonly string[], names: readonly string[]): Promise<string[]> {
    const { rows } = await client.query<{ name: string }>(this.#sql.heldByOthers, [...ids, names]);
    return rows.map(({ name }) => name);
  }
}

interface Write {
  readonly index: number;
  readonly applied: Applied;
  readonly before: OrderRecord;
  readonly order: OrderRecord;
  readonly added: readonly string[];
}

function orderOf({ record }: Row): OrderRecord | undefined {
  return record === null ? undefined : decodeOrder(record);
}

function next(
  before: OrderRecord | undefined,
  { key, change }: Change,
  row: Row,
  taken?: ReadonlySet<string>,
): Applied {
  return transition(before, key, change, new Date(row.now), taken);
}

function names(before: OrderRecord | undefined, order: OrderRecord): { added: string[]; dropped: string[] } {
  const had = before === undefined ? [] : namesOf(before);
  const has = namesOf(order);
  return { added: has.filter((name) => !had.includes(name)), dropped: had.filter((name) => !has.includes(name)) };
}

/** Rows as one array for each column. */
function columns(rows: readonly (readonly unknown[])[]): unknown[][] {
  return (rows[0] ?? []).map((_, index) => rows.map((row) => row[index]));
}
