import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../servers/free-port.js';
import { binaryOf } from '../servers/installed.js';
import { startServer, type Endpoint, type ServerProcess } from '../servers/server-process.js';
import { giveTo, unprivilegedUser } from '../servers/system-user.js';

export interface PostgresOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Copies this server and follows it as a standby. */
  readonly standbyOf?: PostgresServer;
}

/** A PostgreSQL server of its own, in a temporary folder, on a free port of 127.0.0.1. */
export interface PostgresServer extends Endpoint {
  /** `postgres://postgres@127.0.0.1:PORT/postgres`: the superuser, no password. */
  readonly url: string;
  /** The data directory. It holds the UNIX socket, too: as a host name it is where to connect without TCP. */
  readonly folder: string;
  /** Runs SQL with psql, beside whatever client is under test. @returns rows as lines, columns parted by `|` */
  query(sql: string): string;
  /** Ends it (`fast` lets it write a checkpoint, `immediate` is a crash) and starts it again on the same port. */
  restart(mode?: 'fast' | 'immediate'): Promise<void>;
  /** kill -9 of every process of it. */
  kill(): Promise<void>;
  /** After {@link kill}, or when `halt` ended it. */
  start(): Promise<void>;
  /** Ends it and keeps its files. */
  halt(mode?: 'fast' | 'immediate'): Promise<void>;
  /** The standby becomes a primary. */
  promote(): void;
  /** The postmaster, for signals. */
  readonly pid: number;
  /** Ends it and removes its files. Safe to call twice. */
  stop(): Promise<void>;
}

const PACKAGE = 'postgresql';
const HOST = '127.0.0.1';

/**
 * Starts PostgreSQL.
 * @throws {Error} when it is not installed, or does not start, with what it said
 */
export async function startPostgres({ settings = {}, standbyOf }: PostgresOptions = {}): Promise<PostgresServer> {
  const binary = binaryOf('postgres', PACKAGE);
  const user = unprivilegedUser(['postgres', 'nobody']);
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-postgres-'));
  giveTo(user, folder);
  const port = await freePort(HOST);
  const env = { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C' };
  const run = (program: string, args: readonly string[]): string => {
    const done = spawnSync(binaryOf(program, PACKAGE), args, { ...user, cwd: folder, env, encoding: 'utf8' });
    if (done.status === 0) return done.stdout;
    throw new Error(`${program} ended with ${done.status ?? done.signal}\n${done.error?.message ?? done.stderr}`);
  };
  let server: ServerProcess | undefined;
  const start = async (): Promise<void> => {
    if (server !== undefined) return;
    server = await startServer(
      {
        binary,
        args: ['-D', folder],
        env,
        cwd: folder,
        user,
        // A plain SIGTERM waits until the last client has gone.
        stopSignal: 'SIGINT',
        isReady: (pid) => isReady(folder, pid),
      },
      { host: HOST, port },
    );
  };
  const halt = async (mode: 'fast' | 'immediate' = 'fast'): Promise<void> => {
    await server?.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    server = undefined;
  };
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    if (standbyOf === undefined) {
      run('initdb', ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
    } else {
      const source = ['-h', HOST, '-p', `${standbyOf.port}`, '-U', 'postgres'];
      run('pg_basebackup', ['-D', folder, ...source, '-X', 'stream', '-c', 'fast', '-R', '--no-sync']);
    }
    const lines = { listen_addresses: HOST, port: `${port}`, unix_socket_directories: folder, ...settings };
    const text = Object.entries(lines).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
    appendFileSync(join(folder, 'postgresql.conf'), text.join(''));
    await start();
  } catch (error) {
    removeFolder();
    throw error;
  }
  return {
    host: HOST,
    port,
    url: `postgres://postgres@${HOST}:${port}/postgres`,
    folder,
    get pid() {
      return server?.pid ?? 0;
    },
    query: (sql) =>
      run('psql', [
        '-h',
        folder,
        '-p',
        `${port}`,
        '-U',
        'postgres',
        '-XAtq',
        '-v',
        'ON_ERROR_STOP=1',
        '-c',
        sql,
      ]).trim(),
    async restart(mode) {
      await halt(mode);
      await start();
    },
    async kill() {
      if (server === undefined) return;
      const children = childrenOf(server.pid);
      const ended = server.end('SIGKILL');
      for (const pid of children) killed(pid);
      await ended;
      server = undefined;
    },
    start,
    halt,
    promote: () => void run('pg_ctl', ['promote', '-w', '-D', folder]),
    async stop() {
      await halt('immediate');
      removeFolder();
    },
  };
}

/** What pg_ctl goes by: the postmaster writes its own number and how far it is. */
function isReady(folder: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0] === `${pid}` && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/** Each backend is the leader of a session of its own: no signal to a group reaches them. */
function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}
