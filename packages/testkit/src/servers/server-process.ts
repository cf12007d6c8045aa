import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemUser } from './system-user.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ServerCommand {
  readonly binary: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Who it runs as; default: who runs the tests. */
  readonly user?: SystemUser | undefined;
  /** What asks it to end; default `SIGTERM`. */
  readonly stopSignal?: NodeJS.Signals;
  /** Whether it serves by now; default: whether it accepts connections. */
  readonly isReady?: (pid: number) => boolean | Promise<boolean>;
}

export interface ServerProcess {
  readonly pid: number;
  /** Sends a signal and waits until the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Ends the process and waits until it is gone. Safe to call twice. */
  stop(): Promise<void>;
}

const START_MILLISECONDS = 15_000;
const STOP_MILLISECONDS = 3_000;

const running = new Set<ChildProcess>();
// Whatever ends the tests, no server may outlive them.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server and waits until it listens.
 * @throws {Error} with everything the server wrote, when it ends instead, or does not listen within 15 seconds
 */
export async function startServer(command: ServerCommand, endpoint: Endpoint): Promise<ServerProcess> {
  const { binary, args, env, cwd, user, stopSignal = 'SIGTERM', isReady = () => accepts(endpoint) } = command;
  const child = spawn(binary, args, { ...user, cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  // A test that failed before it stopped its server must not keep the run from ending.
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket).unref();
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  let failure: Error | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
    child.once('close', () => resolve());
  }).finally(() => running.delete(child));
  let isGone = false;
  void gone.then(() => (isGone = true));

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (isGone) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
    await gone;
    clearTimeout(timer);
  };
  const stop = (): Promise<void> => end(stopSignal);
  const deadline = Date.now() + START_MILLISECONDS;
  while (!(await isReady(child.pid ?? 0))) {
    if (isGone || Date.now() > deadline) {
      await stop();
      const text = failure?.message ?? Buffer.concat(output).toString();
      throw new Error(`${binary} ${isGone ? 'ended' : 'did not listen'} on ${endpoint.host}:${endpoint.port}\n${text}`);
    }
    await sleep(10);
  }
  return { pid: child.pid ?? 0, end, stop };
}

async function accepts({ host, port }: Endpoint): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
