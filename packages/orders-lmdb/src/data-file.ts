import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const DATA = 'data.mdb';
const MAGIC = 0xbeefc0de;

// The layout of liblmdb's files, version 2: a page has a header of 24 bytes. The first two pages hold an `MDB_meta` each,
// of the last transaction and of the one before, with the roots of two trees: that of the free pages and that of the tables.
// Within a page everything is counted from behind its header (`PAGEBASE`).
const HEADER = 24;
const META = { magic: 24, pageSize: 48, freeRoot: 88, tablesRoot: 136, lastPage: 144, end: 160 };
const PAGE = { flags: 18, lower: 20 };
const BRANCH = 1;
const NODE = { low: 0, high: 2, flags: 4, keySize: 6, key: 8 };
/** The value of a node is in pages of its own; or it is a table, whose root stands there. */
const BIG = 1;
const TABLE = 2;
const TABLE_ROOT = 40;
const NO_PAGE = 2n ** 64n - 1n;

/**
 * LMDB maps the file into memory and believes what its first pages say: a file of something else, or one that was cut
 * off, would end the process when it is read.
 * @throws {Error} it is no file of LMDB, or a page that is in use is missing
 */
export function refuseDamagedFile(folder: string): void {
  const file = join(folder, DATA);
  if (!existsSync(file)) return;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return;
    const first = metaAt(descriptor, 0);
    const pageSize = first.readUInt32LE(META.pageSize);
    const second = metaAt(descriptor, pageSize);
    const metas = [first, second];
    const present = Math.floor(size / pageSize);
    if (metas.every((meta) => present > Number(meta.readBigUInt64LE(META.lastPage)))) return;
    // The last pages of a whole file may be missing: free ones, that were never written. What the older meta names is still
    // there, and LMDB may look at it.
    const roots = metas.flatMap((meta) => [META.freeRoot, META.tablesRoot].map((at) => meta.readBigUInt64LE(at)));
    refuseMissingPages(descriptor, pageSize, present, roots);
  } finally {
    closeSync(descriptor);
  }
}

function metaAt(descriptor: number, position: number): Buffer {
  const meta = Buffer.alloc(META.end);
  const length = readSync(descriptor, meta, 0, meta.length, position);
  if (length === meta.length && meta.readUInt32LE(META.magic) === MAGIC) return meta;
  throw new Error(position === 0 ? `${DATA} is no file of LMDB` : `${DATA} was cut off`);
}

function refuseMissingPages(descriptor: number, pageSize: number, present: number, roots: readonly bigint[]): void {
  const page = Buffer.alloc(pageSize);
  const waiting = roots.filter((root) => root !== NO_PAGE).map(Number);
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (number >= present) throw missing(number, present);
    readSync(descriptor, page, 0, pageSize, number * pageSize);
    const isBranch = (page.readUInt16LE(PAGE.flags) & BRANCH) !== 0;
    const end = HEADER + page.readUInt16LE(PAGE.lower);
    for (let at = HEADER; at < end; at += 2) {
      const node = page.subarray(HEADER + page.readUInt16LE(at));
      const flags = node.readUInt16LE(NODE.flags);
      const value = NODE.key + node.readUInt16LE(NODE.keySize);
      if (isBranch) {
        waiting.push(node.readUInt16LE(NODE.low) + node.readUInt16LE(NODE.high) * 2 ** 16 + flags * 2 ** 32);
      } else if (flags === BIG) {
        const length = node.readUInt16LE(NODE.low) + node.readUInt16LE(NODE.high) * 2 ** 16;
        const last = Number(node.readBigUInt64LE(value)) + Math.ceil((length + HEADER) / pageSize) - 1;
        if (last >= present) throw missing(last, present);
      } else if (flags === TABLE) {
        const root = node.readBigUInt64LE(value + TABLE_ROOT);
        if (root !== NO_PAGE) waiting.push(Number(root));
      }
    }
  }
}

function missing(number: number, present: number): Error {
  return new Error(`${DATA} was cut off: page ${number} is in use, and ${present} are there`);
}
