import { WechatH5Error, isWechatH5Error } from '@wechat-h5/core';
import { quoted } from '@wechat-h5/core/order-book';
import type { Pool, PoolClient } from 'pg';

/** A serialization failure or a deadlock: the same statement may succeed at once. */
const AGAIN: ReadonlySet<string> = new Set(['40001', '40P01']);
const TRIES = 3;
const READ_ONLY = '25006';
/** A prepared statement that the session does not have though it was made there; or has though it was not. */
const NOT_AS_PREPARED: ReadonlySet<string> = new Set(['26000', '42P05']);

/** SQLSTATE of what the server said, or `undefined` when it was not the server that spoke. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  // `ECONNRESET` has another length than every SQLSTATE.
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether the connection is of no more use: it is lost or stuck, or it leads to a server that has become a standby, while
 * a new one may lead to the primary; or its session has others' prepared statements in place of its own.
 */
function isOver(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || state === READ_ONLY || NOT_AS_PREPARED.has(state);
}

/** A connection that is lent for a transaction. */
export interface Loan {
  readonly client: PoolClient;
  /** Opens the transaction, once. What is asked of the client behind it, waiting or not, is part of it. */
  begin(): Promise<void>;
  /** One step of ours: a connection that does not answer it in time is given up. */
  step<T>(part: Promise<T>): Promise<T>;
}

/** Connections of a pool, each given back after use, or given up: no step waits longer than `timeoutMs`. */
export class Connections {
  readonly #pool: Pool;
  readonly #timeoutMs: number;

  constructor({ pool, timeoutMs }: { pool: Pool; timeoutMs: number }) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
    // A pool that nobody listens to ends the process when the server closes an idle connection.
    if (pool.listenerCount('error') === 0) pool.on('error', () => {});
  }

  /**
   * Runs statements that each stand for themselves, all of them again after a serialization failure or a deadlock.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`
   */
  async run<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#lend(async (client, giveUp) => {
          try {
            return await this.inTime(work(client));
          } catch (error) {
            if (isOver(error)) giveUp();
            throw error;
          }
        });
      } catch (error) {
        if (tries === TRIES || !AGAIN.has(sqlState(error) ?? '')) throw bookFailed(error);
      }
    }
  }

  /**
   * Lends a connection on which `work` may open a transaction, for as long as it likes: it may be a handler of the shop's.
   * What it has opened is committed when it resolves.
   * @throws what `work` threw, else {@link WechatH5Error} `ORDER_BOOK_FAILED`; when the connection was lost during the
   *   commit nobody knows whether it took place
   */
  async transaction<T>(work: (loan: Loan) => Promise<T>): Promise<T> {
    return this.#lend(async (client, giveUp) => {
      const step = async <R>(part: Promise<R>): Promise<R> => {
        try {
          return await this.inTime(part);
        } catch (error) {
          if (isOver(error)) giveUp();
          throw bookFailed(error);
        }
      };
      let begun: Promise<void> | undefined;
      const begin = (): Promise<void> => {
        begun ??= step(begins(client));
        // It is asked for at the end.
        begun.catch(giveUp);
        return begun;
      };
      let result: T;
      try {
        result = await work({ client, begin, step });
      } catch (error) {
        if (begun !== undefined) await step(client.query('ROLLBACK')).catch(giveUp);
        throw error;
      }
      if (begun === undefined) return result;
      await begun;
      // What a failed statement has aborted is rolled back by COMMIT, too, and without an error.
      const { command } = await step(client.query('COMMIT')).catch((error: unknown) => {
        giveUp();
        throw error;
      });
      if (command !== 'COMMIT') throw bookFailed(new Error('a statement of the transaction failed'));
      return result;
    });
  }

  async #lend<T>(work: (client: PoolClient, giveUp: () => void) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let isLost = false;
    const giveUp = (): void => void (isLost = true);
    // While a connection is lent, its pool does not listen.
    client.on('error', giveUp);
    try {
      return await work(client, giveUp);
    } finally {
      client.removeListener('error', giveUp);
      client.release(isLost);
    }
  }

  async #connect(): Promise<PoolClient> {
    const connecting = this.#pool.connect();
    try {
      return await this.inTime(connecting, 'gave no connection');
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => {},
      );
      throw bookFailed(error);
    }
  }

  /** Rejects when `promise` has not ended within `timeoutMs`. */
  async inTime<T>(promise: Promise<T>, what = 'did not answer'): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`PostgreSQL ${what} within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whatever the role's default is: a handler that outlives a renewal of its lease must still see the row as it is. */
function begins(client: PoolClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query('BEGIN ISOLATION LEVEL READ COMMITTED', (error: Error | null) => {
      if (error === null) return resolve();
      // Statements that wait behind it would be committed one by one. A promise would be heard too late to stop them.
      void client.end().catch(() => {});
      reject(error);
    });
  });
}

/** Nothing of a record may get into a message: `detail` and `where` of the server stay in the cause. */
export function bookFailed(error: unknown): WechatH5Error {
  if (isWechatH5Error(error)) return error;
  const state = sqlState(error);
  if (state === '42P01' || state === '3F000') return notMigrated();
  if (state !== undefined && NOT_AS_PREPARED.has(state)) return notInThisSession(state, error);
  const text = quoted(error instanceof Error ? error.message : String(error), 200);
  return new WechatH5Error('ORDER_BOOK_FAILED', `PostgreSQL: ${state === undefined ? '' : `${state} `}${text}`, {
    hint: 'Nothing is known to be stored. Orders and deliveries go on when PostgreSQL answers again. 数据库恢复后将自动继续。',
    cause: error,
  });
}

function notInThisSession(state: string, cause: unknown): WechatH5Error {
  return new WechatH5Error(
    'ORDER_BOOK_FAILED',
    `PostgreSQL: ${state} prepared statements do not stay in their session`,
    {
      field: 'preparedStatements',
      hint: 'A pooler stands in between, or somebody has run DEALLOCATE or DISCARD. Set preparedStatements to false, or give PgBouncer (1.21 or later) max_prepared_statements. 经连接池转发时请关闭 preparedStatements，或使用 PgBouncer 1.21 及以上并配置 max_prepared_statements。',
      cause,
    },
  );
}

export function notMigrated(): WechatH5Error {
  return new WechatH5Error('ORDER_BOOK_FAILED', 'The tables of the order book are not there, or of an older version', {
    hint: 'Run await book.migrate() once, as a user that may create tables. 请先执行一次 book.migrate()。',
  });
}
