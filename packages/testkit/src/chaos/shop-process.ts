import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { machineTime } from './ledger.js';
import type { ShopReport, ShopSettings } from './shop-program.js';

/** What a deployment waits before it kills: twice what a shop takes at most, on a slow machine. */
const DEPLOYMENT_MS = 30_000;

/** A shop that is killed and started again, each time as a new process with a ledger of its own. */
export class ShopProcess {
  readonly name: string;
  /** Of each process so far. */
  readonly ledgers: string[] = [];
  /** What processes said that ended without being told to. */
  readonly crashes: string[] = [];
  readonly errors: string[] = [];
  #child: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #port = 0;
  #isStopped = false;
  #isDeployed = false;
  readonly #folder: string;
  readonly #program: string;
  readonly #settings: Omit<ShopSettings, 'ledger' | 'migrate'>;
  readonly #clockOffset: number;
  readonly #onReport: (shop: ShopProcess, report: ShopReport) => void;

  constructor(
    name: string,
    options: {
      folder: string;
      program: string;
      settings: Omit<ShopSettings, 'ledger' | 'migrate'>;
      /** Milliseconds by which its clock is wrong. */
      clockOffset: number;
      onReport: (shop: ShopProcess, report: ShopReport) => void;
    },
  ) {
    this.name = name;
    this.#folder = options.folder;
    this.#program = options.program;
    this.#settings = options.settings;
    this.#clockOffset = options.clockOffset;
    this.#onReport = options.onReport;
  }

  /** It can be asked: neither stopped nor on its way up. */
  get isUp(): boolean {
    return this.#port !== 0 && !this.#isStopped;
  }

  get port(): number {
    return this.#port;
  }

  async start(migrate = false): Promise<void> {
    this.#isDeployed = false;
    const ledger = join(this.#folder, `${this.name}-${this.ledgers.length}.jsonl`);
    this.ledgers.push(ledger);
    const settings: ShopSettings = { ...this.#settings, ledger, migrate };
    const child = fork(this.#program, [], {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, SHOP: JSON.stringify(settings), CLOCK_OFFSET: String(this.#clockOffset) },
    });
    this.#child = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += String(chunk)));
    this.#gone = once(child, 'close').then(([code]) => {
      if (this.#child === child) this.#port = 0;
      const isExpected = code === 0 && this.#isDeployed;
      if (code !== null && !isExpected) this.crashes.push(`${this.name} ended with ${String(code)}\n${said}`);
      if (said !== '') this.errors.push(said);
    });
    await new Promise<void>((resolve) => {
      child.on('message', (report: ShopReport) => {
        if (report.what === 'ready') {
          this.#port = report.port;
          resolve();
        } else this.#onReport(this, report);
      });
      void this.#gone.then(() => resolve());
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#port = 0;
    this.#isStopped = false;
    this.#child?.kill('SIGKILL');
    await this.#gone;
  }

  /** SIGTERM, and waits until it has ended by itself, or takes too long for a deployment. */
  async deploy(): Promise<void> {
    this.#port = 0;
    this.#isDeployed = true;
    this.#child?.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.crashes.push(`${this.name} did not end after SIGTERM`);
      this.#child?.kill('SIGKILL');
    }, DEPLOYMENT_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  /** SIGSTOP. @returns the time */
  stop(): number {
    this.#isStopped = true;
    this.#child?.kill('SIGSTOP');
    return machineTime();
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
    this.#isStopped = false;
  }

  /** @returns the answer; rejects when the shop refuses or is gone */
  async ask<T>(path: string, body: object = {}, timeoutMs = 10_000): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }
}
