import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createWechatH5 } from '@wechat-h5/core';
import { encodeOrder, type Applied, type OrderChange, type OrderKey } from '@wechat-h5/core/order-book';
import { signedNotification } from '@wechat-h5/core/testing';
import { PostgresOrderBook } from '@wechat-h5/orders-postgres';
import { startPostgres } from '@wechat-h5/testkit/stores';
import pg from 'pg';
import { median, shuffled } from './interleaved.js';
import { scalePlot } from './scale-plot.js';

const SIZES = (process.env['SIZES'] ?? '10000,100000,1000000').split(',').map(Number);
const CALLS = Number(process.env['CALLS'] ?? 3000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
/** Notifications of each contestant in each round. */
const SETTLED = Number(process.env['SETTLED'] ?? 800);
/** Whether the book's statements are kept by the server (`PREPARED=1`) or planned each time, as they are by default. */
const preparedStatements = process.env['PREPARED'] === '1';
const PROCESSES = [1, 2, 4];
/** Notifications in flight, in each process. */
const IN_FLIGHT = 10;
const GOAL_MS = 5;
const LEASE_MS = 60_000;
/** Of every hundred orders one is due, and stays so. */
const DUE_SHARE = 100;
const merchant = { appId: 'wx2421b1c4370ec43b', mchId: '1900000109', apiKey: '0123456789abcdef0123456789abcdef' };

/** As many bytes as the record of a paid order has. */
const RECORD = JSON.stringify({ text: 'x'.repeat(1200) });

/** What settles a notification, and what it is compared to. */
const CONTESTANTS = ['bare', 'book', 'whole', 'transaction'] as const;
type Contestant = (typeof CONTESTANTS)[number];
type Message = { prepare: Contestant; count: number } | { go: Contestant };

const url = process.argv[2];
if (url === undefined) await measure();
else await work(url);

async function measure(): Promise<void> {
  // A server as it comes, with room: its own fsync, its own synchronous_commit, its own autovacuum.
  const server = await startPostgres({ settings: { shared_buffers: '1GB', max_wal_size: '4GB' } });
  try {
    const pool = new pg.Pool({ connectionString: server.url, max: 10 });
    const book = new PostgresOrderBook({ pool, timeoutMs: 60_000, preparedStatements });
    // Orders are placed on another machine than the one that is told of their payment.
    const elsewhere = new PostgresOrderBook({ pool, timeoutMs: 60_000, preparedStatements });
    await book.migrate();
    await pool.query('CREATE TABLE bare (id text PRIMARY KEY, record json)');
    await pool.query('CREATE TABLE shipment (id text)');
    if (CALLS > 0) await bySize(pool, book, elsewhere);
    if (ROUNDS > 0) await byProcesses(server.url);
    await pool.end();
  } finally {
    await server.stop();
  }
}

async function bySize(pool: pg.Pool, book: PostgresOrderBook, elsewhere: PostgresOrderBook): Promise<void> {
  const contestants: readonly Timed[] = [
    {
      name: '10 due orders',
      // As often as the reconciler asks for those that have waited longest. They are due again at once.
      async run(_, index) {
        const { length } = await book.claimDue({ limit: 10, leaseMs: 1, oldestFirst: index % 4 === 0 });
        if (length === 0) throw new Error('nothing was due');
      },
    },
    {
      name: 'claim',
      // Of what a look has handed out: that is when a claim comes alone.
      async before(number) {
        await pool.query("UPDATE wechat_h5_order SET due_at = 'epoch' WHERE out_trade_no = $1", [`C${number}`]);
        const [order] = await book.claimDue({ limit: 1, leaseMs: 1, oldestFirst: true });
        if (order?.key.outTradeNo !== `C${number}`) throw new Error(`C${number} was not the first`);
      },
      run: (number) => applied(book.apply(keyOf(`C${number}`), { type: 'claim', leaseMs: LEASE_MS })),
    },
    {
      name: 'payment',
      run: (number) =>
        applied(book.apply(keyOf(`E${number}`), { ...paid(`E${number}`), leaseMs: LEASE_MS } as OrderChange)),
    },
    { name: 'bare INSERT', run: (number) => insertBare(pool, number) },
  ];
  const series = contestants.map(({ name }) => ({ name, p50: [] as number[], p95: [] as number[] }));
  console.log(`| orders | ${series.map(({ name }) => `${name}, ms p50 | p95`).join(' | ')} |`);
  for (const size of SIZES) {
    const numbers = Array.from({ length: CALLS + 200 }, (_, index) => `${size}N${index}`);
    await Promise.all(numbers.map((number) => elsewhere.apply(keyOf(`C${number}`), intend(`C${number}`))));
    await Promise.all(numbers.map((number) => elsewhere.apply(keyOf(`C${number}`), paid(`C${number}`))));
    await Promise.all(numbers.map((number) => elsewhere.apply(keyOf(`E${number}`), intend(`E${number}`))));
    // They are not to be due before their turn.
    await pool.query("UPDATE wechat_h5_order SET due_at = NULL WHERE out_trade_no ~ '^[CE]'");
    await fill(pool, book, size);
    const taken: number[][] = contestants.map(() => []);
    for (const [index, number] of numbers.entries()) {
      for (const [which, { before, run }] of shuffled([...contestants.entries()])) {
        await before?.(number);
        const start = performance.now();
        await run(number, index);
        // The first ones warm up.
        if (index >= 200) taken[which]?.push(performance.now() - start);
      }
    }
    for (const [which, times] of taken.entries()) {
      times.sort((a, b) => a - b);
      series[which]?.p50.push(at(times, 0.5));
      series[which]?.p95.push(at(times, 0.95));
    }
    // The next size is of the same kind.
    for (const table of ['order', 'name'])
      await pool.query(`DELETE FROM wechat_h5_${table} WHERE out_trade_no ~ '^[CE]'`);
    const cells = series.flatMap(({ p50, p95 }) => [p50.at(-1) ?? NaN, p95.at(-1) ?? NaN]);
    console.log(`| ${size} | ${cells.map((cell) => cell.toFixed(2)).join(' | ')} |`);
  }
  const file = process.env['PLOT'];
  if (file === undefined) return;
  const about = `PostgreSQL, fsync on, one connection at a time, ${CALLS.toLocaleString('en')} calls of each`;
  writeFileSync(file, scalePlot(SIZES, series, GOAL_MS, about));
}

interface Timed {
  readonly name: string;
  /** What is not timed. */
  before?(number: string): Promise<void>;
  run(number: string, index: number): Promise<void>;
}

async function applied(change: Promise<Applied>): Promise<void> {
  const { outcome } = await change;
  if (outcome !== 'applied') throw new Error(outcome);
}

async function byProcesses(serverUrl: string): Promise<void> {
  const most = Math.max(...PROCESSES);
  const children = Array.from({ length: most }, () => fork(fileURLToPath(import.meta.url), [serverUrl]));
  try {
    await Promise.all(children.map(answer));
    for (const contestant of CONTESTANTS) await rate(children, contestant);
    console.log('| processes | bare a second | book | ÷ bare | whole | ÷ bare | with a write of the shop | ÷ bare |');
    for (const processes of PROCESSES) {
      const rates = Object.fromEntries(CONTESTANTS.map((name) => [name, [] as number[]]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of shuffled([...CONTESTANTS]))
          rates[name]?.push(await rate(children.slice(0, processes), name));
      }
      const { bare = [] } = rates;
      const cells = CONTESTANTS.slice(1).flatMap((name) => {
        const own = rates[name] ?? [];
        return [median(own).toFixed(0), median(own.map((one, round) => (bare[round] ?? NaN) / one)).toFixed(1)];
      });
      console.log(`| ${processes} | ${median(bare).toFixed(0)} | ${cells.join(' | ')} |`);
    }
  } finally {
    for (const child of children) child.kill();
  }
}

/** A second, of all processes together. What they work on is there before. */
async function rate(children: readonly ChildProcess[], what: Contestant): Promise<number> {
  const count = Math.floor(SETTLED / children.length);
  await ask(children, { prepare: what, count });
  const start = performance.now();
  await ask(children, { go: what });
  return (count * children.length) / ((performance.now() - start) / 1000);
}

async function ask(children: readonly ChildProcess[], message: Message): Promise<void> {
  const answers = children.map(answer);
  for (const child of children) child.send(message);
  await Promise.all(answers);
}

async function answer(child: ChildProcess): Promise<void> {
  await once(child, 'message');
}

/** A process of its own. */
async function work(serverUrl: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: serverUrl, max: IN_FLIGHT });
  const orderBook = new PostgresOrderBook({ pool, timeoutMs: 60_000, preparedStatements });
  const elsewhere = new PostgresOrderBook({ pool, timeoutMs: 60_000, preparedStatements });
  const parts = {
    merchant,
    notifyUrl: 'https://shop.example.com/notify',
    orderBook,
    onProblem: (problem: unknown) => console.error(problem),
  };
  const whole = createWechatH5({ ...parts, onPaid: () => {} });
  const transaction = createWechatH5({
    ...parts,
    async onPaid({ outTradeNo }, { tx }) {
      await tx?.query('INSERT INTO shipment VALUES ($1)', [outTradeNo]);
    },
  });
  const settle: Record<Contestant, (number: string, body: Buffer) => Promise<unknown>> = {
    bare: (number) => insertBare(pool, number),
    async book(number) {
      await applied(orderBook.apply(keyOf(number), { ...paid(number), leaseMs: LEASE_MS } as OrderChange));
      await applied(orderBook.apply(keyOf(number), { type: 'complete', attempt: 1 }));
    },
    whole: (_, body) => accepted(whole.handleNotification({ method: 'POST', body })),
    transaction: (_, body) => accepted(transaction.handleNotification({ method: 'POST', body })),
  };
  let made = 0;
  let notifications: { number: string; body: Buffer }[] = [];
  process.on('message', async (message: Message) => {
    if ('prepare' in message) {
      notifications = Array.from({ length: message.count }, () => notificationOf(`P${process.pid}X${made++}`));
      if (message.prepare !== 'bare')
        await Promise.all(notifications.map(({ number }) => elsewhere.apply(keyOf(number), intend(number))));
    } else {
      const next = async (): Promise<void> => {
        for (let one = notifications.pop(); one !== undefined; one = notifications.pop())
          await settle[message.go](one.number, one.body);
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, next));
    }
    process.send?.('done');
  });
  process.send?.('ready');
}

async function accepted(reply: Promise<{ body: string }>): Promise<void> {
  const { body } = await reply;
  if (!body.includes('SUCCESS')) throw new Error(body);
}

function notificationOf(number: string): { number: string; body: Buffer } {
  const fields = { out_trade_no: number, transaction_id: `42${number}`, total_fee: '1990' };
  return { number, body: Buffer.from(signedNotification(fields, merchant)) };
}

async function insertBare(pool: pg.Pool, number: string): Promise<void> {
  await pool.query('INSERT INTO bare VALUES ($1, $2) ON CONFLICT DO NOTHING', [number, RECORD]);
}

/** Copies of two real records, so that the table has so many, one of a hundred due. */
async function fill(pool: pg.Pool, book: PostgresOrderBook, size: number): Promise<void> {
  const settled = 'SETTLED';
  await book.apply(keyOf(settled), intend(settled));
  await book.apply(keyOf(settled), paid(settled));
  await book.apply(keyOf(settled), { type: 'claim', leaseMs: LEASE_MS });
  const { order } = await book.apply(keyOf(settled), { type: 'complete', attempt: 1 });
  if (order === undefined) throw new Error('no order');
  const { rows } = await pool.query<{ count: string; last: string | null }>(
    "SELECT count(*), max(substr(out_trade_no, 2)::int) FILTER (WHERE out_trade_no LIKE 'N%') AS last FROM wechat_h5_order",
  );
  const first = Number(rows[0]?.last ?? 0) + 1;
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
    [
      merchant.mchId,
      order.version,
      text,
      waiting.replaceAll(settled, '@'),
      first,
      first + size - 1 - Number(rows[0]?.count),
    ],
  );
  await pool.query('VACUUM ANALYZE wechat_h5_order');
  await pool.query('CHECKPOINT');
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? NaN;
}

function keyOf(outTradeNo: string): OrderKey {
  return { mchId: merchant.mchId, outTradeNo };
}

function intend(outTradeNo: string): OrderChange {
  return {
    type: 'intend',
    intent: {
      appId: merchant.appId,
      totalFee: 1990,
      feeType: 'CNY',
      attach: '',
      params: { body: 'Tea house - green tea, 100 g', out_trade_no: outTradeNo, total_fee: '1990', trade_type: 'MWEB' },
      clientIp: '203.0.113.7',
    },
  };
}

function paid(outTradeNo: string): OrderChange {
  const transactionId = `42${outTradeNo}`;
  return {
    type: 'paid',
    payment: {
      transactionId,
      appId: merchant.appId,
      totalFee: 1990,
      feeType: 'CNY',
      attach: '',
      raw: { out_trade_no: outTradeNo, transaction_id: transactionId, total_fee: '1990', time_end: '20260101120000' },
    },
  };
}
