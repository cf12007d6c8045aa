import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { OrderBook, OrderRecord } from '@wechat-h5/core';
import { LmdbOrderBook } from '@wechat-h5/orders-lmdb';
import { PostgresOrderBook } from '@wechat-h5/orders-postgres';
import { RedisOrderBook } from '@wechat-h5/orders-redis';
import { describeWithStores, startPostgres, startRedis } from '@wechat-h5/testkit/stores';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { BookShop } from './book-shop.fixture.js';
import { installBooks } from './books.fixture.js';
import type { Ran } from './processes.fixture.js';
import { json, Shop } from './shop.fixture.js';

// An operator's command is a process of its own beside the shop, on the same book.

interface Store {
  readonly book: OrderBook;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

let shop: Shop;
let numbers = 1000;

beforeAll(async () => {
  shop = await Shop.open();
  installBooks(shop.programs.folder);
}, 60_000);

afterAll(() => shop.close());

async function openLmdb(): Promise<Store> {
  const folder = `orders-${randomBytes(4).toString('hex')}`;
  const book = new LmdbOrderBook({ path: join(shop.programs.folder, folder) });
  // As the command is run in the shop's folder, a relative path is one from there.
  return { book, env: { WECHAT_PAY_ORDER_BOOK: `lmdb:./${folder}` }, close: () => book.close() };
}

async function openPostgres(): Promise<Store> {
  const server = await startPostgres();
  const pool = new Pool({ connectionString: server.url, connectionTimeoutMillis: 10_000 });
  const book = new PostgresOrderBook({ pool, schema: 'shop' });
  await book.migrate();
  shop.programs.keepSecret('db-pass-word');
  const url = server.url.replace('postgres@', 'postgres:db-pass-word@');
  return {
    book: book as OrderBook<unknown> as OrderBook,
    env: { WECHAT_PAY_ORDER_BOOK: `${url}?schema=shop` },
    async close() {
      await pool.end();
      await server.stop();
    },
  };
}

async function openRedis(): Promise<Store> {
  const server = await startRedis({ settings: { requirepass: 'redis-pass-word' } });
  const url = server.url.replace('redis://', 'redis://:redis-pass-word@');
  shop.programs.keepSecret('redis-pass-word');
  const client = new Redis(url);
  const book = new RedisOrderBook({ client, prefix: 'shop' });
  await book.migrate();
  return {
    book,
    env: { WECHAT_PAY_ORDER_BOOK: `${url}?prefix=shop` },
    async close() {
      client.disconnect();
      await server.stop();
    },
  };
}

function casesFor(open: () => Promise<Store>): void {
  let store: Store;
  let bookShop: BookShop;

  beforeAll(async () => {
    store = await open();
    bookShop = await BookShop.open(shop, store.book);
  }, 60_000);

  afterAll(async () => {
    await bookShop.close();
    await store.close();
  });

  const orders = (...args: string[]): Promise<Ran> => shop.run(['orders', ...args], store.env);
  const shown = async (outTradeNo: string): Promise<OrderRecord> =>
    json(await orders('show', outTradeNo, '--json'))['order'] as OrderRecord;
  const number = (name: string): string => `${name}-${++numbers}`;
  const listed = async (...args: string[]): Promise<string[]> =>
    (json(await orders('list', '--json', ...args))['orders'] as OrderRecord[]).map(({ key }) => key.outTradeNo);

  test('B05: a wrong amount is in quarantine until it is accepted; then the shop delivers it, and why is kept', async () => {
    const order = number('QUARANTINE');
    await bookShop.order(order);
    await bookShop.notify(order, { total_fee: '1991' });
    expect(await listed('--quarantined')).toContain(order);
    expect(await shown(order)).toMatchObject({ state: 'QUARANTINED', reason: 'total_fee' });
    expect(await orders('redrive', order)).toMatchObject({ code: 4, stdout: '' });

    const ran = await orders('resolve', order, '--accept', '--reason', 'price changed, Li', '--yes', '--json');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(json(ran)).toMatchObject({ outTradeNo: order, resolved: 'deliver', state: 'PAID', delivery: 'READY' });
    await bookShop.delivered(order);
    expect(bookShop.paid.filter(([paid]) => paid === order)).toEqual([[order, 1991]]);
    expect((await shown(order)).history).toContainEqual(
      expect.objectContaining({ source: 'operator', what: 'resolve', detail: 'deliver: price changed, Li' }),
    );
    expect((await orders('resolve', order, '--reject', '--reason', 'late', '--yes')).code).toBe(4);
  });

  test('what is rejected is never delivered, unless a person insists', async () => {
    const order = number('REJECTED');
    await bookShop.order(order);
    await bookShop.notify(order, { total_fee: '1' });
    const ran = await orders('resolve', order, '--reject', '--reason', '少付', '--yes');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain(`wechat-h5 refund ${order} --out-refund-no <number> --all`);
    expect(await shown(order)).toMatchObject({ state: 'PAID', reason: 'resolved', delivery: { state: 'WITHHELD' } });
    const again = await orders('redrive', order);
    expect(again.code).toBe(4);
    expect(again.stderr).toContain('kept from onPaid (resolved)');
    expect(bookShop.paid.map(([paid]) => paid)).not.toContain(order);
    expect((await orders('redrive', order, '--force', '--yes')).code).toBe(0);
    await bookShop.delivered(order);
  });

  test('a delivery that was given up is made again by the shop, once, and not by the command', async () => {
    const order = number('FAILING');
    await bookShop.order(order);
    bookShop.failing.add(order);
    while ((await store.book.get({ mchId: shop.merchant.mchId, outTradeNo: order }))?.delivery.state !== 'DEAD')
      await bookShop.notify(order);
    expect(await listed('--given-up')).toContain(order);
    bookShop.failing.delete(order);
    const ran = await orders('redrive', order);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('Due now');
    await bookShop.delivered(order);
    const { delivery, history } = await shown(order);
    expect(delivery).toMatchObject({ state: 'DONE', attempt: 21 });
    expect(history).toContainEqual(expect.objectContaining({ what: 'redrive', source: 'operator' }));

    const done = await orders('redrive', order);
    expect(done).toMatchObject({ code: 4, stdout: '' });
    expect(done.stderr).toContain('was handed over before');
    expect((await orders('redrive', order, '--force')).code).toBe(2);
    expect((await orders('redrive', order, '--force', '--yes')).code).toBe(0);
    await bookShop.delivered(order, 2);
  });

  test('an orphan is taken up when the shop knows the order', async () => {
    const order = number('ORPHAN');
    await bookShop.unknownOrder(order);
    await bookShop.notify(order);
    expect(await listed('--orphans')).toContain(order);
    const ran = await orders('show', order);
    expect(ran.stdout).toMatch(/^state +ORPHAN$/m);
    bookShop.table.set(order, 1990);
    expect((await orders('redrive', order, '--json')).code).toBe(0);
    await bookShop.delivered(order);
    expect(await shown(order)).toMatchObject({ state: 'PAID', delivery: { state: 'DONE' } });
    expect(await listed('--orphans')).not.toContain(order);
  });

  test('show: the attempts of a purchase, its refunds, and what happened, in order', async () => {
    const order = number('SHOWN');
    await bookShop.order(order, `ref-${order}`);
    await bookShop.order(`${order}-B`, `ref-${order}`);
    await shop.control('pay', { outTradeNo: order });
    await bookShop.delivered(order);
    await shop.control('refund', { outTradeNo: order, outRefundNo: `R-${order}`, refundFee: 990, status: 'SUCCESS' });
    const ran = await orders('show', order);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^state +PAID$/m);
    expect(ran.stdout).toMatch(/^paid +1990 CNY \(¥19\.90\)$/m);
    expect(ran.stdout).toMatch(/^delivery +DONE, attempt 1$/m);
    expect(ran.stdout).toMatch(
      new RegExp(`\\nRefunds\\nR-${order} +990 CNY \\(¥9\\.90\\) +REFUNDED +DONE, attempt 1\\n`),
    );
    expect(ran.stdout).toContain(`\nOther attempts\n${order}-B `);
    const lines = ran.stdout.slice(ran.stdout.indexOf('\nHistory\n')).split('\n');
    const whats = lines.flatMap((line) => / \+08:00 +(\w+) +(\w[\w-]*) /.exec(line)?.[2] ?? []);
    expect(whats.slice(0, 2)).toEqual(['intend', 'created']);
    expect(whats).toEqual(expect.arrayContaining(['paid', 'claim', 'complete', 'refunded']));
    expect(json(await orders('show', order, '--json'))['attempts']).toMatchObject([
      { key: { outTradeNo: `${order}-B` } },
    ]);
    expect(await listed('--order-ref', `ref-${order}`)).toEqual([`${order}-B`, order]);
    expect((await shop.run(['orders', 'show', order, '--lang', 'zh'], store.env)).stdout).toMatch(/^经过$/m);
    expect((await orders('redrive', order, '--out-refund-no', `R-${order}`)).code).toBe(4);
  });

  test('list: pages, the newest first; states; what is due', async () => {
    const [first, second, third] = [number('PAGE-1'), number('PAGE-2'), number('PAGE-3')] as const;
    for (const order of [first, second, third]) await bookShop.order(order);
    const page = json(await orders('list', '--state', 'pending', '--limit', '2', '--json'));
    expect((page['orders'] as OrderRecord[]).map(({ key }) => key.outTradeNo)).toEqual([third, second]);
    expect(await listed('--state', 'PENDING', '--limit', '1', '--after', String(page['next']))).toEqual([first]);
    const ran = await orders('list', '--state', 'PENDING', '--limit', '1');
    expect(ran.stdout).toMatch(new RegExp(`^\\S+ \\S+ \\+08:00  ${third}  1990 CNY \\(¥19\\.90\\)  PENDING  NONE\\n$`));
    expect(ran.stderr).toMatch(/^More: --after \S+\n$/);
    expect(await listed('--due', '--state', 'PENDING')).toEqual([]);
    expect(await orders('list', '--state', 'CREATE_FAILED')).toEqual({ code: 0, stdout: '', stderr: 'No order.\n' });
  });

  test('an order that is not in the book', async () => {
    for (const args of [['show'], ['redrive'], ['resolve', '--reject', '--reason', 'no', '--yes']]) {
      const ran = await orders(args[0] as string, 'NEVER-PLACED', ...args.slice(1));
      expect(ran).toMatchObject({ code: 4, stdout: '' });
      expect(ran.stderr).toContain('NEVER-PLACED is not in the book');
    }
  });
}

describe('lmdb', () => {
  casesFor(openLmdb);
});
describeWithStores(['postgres'], 'postgres', () => casesFor(openPostgres));
describeWithStores(['redis'], 'redis', () => casesFor(openRedis));
