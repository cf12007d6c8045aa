import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signedNotification } from '@wechat-h5/core/testing';
import { LmdbOrderBook } from '@wechat-h5/orders-lmdb';
import { BillGateway } from './bill-gateway.fixture.js';
import { BookShop } from './book-shop.fixture.js';
import { installBooks } from './books.fixture.js';
import { COMMANDS } from './commands.js';
import { EXIT } from './exit-codes.js';
import { Shop } from './shop.fixture.js';

const README = readFileSync(join(__dirname, '../README.md'), 'utf8');
const LINES = [...README.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => block.trimEnd().split('\n'));

let shop: Shop;
let bills: BillGateway;
let book: LmdbOrderBook;
let bookShop: BookShop;

beforeAll(async () => {
  shop = await Shop.open();
  bills = await BillGateway.open();
  const { folder } = shop.programs;
  mkdirSync(join(folder, 'bin'));
  // What npx does, without a registry.
  writeFileSync(
    join(folder, 'bin/npx'),
    `#!/bin/sh\n[ "$1" = @wechat-h5/cli ] || exit 99\nshift\nexec "${process.execPath}" "${shop.programs.program('cli')}" "$@"\n`,
  );
  chmodSync(join(folder, 'bin/npx'), 0o755);
  await shop.order(1990, 'TEA-20260801-0001');
  await shop.control('pay', { outTradeNo: await shop.order(1990, 'TEA-20260801-0002') });
  installBooks(folder);
  book = new LmdbOrderBook({ path: join(folder, 'orders') });
  bookShop = await BookShop.open(shop, book);
  bookShop.failing.add('TEA-20260801-0004');
  for (const [outTradeNo, totalFee] of [
    ['TEA-20260801-0003', '1'],
    ['TEA-20260801-0004', '1990'],
  ] as const) {
    await bookShop.order(outTradeNo);
    await bookShop.notify(outTradeNo, { total_fee: totalFee });
  }
  const variables = { ...shop.env, WECHAT_PAY_NOTIFY_URL: 'https://pay.example.com/wechat/notify' };
  writeFileSync(
    join(folder, 'production.env'),
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  writeFileSync(join(folder, 'body.xml'), signedNotification({}, shop.merchant));
  writeFileSync(join(folder, 'order.json'), JSON.stringify({ appid: shop.merchant.appId }));
});

afterAll(async () => {
  bills.close();
  await bookShop.close();
  await book.close();
  await shop.close();
});

test.each(LINES)('%s', async (line) => {
  const PATH = `${join(shop.programs.folder, 'bin')}:${process.env['PATH']}`;
  const gateway = / (bill|compare) /.test(line) ? { WECHAT_PAY_GATEWAY: bills.url } : {};
  const env = { WECHAT_PAY_ORDER_BOOK: 'lmdb:orders', ...shop.env, ...shop.withCertificate, ...gateway, PATH };
  const ran = await shop.programs.runProgram('sh', ['-c', line], { env });
  expect(ran.code).toBe(0);
  expect(ran.stdout === '' ? ran.stderr : ran.stdout).not.toBe('');
});

test('every command has a row, a line that is run, and examples; every exit code has a row', () => {
  for (const name of Object.keys(COMMANDS)) {
    expect(README).toMatch(new RegExp(`^\\| \`${name}[ \`]`, 'm'));
    expect(LINES.some((line) => line.startsWith(`npx @wechat-h5/cli ${name}`))).toBe(true);
    expect(COMMANDS[name]?.examples.every((example) => example.startsWith(name))).toBe(true);
  }
  const rows = [...README.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
  expect(rows).toEqual(Object.values(EXIT));
});
