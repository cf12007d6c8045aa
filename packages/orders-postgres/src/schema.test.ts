import { intend, newKey } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import { Pool } from 'pg';
import { PostgresOrderBook } from './index.js';
import { serverOfBlock } from './store.fixture.js';

const FAILED = { code: 'ORDER_BOOK_FAILED' };

test.each([
  [{ pool: undefined as never }, 'pool'],
  [{ pool: {} as never }, 'pool'],
  [{ schema: 'a"; DROP' }, 'schema'],
  [{ schema: '' }, 'schema'],
  [{ timeoutMs: 0 }, 'timeoutMs'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs'],
  [{ lockTimeoutMs: 1.5 }, 'lockTimeoutMs'],
  [{ leaseMs: 499 }, 'leaseMs'],
])('the option %j is refused at start', (options, field) => {
  expect(() => new PostgresOrderBook({ pool: new Pool(), ...options })).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', field }),
  );
});

describeWithStores(['postgres'], 'the tables', () => {
  const { server, books } = serverOfBlock();
  afterEach(() => books.end());

  test('without them every step says what to do', async () => {
    const book = books.open(server.url, { schema: 'nothing' });
    const key = newKey();
    for (const step of [() => book.open(), () => book.get(key), () => book.apply(key, intend(key))]) {
      await expect(step()).rejects.toMatchObject({ ...FAILED, hint: expect.stringContaining('migrate()') as string });
    }
  });

  test('P18: ten that migrate at once make them once', async () => {
    const all = Array.from({ length: 10 }, () => books.open(server.url, { schema: 'at_once', timeoutMs: 20_000 }));
    await Promise.all(all.map((book) => book.migrate()));
    expect(server.query('SELECT version FROM at_once.wechat_h5_schema')).toBe('1');
    await all[0]?.open();
  });

  test('they are found by the search_path, too', async () => {
    server.query('CREATE SCHEMA found');
    const pool = books.pool({ connectionString: server.url, options: '-c search_path=found' });
    const book = new PostgresOrderBook({ pool });
    await book.migrate();
    const key = newKey();
    await book.apply(key, intend(key));
    expect(server.query('SELECT out_trade_no FROM found.wechat_h5_order')).toBe(key.outTradeNo);
  });

  test('P14: a later version that older programs may write to is used; one that they may not is refused', async () => {
    const { book, schema } = await books.create(server.url);
    server.query(`UPDATE ${schema}.wechat_h5_schema SET version = 2`);
    await book.open();
    await book.migrate();
    expect(server.query(`SELECT version FROM ${schema}.wechat_h5_schema`)).toBe('2');
    server.query(`UPDATE ${schema}.wechat_h5_schema SET oldest_writer = 2`);
    await expect(book.open()).rejects.toMatchObject(FAILED);
    await expect(book.migrate()).rejects.toMatchObject(FAILED);
  });
});
