import { applyAll, intend, newKeys, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import type { PostgresOrderBook } from './index.js';
import { serverOfBlock, statementsOf } from './store.fixture.js';

describeWithStores(['postgres'], 'changes that are asked for at once', () => {
  const { server, books } = serverOfBlock();
  afterEach(() => books.end());

  const scene = async () => {
    const { book, schema } = await books.create(server.url);
    const keys = newKeys(30);
    for (const key of keys) await book.apply(key, intend(key));
    return { book, schema, keys, table: `${schema}.wechat_h5_order` };
  };
  const outcomes = async (all: readonly Promise<{ outcome: string }>[]): Promise<string[]> =>
    (await Promise.allSettled(all)).map((one) => (one.status === 'fulfilled' ? one.value.outcome : 'failed'));
  const states = async (book: PostgresOrderBook): Promise<string[]> =>
    (await book.list({})).orders.map(({ state }) => state);

  test('are read by one statement and stored by one, each as if it were alone', async () => {
    const { schema, keys, table } = await scene();
    const pool = books.pool({ connectionString: server.url });
    const book = books.open(server.url, { schema, pool });
    const statements = statementsOf(pool);
    const applied = await Promise.all(keys.map((key) => book.apply(key, paid(key))));
    expect(statements()).toBe(2);
    expect(server.query(`SELECT count(DISTINCT xmin::text) FROM ${table}`)).toBe('1');
    for (const [index, key] of keys.entries()) {
      expect(await book.get(key)).toEqual(applied[index]?.order);
      expect((await book.findByTransactionId(key.mchId, `42${key.outTradeNo}`))?.key).toEqual(key);
    }
  });

  test('S08: one whose row somebody has locked waits for it, and the others do not', async () => {
    const { book, keys, table } = await scene();
    const other = await books.pool({ connectionString: server.url }).connect();
    await other.query('BEGIN');
    await other.query(`SELECT FROM ${table} WHERE out_trade_no = $1 FOR UPDATE`, [keys[3]?.outTradeNo]);
    const all = keys.map((key) => book.apply(key, paid(key)));
    await Promise.all(all.filter((_, index) => index !== 3));
    expect((await states(book)).filter((state) => state !== 'PAID')).toHaveLength(1);
    await other.query('ROLLBACK');
    other.release();
    expect(await outcomes(all)).toEqual(keys.map(() => 'applied'));
  });

  test('S19: of those that name one transaction one is paid, and the rest of the group as well', async () => {
    const { book, keys } = await scene();
    const transactionId = '4200000000';
    const all = keys.map((key, index) => book.apply(key, paid(key, index < 5 ? { transactionId } : {})));
    const told = await outcomes(all);
    expect(told.filter((outcome) => outcome === 'applied')).toHaveLength(keys.length - 4);
    expect(told.slice(5)).toEqual(keys.slice(5).map(() => 'applied'));
    expect((await states(book)).filter((state) => state === 'PAID')).toHaveLength(keys.length - 4);
  });

  test('P14: one that a later version of the program has written fails alone', async () => {
    const { book, keys, table } = await scene();
    server.query(
      `UPDATE ${table} SET record = replace(record::text, '"v":1', '"v":9')::json WHERE out_trade_no = '${keys[7]?.outTradeNo}'`,
    );
    const told = await outcomes(keys.map((key) => book.apply(key, paid(key))));
    expect(told).toEqual(keys.map((_, index) => (index === 7 ? 'failed' : 'applied')));
  });

  test('S07: what has not even reached a server that is stuck fails in its time', async () => {
    const { schema, keys } = await scene();
    const pool = books.pool({ connectionString: server.url, max: 1, connectionTimeoutMillis: 0 });
    const book = books.open(server.url, { schema, pool, timeoutMs: 500 });
    const held = await pool.connect();
    const [key = { mchId: '', outTradeNo: '' }] = keys;
    // Two groups are under way, and perhaps the next two once those have failed.
    const all = await Promise.allSettled(newKeys(400).map((one) => book.apply(one, paid(one))));
    const told = all.map((one) => (one.status === 'rejected' ? (one.reason as Error).message : 'stored'));
    expect(told.filter((message) => !/gave no connection|busy with earlier changes/.test(message))).toEqual([]);
    expect(told.filter((message) => message.includes('busy')).length).toBeGreaterThan(10);
    held.release();
    await applyAll(book, key, [paid(key)]);
    expect((await book.get(key))?.state).toBe('PAID');
  });
});
