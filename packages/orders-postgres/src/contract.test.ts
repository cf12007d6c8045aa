import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sharedOrderBookCases, type SharedOrderBookHarness } from '@wechat-h5/testkit/order-book';
import {
  describeWithStores,
  startPgbouncer,
  startPostgres,
  type Pgbouncer,
  type PostgresServer,
} from '@wechat-h5/testkit/stores';
import { Pool } from 'pg';
import { poolFor } from './book.fixture.js';
import { PostgresOrderBook } from './index.js';

describeWithStores(['postgres', 'pgbouncer'], 'postgres', () => {
  let server: PostgresServer;
  let bouncer: Pgbouncer;
  beforeAll(async () => {
    server = await startPostgres();
    bouncer = await startPgbouncer(server);
  });
  afterAll(async () => {
    await bouncer.stop();
    await server.stop();
  });

  describe.each([
    ['direct', () => server.url, false],
    ['direct, with prepared statements', () => server.url, true],
    ['through pgbouncer, with two connections in transaction mode', () => bouncer.url, false],
  ])('%s', (name, url, preparedStatements) => {
    test.each(sharedOrderBookCases)(
      '$id $title',
      ({ run }) => run({ name, create: () => createStore(server, url(), preparedStatements) }),
      180_000,
    );
  });
});

async function createStore(
  server: PostgresServer,
  url: string,
  preparedStatements: boolean,
): Promise<Awaited<ReturnType<SharedOrderBookHarness['create']>>> {
  const schema = `s${randomBytes(6).toString('hex')}`;
  const pools: Pool[] = [];
  const open = (): PostgresOrderBook => {
    const pool = poolFor(url);
    pools.push(pool);
    return new PostgresOrderBook({ pool, schema, preparedStatements });
  };
  await open().migrate();
  // Around the back: straight to the server.
  const raw = new Pool({ connectionString: server.url, max: 1 });
  return {
    program: {
      module: join(__dirname, 'book.fixture.ts'),
      options: { url, schema, prepared: String(preparedStatements) },
    },
    open: async () => open(),
    async stored({ mchId, subMchId = '', outTradeNo }) {
      const where = 'mch_id = $1 AND sub_mch_id = $2 AND out_trade_no = $3';
      const values = [mchId, subMchId, outTradeNo];
      const orders = await raw.query<{
        record: string;
        version: string;
        due_at: string | null;
        taken_at: string | null;
      }>(
        `SELECT record::text AS record, version, extract(epoch FROM due_at) * 1000 AS due_at,
           extract(epoch FROM taken_at) * 1000 AS taken_at FROM ${schema}.wechat_h5_order WHERE ${where}`,
        values,
      );
      const [row] = orders.rows;
      if (row === undefined) return undefined;
      const names = await raw.query<{ name: string }>(
        `SELECT name FROM ${schema}.wechat_h5_name WHERE ${where} ORDER BY name`,
        values,
      );
      return {
        record: row.taken_at === null ? row.record : takenRecord(row.record, row.version, row.due_at, row.taken_at),
        dueAt: row.due_at === null ? undefined : Number(row.due_at),
        names: names.rows.map(({ name }) => name),
      };
    },
    async remove() {
      await Promise.all(pools.map((pool) => pool.end()));
      await raw.end();
    },
  };
}

/** What `claimDue` has done last stands beside the record. */
function takenRecord(record: string, version: string, dueAt: string | null, takenAt: string): string {
  const taken = { takenUntil: Number(dueAt), updatedAt: Number(takenAt), version: Number(version) };
  return JSON.stringify({ ...(JSON.parse(record) as object), ...taken });
}
