import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertAttemptsFound } from '@wechat-h5/testkit/order-book';
import { LmdbOrderBook } from './index.js';

test('the attempts of one purchase are found without reading the other orders', async () => {
  const path = mkdtempSync(join(tmpdir(), 'wechat-h5-lmdb-'));
  const book = new LmdbOrderBook({ path });
  try {
    const read = jest.spyOn(JSON, 'parse');
    await assertAttemptsFound(book, () => read.mock.calls.length, 10);
    read.mockRestore();
  } finally {
    await book.close();
    rmSync(path, { recursive: true, force: true });
  }
});
