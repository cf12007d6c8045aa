import { cursorOf, dueAt, paidOn, type OrderKey, type OrderRecord } from '@wechat-h5/core/order-book';

const KEY = 'mch_id = $1 AND sub_mch_id = $2 AND out_trade_no = $3';
/** The clock of the server, as of the moment a statement reached it: milliseconds since 1970. */
const NOW = 'floor(extract(epoch FROM statement_timestamp()) * 1000)::float8';
/**
 * Settings of this statement's transaction, made before its row is waited for. A program that is stopped between a
 * write and its COMMIT must not keep the row for itself.
 */
const WAIT = (parameter: number): string => `set_config('lock_timeout', $${parameter}, true) IS NOT NULL
    AND set_config('idle_in_transaction_session_timeout', '10s', true) IS NOT NULL`;
const DUE = (parameter: string): string => `to_timestamp(${parameter}::float8 / 1000)`;

const MS = (parameter: string): string => `${parameter}::float8 * interval '1 millisecond'`;
const MS_OF = (column: string): string => `round(extract(epoch FROM ${column}) * 1000)::float8`;

/** The columns of an `OrderRow`. */
const ROW = (of: string): string => `${of}.record::text AS record, ${of}.version::float8 AS version,
  ${MS_OF(`${of}.due_at`)} AS due_at, ${MS_OF(`${of}.taken_at`)} AS taken_at`;

export function statementsFor(prefix: string) {
  const order = `${prefix}wechat_h5_order`;
  const name = `${prefix}wechat_h5_name`;
  const turn = `${prefix}wechat_h5_turn`;
  const written = (write: string): string => `
WITH written AS (${write} RETURNING 1),
dropped AS (
  DELETE FROM ${name} WHERE ${KEY} AND name = ANY($15::text[]) AND EXISTS (SELECT FROM written)
),
added AS (
  INSERT INTO ${name} (name, mch_id, sub_mch_id, out_trade_no)
  SELECT added.name, $1, $2, $3 FROM unnest($16::text[]) AS added (name) WHERE EXISTS (SELECT FROM written)
)
SELECT ${NOW} AS now FROM written`;
  const update = `
  UPDATE ${order}
  SET version = $4, state = $5, delivery = $6, order_ref = $7, paid_on = $8, due_at = ${DUE('$9')}, record = $10::json,
    position = $11, taken_at = NULL
  WHERE ${KEY} AND version = $13::bigint AND record::text = $14::text AND ${WAIT(12)}`;
  const insert = `
  INSERT INTO ${order}
    (mch_id, sub_mch_id, out_trade_no, version, state, delivery, order_ref, paid_on, due_at, record, position)
  SELECT $1, $2, $3, $4::bigint, $5, $6, $7, $8, ${DUE('$9')}, $10::json, $11
  WHERE $13::bigint = 0 AND $14::text IS NULL AND ${WAIT(12)}
  ON CONFLICT DO NOTHING`;
  const from = `CASE WHEN t.free_at - statement_timestamp() > ${MS('$4')} THEN statement_timestamp()
  ELSE greatest(t.free_at, statement_timestamp()) END`;
  return {
    read: `SELECT ${ROW('o')}, now FROM (SELECT ${NOW} AS now) AS clock LEFT JOIN ${order} o ON ${KEY}`,
    get: `SELECT ${ROW('o')} FROM ${order} o WHERE ${KEY}`,
    byName: `SELECT ${ROW('o')} FROM ${name} n JOIN ${order} o
      USING (mch_id, sub_mch_id, out_trade_no) WHERE n.name = $1`,
    heldByOthers: `SELECT name FROM ${name} WHERE NOT (${KEY}) AND name = ANY($4::text[])`,
    insert: written(insert),
    update: written(update),
    /** Of many orders, in the order in which they were asked for. */
    readMany: `
SELECT ${ROW('o')}, ${NOW} AS now
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (mch_id, sub_mch_id, out_trade_no, n)
LEFT JOIN ${order} o USING (mch_id, sub_mch_id, out_trade_no) ORDER BY n`,
    /** `update` of many orders. It waits for nobody: who finds a row locked learns that it was not stored. */
    updateMany: `
WITH w AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::float8[], $10::json[], $11::text[], $13::bigint[], $14::text[]) WITH ORDINALITY
    AS w (mch_id, sub_mch_id, out_trade_no, version, state, delivery, order_ref, paid_on, due_at, record, position, was, seen, n)
  WHERE ${WAIT(12)}
),
free AS (
  SELECT n FROM w JOIN ${order} o USING (mch_id, sub_mch_id, out_trade_no) WHERE o.version = w.was AND o.record::text = w.seen
  FOR UPDATE OF o SKIP LOCKED
),
written AS (
  UPDATE ${order} o
  SET version = w.version, state = w.state, delivery = w.delivery, order_ref = w.order_ref, paid_on = w.paid_on,
    due_at = ${DUE('w.due_at')}, record = w.record, position = w.position, taken_at = NULL
  FROM w JOIN free USING (n)
  WHERE (o.mch_id, o.sub_mch_id, o.out_trade_no) = (w.mch_id, w.sub_mch_id, w.out_trade_no) AND o.version = w.was AND o.record::text = w.seen
  RETURNING n
),
added AS (
  INSERT INTO ${name} (name, mch_id, sub_mch_id, out_trade_no)
  SELECT added.name, w.mch_id, w.sub_mch_id, w.out_trade_no
  FROM unnest($15::text[], $16::bigint[]) AS added (name, n) JOIN written USING (n) JOIN w USING (n)
)
SELECT n::int AS n, ${NOW} AS now FROM written`,
    // The usual case takes no part in names.
    updateOnly: `${update} RETURNING ${NOW} AS now`,
    /**
     * `take` of the state machine, for many at once and in one statement: to read them, think and write them takes four
     * round trips, while their rows are locked. The record stays as it is; `orderOf` puts the two together.
     */
    take: (direction: 'ASC' | 'DESC'): string => `
WITH due AS (
  SELECT mch_id, sub_mch_id, out_trade_no, due_at FROM ${order}
  WHERE due_at <= statement_timestamp() ORDER BY due_at ${direction} LIMIT $1 FOR UPDATE SKIP LOCKED
),
taken AS (
  UPDATE ${order} o
  SET version = o.version + 1, due_at = ${DUE(`(${NOW} + $2)`)}, taken_at = ${DUE(NOW)}
  FROM due WHERE (o.mch_id, o.sub_mch_id, o.out_trade_no) = (due.mch_id, due.sub_mch_id, due.out_trade_no)
  RETURNING ${ROW('o')}, due.due_at AS was_due_at
)
SELECT record, version, due_at, taken_at, ${NOW} AS now FROM taken ORDER BY was_due_at ${direction}`,
    /** `nextTurn` of the port: $1 mch_id, $2 intervalMs, $3 aheadMs, $4 furthestMs, $5 withinMs. No row: too late. */
    turn: `
INSERT INTO ${turn} AS t (mch_id, free_at)
VALUES ($1, statement_timestamp() + ${MS('$2')})
ON CONFLICT (mch_id) DO UPDATE SET free_at = ${from} + ${MS('$2')}
WHERE ${from} - statement_timestamp() <= ${MS('$3')} + ${MS('$5')}
RETURNING greatest(0, extract(epoch FROM free_at - statement_timestamp()) * 1000 - $2::float8 - $3::float8)::float8 AS wait`,
    list: (conditions: readonly string[], limit: number): string => `
      SELECT ${ROW('o')} FROM ${order} o WHERE ${['true', ...conditions].join(' AND ')}
      ORDER BY position DESC LIMIT ${limit}`,
  };
}

export function keyOf({ mchId, subMchId, outTradeNo }: OrderKey): [string, string, string] {
  return [mchId, subMchId ?? '', outTradeNo];
}

/** $1 to $11 of a write. $12 is the time to wait for a lock, $13 and $14 are what version and record are to be until then. */
export function columnsOf(order: OrderRecord, record: string): unknown[] {
  return [
    ...keyOf(order.key),
    order.version,
    order.state,
    order.delivery.state,
    order.orderRef ?? null,
    paidOn(order) ?? null,
    dueAt(order)?.getTime() ?? null,
    record,
    cursorOf(order),
  ];
}
