import { parseArgs } from 'node:util';
import type { BillColumns } from './bill.js';
import { writeCertificates, type CertificateFiles } from './certificate-files.js';
import type { SimulatorEvent } from './events.js';
import { createSimulator, type Simulator } from './simulator.js';

const HELP = `Usage: wechat-h5-simulator [options]

A simulated WeChat Pay for H5 payments on this machine: gateway, cashier page, notifier.

  --port <number>        port on 127.0.0.1 (default 8899; 0 picks a free one)
  --tls-port <number>    the same over TLS (default 0: a free one)
  --certificates <dir>   writes ca.pem, apiclient_cert.pem, apiclient_key.pem and apiclient_cert.p12 there
  --bill-columns <which> current or legacy, those before November 2018 (default current)
  --refund-seconds <n>   how long a refund that the shop asked for is on its way (default 10)
  --time-scale <factor>  factor on the waits between repeated notifications (default 1)
  --json                 one JSON object a line: first the start, then every event
  --help                 this text

Ids, the API key and the certificates are made anew for each start. Ctrl-C ends it.
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
    const { help: _help, json: _json, certificates: _certificates, ...options } = parsed;
    simulator = await createSimulator(options);
  } catch (cause) {
    const { name, message } = cause as Error;
    error(name === 'TypeError' ? `${message}\n\n${HELP}` : `${message}\n`);
    return name === 'TypeError' ? 2 : 1;
  }
  let files: CertificateFiles | undefined;
  try {
    files = parsed.certificates === undefined ? undefined : writeCertificates(parsed.certificates, simulator);
  } catch (cause) {
    await simulator.stop();
    error(`${(cause as Error).message}\n`);
    return 1;
  }
  const environment = environmentOf(simulator, files);
  if (parsed.json) {
    const { appId, mchId, h5Domains, currencies, name } = simulator.merchant;
    const merchant = { appId, mchId, h5Domains, currencies, name };
    out(`${JSON.stringify({ type: 'started', url: simulator.url, tls: simulator.tls.url, merchant, environment })}\n`);
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
      'tls-port': { type: 'string', default: '0' },
      certificates: { type: 'string' },
      'bill-columns': { type: 'string', default: 'current' },
      'refund-seconds': { type: 'string', default: '10' },
      'time-scale': { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { json, help, certificates } = values;
  return {
    port: portOf('--port', values.port),
    tlsPort: portOf('--tls-port', values['tls-port']),
    timeScale: Number(values['time-scale']),
    refundSeconds: Number(values['refund-seconds']),
    billColumns: values['bill-columns'] as BillColumns,
    certificates,
    json,
    help,
  };
}

function portOf(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new TypeError(`${option} must be a number from 0 to 65535`);
}

/** What a shop's process needs to find this simulator: over TLS when it can read the certificates. */
function environmentOf(
  { url, tls, merchant }: Simulator,
  files: CertificateFiles | undefined,
): Readonly<Record<string, string>> {
  return {
    WECHAT_PAY_APP_ID: merchant.appId,
    WECHAT_PAY_MCH_ID: merchant.mchId,
    WECHAT_PAY_API_KEY: merchant.apiKey,
    WECHAT_PAY_GATEWAY: files ? tls.url : url,
    ...(files && {
      WECHAT_PAY_CERTIFICATE_FILE: files.cert,
      WECHAT_PAY_PRIVATE_KEY_FILE: files.key,
      NODE_EXTRA_CA_CERTS: files.ca,
    }),
  };
}

function banner({ url, tls, merchant }: Simulator, environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${value}`);
  return [
    `Simulated WeChat Pay at ${url}  (open it in a browser; no money moves)`,
    `The same over TLS at ${tls.url}`,
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
