export { startPgbouncer, type Pgbouncer } from './pgbouncer.js';
export { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.js';
export { startRedis, type RedisOptions, type RedisServer } from './redis.js';
export { describeWithStores, type Store } from './with-stores.js';
export { runReadmeProgram } from './readme-program.js';
