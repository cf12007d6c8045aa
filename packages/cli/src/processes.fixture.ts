import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import type { SimulatorStarted } from './simulator.fixture.js';

/** What a run of the command left behind. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  /** Told everything written so far, each time there is more. */
  readonly onOutput?: (output: string) => void;
}

/** The programs under test, each in one file, run as processes of their own. */
export class Programs {
  readonly folder = mkdtempSync(join(tmpdir(), 'wechat-h5-cli-'));
  readonly #children: ChildProcess[] = [];
  /** Never to be seen in any output. */
  readonly #secrets: string[] = [];

  constructor() {
    const entries = { cli: 'cli.ts', simulator: 'simulator.fixture.ts' };
    for (const [name, entry] of Object.entries(entries)) {
      buildSync({
        entryPoints: [join(__dirname, entry)],
        outfile: this.program(name),
        bundle: true,
        platform: 'node',
        target: 'node20',
        // A CommonJS dependency may call for the modules of Node.
        format: 'cjs',
        conditions: ['@wechat-h5/source'],
        logLevel: 'error',
      });
    }
  }

  program(name: string): string {
    return join(this.folder, `${name}.cjs`);
  }

  keepSecret(...secrets: readonly string[]): void {
    this.#secrets.push(...secrets);
  }

  /** Starts a simulator and says how it is reached. */
  async simulator(): Promise<SimulatorStarted> {
    const child = spawn(process.execPath, [this.program('simulator')], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const started = JSON.parse(line) as SimulatorStarted;
    this.keepSecret(started.environment.WECHAT_PAY_API_KEY);
    return started;
  }

  /** Runs `wechat-h5` to its end. @throws {Error} if a secret shows in what it wrote */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.runProgram(process.execPath, [this.program('cli'), ...args], options);
  }

  async runProgram(
    command: string,
    args: readonly string[],
    { env = {}, input = '', onOutput }: RunOptions,
  ): Promise<Ran> {
    const child = spawn(command, args, { env: { PATH: process.env['PATH'], ...env }, stdio: 'pipe', cwd: this.folder });
    this.#children.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput?.(stdout);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // A command that refuses its arguments does not wait for its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    if (this.#secrets.some((secret) => `${stdout}${stderr}`.includes(secret))) {
      throw new Error(`a secret is in the output of wechat-h5 ${args[1]}`);
    }
    return { code, stdout, stderr };
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
