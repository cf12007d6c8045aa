import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { OrderRecord } from '@wechat-h5/core';
import { LmdbOrderBook } from '@wechat-h5/orders-lmdb';
import { BillGateway } from './bill-gateway.fixture.js';
import { BookShop } from './book-shop.fixture.js';
import { installBooks } from './books.fixture.js';
import { canLendTerminal, onTerminal } from './pseudo-terminal.fixture.js';
import { beijing } from './output.js';
import { json, Shop } from './shop.fixture.js';

let shop: Shop;
let book: LmdbOrderBook;
let bookShop: BookShop;
let path: string;

beforeAll(async () => {
  shop = await Shop.open();
  path = mkdtempSync(join(tmpdir(), 'wechat-h5-orders-'));
  book = new LmdbOrderBook({ path });
  bookShop = await BookShop.open(shop, book);
});

afterAll(async () => {
  await bookShop.close();
  await book.close();
  await shop.close();
  rmSync(path, { recursive: true });
});

const listed = (WECHAT_PAY_ORDER_BOOK: string, ...args: string[]) =>
  shop.run(['orders', 'list', ...args], { WECHAT_PAY_ORDER_BOOK });

describe('before the packages are installed', () => {
  test.each([
    ['lmdb', () => `lmdb:${path}`, 'npm install @wechat-h5/orders-lmdb'],
    ['postgres', () => 'postgres://user:pass-word@127.0.0.1:9/shop', 'npm install @wechat-h5/orders-postgres pg'],
    ['redis', () => 'redis://:pass-word@127.0.0.1:9', 'npm install @wechat-h5/orders-redis ioredis'],
  ])('%s: what to install', async (_, url, said) => {
    const { code, stdout, stderr } = await listed(url());
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('pass-word');
  });
});

describe('with the packages in the folder of the shop', () => {
  beforeAll(() => installBooks(shop.programs.folder));

  test.each([
    ['', 3, 'WECHAT_PAY_ORDER_BOOK is not set'],
    ['mysql://user:pass-word@host/shop', 3, 'names no kind of order book'],
    ['postgres://user:pass-word@host:port/shop', 3, 'is no address'],
    ['lmdb:./elsewhere', 3, 'There is no order book in'],
    ['postgres://user:pass-word@127.0.0.1:9/shop', 5, 'PostgreSQL'],
    ['redis://:pass-word@127.0.0.1:9', 5, 'Redis'],
  ])('%s cannot be opened, and no password is told', async (url, exitCode, said) => {
    for (const more of [[], ['--json']]) {
      const { code, stdout, stderr } = await listed(url, ...more);
      expect(code).toBe(exitCode);
      expect(stdout + stderr).toContain(said);
      expect(stdout + stderr).not.toContain('pass-word');
    }
  });

  test('the variable may stand in the file of --env; without a merchant no order is known', async () => {
    writeFileSync(join(shop.programs.folder, 'book.env'), `WECHAT_PAY_MCH_ID=1\nWECHAT_PAY_ORDER_BOOK=lmdb:${path}\n`);
    expect(await shop.run(['orders', 'list', '--env', 'book.env', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"orders":[]}\n',
    });
    const ran = await shop.run(['orders', 'list'], { WECHAT_PAY_MCH_ID: '', WECHAT_PAY_ORDER_BOOK: `lmdb:${path}` });
    expect(ran.code).toBe(3);
  });

  test.each([
    ['mjs', 'export const orderBook ='],
    ['mjs', 'export default'],
    ['cjs', 'exports.orderBook ='],
  ])('--book takes a module of the shop, and ends though it holds something open (%s, %s)', async (type, exported) => {
    await bookShop.order(`MODULE-${type}-${exported.length}`);
    const file = `book-${exported.length}.${type}`;
    const load =
      type === 'mjs'
        ? `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n`
        : '';
    const make = `new (require('@wechat-h5/orders-lmdb').LmdbOrderBook)({ path: ${JSON.stringify(path)} });\n`;
    writeFileSync(join(shop.programs.folder, file), `${load}setInterval(() => {}, 1000);\n${exported} ${make}`);
    const ran = await shop.run(['orders', 'show', `MODULE-${type}-${exported.length}`, '--book', file]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['nowhere.mjs', undefined, 'cannot be loaded (ERR_MODULE_NOT_FOUND)'],
    ['throws.mjs', 'throw new Error("pass-word")', 'cannot be loaded (Error)'],
    ['nothing.mjs', 'export const book = {}', 'exports no orderBook'],
  ])('--book %s', async (file, text, said) => {
    if (text !== undefined) writeFileSync(join(shop.programs.folder, file), text);
    const { code, stderr } = await shop.run(['orders', 'list', '--book', file]);
    expect(code).toBe(3);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('pass-word');
  });

  test('B11: a payment that comes while a person thinks about another one is not decided about', async () => {
    const order = 'RACED-0001';
    await bookShop.order(order);
    await bookShop.notify(order, { total_fee: '1' });
    const key = { mchId: shop.merchant.mchId, outTradeNo: order };
    const forged = (await book.get(key))?.payment;
    const transactionId = '4200000000000000000000007777';
    const raw = { ...forged?.raw, total_fee: '1990', cash_fee: '1990', transaction_id: transactionId };
    const genuine = { ...forged, totalFee: 1990, transactionId, raw };
    // A book in which the genuine payment comes right after the order was looked at.
    writeFileSync(
      join(shop.programs.folder, 'racing.mjs'),
      `import { createRequire } from 'node:module';
      const { LmdbOrderBook } = createRequire(import.meta.url)('@wechat-h5/orders-lmdb');
      export const orderBook = new LmdbOrderBook({ path: ${JSON.stringify(path)} });
      const { get } = orderBook;
      orderBook.get = async (key) => {
        const order = await get.call(orderBook, key);
        await orderBook.apply(key, { type: 'paid', payment: ${JSON.stringify(genuine)} });
        return order;
      };`,
    );
    const args = ['orders', 'resolve', order, '--accept', '--reason', 'it is fine', '--yes'];
    const ran = await shop.run([...args, '--book', 'racing.mjs']);
    expect(ran).toMatchObject({ code: 4, stdout: '' });
    expect(ran.stderr).toContain('another payment has come for this order, and nothing was decided');
    expect(await book.get(key)).toMatchObject({ state: 'QUARANTINED', payment: { totalFee: 1990 } });

    expect(await shop.run(args, { WECHAT_PAY_ORDER_BOOK: `lmdb:${path}` })).toMatchObject({ code: 0, stderr: '' });
    await bookShop.delivered(order);
    expect(bookShop.paid.filter(([paid]) => paid === order)).toEqual([[order, 1990]]);
  });

  test('B24: compare lists what only one side has, and ends with 1', async () => {
    const day = beijing(new Date(Date.now() - 24 * 3_600_000)).slice(0, 10);
    const compact = day.replaceAll('-', '');
    for (const order of ['COMPARED-0001', 'COMPARED-0002']) {
      await bookShop.order(order);
      await bookShop.notify(order, { time_end: `${compact}100000` });
      await bookShop.delivered(order);
    }
    const { orders } = await book.list({ paidOn: compact });
    const row = (order: OrderRecord | undefined, outTradeNo: string): string =>
      [
        `${day} 10:00:00`,
        shop.merchant.appId,
        shop.merchant.mchId,
        order?.payment?.transactionId ?? '4200000009',
        outTradeNo,
        'MWEB',
        'SUCCESS',
        'CNY',
        '19.90',
      ]
        .map((cell) => `\`${cell}`)
        .join(',');
    const known = orders.find(({ key }) => key.outTradeNo === 'COMPARED-0001');
    const rows = [row(known, 'COMPARED-0001'), row(undefined, 'ONLY-THERE-01')];
    const lines = [
      '交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易类型,交易状态,货币种类,订单金额',
      ...rows,
      '总交易单数,订单总金额',
      '`2,`39.80',
    ];
    const bill = `\uFEFF${lines.join('\r\n')}\r\n`;
    const bills = await BillGateway.open();
    bills.answer = (response, { tar_type }) => void response.end(tar_type === 'GZIP' ? gzipSync(bill) : bill);
    const env = { WECHAT_PAY_ORDER_BOOK: `lmdb:${path}`, WECHAT_PAY_GATEWAY: bills.url };
    try {
      const ran = await shop.run(['orders', 'compare', day, '--json'], env);
      expect(ran).toMatchObject({ code: 1, stderr: '' });
      expect(json(ran)).toMatchObject({
        day: compact,
        matched: 1,
        differences: [
          { type: 'missing-here', outTradeNo: 'ONLY-THERE-01' },
          { type: 'missing-there', outTradeNo: 'COMPARED-0002' },
        ],
      });
      const { stdout } = await shop.run(['orders', 'compare', 'yesterday'], env);
      expect(stdout).toMatch(/^missing-here +ONLY-THERE-01 +bill SUCCESS 1990 CNY \(¥19\.90\), book –$/m);
      expect(stdout).toMatch(/^missing-there +COMPARED-0002 +bill –, book PAID 1990 CNY \(¥19\.90\)$/m);
      expect(stdout).toContain(`\n${compact}: 1 alike, 2 not\n`);
    } finally {
      bills.close();
    }
  });

  describe('on a terminal', () => {
    if (!canLendTerminal()) return;

    test('a quarantine ends by a yes, and by nothing else', async () => {
      const order = 'ASKED-0003';
      await bookShop.order(order);
      await bookShop.notify(order, { total_fee: '1991' });
      const cli = [process.execPath, shop.programs.program('cli')];
      const [command, args] = onTerminal([...cli, 'orders', 'resolve', order, '--accept', '--reason', 'it is fine']);
      const env = { ...shop.env, WECHAT_PAY_ORDER_BOOK: `lmdb:${path}`, TERM: 'xterm' };
      const key = { mchId: shop.merchant.mchId, outTradeNo: order };
      const no = await shop.programs.runProgram(command, args, { env, input: 'n\n' });
      expect(no.stdout).toContain('ordered 1990 CNY (¥19.90), paid 1991 CNY (¥19.91), ');
      expect(no.code).toBe(1);
      expect((await book.get(key))?.state).toBe('QUARANTINED');
      const yes = await shop.programs.runProgram(command, args, { env, input: 'y\n' });
      expect(yes.code).toBe(0);
      await bookShop.delivered(order);
    });
  });
});
