import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrderKey } from '@wechat-h5/core/order-book';
import { applyAll, BookProcess, claim, eventually, intend, newKey, newKeys, paid } from '@wechat-h5/testkit/order-book';
import { open } from 'lmdb';
import { LmdbOrderBook } from './index.js';

const LEASE_MS = 60_000;
const folders: string[] = [];
const books: LmdbOrderBook[] = [];
const processes: BookProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await Promise.all(books.splice(0).map((book) => book.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'wechat-h5-lmdb-'));
  folders.push(path);
  return path;
}

function openBook(path: string): LmdbOrderBook {
  const book = new LmdbOrderBook({ path });
  books.push(book);
  return book;
}

async function start(path: string, count: number): Promise<BookProcess[]> {
  const started = await BookProcess.startAll({ module: join(__dirname, 'book.fixture.ts'), options: { path } }, count);
  processes.push(...started);
  return started;
}

test('P13: eight workers of a cluster share the folder: each of two hundred orders is delivered by one of them', async () => {
  const path = newFolder();
  const book = openBook(path);
  const keys = newKeys(200);
  await Promise.all(keys.map((key) => book.apply(key, intend(key))));
  const workers = await start(path, 8);
  const changes = keys.map((key) => paid(key));
  const won = await Promise.all(
    workers.map((one) => one.run<string[]>({ do: 'settle', keys, changes, leaseMs: LEASE_MS })),
  );
  expect(won.flat().sort()).toEqual(keys.map(({ outTradeNo }) => outTradeNo).sort());
  expect((await book.list({ delivery: 'DONE' }, { limit: 500 })).orders).toHaveLength(200);
}, 60_000);

test('P15: a full disk fails changes, loses none that was acknowledged, and it goes on when there is room', async () => {
  const path = newFolder();
  const book = openBook(path);
  const [worker] = await start(path, 1);
  if (worker === undefined) throw new Error('no process');
  const first = newKey();
  await worker.run({ do: 'apply', key: first, change: intend(first) });
  // No file of this process may grow any more: what a full disk says, for one process alone.
  limitFiles(worker.pid, String(statSync(join(path, 'data.mdb')).size));
  const acknowledged: OrderKey[] = [first];
  const failure = await eventually('there is no room', async () => {
    const key = newKey();
    try {
      await worker.run({ do: 'apply', key, change: intend(key) });
      acknowledged.push(key);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  });
  expect(failure.message).toContain('LMDB');
  limitFiles(worker.pid, 'unlimited');
  const last = newKey();
  await eventually('it goes on', () =>
    worker.run({ do: 'apply', key: last, change: intend(last) }).catch(() => undefined),
  );
  for (const key of [...acknowledged, last]) expect(await book.get(key)).toBeDefined();
});

test('a process that is stopped in the middle of a change keeps the others waiting for so long, and not for ever', async () => {
  const path = newFolder();
  const book = new LmdbOrderBook({ path, timeoutMs: 200 });
  books.push(book);
  const [worker] = await start(path, 1);
  if (worker === undefined) throw new Error('no process');
  const keys = newKeys(400);
  const changes = keys.map((key) => paid(key));
  // It is always at it: sooner or later it is stopped with the lock in its hands.
  const stuck = await eventually('it is stopped with the lock', async () => {
    const run = worker.run({ do: 'settle', keys, changes, leaseMs: LEASE_MS });
    worker.signal('SIGSTOP');
    const key = newKey();
    const result = await book.apply(key, intend(key)).then(
      () => undefined,
      (error: unknown) => error,
    );
    worker.signal('SIGCONT');
    await run;
    return result;
  });
  expect(stuck).toMatchObject({ code: 'ORDER_BOOK_FAILED' });
  const key = newKey();
  const { outcome } = await applyAll(book, key, [intend(key), paid(key), claim]);
  expect(outcome).toBe('applied');
});

test('P14: a folder of a later layout is refused', async () => {
  const path = newFolder();
  const root = open<string, string>({ path, encoding: 'string' });
  await root.put('layout', '2');
  await root.close();
  expect(() => new LmdbOrderBook({ path })).toThrow(expect.objectContaining({ code: 'ORDER_BOOK_FAILED' }));
});

function limitFiles(pid: number, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}
