import { WechatH5Error } from '@wechat-h5/core';
import type { PoolClient } from 'pg';
import { notMigrated } from './connection.js';

/** The version of the tables this program writes. A later one may add columns, so that this one goes on working. */
const SCHEMA_VERSION = 1;
/** The oldest program that may still write to them, stored beside: a rolling deployment runs two versions. */
const OLDEST_WRITER = 1;
/** For `pg_advisory_xact_lock`: a number of our own, so that two that migrate wait for each other. */
const MIGRATION_LOCK = 7_269_385_102;

/** One step each, never changed once released. */
const STEPS: readonly ((prefix: string) => string)[] = [
  (prefix) => `
CREATE TABLE ${prefix}wechat_h5_order (
  mch_id text NOT NULL,
  sub_mch_id text NOT NULL,
  out_trade_no text NOT NULL,
  state text NOT NULL,
  delivery text NOT NULL,
  order_ref text,
  paid_on text,
  due_at timestamptz,
  taken_at timestamptz,
  version bigint NOT NULL,
  position text COLLATE "C" NOT NULL,
  record json NOT NULL,
  PRIMARY KEY (mch_id, sub_mch_id, out_trade_no)
);
-- Only what is due some day: a million settled orders do not slow a look at what is due now.
CREATE INDEX wechat_h5_order_due ON ${prefix}wechat_h5_order (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX wechat_h5_order_position ON ${prefix}wechat_h5_order (position);
CREATE INDEX wechat_h5_order_ref ON ${prefix}wechat_h5_order (order_ref) WHERE order_ref IS NOT NULL;
CREATE TABLE ${prefix}wechat_h5_name (
  name text COLLATE "C" PRIMARY KEY,
  mch_id text NOT NULL,
  sub_mch_id text NOT NULL,
  out_trade_no text NOT NULL
);
-- Unlogged: nothing is lost when a crash empties it, and nobody waits for the disk.
CREATE UNLOGGED TABLE ${prefix}wechat_h5_turn (
  mch_id text PRIMARY KEY,
  free_at timestamptz NOT NULL
);`,
];

/** Brings the tables to this version, inside the transaction of `client`. */
export async function migrate(client: PoolClient, schema: string | undefined, prefix: string): Promise<void> {
  // Ends with the transaction: a lock of the session would stay on some connection of a pooler.
  await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  if (schema !== undefined) await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${prefix}wechat_h5_schema (version int NOT NULL, oldest_writer int NOT NULL)`,
  );
  const present = await storedVersion(client, prefix);
  if (present.version >= SCHEMA_VERSION) return refuseIfNewer(present.oldestWriter);
  for (const step of STEPS.slice(present.version)) await client.query(step(prefix));
  await client.query(`DELETE FROM ${prefix}wechat_h5_schema`);
  await client.query(`INSERT INTO ${prefix}wechat_h5_schema VALUES ($1, $2)`, [SCHEMA_VERSION, OLDEST_WRITER]);
}

/** @throws {WechatH5Error} `ORDER_BOOK_FAILED`: older than this program needs, or made for later programs only */
export async function checkVersion(client: PoolClient, prefix: string): Promise<void> {
  const { version, oldestWriter } = await storedVersion(client, prefix);
  if (version < SCHEMA_VERSION) throw notMigrated();
  refuseIfNewer(oldestWriter);
}

async function storedVersion(client: PoolClient, prefix: string): Promise<{ version: number; oldestWriter: number }> {
  const { rows } = await client.query<{ version: number; oldest_writer: number }>(
    `SELECT version, oldest_writer FROM ${prefix}wechat_h5_schema`,
  );
  return { version: rows[0]?.version ?? 0, oldestWriter: rows[0]?.oldest_writer ?? 0 };
}

function refuseIfNewer(oldestWriter: number): void {
  if (oldestWriter <= SCHEMA_VERSION) return;
  throw new WechatH5Error(
    'ORDER_BOOK_FAILED',
    `The tables are for programs of schema version ${oldestWriter} or later; this one is of ${SCHEMA_VERSION}`,
    { hint: 'Update @wechat-h5/orders-postgres on this machine. 请升级本机的 @wechat-h5/orders-postgres。' },
  );
}
