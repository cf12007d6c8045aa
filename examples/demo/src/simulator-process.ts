import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SimulatedOrder, SimulatorEvent } from '@wechat-h5/simulator';
import { Recording } from './recording.js';

/** An order as WeChat's side holds it. */
export interface WechatOrder extends Pick<SimulatedOrder, 'outTradeNo' | 'totalFee' | 'tradeState'> {
  readonly payment?: { readonly transactionId: string };
}

/** The simulated WeChat Pay, as far as the demo needs it. */
export interface RunningSimulator {
  readonly url: string;
  readonly pid: number | undefined;
  readonly merchant: { readonly appId: string; readonly mchId: string; readonly apiKey: string };
  /** The simulator's own record of its sockets. */
  readonly events: Recording<SimulatorEvent>;
  order(outTradeNo: string): Promise<WechatOrder | undefined>;
  /** Has a forged notification sent: it claims that the order is paid, signed with a key that is not the merchant's. */
  forge(outTradeNo: string): Promise<void>;
  stop(): Promise<void>;
}

const STOP_MILLISECONDS = 3_000;

interface Started {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Starts the simulator's command in a process of its own and reads its record from its output.
 *
 * @throws {Error} when it ends before it is up
 */
export async function startSimulator(): Promise<RunningSimulator> {
  const require = createRequire(import.meta.url);
  const command = join(dirname(require.resolve('@wechat-h5/simulator/package.json')), 'src', 'cli.ts');
  const leash = join(dirname(fileURLToPath(import.meta.url)), 'end-with-parent.ts');
  const loaders = [require.resolve('tsx'), leash].flatMap((path) => ['--import', pathToFileURL(path).href]);
  const child = fork(command, ['--json', '--port', '0'], {
    execArgv: ['-C', '@wechat-h5/source', ...loaders],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const { stdout } = child;
  if (!stdout) throw new Error('the simulator has no output');
  const ended = new Promise<void>((done) => child.once('close', () => done()));

  const events = new Recording<SimulatorEvent>();
  const { url, environment } = await new Promise<Started>((resolveStarted, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const reason = new Error(`the simulator's process ended with ${code ?? 'a signal'}`);
      reject(reason);
      events.fail(reason);
    });
    createInterface({ input: stdout }).on('line', (line) => {
      const message = JSON.parse(line) as SimulatorEvent | ({ type: 'started' } & Started);
      if (message.type === 'started') resolveStarted(message);
      else events.add({ ...message, at: new Date(message.at) });
    });
  });

  const control = async (path: string, init?: RequestInit): Promise<unknown> => {
    const response = await fetch(`${url}/__simulator/${path}`, init);
    if (!response.ok) throw new Error(`the simulator answered ${path} with HTTP status ${response.status}`);
    return response.json();
  };
  return {
    url,
    pid: child.pid,
    merchant: {
      appId: environment['WECHAT_PAY_APP_ID'] ?? '',
      mchId: environment['WECHAT_PAY_MCH_ID'] ?? '',
      apiKey: environment['WECHAT_PAY_API_KEY'] ?? '',
    },
    events,
    async order(outTradeNo) {
      const orders = (await control('orders')) as readonly WechatOrder[];
      return orders.find((order) => order.outTradeNo === outTradeNo);
    },
    async forge(outTradeNo) {
      const headers = { 'content-type': 'application/json' };
      await control('forge', { method: 'POST', headers, body: JSON.stringify({ outTradeNo }) });
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
      await ended;
      clearTimeout(timer);
    },
  };
}
