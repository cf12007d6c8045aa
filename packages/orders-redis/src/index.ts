export { RedisOrderBook, type RedisOrderBookOptions } from './redis-order-book.js';
export type { IoredisLike, NodeRedisLike, RedisClient } from './client.js';
