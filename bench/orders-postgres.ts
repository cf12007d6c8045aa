import { once } from 'node:events';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodeOrder, type OrderChange, type OrderKey } from '@wechat-h5/core/order-book';
import { PostgresOrderBook } from '@wechat-h5/orders-postgres';
import { startPostgres } from '@wechat-h5/testkit/stores';
import pg from 'pg';

const SIZES = (process.env['SIZES'] ?? '1000,10000,100000,1000000').split(',').map(Number);
const CALLS = Number(process.env['CALLS'] ?? 300);
const SETTLED = Number(process.env['SETTLED'] ?? 1500);
const MCH_ID = '1900000109';
const LEASE_MS = 60_000;
/** Of every hundred orders one is due, and stays so. */
const DUE_SHARE = 100;

const intend = (outTradeNo: string): OrderChange => ({
  type: 'intend',
  intent: {
    appId: 'wx2421b1c4370ec43b',
    totalFee: 1990,
    feeType: 'CNY',
    attach: '',
    params: { body: 'Tea house - green tea, 100 g', out_trade_no: outTradeNo, total_fee: '1990', trade_type: 'MWEB' },
    clientIp: '203.0.113.7',
  },
});
const paid = (outTradeNo: string): OrderChange => ({
  type: 'paid',
  payment: {
    transactionId: `42${outTradeNo}`,
    appId: 'wx2421b1c4370ec43b',
    totalFee: 1990,
    feeType: 'CNY',
    attach: '',
    raw: { out_trade_no: outTradeNo, transaction_id: `42${outTradeNo}`, total_fee: '1990', time_end: '20260101120000' },
  },
});
const keyOf = (outTradeNo: string): OrderKey => ({ mchId: MCH_ID, outTradeNo });

const job = process.argv[2];
if (job === undefined) await compare();
else await settle(...(JSON.parse(job) as [string, string, number]));

async function compare(): Promise<void> {
  const server = await startPostgres({ settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  try {
    const pool = new pg.Pool({ connectionString: server.url, max: 10 });
    const book = new PostgresOrderBook({ pool, timeoutMs: 60_000 });
    await book.migrate();
    // Times are of the client, beside whatever else the machine does; blocks are what the server had to touch.
    console.log('| orders | 10 due, ms p50 | p95 | blocks | claim one, ms p50 | p95 | blocks |');
    for (const size of SIZES) {
      await fill(pool, book, size);
      const due = await times(() => book.claimDue({ limit: 10, leaseMs: 1 }));
      const numbers = Array.from({ length: CALLS }, (_, index) => `C${size}${index}`);
      for (const number of numbers) {
        await book.apply(keyOf(number), intend(number));
        await book.apply(keyOf(number), paid(number));
      }
      const claims = await times((index) => book.apply(keyOf(numbers[index]!), { type: 'claim', leaseMs: LEASE_MS }));
      const touched = [
        await blocks(
          pool,
          'SELECT record FROM wechat_h5_order WHERE due_at <= statement_timestamp() ORDER BY due_at DESC LIMIT 10 FOR UPDATE SKIP LOCKED',
        ),
        await blocks(
          pool,
          `UPDATE wechat_h5_order SET version = version + 1 WHERE mch_id = '${MCH_ID}' AND sub_mch_id = '' AND out_trade_no = '${numbers[0]}'`,
        ),
      ];
      console.log(
        `| ${size} | ${at(due, 0.5)} | ${at(due, 0.95)} | ${touched[0]} | ${at(claims, 0.5)} | ${at(claims, 0.95)} | ${touched[1]} |`,
      );
    }
    await pool.query('CREATE TABLE bare (id text PRIMARY KEY, record json)');
    console.log('| processes | settled a second | bare INSERT … ON CONFLICT a second | ratio |');
    for (const processes of [1, 2, 4]) {
      const [settled, bare] = [await rate(server.url, 'settle', processes), await rate(server.url, 'bare', processes)];
      console.log(`| ${processes} | ${settled.toFixed(0)} | ${bare.toFixed(0)} | ${(bare / settled).toFixed(1)} |`);
    }
    await pool.end();
  } finally {
    await server.stop();
  }
}

/** Copies of two real records, so that the table has so many, one of a hundred due. */
async function fill(pool: pg.Pool, book: PostgresOrderBook, size: number): Promise<void> {
  const settled = 'SETTLED';
  await book.apply(keyOf(settled), intend(settled));
  await book.apply(keyOf(settled), paid(settled));
  await book.apply(keyOf(settled), { type: 'claim', leaseMs: LEASE_MS });
  const { order } = await book.apply(keyOf(settled), { type: 'complete', attempt: 1 });
  if (order === undefined) throw new Error('no order');
  const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM wechat_h5_order');
  const text = encodeOrder(order).replaceAll(settled, '@');
  const waiting = encodeOrder({
    ...order,
    state: 'PENDING',
    delivery: { ...order.delivery, state: 'NONE' },
    pollAt: new Date(0),
  });
  await pool.query(
    `INSERT INTO wechat_h5_order (mch_id, sub_mch_id, out_trade_no, state, delivery, due_at, version, position, record)
     SELECT $1, '', 'N' || i, CASE WHEN due THEN 'PENDING' ELSE 'PAID' END, CASE WHEN due THEN 'NONE' ELSE 'DONE' END,
       CASE WHEN due THEN now() - i * interval '1 ms' END, $2, 'N' || i, replace(CASE WHEN due THEN $4 ELSE $3 END, '@', 'N' || i)::json
     FROM (SELECT i, i % ${DUE_SHARE} = 0 AS due FROM generate_series($5::int, $6::int) AS s (i)) AS numbers`,
    [MCH_ID, order.version, text, waiting.replaceAll(settled, '@'), Number(rows[0]?.count), size],
  );
  await pool.query('VACUUM ANALYZE wechat_h5_order');
}

/** How many pages of the tables and indexes a statement reads or writes. */
async function blocks(pool: pg.Pool, sql: string): Promise<number> {
  const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
  );
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan ?? {};
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

async function times(call: (index: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let index = 0; index < CALLS; index++) {
    const start = performance.now();
    await call(index);
    taken.push(performance.now() - start);
  }
  return taken.sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(2);
}

/** Of all processes together, from when they are all ready. */
async function rate(url: string, what: 'settle' | 'bare', processes: number): Promise<number> {
  const share = Math.floor(SETTLED / processes);
  const children = Array.from({ length: processes }, () =>
    fork(fileURLToPath(import.meta.url), [JSON.stringify([url, what, share])]),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  const start = performance.now();
  await Promise.all(
    children.map(async (child) => {
      child.send('go');
      await once(child, 'exit');
    }),
  );
  return (share * processes) / ((performance.now() - start) / 1000);
}

/** A process of its own: notifications, ten at a time. Orders are there before. */
async function settle(url: string, what: string, count: number): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  const book = new PostgresOrderBook({ pool, timeoutMs: 60_000 });
  const numbers = Array.from({ length: count }, (_, index) => `P${process.pid}X${index}`);
  if (what === 'settle') for (const number of numbers) await book.apply(keyOf(number), intend(number));
  const record = JSON.stringify(paid('bare'));
  const one = async (number: string): Promise<void> => {
    if (what === 'bare') {
      await pool.query('INSERT INTO bare VALUES ($1, $2) ON CONFLICT DO NOTHING', [number, record]);
      return;
    }
    await book.apply(keyOf(number), paid(number));
    await book.apply(keyOf(number), { type: 'claim', leaseMs: LEASE_MS });
    await book.apply(keyOf(number), { type: 'complete', attempt: 1 });
  };
  process.send?.('ready');
  await once(process, 'message');
  const next = async (): Promise<void> => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) await one(number);
  };
  await Promise.all(Array.from({ length: 10 }, next));
  process.exit();
}
