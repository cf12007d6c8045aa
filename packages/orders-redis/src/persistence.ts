import type { Command } from './client.js';
import { forgetful } from './failures.js';

/**
 * Refuses a server that evicts keys or keeps nothing on a disk, or that only follows another one.
 * @throws {WechatH5Error} `ORDER_BOOK_FAILED` with the setting as `field`
 */
export async function checkPersistence(command: Command): Promise<void> {
  const [memory, persistence, replication] = [
    infoOf(await command('INFO', 'memory')),
    infoOf(await command('INFO', 'persistence')),
    infoOf(await command('INFO', 'replication')),
  ];
  const policy = memory.get('maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction') throw forgetful('maxmemory-policy', policy, 'noeviction');
  if (persistence.get('aof_enabled') !== '1') throw forgetful('appendonly', 'no', 'yes');
  const role = replication.get('role') ?? 'unknown';
  if (role !== 'master') throw forgetful('replicaof', role, 'none: connect to the primary');
  const fsync = await appendfsync(command);
  if (fsync === 'no') throw forgetful('appendfsync', 'no', 'everysec or always');
}

/** Hosted servers keep CONFIG to themselves, and do not switch this off: then it is not known. */
async function appendfsync(command: Command): Promise<string | undefined> {
  try {
    const reply = await command('CONFIG', 'GET', 'appendfsync');
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
  } catch {
    return undefined;
  }
}

function infoOf(reply: unknown): ReadonlyMap<string, string> {
  const lines = String(reply).split(/\r?\n/);
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
    }),
  );
}
