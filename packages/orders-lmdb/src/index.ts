export { LmdbOrderBook } from './lmdb-order-book.js';
export type { LmdbOrderBookOptions } from './options.js';
