import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../workspace.js';
import { apache } from './apache.js';
import { caddy } from './caddy.js';
import { freePort } from '../servers/free-port.js';
import { binaryOf, findBinary } from '../servers/installed.js';
import { haproxy } from './haproxy.js';
import type { Launcher, Placeholders } from './launcher.js';
import { nginx } from './nginx.js';
import { startServer, type Endpoint } from '../servers/server-process.js';

export type ProxySoftware = 'nginx' | 'apache' | 'haproxy' | 'caddy';

const LAUNCHERS: Readonly<Record<ProxySoftware, Launcher>> = { nginx, apache, haproxy, caddy };

/** One proxy to run. */
export interface ProxyOptions {
  readonly software: ProxySoftware;
  /** The configuration, relative to the top of the repository. */
  readonly file: string;
  /** The loopback address to listen on and to connect from. */
  readonly address: string;
  /** Where requests go: host and port, or the path of a UNIX socket. */
  readonly next: Endpoint | string;
  /** The address or range of the proxy in front. */
  readonly loadBalancer?: string | undefined;
}

export interface RunningProxy extends Endpoint {
  /** Where its files are. */
  readonly folder: string;
  /** Ends the server and removes its files. Safe to call twice. */
  stop(): Promise<void>;
}

/** Debian's names of the packages that are not installed; empty when all are. */
export function missingPackages(software: Iterable<ProxySoftware>): string[] {
  const missing = [...new Set(software)].filter((name) => findBinary(LAUNCHERS[name].binary) === undefined);
  return missing.map((name) => LAUNCHERS[name].package);
}

/**
 * What is installed, as `2.4.71`.
 * @throws {Error} when it is not installed
 */
export function versionOf(software: ProxySoftware): string {
  const launcher = LAUNCHERS[software];
  const binary = binaryOf(launcher.binary, launcher.package);
  const { stdout, stderr } = spawnSync(binary, [launcher.versionArgument], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'unknown';
}

/**
 * Starts a real proxy server with a configuration, as a child process, in a temporary folder, on a free port.
 * @throws {Error} when it is not installed or refuses the configuration, with what it said
 */
export async function startProxy({ software, file, address, next, loadBalancer }: ProxyOptions): Promise<RunningProxy> {
  const launcher = LAUNCHERS[software];
  const binary = binaryOf(launcher.binary, launcher.package);
  if (launcher.fixedAddress !== undefined && address !== launcher.fixedAddress) {
    throw new Error(`${software} connects from ${launcher.fixedAddress}, not from ${address}`);
  }
  const listen: Endpoint = { host: address, port: await freePort(address) };
  const placeholders: Placeholders = {
    LISTEN: `${listen.host}:${listen.port}`,
    SHOP: typeof next === 'string' ? next : `${next.host}:${next.port}`,
    ...(loadBalancer === undefined ? {} : { LOAD_BALANCER: loadBalancer }),
  };
  const folder = mkdtempSync(join(tmpdir(), `wechat-h5-${software}-`));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const args = launcher.prepare({ file: join(ROOT, file), folder, listen, placeholders });
    // Apache, HAProxy and Caddy read the placeholders from the environment themselves.
    const env = { PATH: process.env['PATH'], HOME: folder, ...placeholders };
    const server = await startServer({ binary, args, env, cwd: folder }, listen);
    return {
      ...listen,
      folder,
      async stop() {
        await server.stop();
        removeFolder();
      },
    };
  } catch (error) {
    removeFolder();
    throw error;
  }
}
