import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { orderId } from '@wechat-h5/core/order-book';
import { sharedOrderBookCases, type SharedOrderBookHarness } from '@wechat-h5/testkit/order-book';
import { open } from 'lmdb';
import { openBook } from './book.fixture.js';
import type { LmdbOrderBook } from './index.js';

const lmdb: SharedOrderBookHarness = {
  name: 'lmdb',
  async create() {
    const path = mkdtempSync(join(tmpdir(), 'wechat-h5-lmdb-'));
    const books: LmdbOrderBook[] = [];
    return {
      program: { module: join(__dirname, 'book.fixture.ts'), options: { path } },
      async open() {
        const book = await openBook({ path });
        books.push(book);
        return book;
      },
      async stored(key) {
        // Opened anew each time: it sees what is in the file and nothing else.
        const root = open({ path, encoding: 'string', maxDbs: 8, readOnly: true });
        const id = orderId(key);
        const record = root.openDB<string, string>({ name: 'orders', encoding: 'string' }).get(id);
        const due = [...root.openDB<string, [number, string]>({ name: 'due', encoding: 'string' }).getKeys()];
        const names = [...root.openDB<string, string>({ name: 'names', encoding: 'string' }).getRange()];
        await root.close();
        if (record === undefined) return undefined;
        return {
          record,
          dueAt: due.find(([, owner]) => owner === id)?.[0],
          names: names.filter(({ value }) => value === id).map(({ key: name }) => name),
        };
      },
      async remove() {
        await Promise.all(books.map((book) => book.close()));
        rmSync(path, { recursive: true, force: true });
      },
    };
  },
};

test.each(sharedOrderBookCases)('$id $title', ({ run }) => run(lmdb), 180_000);
