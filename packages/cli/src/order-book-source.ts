import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isWechatH5Error, type OrderBook } from '@wechat-h5/core';
import type { Arguments, OptionSpec } from './arguments.js';
import type { Context } from './command.js';
import { EXIT } from './exit-codes.js';
import { Failure, usage } from './failure.js';

type Lmdb = typeof import('@wechat-h5/orders-lmdb');
type Postgres = typeof import('@wechat-h5/orders-postgres');
type Redis = typeof import('@wechat-h5/orders-redis');

interface Opened {
  readonly book: OrderBook;
  close(): Promise<unknown>;
}

const VARIABLE = 'WECHAT_PAY_ORDER_BOOK';
const CONNECT_MS = 5000;

export const BOOK: OptionSpec = {
  type: 'string',
  value: '<module>',
  text: {
    en: `a JavaScript module that exports orderBook, instead of ${VARIABLE}`,
    zh: `导出 orderBook 的 JavaScript 模块（代替 ${VARIABLE}）`,
  },
};

/** How a book is named, for `--help`. */
export const BOOK_SOURCES = {
  en: `The order book comes from ${VARIABLE} (lmdb:/path/of/the/folder, postgres://…?schema=…, redis://…?prefix=…)
or from --book. Its package is looked for in this folder first: the one that the shop uses.`,
  zh: `订单簿取自 ${VARIABLE}（lmdb:/目录、postgres://…?schema=…、redis://…?prefix=…）或 --book。
首先在当前目录中查找所需的包，即商户程序所用的版本。`,
};

/**
 * Opens the book, works with it, and closes it again.
 * @throws {Failure} of configuration: none is named, or its package is not installed
 * @throws {WechatH5Error} `ORDER_BOOK_FAILED`: it is away, or cannot be used
 */
export async function withOrderBook<T>(
  args: Arguments,
  { env }: Context,
  work: (book: OrderBook) => Promise<T>,
): Promise<T> {
  const { book, close } = await opened(args.text('book'), env[VARIABLE]?.trim() || undefined);
  try {
    await book.open?.();
    return await work(book);
  } finally {
    await close();
  }
}

function opened(module: string | undefined, url: string | undefined): Promise<Opened> {
  if (module !== undefined) return fromModule(module);
  const scheme = /^(\w+):/.exec(url ?? '')?.[1]?.toLowerCase();
  if (url !== undefined && scheme === 'lmdb') return fromLmdb(url.slice('lmdb:'.length));
  if (url !== undefined && (scheme === 'postgres' || scheme === 'postgresql')) return fromPostgres(url);
  if (url !== undefined && (scheme === 'redis' || scheme === 'rediss')) return fromRedis(url);
  throw configuration(
    url === undefined
      ? { en: `Which order book? ${VARIABLE} is not set`, zh: `未指定订单簿：${VARIABLE} 未设置` }
      : { en: `${VARIABLE} names no kind of order book`, zh: `${VARIABLE} 不是受支持的订单簿` },
    {
      en: `Set it to lmdb:/path, postgres://… or redis://…, or give --book a module that exports orderBook.`,
      zh: `请设置为 lmdb:/目录、postgres://… 或 redis://…，或用 --book 指定导出 orderBook 的模块。`,
    },
  );
}

async function fromLmdb(folder: string): Promise<Opened> {
  const path = resolve(folder.replace(/^\/\/(?=\/)/, ''));
  // Opening it would make it: an order looked for under a wrong path must not be "not there".
  if (!existsSync(join(path, 'data.mdb'))) {
    throw configuration(
      { en: `There is no order book in ${path}`, zh: `${path} 中没有订单簿` },
      { en: `Check the path in ${VARIABLE}.`, zh: `请检查 ${VARIABLE} 中的路径。` },
    );
  }
  const { LmdbOrderBook } = installed<Lmdb>('@wechat-h5/orders-lmdb');
  const book = new LmdbOrderBook({ path });
  return { book, close: () => book.close() };
}

async function fromPostgres(text: string): Promise<Opened> {
  const { PostgresOrderBook } = installed<Postgres>('@wechat-h5/orders-postgres', 'pg');
  const { Pool } = installed<typeof import('pg')>('pg');
  const { url: connectionString, option: schema } = withoutOption(text, 'schema');
  const pool = new Pool({ connectionString, max: 2, connectionTimeoutMillis: CONNECT_MS });
  const book = new PostgresOrderBook({ pool, ...(schema !== undefined && { schema }) });
  // What handlers would write through does not matter: no command hands anything over.
  return { book: book as OrderBook<unknown> as OrderBook, close: () => pool.end() };
}

async function fromRedis(text: string): Promise<Opened> {
  const { RedisOrderBook } = installed<Redis>('@wechat-h5/orders-redis', 'ioredis');
  const { Redis: Client } = installed<typeof import('ioredis')>('ioredis');
  const { url, option: prefix } = withoutOption(text, 'prefix');
  const client = new Client(url, { connectTimeout: CONNECT_MS, maxRetriesPerRequest: 0 });
  // What a command meets is told by the command.
  client.on('error', () => {});
  const book = new RedisOrderBook({ client, ...(prefix !== undefined && { prefix }) });
  return { book, close: async () => client.disconnect() };
}

/** Whoever made the book closes it: that module, if anybody. */
async function fromModule(file: string): Promise<Opened> {
  if (/^\w{2,}:/.test(file)) {
    throw usage(
      { en: '--book takes the path of a module', zh: '--book 需要模块文件的路径' },
      {
        en: `An address may hold a password: give it as ${VARIABLE}, in the environment or with --env.`,
        zh: `地址可能包含密码：请通过 ${VARIABLE}（环境变量或 --env）提供。`,
      },
    );
  }
  let exported: { orderBook?: unknown; default?: unknown };
  try {
    exported = (await import(pathToFileURL(resolve(file)).href)) as typeof exported;
  } catch (error) {
    if (isWechatH5Error(error)) throw error;
    const { code = error instanceof Error ? error.name : 'Error' } = error as NodeJS.ErrnoException;
    throw configuration(
      { en: `--book: ${file} cannot be loaded (${code})`, zh: `--book：无法加载 ${file}（${code}）` },
      { en: `Try: node ${file}`, zh: `请尝试：node ${file}` },
    );
  }
  // A CommonJS module's exports are its `default`.
  const inner = (exported.default as { orderBook?: unknown } | undefined)?.orderBook;
  const book = [exported.orderBook, inner, exported.default].find(isOrderBook);
  if (book !== undefined) return { book, close: async () => {} };
  throw configuration(
    { en: `--book: ${file} exports no orderBook`, zh: `--book：${file} 没有导出 orderBook` },
    { en: 'export const orderBook = new …OrderBook(…);', zh: 'export const orderBook = new …OrderBook(…);' },
  );
}

function isOrderBook(value: unknown): value is OrderBook {
  const { apply, get, list } = (value ?? {}) as Partial<Record<keyof OrderBook, unknown>>;
  return [apply, get, list].every((method) => typeof method === 'function');
}

/** Options of the book stand in the address beside those of its client, which does not know them. */
function withoutOption(text: string, name: string): { url: string; option: string | undefined } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw configuration(
      { en: `${VARIABLE} is no address`, zh: `${VARIABLE} 不是有效地址` },
      {
        en: 'Write postgres://user:password@host/database; in a password escape what is special, such as %40 for @.',
        zh: '请写成 postgres://user:password@host/database；密码中的特殊字符需转义，例如 @ 写作 %40。',
      },
    );
  }
  const option = url.searchParams.get(name) ?? undefined;
  // Only then: writing the query anew may change how the rest is spelt.
  if (option !== undefined) url.searchParams.delete(name);
  return { url: option === undefined ? text : url.href, option };
}

/** The shop's own copy if the command runs in its folder, else the one installed beside this program. */
function installed<Module>(name: string, ...alsoNeeded: readonly string[]): Module {
  const program = process.argv[1] ?? '';
  for (const folder of [process.cwd(), dirname(program)]) {
    const require = createRequire(join(folder, 'index.js'));
    let found: string;
    try {
      found = require.resolve(name);
    } catch {
      continue;
    }
    return require(found) as Module;
  }
  const packages = [name, ...alsoNeeded].join(' ');
  throw configuration(
    { en: `This order book needs ${name}, which is not installed here`, zh: `该订单簿需要 ${name}，当前未安装` },
    {
      en: `Run the command in the shop's folder, or: npm install ${packages}`,
      zh: `请在商户程序的目录中运行，或执行：npm install ${packages}`,
    },
  );
}

function configuration(text: Failure['text'], hint: Failure['text']): Failure {
  return new Failure(EXIT.CONFIGURATION, text, hint);
}
