import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeOrder, type OrderKey, type OrderRecord } from '@wechat-h5/core/order-book';
import {
  applyAll,
  BookProcess,
  claim,
  dueSince,
  eventually,
  intend,
  newKey,
  newKeys,
  paid,
} from '@wechat-h5/testkit/order-book';
import { open } from 'lmdb';
import { LmdbOrderBook } from './index.js';

const PAGE = 4096;
/** The two first pages say which others count. */
const HEADS = 2;
/** Where the number of the transaction begins in each of them; it is what is written last. */
const TRANSACTION_AT = 152;

const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-torn-'));
let copies = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newFolder(): string {
  const path = join(folder, String(++copies));
  mkdirSync(path);
  return path;
}

/** A folder with this data file, as after a restart of the machine. */
function folderWith(data: Buffer): string {
  const path = newFolder();
  writeFileSync(join(path, 'data.mdb'), data);
  return path;
}

/** Everything the book says, each way of asking. */
async function contentsOf(data: Buffer): Promise<string> {
  const path = folderWith(data);
  const book = new LmdbOrderBook({ path });
  try {
    const { orders } = await book.list({}, { limit: 1000 });
    const texts = await Promise.all(
      orders.map(async ({ key, payment }) => {
        const byKey = await book.get(key);
        const byName = payment && (await book.findByTransactionId(key.mchId, payment.transactionId));
        return textOf(byKey) + textOf(byName);
      }),
    );
    const root = open({ path, encoding: 'string', maxDbs: 8, readOnly: true });
    const due = [...root.openDB<string, [number, string]>({ name: 'due', encoding: 'string' }).getKeys()];
    await root.close();
    const all = [...texts, ...due];
    // Short, so that a difference can be read.
    return `${orders.length} orders, ${due.length} due, ${createHash('sha256').update(JSON.stringify(all)).digest('hex')}`;
  } finally {
    await book.close();
    rmSync(path, { recursive: true });
  }
}

function textOf(order: OrderRecord | undefined): string {
  return order === undefined ? 'none' : encodeOrder(order);
}

/** A book at work: data files before and after each of its commits. */
async function commits(): Promise<{ before: Buffer; after: Buffer }[]> {
  const path = newFolder();
  const book = new LmdbOrderBook({ path });
  const seen: { before: Buffer; after: Buffer }[] = [];
  const data = (): Buffer => readFileSync(join(path, 'data.mdb'));
  for (let n = 0; n < 25; n++) {
    const key = newKey();
    for (const change of [intend(key), dueSince(n), paid(key), claim]) {
      const before = data();
      await book.apply(key, change);
      if (n > 20) seen.push({ before, after: data() });
    }
  }
  await book.close();
  return seen;
}

const pageOf = (data: Buffer, n: number): Buffer => data.subarray(n * PAGE, (n + 1) * PAGE);

/** Those pages of `after` laid over `before`. */
function withPages(before: Buffer, after: Buffer, pages: readonly number[]): Buffer {
  const data = Buffer.alloc(Math.max(before.length, ...pages.map((n) => (n + 1) * PAGE)));
  before.copy(data);
  for (const n of pages) pageOf(after, n).copy(data, n * PAGE);
  return data;
}

test('P16: the machine loses power in the middle of a commit: with any of its pages on the disk, it has not happened', async () => {
  for (const { before, after } of await commits()) {
    const [was, is] = [await contentsOf(before), await contentsOf(after)];
    expect(is).not.toBe(was);
    const count = after.length / PAGE;
    const changed = Array.from({ length: count }, (_, n) => n).filter(
      (n) => !pageOf(before, n).equals(pageOf(after, n)),
    );
    const pages = changed.filter((n) => n >= HEADS);
    expect(changed.length - pages.length).toBe(1);
    for (let n = 0; n <= pages.length; n++) {
      expect(await contentsOf(withPages(before, after, pages.slice(0, n)))).toBe(was);
      expect(await contentsOf(withPages(before, after, pages.slice(n)))).toBe(was);
    }
    expect(await contentsOf(withPages(before, after, changed))).toBe(is);
  }
}, 300_000);

test('P16: the page that makes a commit valid is cut at every byte: it has happened, or it has not', async () => {
  for (const { before, after } of (await commits()).slice(-4)) {
    const [was, is] = [await contentsOf(before), await contentsOf(after)];
    const head = [0, 1].find((n) => !pageOf(before, n).equals(pageOf(after, n))) ?? 0;
    const count = after.length / PAGE;
    const pages = Array.from({ length: count - HEADS }, (_, n) => n + HEADS);
    const written = withPages(before, after, pages);
    let happened = 0;
    for (let length = 0; length <= TRANSACTION_AT + 8; length++) {
      if (
        length > 0 &&
        written[head * PAGE + length - 1] === after[head * PAGE + length - 1] &&
        length <= TRANSACTION_AT
      )
        continue;
      const torn = Buffer.from(written);
      after.copy(torn, head * PAGE, head * PAGE, head * PAGE + length);
      const seen = await contentsOf(torn);
      expect([was, is]).toContain(seen);
      if (seen === is) happened++;
    }
    expect(happened).toBeGreaterThan(0);
  }
}, 300_000);

test('P16: a file that was cut off, at every page and inside of pages: it is refused, or nothing is lost', async () => {
  const path = newFolder();
  const book = new LmdbOrderBook({ path });
  for (const key of newKeys(30)) await applyAll(book, key, [intend(key), paid(key)]);
  await book.close();
  const whole = readFileSync(join(path, 'data.mdb'));
  const all = await contentsOf(whole);
  let refused = 0;
  for (let length = 1; length < whole.length; length += PAGE / 2) {
    const seen = await contentsOf(whole.subarray(0, length)).catch((error: unknown) => error);
    if (typeof seen === 'string') expect(seen).toBe(all);
    else {
      expect([length, String(seen)]).toEqual([length, expect.stringContaining('LMDB: "data.mdb ')]);
      expect(seen).toMatchObject({ code: 'ORDER_BOOK_FAILED' });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(whole.length / PAGE);
  expect(await contentsOf(whole)).toBe(all);
}, 120_000);

test('P16: a file without its last pages, after every commit of a book: it is refused, or nothing is lost', async () => {
  const path = newFolder();
  const book = new LmdbOrderBook({ path });
  let refused = 0;
  let whole = 0;
  // Which page is the last one that is in use differs from commit to commit.
  for (const key of newKeys(150)) {
    for (const change of [intend(key), paid(key)]) {
      await book.apply(key, change);
      const data = readFileSync(join(path, 'data.mdb'));
      const all = await contentsOf(data);
      for (let missing = 1; missing <= 4; missing++) {
        const seen = await contentsOf(data.subarray(0, data.length - missing * PAGE)).catch((error: unknown) => error);
        if (typeof seen === 'string') {
          expect(seen).toBe(all);
          whole++;
        } else {
          expect(String(seen)).toContain('LMDB: "data.mdb ');
          refused++;
        }
      }
    }
  }
  await book.close();
  expect(refused).toBeGreaterThan(200);
  expect(whole).toBeGreaterThan(0);
}, 120_000);

test('P16: a file whose last pages are free and were never written is whole', async () => {
  const path = newFolder();
  const book = new LmdbOrderBook({ path });
  const key = newKey();
  await applyAll(book, key, [intend(key), paid(key)]);
  await book.close();
  const root = open<string, string>({ path, encoding: 'string', maxDbs: 8 });
  const table = root.openDB<string, string>({ name: 'other', encoding: 'string' });
  for (let n = 0; n < 50; n++) await table.put(`k${n}`, 'x'.repeat(1000));
  await table.drop();
  await root.close();
  const data = readFileSync(join(path, 'data.mdb'));
  truncateSync(join(path, 'data.mdb'), data.length - PAGE);
  const short = readFileSync(join(path, 'data.mdb'));
  expect(await contentsOf(short)).toEqual(await contentsOf(data));
});

test('P16: killed in the middle of its writes, again and again: all that was said to be done is there, and every table agrees', async () => {
  const path = newFolder();
  const keys = newKeys(200);
  const changes = keys.map((key) => paid(key));
  const first = new LmdbOrderBook({ path });
  await Promise.all(keys.map((key) => first.apply(key, intend(key))));
  await first.close();
  const said = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const victim = (
      await BookProcess.startAll({ module: join(__dirname, 'book.fixture.ts'), options: { path } }, 1)
    )[0];
    if (victim === undefined) throw new Error('no process');
    const run = victim.run({ do: 'settle', keys, changes, leaseMs: 1 }).catch(() => {});
    await eventually('it has delivered some', async () => (victim.done.length > 7 * (round + 1) ? true : undefined));
    await victim.kill();
    await run;
    for (const number of victim.done) said.add(number);
    await expectSound(path, keys, said);
  }
}, 120_000);

async function expectSound(path: string, keys: readonly OrderKey[], said: ReadonlySet<string>): Promise<void> {
  // A copy, as the machine would find it.
  const copy = newFolder();
  copyFileSync(join(path, 'data.mdb'), join(copy, 'data.mdb'));
  const book = new LmdbOrderBook({ path: copy });
  const { orders } = await book.list({}, { limit: 1000 });
  expect(orders.map(({ key }) => key.outTradeNo).sort()).toEqual(keys.map(({ outTradeNo }) => outTradeNo).sort());
  for (const { key, delivery, payment } of orders) {
    if (said.has(key.outTradeNo)) expect(delivery.state).toBe('DONE');
    if (payment !== undefined)
      expect((await book.findByTransactionId(key.mchId, payment.transactionId))?.key).toEqual(key);
  }
  await book.close();
}
