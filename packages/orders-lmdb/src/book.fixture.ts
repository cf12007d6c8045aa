import { LmdbOrderBook } from './lmdb-order-book.js';

/** For processes of the contract suite. */
export async function openBook({ path = '' }: Readonly<Record<string, string>>): Promise<LmdbOrderBook> {
  return new LmdbOrderBook({ path });
}
