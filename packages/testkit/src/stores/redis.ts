import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../servers/free-port.js';
import { binaryOf, clockLibrary } from '../servers/installed.js';
import { startServer, type Endpoint, type ServerProcess } from '../servers/server-process.js';

export interface RedisOptions {
  /** Lines of redis.conf, laid over those of a server that keeps what it acknowledged. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Another folder than a temporary one, which is then left where it is. */
  readonly folder?: string;
  /** So that {@link RedisServer.setClock} works. */
  readonly hasOwnClock?: boolean;
}

/** A Redis server of its own, in a temporary folder, on a free port of 127.0.0.1. */
export interface RedisServer extends Endpoint {
  /** `redis://127.0.0.1:PORT`. */
  readonly url: string;
  readonly folder: string;
  readonly pid: number;
  /** Runs a command with redis-cli, beside whatever client is under test. */
  command(...args: readonly string[]): string;
  /** Ends it (SIGTERM; `kill` is kill -9) and starts it again on the same port. */
  restart(mode?: 'term' | 'kill'): Promise<void>;
  /** Ends it and keeps its files. */
  halt(mode?: 'term' | 'kill'): Promise<void>;
  start(): Promise<void>;
  /** Its clock jumps, to so many seconds before or after the machine's. What waits in it does not notice. */
  setClock(offset: number): void;
  /** Ends it and removes its files. Safe to call twice. */
  stop(): Promise<void>;
}

const PACKAGE = 'redis-server';
const HOST = '127.0.0.1';
/** What an order book asks of a Redis. */
const KEEPS: Readonly<Record<string, string>> = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'maxmemory-policy': 'noeviction',
};

/**
 * Starts Redis. With `settings: { maxmemory: '4mb', 'maxmemory-policy': 'allkeys-lru' }` it is one that forgets.
 * @throws {Error} when it is not installed, or does not start, with what it said
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { settings = {}, folder: given, hasOwnClock = false } = options;
  const binary = binaryOf('redis-server', PACKAGE);
  const folder = given ?? mkdtempSync(join(tmpdir(), 'wechat-h5-redis-'));
  const port = await freePort(HOST);
  const clock = join(folder, 'clock');
  const setClock = (offset: number): void => writeFileSync(clock, `${offset < 0 ? '' : '+'}${offset}`);
  const env = { PATH: process.env['PATH'], HOME: folder, ...(hasOwnClock && clockOf(clock)) };
  if (hasOwnClock) setClock(0);
  const lines = { bind: HOST, port: `${port}`, dir: folder, save: '', ...KEEPS, ...settings };
  const args = Object.entries(lines).flatMap(([name, value]) => [`--${name}`, value]);
  let server: ServerProcess | undefined;
  const start = async (): Promise<void> => {
    if (server !== undefined) return;
    const endpoint = { host: HOST, port };
    server = await startServer({ binary, args, env, cwd: folder, isReady: () => answers(endpoint) }, endpoint);
  };
  const halt = async (mode: 'term' | 'kill' = 'term'): Promise<void> => {
    await server?.end(mode === 'term' ? 'SIGTERM' : 'SIGKILL');
    server = undefined;
  };
  const removeFolder = (): void => {
    if (given === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    removeFolder();
    throw error;
  }
  return {
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    folder,
    get pid() {
      return server?.pid ?? 0;
    },
    command(...words) {
      const cli = binaryOf('redis-cli', PACKAGE);
      const done = spawnSync(cli, ['-h', HOST, '-p', `${port}`, '-e', '--raw', ...words], { encoding: 'utf8' });
      if (done.status === 0) return done.stdout.trimEnd();
      throw new Error(`redis-cli ${words[0] ?? ''} ended with ${done.status}\n${done.stdout}${done.stderr}`);
    },
    async restart(mode) {
      await halt(mode);
      await start();
    },
    halt,
    start,
    setClock,
    async stop() {
      await halt('kill');
      removeFolder();
    },
  };
}

/** It looks into the file each time it is asked for the time. */
function clockOf(file: string): Readonly<Record<string, string>> {
  return {
    // The allocator of Redis asks for the time before the library is ready to tell it: that of libc does not.
    LD_PRELOAD: `${clockLibrary()} libc.so.6`,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** A server that still reads its files accepts connections and answers `-LOADING`. */
async function answers(endpoint: Endpoint): Promise<boolean> {
  const socket = connect(endpoint);
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return /^(\+PONG|-NOAUTH)/.test(reply.toString());
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
