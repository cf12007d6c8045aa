export { PostgresOrderBook } from './postgres-order-book.js';
export type { PostgresOrderBookOptions } from './options.js';
