import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbOrderBook } from './index.js';
import { networkFileSystem } from './options.js';

const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-lmdb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [{ path: '' }, 'path'],
  [{ path: undefined as never }, 'path'],
  [{ path: folder, timeoutMs: 99 }, 'timeoutMs'],
  [{ path: folder, timeoutMs: 1.5 * 1000 + 0.5 }, 'timeoutMs'],
])('%j is refused at start', (options, field) => {
  expect(() => new LmdbOrderBook(options)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID', field }));
});

test('P17: what cannot be a folder is refused at start', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => new LmdbOrderBook({ path: join(folder, 'file') })).toThrow(
    expect.objectContaining({ code: 'ORDER_BOOK_FAILED' }),
  );
});

test('P17: files that are no book are refused at start', () => {
  const path = mkdtempSync(join(folder, 'garbage-'));
  writeFileSync(join(path, 'data.mdb'), 'x'.repeat(20_000));
  chmodSync(join(path, 'data.mdb'), 0o600);
  expect(() => new LmdbOrderBook({ path })).toThrow(expect.objectContaining({ code: 'ORDER_BOOK_FAILED' }));
});

test.each([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xff534d42 | 0, 'CIFS'],
  [0xef53, undefined],
  [0x01021994, undefined],
])('the file system %p of statfs(2) is of another machine: %p', (type, name) => {
  expect(networkFileSystem(type)).toBe(name);
});
