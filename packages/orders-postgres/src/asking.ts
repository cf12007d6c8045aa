import { createHash } from 'node:crypto';
import type { PoolClient, QueryResultRow } from 'pg';

/** Asks the server, and returns the rows of its answer. */
export type Ask = <Row extends QueryResultRow>(client: PoolClient, sql: string, values: unknown[]) => Promise<Row[]>;

/** Has the server plan a statement each time: nothing of it stays behind in the session. */
export const askOnce: Ask = async <Row extends QueryResultRow>(client: PoolClient, sql: string, values: unknown[]) =>
  (await client.query<Row>(sql, values)).rows;

/**
 * Has the server keep each statement under a name for as long as the session lasts. Only for statements whose text does
 * not depend on what is asked for: each other text would stay there, too.
 */
export function askByName(): Ask {
  const names = new Map<string, string>();
  return async <Row extends QueryResultRow>(client: PoolClient, sql: string, values: unknown[]) => {
    let name = names.get(sql);
    if (name === undefined) {
      // By its text: another version of this package, or another schema, must not find its own name taken.
      name = `wechat_h5_${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
      names.set(sql, name);
    }
    return (await client.query<Row>({ name, text: sql, values })).rows;
  };
}
