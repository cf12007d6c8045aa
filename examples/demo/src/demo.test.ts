import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parseCommandLine } from './command-line.js';
import { FRAMEWORKS } from './shop-server.js';

const MAIN = join(__dirname, 'main.ts');

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly error: string }>;
  /** Resolves with everything said so far once it says `text`. */
  said(text: string): Promise<string>;
}

const started: ChildProcess[] = [];

// A test that fails must leave nothing behind either.
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function demo(...args: string[]): Run {
  const loaders = ['-C', '@wechat-h5/source', '--import', 'tsx'];
  // As the script does: decorators need the compiler's option.
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(__dirname, '../../../tsconfig.test.json') };
  const child = spawn(process.execPath, [...loaders, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  started.push(child);
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  const ended: Run['ended'] = new Promise((resolve) => child.once('close', (code) => resolve({ code, out, error })));
  return {
    child,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => void (out.includes(text) && resolve(out));
        child.stdout.on('data', look);
        void ended.then(() => reject(new Error(`it ended without saying ${text}\n${out}\n${error}`)));
        look();
      }),
  };
}

function simulatorOf(out: string): number {
  return Number(/simulated, process (\d+)/.exec(out)?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 100) throw new Error('not within 5 seconds');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function canConnect(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    const end = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

test.each(Object.keys(FRAMEWORKS))('--once with %s pays, compares and leaves nothing behind', async (framework) => {
  const { code, out, error } = await demo('--once', '--framework', framework).ended;
  expect(error).toBe('');
  expect(code).toBe(0);
  expect(out).toContain('The records agree');
  expect(out).not.toContain('✗');
  expect(out).not.toContain('\u001b');
  expect(simulatorOf(out)).toBeGreaterThan(0);
  expect(isAlive(simulatorOf(out))).toBe(false);
});

test('without --once it stays up for a person until Ctrl-C, and ends with everything it started', async () => {
  const { child, said, ended } = demo();
  const out = await said('Ctrl-C ends it.');
  const [shop = '', wechat = ''] = [...out.matchAll(/^ +\S+ (?:shop|WeChat Pay) +(http:\S+\/) /gm)].map(
    ([, url = '']) => url,
  );
  expect((await fetch(shop)).status).toBe(200);
  expect((await fetch(wechat)).status).toBe(200);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, error: '' });
  expect(isAlive(simulatorOf(out))).toBe(false);
  expect(await Promise.all([shop, wechat].map(canConnect))).toEqual([false, false]);
});

test('interrupted in the middle it ends, too', async () => {
  const { child, said, ended } = demo('--once');
  const out = await said('simulated, process');
  child.kill('SIGTERM');
  // A machine that is slow to tell may get the signal there after the payment.
  expect([130, 0]).toContain((await ended).code);
  expect(isAlive(simulatorOf(out))).toBe(false);
});

test('killed outright it takes the simulator along', async () => {
  const { child, said } = demo();
  const pid = simulatorOf(await said('Ctrl-C ends it.'));
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGKILL');
  try {
    await until(() => !isAlive(pid));
  } finally {
    // Even where the test fails nothing may stay behind; it would hold this test's pipes, too.
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
});

test('an unknown framework is refused with the usage', async () => {
  const { code, out, error } = await demo('--framework', 'fastify').ended;
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(error).toMatch(/there is no such shop, only express, koa, nest[^]*Usage: pnpm demo/);
});

test('the command line', () => {
  expect(parseCommandLine([])).toEqual({ once: false, framework: 'express', help: false });
  expect(parseCommandLine(['--once', '--framework', 'express'])).toMatchObject({ once: true, framework: 'express' });
  expect(() => parseCommandLine(['--framework', 'toString'])).toThrow('there is no such shop');
  expect(() => parseCommandLine(['--nonsense'])).toThrow("'--nonsense'");
  expect(() => parseCommandLine(['extra'])).toThrow("'extra'");
});
