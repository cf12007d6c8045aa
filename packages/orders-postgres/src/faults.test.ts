import { inspect } from 'node:util';
import { startFaultProxy, type FaultProxy } from '@wechat-h5/testkit/fault-proxy';
import { applyAll, claim, eventually, intend, newKey, newKeys, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores, startPostgres, type PostgresServer } from '@wechat-h5/testkit/stores';
import { Books } from './store.fixture.js';

const FAILED = { code: 'ORDER_BOOK_FAILED' };
const complete = { type: 'complete', attempt: 1 } as const;

describeWithStores(['postgres'], 'PostgreSQL fails', () => {
  let server: PostgresServer;
  let proxy: FaultProxy;
  let proxied: string;
  const books = new Books();
  beforeAll(async () => {
    server = await startPostgres();
    proxy = await startFaultProxy({ target: server });
    proxied = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
  });
  afterEach(() => {
    proxy.clear();
    return books.end();
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  test('S01: down at start, it is used as soon as it is up', async () => {
    const { schema } = await books.create(server.url);
    await server.halt();
    const book = books.open(server.url, { schema });
    const key = newKey();
    await expect(book.open()).rejects.toMatchObject(FAILED);
    await expect(book.apply(key, intend(key))).rejects.toMatchObject(FAILED);
    await server.start();
    await book.open();
    expect((await book.apply(key, intend(key))).outcome).toBe('applied');
  });

  test('S02: restarted in the middle of it, again and again, it loses nothing and delivers nothing twice', async () => {
    const { book } = await books.create(server.url);
    const keys = newKeys(60);
    for (const key of keys) await book.apply(key, intend(key));
    const said: string[] = [];
    const settle = async (): Promise<boolean> => {
      const rest = keys.filter(({ outTradeNo }) => !said.includes(outTradeNo));
      const results = await Promise.all(
        rest.map(async (key) => {
          try {
            await book.apply(key, paid(key));
            const { outcome, order } = await book.apply(key, { type: 'claim', leaseMs: 1 });
            if (outcome === 'done') return true;
            const done = { type: 'complete', attempt: order?.delivery.attempt ?? 0 } as const;
            if (outcome !== 'applied' || (await book.apply(key, done)).outcome !== 'applied') return false;
            said.push(key.outTradeNo);
            return true;
          } catch {
            // As after a FAIL: it comes again.
            return false;
          }
        }),
      );
      return results.every(Boolean);
    };
    for (let round = 0; round < 3; round++) {
      const [, settled] = await Promise.all([server.restart('immediate'), settle()]);
      if (settled) break;
    }
    await eventually('all are settled', async () => ((await settle()) ? true : undefined));
    expect(new Set(said).size).toBe(said.length);
    for (const key of keys) {
      const order = await book.get(key);
      expect(order?.delivery.state).toBe('DONE');
      expect(order?.history.filter(({ what }) => what === 'complete')).toHaveLength(1);
    }
  });

  test.each([
    [
      'S03: the connection is lost after COMMIT was sent: it is done, and who asks again hears so',
      'downstream',
      'done',
      1,
    ],
    [
      'S03: the connection is lost before COMMIT arrives: nothing of it is seen, and it is done again',
      'upstream',
      'applied',
      0,
    ],
  ] as const)('%s', async (_title, stream, outcome, effects) => {
    const { book, schema } = await books.create(server.url);
    server.query(`CREATE TABLE ${schema}.effect (number text)`);
    const remote = books.open(proxied, { schema, timeoutMs: 1000 });
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
    const lost = remote.transaction(async (tx, apply) => {
      await tx.query(`INSERT INTO ${schema}.effect VALUES ($1)`, [key.outTradeNo]);
      expect((await apply(key, complete)).outcome).toBe('applied');
      proxy.add({ type: 'timeout', timeout: 0, stream });
    });
    await expect(lost).rejects.toMatchObject(FAILED);
    // The server notices, as a host that is gone is noticed.
    proxy.reset();
    const again = await eventually('the row is free', async () => book.apply(key, claim).catch(() => undefined));
    expect(again.outcome).toBe(outcome);
    expect(server.query(`SELECT count(*) FROM ${schema}.effect`)).toBe(String(effects));
  });

  test('S04: a connection whose other end has vanished is given up, and the next one works', async () => {
    const { schema } = await books.create(server.url);
    const book = books.open(proxied, { schema, timeoutMs: 1000 }, { max: 1 });
    const key = newKey();
    await book.apply(key, intend(key));
    const heal = proxy.add({ type: 'half_open' });
    await expect(book.get(key)).rejects.toMatchObject(FAILED);
    heal();
    await eventually('it is healed', () => book.get(key).catch(() => undefined));
  });

  test('S06: connections to a server that has become read-only are given up, and those after it work', async () => {
    const { schema } = await books.create(server.url);
    const key = newKey();
    readOnly(server, true);
    const book = books.open(server.url, { schema }, { max: 1 });
    try {
      await expect(book.apply(key, intend(key))).rejects.toMatchObject({
        ...FAILED,
        message: expect.stringContaining('25006') as string,
      });
    } finally {
      readOnly(server, false);
    }
    expect((await book.apply(key, intend(key))).outcome).toBe('applied');
  });

  test('S07: a pool that others have used up fails in time, and leaves no connection behind', async () => {
    const { schema } = await books.create(server.url);
    const pool = books.pool({ connectionString: server.url, max: 1, connectionTimeoutMillis: 0 });
    const book = books.open(server.url, { schema, pool, timeoutMs: 500 });
    const held = await pool.connect();
    const key = newKey();
    await expect(book.apply(key, intend(key))).rejects.toMatchObject(FAILED);
    held.release();
    expect((await book.apply(key, intend(key))).outcome).toBe('applied');
    await eventually('all are back', async () => (pool.idleCount === pool.totalCount ? true : undefined));
    expect(pool.waitingCount).toBe(0);
  });

  test('S08: a row that somebody has locked fails in time, and is changed when it is free', async () => {
    const { book, schema } = await books.create(server.url);
    const impatient = books.open(server.url, { schema, lockTimeoutMs: 20 });
    const key = newKey();
    await book.apply(key, intend(key));
    const other = await books.pool({ connectionString: server.url }).connect();
    await other.query('BEGIN');
    await other.query(`SELECT * FROM ${schema}.wechat_h5_order FOR UPDATE`);
    const locked = impatient.apply(key, paid(key));
    await expect(locked).rejects.toMatchObject({ ...FAILED, message: expect.stringContaining('55P03') as string });
    // Who only looks for what is due does not wait at all.
    expect(await book.claimDue({ limit: 10, leaseMs: 1000 })).toEqual([]);
    await other.query('ROLLBACK');
    other.release();
    expect((await impatient.apply(key, paid(key))).outcome).toBe('applied');
  });

  test('S09: where the role is set to SERIALIZABLE, one of many claims wins all the same, and handlers run', async () => {
    const { schema } = await books.create(server.url);
    const book = books.open(server.url, { schema }, { options: '-c default_transaction_isolation=serializable' });
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key)]);
    const claims = await Promise.allSettled(Array.from({ length: 5 }, () => book.apply(key, claim)));
    const outcomes = claims.map((one) => (one.status === 'fulfilled' ? one.value.outcome : 'failed'));
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1);
    await book.transaction(async (tx, apply) => {
      await tx.query('SELECT 1');
      // As a renewal does, while the handler runs.
      await book.apply(key, { type: 'renew', attempt: 1, leaseMs: 60_000 });
      expect((await apply(key, complete)).outcome).toBe('applied');
    });
    expect((await book.get(key))?.delivery.state).toBe('DONE');
  });

  test('S20: a server slower than the time for a step fails in that time', async () => {
    const { schema } = await books.create(server.url);
    const book = books.open(proxied, { schema, timeoutMs: 200 });
    proxy.add({ type: 'latency', latency: 5000 });
    const key = newKey();
    await expect(book.apply(key, intend(key))).rejects.toMatchObject(FAILED);
  });

  test("T01: leases go by the server's clock, whatever the application's says", async () => {
    const { book } = await books.create(server.url);
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 86_400_000);
    try {
      expect((await book.apply(key, claim)).outcome).toBe('busy');
    } finally {
      now.mockRestore();
    }
    const order = await book.get(key);
    const clock = Number(server.query('SELECT extract(epoch FROM clock_timestamp()) * 1000'));
    expect(clock - (order?.createdAt.getTime() ?? 0)).toBeLessThan(60_000);
  });

  test('X11: no password, no record and no value of a statement is in an error', async () => {
    const secret = 'canary-7f3a';
    const { schema } = await books.create(server.url);
    const wrong = books.open(`postgres://postgres:${secret}@127.0.0.1:${server.port}/nothing`, { schema });
    const key = newKey();
    const reason = `${secret}\u{1F600}`;
    const errors = [await wrong.apply(key, intend(key)).catch((error: unknown) => error)];
    await books.open(server.url, { schema }).apply(key, intend(key));
    readOnly(server, true);
    try {
      const refused = books.open(server.url, { schema }).apply(key, { type: 'create-unknown', reason });
      errors.push(await refused.catch((error: unknown) => error));
    } finally {
      readOnly(server, false);
    }
    for (const error of errors) {
      expect(error).toMatchObject(FAILED);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    }
  });
});

/** For connections from now on. */
function readOnly(server: PostgresServer, on: boolean): void {
  const change = on ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only';
  server.query(`SET TRANSACTION READ WRITE; ALTER DATABASE postgres ${change}`);
}
