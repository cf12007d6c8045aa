import { applyAll, claim, intend, newKey, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import { PostgresOrderBook, type PostgresOrderBookOptions } from './index.js';
import { serverOfBlock } from './store.fixture.js';

const complete = { type: 'complete', attempt: 1 } as const;

describeWithStores(['postgres'], 'statements', () => {
  const { server, books } = serverOfBlock();
  const IN_SESSION = 'SELECT name, statement FROM pg_prepared_statements';

  /** All that a book is used for, on one connection. */
  async function used(options: Partial<PostgresOrderBookOptions>) {
    const { schema } = await books.create(server.url);
    const pool = books.pool({ connectionString: server.url, max: 1 });
    const book = new PostgresOrderBook({ pool, schema, ...options });
    for (let n = 0; n < 10; n++) {
      const key = newKey();
      const results = await applyAll(book, key, [intend(key), paid(key), claim, complete]);
      expect(results.order?.delivery.state).toBe('DONE');
      expect((await book.get(key))?.state).toBe('PAID');
      expect((await book.list({ mchId: key.mchId, state: 'PAID' }, { limit: 1 })).orders).toHaveLength(1);
    }
    await book.claimDue({ limit: 10, leaseMs: 1000 });
    await book.turn('1900000109', { perSecond: 100, withinMs: 1000 });
    return { book, pool };
  }

  test('nothing stays in a session by itself', async () => {
    const { pool } = await used({});
    expect((await pool.query(IN_SESSION)).rows).toEqual([]);
  });

  test('preparedStatements: each is prepared once for a connection, those that depend on a filter are not', async () => {
    const { pool } = await used({ preparedStatements: true });
    const { rows } = await pool.query<{ name: string; statement: string }>(IN_SESSION);
    expect(rows.length).toBeGreaterThan(4);
    expect(rows.length).toBeLessThan(12);
    expect(rows.map(({ name }) => name)).toEqual(rows.map(() => expect.stringMatching(/^wechat_h5_[0-9a-f]{16}$/)));
    expect(rows.filter(({ statement }) => statement.includes('ORDER BY position'))).toEqual([]);
  });

  test('what the session has lost fails once and says why, and the next connection works', async () => {
    const { book, pool } = await used({ preparedStatements: true });
    const key = newKey();
    await book.apply(key, intend(key));
    await pool.query('DEALLOCATE ALL');
    await expect(book.get(key)).rejects.toMatchObject({
      code: 'ORDER_BOOK_FAILED',
      field: 'preparedStatements',
      message: expect.stringContaining('26000') as string,
    });
    expect((await book.get(key))?.state).toBe('CREATING');
  });

  test('in a transaction of a handler, too, nothing is stored then', async () => {
    const { book, pool } = await used({ preparedStatements: true });
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    await pool.query('DEALLOCATE ALL');
    const lost = book.transaction(async (tx, apply) => {
      await tx.query('CREATE TABLE lost ()');
      await apply(key, complete);
    });
    await expect(lost).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED', field: 'preparedStatements' });
    expect(server.query("SELECT to_regclass('lost') IS NULL")).toBe('t');
    expect((await book.get(key))?.delivery.state).toBe('LEASED');
    expect((await book.apply(key, complete)).outcome).toBe('applied');
  });

  test('preparedStatements is true or false', async () => {
    const pool = books.pool({ connectionString: server.url });
    expect(() => new PostgresOrderBook({ pool, preparedStatements: 'no' as unknown as boolean })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', field: 'preparedStatements' }) as Error,
    );
  });
});
