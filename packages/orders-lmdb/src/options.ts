import { mkdirSync, statfsSync } from 'node:fs';
import { WechatH5Error } from '@wechat-h5/core';
import { quoted } from '@wechat-h5/core/order-book';
import { refuseDamagedFile } from './data-file.js';

export interface LmdbOrderBookOptions {
  /** The folder of the book's files, made if it is not there. On a disk of this machine. */
  path: string;
  /** Milliseconds to wait for the store, 100 to 60 000: another process may hold its lock. Default 3000. */
  timeoutMs?: number;
  /** See `leaseMs` of the port; 500 to 3 600 000. Default 30 000. */
  leaseMs?: number;
}

// Of statfs(2): their locks and their shared memory do not reach the other machine.
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x00c36400, 'Ceph'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x5346414f, 'AFS'],
]);

/** @throws {WechatH5Error} `OPTIONS_INVALID` */
export function checked({
  path,
  timeoutMs = 3000,
  leaseMs = 30_000,
}: LmdbOrderBookOptions): Required<LmdbOrderBookOptions> {
  if (typeof path !== 'string' || path === '') {
    throw new WechatH5Error('OPTIONS_INVALID', 'path is not the name of a folder', {
      field: 'path',
      hint: 'Name a folder on this machine that this program may write to. 请填写本机可写的目录。',
    });
  }
  return {
    path,
    timeoutMs: milliseconds('timeoutMs', timeoutMs, 100, 60_000),
    leaseMs: milliseconds('leaseMs', leaseMs, 500, 3_600_000),
  };
}

function milliseconds(field: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new WechatH5Error('OPTIONS_INVALID', `${field} is ${quoted(String(value))}`, {
    field,
    hint: `Give whole milliseconds from ${least} to ${most}. 请填写 ${least} 到 ${most} 之间的整数毫秒。`,
  });
}

/**
 * Makes the folder.
 * @throws {WechatH5Error} `OPTIONS_INVALID`: it lies on another machine; `ORDER_BOOK_FAILED`: it cannot be made, or holds
 *   something else, or a part of its files is missing
 */
export function prepareFolder(path: string): void {
  let type: number;
  try {
    mkdirSync(path, { recursive: true });
    ({ type } = statfsSync(path));
    refuseDamagedFile(path);
  } catch (error) {
    throw bookFailed(error);
  }
  const remote = networkFileSystem(type);
  if (remote === undefined) return;
  throw new WechatH5Error('OPTIONS_INVALID', `path lies on another machine (${remote})`, {
    field: 'path',
    hint: 'LMDB is for the processes of one machine. For several machines use @wechat-h5/orders-postgres. LMDB 仅适用于单台机器，多台机器请使用 @wechat-h5/orders-postgres。',
  });
}

/** What `statfs` calls the type of a file system that other machines may share, or `undefined`. */
export function networkFileSystem(type: number): string | undefined {
  // Some of them do not fit a signed 32-bit number.
  return NETWORK_FILE_SYSTEMS.get(type < 0 ? type + 2 ** 32 : type);
}

export function bookFailed(error: unknown): WechatH5Error {
  const text = quoted(error instanceof Error ? error.message : String(error), 200);
  return new WechatH5Error('ORDER_BOOK_FAILED', `LMDB: ${text}`, {
    hint: 'Nothing is known to be stored. Look at the free space and the permissions of the folder. 请检查目录的剩余空间和权限。',
    cause: error,
  });
}
