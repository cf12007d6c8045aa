import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../servers/free-port.js';
import { binaryOf } from '../servers/installed.js';
import { startServer, type Endpoint } from '../servers/server-process.js';
import { giveTo, unprivilegedUser } from '../servers/system-user.js';

export interface Pgbouncer extends Endpoint {
  /** The database `postgres` of the server behind, as its superuser. */
  readonly url: string;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Puts a PgBouncer in front of a PostgreSQL: transaction pooling, so that each transaction of a connection may run on
 * another one. Two server connections for everybody make it do so.
 * @throws {Error} when it is not installed, or does not start, with what it said
 */
export async function startPgbouncer(server: Endpoint, poolSize = 2): Promise<Pgbouncer> {
  const binary = binaryOf('pgbouncer', 'pgbouncer');
  const user = unprivilegedUser(['postgres', 'nobody']);
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-pgbouncer-'));
  giveTo(user, folder);
  const port = await freePort(HOST);
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `
[databases]
* = host=${server.host} port=${server.port} user=postgres
[pgbouncer]
listen_addr = ${HOST}
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 1000
`,
  );
  giveTo(user, file);
  try {
    const env = { PATH: process.env['PATH'], HOME: folder };
    // SIGTERM ends it at once, whoever is connected.
    const bouncer = await startServer({ binary, args: [file], env, cwd: folder, user }, { host: HOST, port });
    return {
      host: HOST,
      port,
      url: `postgres://postgres@${HOST}:${port}/postgres`,
      async stop() {
        await bouncer.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
