import { buildSync } from 'esbuild';
import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ROOT } from '../workspace.js';
import type { ShopCommand, ShopReport } from './shop.fixture.js';

/** A simulator in a process of its own. */
export interface SimulatorProcess {
  readonly port: number;
  readonly merchant: { readonly appId: string; readonly mchId: string; readonly apiKey: string };
  orders(): Promise<readonly { outTradeNo: string; totalFee: number; links: readonly { prepayId: string }[] }[]>;
  pay(outTradeNo: string): Promise<void>;
}

/** A shop in a process of its own. */
export interface ShopProcess {
  readonly child: ChildProcess;
  readonly now: number;
  tell(command: ShopCommand): void;
  /** The outcome of what was asked about this number, as soon as it is there. */
  outcome(number: string): Promise<string>;
  /** How the process ended: an exit code or a signal. */
  readonly exited: Promise<number | string | null>;
}

/** Programs of the repository, each bundled into one file, so that no loader needs descriptors and time. */
export class Processes {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wechat-h5-processes-'));
  readonly #children = new Set<ChildProcess>();

  constructor() {
    const entries = {
      shop: join(ROOT, 'packages/testkit/src/gateway/shop.fixture.ts'),
      simulator: join(ROOT, 'packages/simulator/src/cli.ts'),
    };
    for (const [name, entry] of Object.entries(entries)) {
      buildSync({
        entryPoints: [entry],
        outfile: this.#program(name),
        bundle: true,
        platform: 'node',
        target: 'node20',
        format: 'cjs',
        conditions: ['@wechat-h5/source'],
        logLevel: 'error',
      });
    }
  }

  async simulator(): Promise<SimulatorProcess> {
    const child = this.#spawn(process.execPath, [this.#program('simulator'), '--port', '0', '--json'], {});
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    const { url, merchant, environment } = JSON.parse(line) as {
      url: string;
      merchant: { appId: string; mchId: string };
      environment: Record<string, string>;
    };
    return {
      port: Number(new URL(url).port),
      merchant: { ...merchant, apiKey: environment['WECHAT_PAY_API_KEY'] ?? '' },
      orders: async () => (await (await fetch(`${url}/__simulator/orders`)).json()) as never,
      pay: async (outTradeNo) => {
        const body = JSON.stringify({ outTradeNo });
        await fetch(`${url}/__simulator/pay`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
        });
      },
    };
  }

  /** @param wrap a command that runs the command behind it, such as `sh` with a limit */
  async shop(
    { merchant }: SimulatorProcess,
    port: number,
    http: object = {},
    wrap: readonly string[] = [],
    clockOffset = 0,
  ): Promise<ShopProcess> {
    const shop = { merchant, gateway: `http://127.0.0.1:${port}`, notifyUrl: 'http://127.0.0.1:9/notify', http };
    const [command = '', ...args] = [...wrap, process.execPath, this.#program('shop')];
    const child = this.#spawn(command, args, { SHOP: JSON.stringify(shop), CLOCK_OFFSET: String(clockOffset) });
    const reports: ShopReport[] = [];
    const waiting = new Set<() => void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      reports.push(JSON.parse(line) as ShopReport);
      for (const look of waiting) look();
    });
    const found = <Found>(find: (report: ShopReport) => Found | undefined): Promise<Found> =>
      new Promise((resolve) => {
        const look = (): void => {
          for (const report of reports) {
            const match = find(report);
            if (match === undefined) continue;
            waiting.delete(look);
            resolve(match);
            return;
          }
        };
        waiting.add(look);
        look();
      });
    const exited = once(child, 'exit').then(([code, signal]) => (code as number | null) ?? (signal as string));
    const now = await found((report) => ('ready' in report ? report.now : undefined));
    return {
      child,
      now,
      exited,
      tell: (told) => void child.stdin.write(`${JSON.stringify(told)}\n`),
      outcome: (number) => found((report) => ('done' in report && report.done === number ? report.outcome : undefined)),
    };
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    this.#children.clear();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #program(name: string): string {
    return join(this.#folder, `${name}.cjs`);
  }

  #spawn(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ): ChildProcessByStdio<Writable, Readable, null> {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.add(child);
    return child;
  }
}
