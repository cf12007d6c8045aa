import { cursorOf, dueAt, encodeOrder, paidOn, type OrderKey, type OrderRecord } from '@wechat-h5/core/order-book';

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

export function statementsFor(prefix: string) {
  const order = `${prefix}wechat_h5_order`;
  const name = `${prefix}wechat_h5_name`;
  const turn = `${prefix}wechat_h5_turn`;
  const written = (write: string): string => `
WITH written AS (${write} RETURNING 1),
dropped AS (
  DELETE FROM ${name} WHERE ${KEY} AND name = ANY($14::text[]) AND EXISTS (SELECT FROM written)
),
added AS (
  INSERT INTO ${name} (name, mch_id, sub_mch_id, out_trade_no)
  SELECT added.name, $1, $2, $3 FROM unnest($15::text[]) AS added (name) WHERE EXISTS (SELECT FROM written)
)
SELECT count(*)::int AS count FROM written`;
  const update = `
  UPDATE ${order}
  SET version = $4, state = $5, delivery = $6, order_ref = $7, paid_on = $8, due_at = ${DUE('$9')}, record = $10::json,
    position = $11
  WHERE ${KEY} AND version = $13::bigint AND ${WAIT(12)}`;
  const insert = `
  INSERT INTO ${order}
    (mch_id, sub_mch_id, out_trade_no, version, state, delivery, order_ref, paid_on, due_at, record, position)
  SELECT $1, $2, $3, $4::bigint, $5, $6, $7, $8, ${DUE('$9')}, $10::json, $11
  WHERE $13::bigint = 0 AND ${WAIT(12)}
  ON CONFLICT DO NOTHING`;
  const from = `CASE WHEN t.free_at - statement_timestamp() > ${MS('$4')} THEN statement_timestamp()
  ELSE greatest(t.free_at, statement_timestamp()) END`;
  return {
    read: `SELECT record::text AS record, now FROM (SELECT ${NOW} AS now) AS clock LEFT JOIN ${order} ON ${KEY}`,
    get: `SELECT record::text AS record FROM ${order} WHERE ${KEY}`,
    byName: `SELECT o.record::text AS record FROM ${name} n JOIN ${order} o
      USING (mch_id, sub_mch_id, out_trade_no) WHERE n.name = $1`,
    heldByOthers: `SELECT name FROM ${name} WHERE NOT (${KEY}) AND name = ANY($4::text[])`,
    insert: written(insert),
    update: written(update),
    /** Of many orders, in the order in which they were asked for. */
    readMany: `
SELECT o.record::text AS record, ${NOW} AS now
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (mch_id, sub_mch_id, out_trade_no, n)
LEFT JOIN ${order} o USING (mch_id, sub_mch_id, out_trade_no) ORDER BY n`,
    /** `update` of many orders. It waits for nobody: who finds a row locked learns that it was not stored. */
    updateMany: `
WITH w AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::float8[], $10::json[], $11::text[], $13::bigint[]) WITH ORDINALITY
    AS w (mch_id, sub_mch_id, out_trade_no, version, state, delivery, order_ref, paid_on, due_at, record, position, was, n)
  WHERE ${WAIT(12)}
),
free AS (
  SELECT n FROM w JOIN ${order} o USING (mch_id, sub_mch_id, out_trade_no) WHERE o.version = w.was
  FOR UPDATE OF o SKIP LOCKED
),
written AS (
  UPDATE ${order} o
  SET version = w.version, state = w.state, delivery = w.delivery, order_ref = w.order_ref, paid_on = w.paid_on,
    due_at = ${DUE('w.due_at')}, record = w.record, position = w.position
  FROM w JOIN free USING (n)
  WHERE (o.mch_id, o.sub_mch_id, o.out_trade_no) = (w.mch_id, w.sub_mch_id, w.out_trade_no) AND o.version = w.was
  RETURNING n
),
added AS (
  INSERT INTO ${name} (name, mch_id, sub_mch_id, out_trade_no)
  SELECT added.name, w.mch_id, w.sub_mch_id, w.out_trade_no
  FROM unnest($14::text[], $15::bigint[]) AS added (name, n) JOIN written USING (n) JOIN w USING (n)
)
SELECT n::int AS n FROM written`,
    // The usual case takes no part in names.
    updateOnly: `WITH written AS (${update} RETURNING 1) SELECT count(*)::int AS count FROM written`,
    /**
     * `take` of the state machine, for many at once and in one statement: to read them, think and write them takes four
     * round trips, while their rows are locked. Of a record it changes these three members and nothing else.
     */
    take: (direction: 'ASC' | 'DESC'): string => `
WITH due AS (
  SELECT mch_id, sub_mch_id, out_trade_no, due_at FROM ${order}
  WHERE due_at <= statement_timestamp() ORDER BY due_at ${direction} LIMIT $1 FOR UPDATE SKIP LOCKED
),
taken AS (
  UPDATE ${order} o
  SET version = o.version + 1, due_at = ${DUE(`(${NOW} + $2)`)}, record = (
    SELECT json_object_agg(key, value) FROM (
      SELECT key, value FROM json_each(o.record) WHERE key NOT IN ('takenUntil', 'updatedAt', 'version')
      UNION ALL SELECT 'takenUntil', to_json(${NOW} + $2)
      UNION ALL SELECT 'updatedAt', to_json(${NOW})
      UNION ALL SELECT 'version', to_json(o.version + 1)
    ) AS member
  )
  FROM due WHERE (o.mch_id, o.sub_mch_id, o.out_trade_no) = (due.mch_id, due.sub_mch_id, due.out_trade_no)
  RETURNING o.record::text AS record, due.due_at AS was_due_at
)
SELECT record FROM taken ORDER BY was_due_at ${direction}`,
    /** `nextTurn` of the port: $1 mch_id, $2 intervalMs, $3 aheadMs, $4 furthestMs, $5 withinMs. No row: too late. */
    turn: `
INSERT INTO ${turn} AS t (mch_id, free_at)
VALUES ($1, statement_timestamp() + ${MS('$2')})
ON CONFLICT (mch_id) DO UPDATE SET free_at = ${from} + ${MS('$2')}
WHERE ${from} - statement_timestamp() <= ${MS('$3')} + ${MS('$5')}
RETURNING greatest(0, extract(epoch FROM free_at - statement_timestamp()) * 1000 - $2::float8 - $3::float8)::float8 AS wait`,
    list: (conditions: readonly string[], limit: number): string => `
      SELECT record::text AS record FROM ${order} WHERE ${['true', ...conditions].join(' AND ')}
      ORDER BY position DESC LIMIT ${limit}`,
  };
}

export function keyOf({ mchId, subMchId, outTradeNo }: OrderKey): [string, string, string] {
  return [mchId, subMchId ?? '', outTradeNo];
}

/** $1 to $11 of a write. */
export function columnsOf(order: OrderRecord): unknown[] {
  return [
    ...keyOf(order.key),
    order.version,
    order.state,
    order.delivery.state,
    order.orderRef ?? null,
    paidOn(order) ?? null,
    dueAt(order)?.getTime() ?? null,
    encodeOrder(order),
    cursorOf(order),
  ];
}
