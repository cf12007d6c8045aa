import { applyAll, claim, eventually, intend, newKey, paid } from '@wechat-h5/testkit/order-book';
import {
  describeWithStores,
  startPgbouncer,
  startPostgres,
  type Pgbouncer,
  type PostgresServer,
} from '@wechat-h5/testkit/stores';
import { Books } from './store.fixture.js';

const complete = { type: 'complete', attempt: 1 } as const;

describeWithStores(['postgres', 'pgbouncer'], "the shop's own writes", () => {
  let server: PostgresServer;
  let bouncer: Pgbouncer;
  const books = new Books();
  beforeAll(async () => {
    server = await startPostgres();
    bouncer = await startPgbouncer(server);
  });
  afterEach(() => books.end());
  afterAll(async () => {
    await bouncer.stop();
    await server.stop();
  });

  const scene = async (url = server.url) => {
    const { book, schema } = await books.create(url);
    server.query(`CREATE TABLE ${schema}.effect (number text)`);
    const effects = (): string => server.query(`SELECT count(*) FROM ${schema}.effect`);
    const insert = `INSERT INTO ${schema}.effect VALUES ($1)`;
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    return { book, schema, effects, insert, key };
  };

  test.each([
    ['directly', () => server.url],
    ['S10: through PgBouncer', () => bouncer.url],
  ])('%s: they are committed with the delivery, and nobody sees them before', async (_name, url) => {
    const { book, effects, insert, key } = await scene(url());
    const result = await book.transaction(async (tx, apply) => {
      await tx.query(insert, [key.outTradeNo]);
      expect((await apply(key, complete)).outcome).toBe('applied');
      expect(effects()).toBe('0');
      return 'result';
    });
    expect([result, effects()]).toEqual(['result', '1']);
    expect((await book.get(key))?.delivery.state).toBe('DONE');
  });

  test('what the handler throws is thrown on, and nothing of it is seen', async () => {
    const { book, effects, insert, key } = await scene();
    const sorry = new Error('sold out');
    await expect(
      book.transaction(async (tx, apply) => {
        await tx.query(insert, ['1']);
        await apply(key, complete);
        throw sorry;
      }),
    ).rejects.toBe(sorry);
    expect(effects()).toBe('0');
    expect((await book.get(key))?.delivery.state).toBe('LEASED');
  });

  test('a statement that failed and was passed over in silence commits nothing', async () => {
    const { book, effects, insert, key } = await scene();
    const quiet = book.transaction(async (tx) => {
      await tx.query(insert, ['1']);
      await tx.query('SELECT 1 / 0').catch(() => {});
    });
    await expect(quiet).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
    expect(effects()).toBe('0');
    expect((await book.get(key))?.delivery.state).toBe('LEASED');
  });

  test('P06: a run that lost its lease leaves nothing behind', async () => {
    const { book, effects, insert } = await scene();
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
    await book
      .transaction(async (tx, apply) => {
        await tx.query(insert, ['zombie']);
        await eventually('the lease ends', async () =>
          (await book.apply(key, claim)).outcome === 'applied' ? true : undefined,
        );
        await book.apply(key, { type: 'complete', attempt: 2 });
        const { outcome } = await apply(key, complete);
        // As core does.
        if (outcome !== 'applied') throw new Error(outcome);
      })
      .catch((error: Error) => expect(error.message).toBe('done'));
    expect(effects()).toBe('0');
    expect((await book.get(key))?.delivery.attempt).toBe(2);
  });

  test('P11: a handler that goes on after its run was given up writes nothing any more', async () => {
    const { book, effects, insert } = await scene();
    let goOn: () => void = () => {};
    const givenUp = new Promise<void>((resolve) => (goOn = resolve));
    let late: Promise<unknown> = Promise.resolve();
    const run = book.transaction(async (tx) => {
      const { query } = tx;
      late = givenUp.then(async () => {
        await tx.query(insert, ['late']);
      });
      void givenUp.then(() => query(insert, ['later'])).catch(() => {});
      // As core does when the lease is lost.
      throw new Error('lost');
    });
    await expect(run).rejects.toThrow('lost');
    goOn();
    await expect(late).rejects.toThrow('has ended');
    await book.get(newKey());
    expect(effects()).toBe('0');
  });

  test('P12: while a handler runs the order can be read, renewed and changed: no lock is held', async () => {
    const { book, insert, key, effects } = await scene();
    await book.transaction(async (tx, apply) => {
      await tx.query(insert, ['1']);
      expect((await book.apply(key, { type: 'renew', attempt: 1, leaseMs: 60_000 })).outcome).toBe('applied');
      expect((await book.apply(key, paid(key))).outcome).toBe('unchanged');
      expect((await book.get(key))?.delivery.state).toBe('LEASED');
      expect((await apply(key, complete)).outcome).toBe('applied');
    });
    expect(effects()).toBe('1');
  });

  test.each([
    ['done', 'DONE', undefined],
    ['thrown away when the handler fails after all', 'LEASED', 'sold out'],
  ])('a delivery without writes of the shop opens no transaction, and is %s', async (_what, state, fails) => {
    const { book, key } = await scene();
    const open = (): string =>
      server.query("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'");
    const run = book.transaction(async (_tx, apply) => {
      expect((await apply(key, complete)).order?.delivery.state).toBe('DONE');
      expect([open(), (await book.get(key))?.delivery.state]).toEqual(['0', 'LEASED']);
      if (fails !== undefined) throw new Error(fails);
    });
    expect(await run.catch((error: Error) => error.message)).toBe(fails);
    expect((await book.get(key))?.delivery.state).toBe(state);
  });

  test('what the handler writes after it was told that the delivery is done is part of it, too', async () => {
    const { book, insert, key, effects } = await scene();
    await book.transaction(async (tx, apply) => {
      await apply(key, complete);
      await tx.query(insert, ['1']);
      expect([effects(), (await book.get(key))?.delivery.state]).toEqual(['0', 'LEASED']);
    });
    expect([effects(), (await book.get(key))?.delivery.state]).toEqual(['1', 'DONE']);
  });

  test('a delivery whose lease is lost between its end and its commit fails, with what the shop has written', async () => {
    const { book, insert, effects } = await scene();
    for (const writes of [false, true]) {
      const key = newKey();
      await applyAll(book, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
      const run = book.transaction(async (tx, apply) => {
        expect((await apply(key, complete)).outcome).toBe('applied');
        await eventually('the lease ends', async () =>
          (await book.apply(key, claim)).outcome === 'applied' ? true : undefined,
        );
        if (writes) await tx.query(insert, ['1']);
      });
      await expect(run).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
      expect((await book.get(key))?.delivery).toMatchObject({ state: 'LEASED', attempt: 2 });
    }
    expect(effects()).toBe('0');
  });

  test('a transaction that cannot be opened lets none of its statements through', async () => {
    const { schema, insert, effects } = await scene();
    const pool = books.pool({ connectionString: server.url, max: 1 });
    const book = books.open(server.url, { schema, pool });
    const client = await pool.connect();
    const { query } = client;
    // The server refuses BEGIN, and would take what comes behind it.
    client.query = ((text: unknown, ...rest: unknown[]) =>
      Reflect.apply(query, client, [String(text).startsWith('BEGIN') ? 'BEGIN NOTHING' : text, ...rest])) as never;
    client.release();
    const run = book.transaction(async (tx) => {
      await tx.query(insert, ['1']).catch(() => {});
    });
    await expect(run).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
    expect(effects()).toBe('0');
    expect(pool.totalCount).toBe(0);
  });

  test('P03: a connection that dies with its program takes everything with it', async () => {
    const { book, insert, key, effects } = await scene();
    const died = book.transaction(async (tx, apply) => {
      const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await tx.query(insert, ['1']);
      await apply(key, complete);
      server.query(`SELECT pg_terminate_backend(${rows[0]?.pid ?? 0})`);
    });
    await expect(died).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
    expect(effects()).toBe('0');
    expect((await book.get(key))?.delivery.state).toBe('LEASED');
  });
});
