import { randomBytes } from 'node:crypto';
import { startPostgres, type PostgresServer } from '@wechat-h5/testkit/stores';
import { Pool, type PoolConfig } from 'pg';
import { PostgresOrderBook, type PostgresOrderBookOptions } from './index.js';

/** Books over schemas of one server, and the end of all their pools. */
export class Books {
  readonly #pools: Pool[] = [];

  /** A pool that ends with the others. */
  pool(config: PoolConfig): Pool {
    const pool = new Pool({ max: 5, connectionTimeoutMillis: 5000, ...config });
    // A test that stops the server expects it to close connections.
    pool.on('error', () => {});
    this.#pools.push(pool);
    return pool;
  }

  open(
    url: string,
    options: Partial<PostgresOrderBookOptions> & { schema: string },
    config: PoolConfig = {},
  ): PostgresOrderBook {
    return new PostgresOrderBook({ pool: this.pool({ connectionString: url, ...config }), ...options });
  }

  /** A book with tables of its own. */
  async create(url: string): Promise<{ book: PostgresOrderBook; schema: string }> {
    const schema = `s${randomBytes(6).toString('hex')}`;
    const book = this.open(url, { schema });
    await book.migrate();
    return { book, schema };
  }

  async end(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.end()));
  }
}

/** How many statements the clients of a pool have been asked for so far. Called before the first of them. */
export function statementsOf(pool: Pool): () => number {
  let statements = 0;
  pool.on('connect', (client) => {
    const { query } = client;
    client.query = ((...args: unknown[]) => {
      statements++;
      return Reflect.apply(query, client, args);
    }) as never;
  });
  return () => statements;
}

/** A server for the tests of the block that calls this, and books over it: they begin and end with the block. */
export function serverOfBlock(): { server: Pick<PostgresServer, 'url' | 'query'>; books: Books } {
  let started: PostgresServer;
  const books = new Books();
  beforeAll(async () => {
    started = await startPostgres();
  });
  afterAll(async () => {
    await books.end();
    await started.stop();
  });
  const server = {
    get url() {
      return started.url;
    },
    query: (sql: string) => started.query(sql),
  };
  return { server, books };
}
