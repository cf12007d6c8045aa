import { encodeOrder, namesOf, transition, type Applied, type OrderRecord } from '@wechat-h5/core/order-book';
import type { PoolClient } from 'pg';
import type { Ask } from './asking.js';
import { bookFailed, sqlState } from './connection.js';
import type { Change } from './grouped.js';
import { orderOf, type OrderRow, type SeenRow } from './order-row.js';
import type { RememberedRows } from './remembered-rows.js';
import { columnsOf, keyOf, type statementsFor } from './statements.js';

const UNIQUE_VIOLATION = '23505';
/** One change of many can be the reason: then each goes alone. The others are serialization failure, deadlock, lock timeout. */
const OF_ONE: ReadonlySet<string> = new Set([UNIQUE_VIOLATION, '40001', '40P01', '55P03']);

/** For who has to keep nobody waiting. */
const HARDLY_MS = '5';

/** What is read of an order: its row, if there is one. */
type ReadRow = SeenRow | { readonly record: null; readonly now: number };

/**
 * Reads orders, lets the state machine compute the next ones, and stores those that nobody has changed meanwhile. An order
 * that was seen a moment ago is not read again for what takes no time into account; that nothing is to be stored is said
 * only of what was read.
 */
export class StoredChanges {
  readonly #sql: ReturnType<typeof statementsFor>;
  readonly #ask: Ask;
  readonly #lockTimeoutMs: string;
  readonly #remembered: RememberedRows;

  constructor(parts: {
    sql: ReturnType<typeof statementsFor>;
    ask: Ask;
    lockTimeoutMs: number;
    remembered: RememberedRows;
  }) {
    this.#sql = parts.sql;
    this.#ask = parts.ask;
    this.#lockTimeoutMs = String(parts.lockTimeoutMs);
    this.#remembered = parts.remembered;
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
    const remembered = this.#ofRemembered(change);
    if (remembered !== undefined) return remembered.added.length === 0 ? remembered.applied : undefined;
    const { applied, write } = await this.#plan(client, change);
    return write === undefined || write.added.length === 0 ? applied : undefined;
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
    const results: (Applied | Error | undefined)[] = changes.map(() => undefined);
    const writes = new Map<number, Update>();
    const unseen: number[] = [];
    for (const [index, change] of changes.entries()) {
      const write = this.#ofRemembered(change);
      if (write === undefined) unseen.push(index);
      else if (isUpdate(write)) writes.set(index, write);
    }
    const rows = await this.#readMany(
      client,
      unseen.flatMap((index) => changes[index] ?? []),
    );
    for (const [n, index] of unseen.entries()) {
      const change = changes[index];
      const row = rows[n];
      if (change === undefined || row === undefined) throw new Error('PostgreSQL answered with fewer rows');
      try {
        const { applied, write } = planOf(orderIn(row), row, change);
        if (write === undefined) results[index] = applied;
        else if (isUpdate(write)) writes.set(index, write);
      } catch (error) {
        // A record of another version: it is no reason to fail the others.
        results[index] = bookFailed(error);
      }
    }
    const stored = await this.#writeMany(client, [...writes.values()]);
    for (const [index, write] of writes) if (stored.has(write)) results[index] = write.applied;
    return results;
  }

  /** What has to be stored if the order still is what it was when it was seen last. */
  #ofRemembered(change: Change): Write | undefined {
    const row = this.#remembered.get(change.key);
    if (row === undefined) return undefined;
    const order = orderOf(row);
    return isTimeless(order, change) ? planOf(order, row, change).write : undefined;
  }

  /** @returns those that are stored. None if one of them takes a name that another order has: that fails all of them */
  async #writeMany(client: PoolClient, writes: readonly Update[]): Promise<ReadonlySet<Write>> {
    const [first] = writes;
    if (first === undefined) return NOTHING;
    try {
      // The statements for one take less time than those for many.
      if (writes.length === 1) return (await this.#write(client, first, HARDLY_MS)) ? new Set(writes) : NOTHING;
      const values = [
        ...columns(writes.map(({ order, record }) => columnsOf(order, record))),
        this.#lockTimeoutMs,
        writes.map(({ row }) => row.version),
        writes.map(({ row }) => row.record),
        writes.flatMap(({ added }) => added),
        writes.flatMap(({ added }, index) => added.map(() => index + 1)),
      ];
      const sentAt = performance.now();
      const rows = await this.#ask<{ n: number; now: number }>(client, this.#sql.updateMany, values);
      const stored = new Map(rows.map(({ n, now }) => [writes[n - 1], now]));
      for (const write of writes) this.#remember(write, stored.get(write), sentAt);
      return new Set(writes.filter((write) => stored.has(write)));
    } catch (error) {
      for (const write of writes) this.#remembered.delete(write.order.key);
      if (OF_ONE.has(sqlState(error) ?? '')) return NOTHING;
      throw error;
    }
  }

  async #apply(client: PoolClient, change: Change, inTransaction: boolean): Promise<Applied> {
    const ids = keyOf(change.key);
    let taken: ReadonlySet<string> | undefined;
    for (;;) {
      const { applied, write } = await this.#plan(client, change, taken);
      if (write === undefined) return applied;
      const { added } = write;
      // A statement that fails would end the transaction it is in: there, look first.
      const held = inTransaction && added.length > 0 ? await this.#held(client, ids, added) : [];
      if (held.length === 0) {
        try {
          if (await this.#write(client, write)) {
            // Until it is committed it is not what others find.
            if (inTransaction) this.#remembered.delete(change.key);
            return applied;
          }
          taken = undefined;
          continue;
        } catch (error) {
          if (inTransaction || sqlState(error) !== UNIQUE_VIOLATION) throw error;
        }
      }
      taken = new Set([...(taken ?? []), ...(held.length > 0 ? held : await this.#held(client, ids, added))]);
    }
  }

  async #plan(client: PoolClient, change: Change, taken?: ReadonlySet<string>): Promise<Planned> {
    const row = await this.#read(client, change);
    return planOf(orderIn(row), row, change, taken);
  }

  async #readMany(client: PoolClient, changes: readonly Change[]): Promise<readonly ReadRow[]> {
    const [first] = changes;
    if (first === undefined) return [];
    if (changes.length === 1) return [await this.#read(client, first)];
    return this.#ask(client, this.#sql.readMany, columns(changes.map(({ key }) => keyOf(key))));
  }

  async #read(client: PoolClient, { key }: Change): Promise<ReadRow> {
    const [row] = await this.#ask<ReadRow>(client, this.#sql.read, keyOf(key));
    if (row === undefined) throw new Error('PostgreSQL answered without a row');
    return row;
  }

  /** @returns whether it was stored: not if somebody else has changed the order since it was read */
  async #write(client: PoolClient, write: Write, lockTimeoutMs = this.#lockTimeoutMs): Promise<boolean> {
    const { row, order, record, added, dropped } = write;
    const values = [...columnsOf(order, record), lockTimeoutMs, row?.version ?? 0, row?.record ?? null];
    const onlyOrder = row !== undefined && added.length === 0 && dropped.length === 0;
    const sql = row === undefined ? this.#sql.insert : onlyOrder ? this.#sql.updateOnly : this.#sql.update;
    const sentAt = performance.now();
    const rows = await this.#ask<{ now: number }>(client, sql, onlyOrder ? values : [...values, dropped, added]);
    this.#remember(write, rows[0]?.now, sentAt);
    return rows.length === 1;
  }

  /** @param now the server's clock when it was stored, if it was */
  #remember({ order, record }: Write, now: number | undefined, sentAt: number): void {
    if (now === undefined) this.#remembered.delete(order.key);
    else this.#remembered.set(order.key, { record, version: order.version, due_at: null, taken_at: null, now }, sentAt);
  }

  async #held(client: PoolClient, ids: readonly string[], names: readonly string[]): Promise<string[]> {
    const rows = await this.#ask<{ name: string }>(client, this.#sql.heldByOthers, [...ids, names]);
    return rows.map(({ name }) => name);
  }
}

const NOTHING: ReadonlySet<Write> = new Set();

/** What a change comes to, and what has to be stored for it, if anything. */
interface Planned {
  readonly applied: Applied;
  readonly write?: Write;
}

interface Write {
  readonly applied: Applied;
  /** As it was; `undefined`: there was none. */
  readonly row: OrderRow | undefined;
  readonly order: OrderRecord;
  readonly record: string;
  readonly added: readonly string[];
  readonly dropped: readonly string[];
}

/** One that goes with others: it makes no new row, and gives no name away. */
interface Update extends Write {
  readonly row: OrderRow;
}

function isUpdate(write: Write): write is Update {
  return write.row !== undefined && write.dropped.length === 0;
}

/**
 * Whether the change compares no time of the order with the clock, and sets none but the end of its own lease. All else is
 * for the server's own clock: by one that is a little fast, a lease of somebody else's would seem to have ended, and what
 * is due now would be due later. A lease is longer by that, never shorter.
 */
function isTimeless(order: OrderRecord, { change }: Change): boolean {
  if (change.type === 'claim') {
    const delivery = change.outRefundNo === undefined ? order.delivery : order.refunds[change.outRefundNo]?.delivery;
    return delivery?.state === 'READY';
  }
  return change.type === 'complete' || change.type === 'renew';
}

/** @throws {WechatH5Error} `ORDER_BOOK_FAILED`: the record was written by a later version */
function orderIn(row: ReadRow): OrderRecord | undefined {
  return row.record === null ? undefined : orderOf(row);
}

function planOf(
  before: OrderRecord | undefined,
  row: ReadRow,
  { key, change }: Change,
  taken?: ReadonlySet<string>,
): Planned {
  const applied = transition(before, key, change, new Date(row.now), taken);
  const { order } = applied;
  if (order === undefined || order === before) return { applied };
  const had = before === undefined ? [] : namesOf(before);
  const has = namesOf(order);
  return {
    applied,
    write: {
      applied,
      row: row.record === null ? undefined : row,
      order,
      record: encodeOrder(order),
      added: has.filter((name) => !had.includes(name)),
      dropped: had.filter((name) => !has.includes(name)),
    },
  };
}

/** Rows as one array for each column. */
function columns(rows: readonly (readonly unknown[])[]): unknown[][] {
  return (rows[0] ?? []).map((_, index) => rows.map((row) => row[index]));
}
