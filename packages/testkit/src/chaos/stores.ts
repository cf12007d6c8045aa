import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startPgbouncer, startPostgres, startRedis, type RedisOptions } from '../stores/index.js';
import { findBinary } from '../servers/installed.js';
import { ROOT } from '../workspace.js';

/** A durable book and the server behind it, if there is one. */
export interface ChaosStore {
  readonly name: string;
  /** Exports `openBook(options)`. */
  readonly book: string;
  /** The server's clock decides, so that shops may have wrong ones. */
  readonly hasClock: boolean;
  start(folder: string): Promise<RunningStore>;
}

/** Reads go around the book: by the store's own means, and at the end of a run only. */
export interface RunningStore {
  readonly options: Readonly<Record<string, string>>;
  /** Another way to the same store. */
  readonly otherOptions?: Readonly<Record<string, string>>;
  /** Ends the server without a warning, and starts it again. */
  readonly crash?: () => Promise<void>;
  /** What somebody else keeps on the same server, if it is a shared one: some of it is used. */
  readonly disturb?: () => void;
  /** The record as text. */
  stored(mchId: string, outTradeNo: string): string | undefined;
  /** How often handlers wrote in their transactions, by order; `undefined`: this book offers none. */
  effects(): ReadonlyMap<string, number> | undefined;
  stop(): Promise<void>;
}

const bookOf = (name: string): string => join(ROOT, 'packages', name, 'src/book.fixture.ts');
const idOf = (mchId: string, outTradeNo: string): string => `${mchId}  ${outTradeNo}`;

/** As much of lmdb as is used here. */
interface Lmdb {
  open(options: object): { openDB(options: object): { get(key: string): string | undefined }; close(): Promise<void> };
}

export const lmdb: ChaosStore = {
  name: 'lmdb',
  book: bookOf('orders-lmdb'),
  // All processes share the clock of their machine.
  hasClock: false,
  async start(folder) {
    const path = join(folder, 'book');
    let root: ReturnType<Lmdb['open']> | undefined;
    return {
      options: { path },
      stored(mchId, outTradeNo) {
        const client = createRequire(bookOf('orders-lmdb'))('lmdb') as Lmdb;
        root ??= client.open({ path, encoding: 'string', maxDbs: 8, readOnly: true });
        return root.openDB({ name: 'orders', encoding: 'string' }).get(idOf(mchId, outTradeNo));
      },
      effects: () => undefined,
      stop: async () => root?.close(),
    };
  },
};

const SCHEMA = 'chaos';

export const postgres: ChaosStore = {
  name: 'postgres',
  book: bookOf('orders-postgres'),
  hasClock: true,
  async start() {
    const server = await startPostgres();
    const { url } = server;
    const bouncer = findBinary('pgbouncer') === undefined ? undefined : await startPgbouncer(server, 5);
    // No key and no unique index: nothing but the book keeps a second row out.
    server.query('CREATE TABLE chaos_effect (out_trade_no text NOT NULL, attempt int NOT NULL)');
    return {
      options: { url, schema: SCHEMA },
      ...(bouncer && { otherOptions: { url: bouncer.url, schema: SCHEMA } }),
      crash: () => server.restart('immediate'),
      stored(mchId, outTradeNo) {
        const where = `mch_id = '${mchId}' AND out_trade_no = '${outTradeNo}'`;
        return server.query(`SELECT record::text FROM ${SCHEMA}.wechat_h5_order WHERE ${where}`) || undefined;
      },
      effects() {
        const rows = server.query('SELECT out_trade_no, count(*) FROM chaos_effect GROUP BY out_trade_no');
        const pairs = rows.split('\n').filter((row) => row !== '');
        return new Map(pairs.map((row) => row.split('|')).map(([number = '', count]) => [number, Number(count)]));
      },
      async stop() {
        await bouncer?.stop();
        await server.stop();
      },
    };
  },
};

const PREFIX = 'chaos';

export const redis: ChaosStore = redisWith({});

/** A Redis that is a cache for something else as well, and may drop what was used the longest ago. */
export const evictingRedis: ChaosStore = redisWith(
  { settings: { maxmemory: '3mb', 'maxmemory-policy': 'allkeys-lru' } },
  100_000,
);

function redisWith(options: RedisOptions, foreignBytes = 0): ChaosStore {
  return {
    name: 'redis',
    book: bookOf('orders-redis'),
    hasClock: true,
    async start() {
      const server = await startRedis(options);
      let pages = 0;
      return {
        options: { url: server.url, prefix: PREFIX, library: 'ioredis' },
        crash: () => server.restart('kill'),
        ...(foreignBytes > 0 && {
          disturb: () => void server.command('SET', `page:${++pages}`, '-'.repeat(foreignBytes)),
        }),
        stored: (mchId, outTradeNo) =>
          server.command('HGET', `{${PREFIX}}:order:${idOf(mchId, outTradeNo)}`, 'record') || undefined,
        effects: () => undefined,
        stop: () => server.stop(),
      };
    },
  };
}

export const chaosStores: readonly ChaosStore[] = [lmdb, postgres, redis];
