import { Pool } from 'pg';
import { PostgresOrderBook } from './postgres-order-book.js';

/** For processes of the contract suite. */
export async function openBook({
  url = '',
  schema = '',
  prepared = '',
}: Readonly<Record<string, string>>): Promise<PostgresOrderBook> {
  return new PostgresOrderBook({ pool: poolFor(url), schema, preparedStatements: prepared === 'true' });
}

export function poolFor(url: string): Pool {
  return new Pool({ connectionString: url, max: 5, connectionTimeoutMillis: 10_000 });
}
