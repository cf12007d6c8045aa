import { WechatH5Error } from '@wechat-h5/core';
import { quoted } from '@wechat-h5/core/order-book';
import type { Pool } from 'pg';

export interface PostgresOrderBookOptions {
  /**
   * Where connections come from: `new pg.Pool({ connectionString, connectionTimeoutMillis: 2000 })`. Best one of its own,
   * so that a shop that uses up its connections still answers WeChat Pay. It stays the caller's to end.
   */
  pool: Pool;
  /** The schema of the tables. Default: the first of the connection's search_path. */
  schema?: string;
  /** Milliseconds for one step, 100 to 60 000: then it fails, and the connection is given up. Default 3000. */
  timeoutMs?: number;
  /** See {@link OrderBook.leaseMs}; 500 to 3 600 000. Default 30 000. */
  leaseMs?: number;
  /** Milliseconds to wait for a row that somebody else has locked, 10 to 60 000. Default 2000. */
  lockTimeoutMs?: number;
  /**
   * Whether the server keeps the statements under names, as long as a connection lasts: it plans them once instead of
   * each time. Not behind a pooler that gives each transaction another connection, unless it knows of prepared statements
   * (PgBouncer 1.21 with `max_prepared_statements`). Default false.
   */
  preparedStatements?: boolean;
}

export type Settings = Required<
  Pick<PostgresOrderBookOptions, 'pool' | 'timeoutMs' | 'lockTimeoutMs' | 'leaseMs' | 'preparedStatements'>
> & {
  /** Quoted, with a dot behind it, or empty. */
  readonly prefix: string;
  readonly schema: string | undefined;
};

/** @throws {WechatH5Error} `OPTIONS_INVALID` */
export function checked({
  pool,
  schema,
  timeoutMs = 3000,
  lockTimeoutMs = 2000,
  leaseMs = 30_000,
  preparedStatements = false,
}: PostgresOrderBookOptions): Settings {
  if (typeof (pool as Partial<Pool> | undefined)?.connect !== 'function') {
    throw new WechatH5Error('OPTIONS_INVALID', 'pool is not a pool of pg', {
      field: 'pool',
      hint: 'Pass new pg.Pool({ connectionString }). 请传入 new pg.Pool({ connectionString })。',
    });
  }
  if (schema !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new WechatH5Error('OPTIONS_INVALID', `schema is ${quoted(String(schema))}`, {
      field: 'schema',
      hint: 'Name it in lower case letters, digits and underscores. schema 只能包含小写字母、数字和下划线。',
    });
  }
  if (typeof preparedStatements !== 'boolean') {
    throw new WechatH5Error('OPTIONS_INVALID', `preparedStatements is ${quoted(String(preparedStatements))}`, {
      field: 'preparedStatements',
      hint: 'Give true or false. 请填写 true 或 false。',
    });
  }
  return {
    pool,
    preparedStatements,
    timeoutMs: milliseconds('timeoutMs', timeoutMs, 100),
    lockTimeoutMs: milliseconds('lockTimeoutMs', lockTimeoutMs, 10),
    leaseMs: milliseconds('leaseMs', leaseMs, 500, 3_600_000),
    schema,
    prefix: schema === undefined ? '' : `"${schema}".`,
  };
}

function milliseconds(field: string, value: number, least: number, most = 60_000): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new WechatH5Error('OPTIONS_INVALID', `${field} is ${quoted(String(value))}`, {
    field,
    hint: `Give whole milliseconds from ${least} to ${most}. 请填写 ${least} 到 ${most} 之间的整数毫秒。`,
  });
}
