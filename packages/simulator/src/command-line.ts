import { parseArgs } from 'node:util';
import type { SimulatorEvent } from './events.js';
import { createSimulator, type Simulator } from './simulator.js';

const HELP = `Usage: wechat-h5-simulator [options]

A simulated WeChat Pay for H5 payments on this machine: gateway, cashier page, notifier.

  --port <number>        port on 127.0.0.1 (default 8899; 0 picks a free one)
  --time-scale <factor>  factor on the waits between repeated notifications (default 1)
  --json                 one JSON object a line: first the start, then every event
  --help                 this text

Ids and the API key are made anew for each start. Ctrl-C ends it.
`;

export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/**
 * Starts what the arguments ask for and prints how to reach it.
 *
 * @returns the running simulator, or the exit code when there is nothing to run
 */
export async function runCommandLine(args: readonly string[], { out, error }: Output): Promise<Simulator | number> {
  let parsed: ReturnType<typeof parseOptions>;
  let simulator: Simulator;
  try {
    parsed = parseOptions(args);
    if (parsed.help) {
      out(HELP);
      return 0;
    }
    simulator = await createSimulator({ port: parsed.port, timeScale: parsed.timeScale });
  } catch (cause) {
    const { name, message } = cause as Error;
    error(name === 'TypeError' ? `${message}\n\n${HELP}` : `${message}\n`);
    return name === 'TypeError' ? 2 : 1;
  }
  const environment = environmentOf(simulator);
  if (parsed.json) {
    const { appId, mchId, h5Domains, currencies, name } = simulator.merchant;
    const merchant = { appId, mchId, h5Domains, currencies, name };
    out(`${JSON.stringify({ type: 'started', url: simulator.url, merchant, environment })}\n`);
    simulator.events.subscribe((event) => out(`${JSON.stringify(event)}\n`));
  } else {
    out(banner(simulator, environment));
    simulator.events.subscribe((event) => out(`${eventLine(event)}\n`));
  }
  return simulator;
}

function parseOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '8899' },
      'time-scale': { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : NaN;
  if (!(port <= 65_535)) throw new TypeError('--port must be a number from 0 to 65535');
  return { port, timeScale: Number(values['time-scale']), json: values.json, help: values.help };
}

/** What a shop's process needs to find this simulator. */
function environmentOf({ url, merchant }: Simulator): Readonly<Record<string, string>> {
  return {
    WECHAT_PAY_APP_ID: merchant.appId,
    WECHAT_PAY_MCH_ID: merchant.mchId,
    WECHAT_PAY_API_KEY: merchant.apiKey,
    WECHAT_PAY_GATEWAY: url,
  };
}

function banner({ url, merchant }: Simulator, environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${value}`);
  return [
    `Simulated WeChat Pay at ${url}  (open it in a browser; no money moves)`,
    `appid ${merchant.appId}   mch_id ${merchant.mchId}   H5 domains ${merchant.h5Domains.join(', ')}`,
    '',
    'For the shop, which also needs a WECHAT_PAY_NOTIFY_URL of its own on this machine:',
    '',
    ...lines,
    '',
    '',
  ].join('\n');
}

function eventLine(event: SimulatorEvent): string {
  const time = event.at.toISOString().slice(11, 23);
  const words = [event.type, event.operation, event.outTradeNo, event.status, event.verdict, event.reason, event.peer];
  return [time, ...words.filter((word) => word !== undefined)].join('  ');
}
