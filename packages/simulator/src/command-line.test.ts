import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from './command-line.js';
import { createSimulator, type Simulator } from './index.js';

async function run(...args: string[]) {
  const output = { out: '', error: '' };
  const result = await runCommandLine(args, {
    out: (text) => (output.out += text),
    error: (text) => (output.error += text),
  });
  return { ...output, result, output };
}

test('--help says what there is', async () => {
  const { result, out, error } = await run('--help');
  expect(result).toBe(0);
  expect(error).toBe('');
  for (const option of ['--port', '--tls-port', '--certificates', '--bill-columns', '--refund-seconds', '--time-scale'])
    expect(out).toContain(option);
});

test.each([
  [['--port', 'x'], '--port'],
  [['--port', '65536'], '--port'],
  [['--time-scale', '0'], 'timeScale'],
  [['--time-scale', 'fast'], 'timeScale'],
  [['--tls-port', '-1'], '--tls-port'],
  [['--bill-columns', 'old'], 'billColumns'],
  [['--refund-seconds', 'soon'], 'refundSeconds'],
  [['--unknown'], '--unknown'],
  [['shop'], 'shop'],
])('%j is refused with the usage', async (args, named) => {
  const { result, out, error } = await run(...args);
  expect(result).toBe(2);
  expect(out).toBe('');
  expect(error).toContain(named);
  expect(error).toContain('Usage: wechat-h5-simulator');
});

test('a port that is taken ends with 1', async () => {
  const other = await createSimulator();
  const { result, error } = await run('--port', new URL(other.url).port);
  expect(result).toBe(1);
  expect(error).toContain('EADDRINUSE');
  await other.stop();
});

test('prints the environment ready to paste, then a line for each event', async () => {
  const { result, out, output } = await run('--port', '0');
  const simulator = result as Simulator;
  expect(out).toContain(`Simulated WeChat Pay at ${simulator.url}`);
  expect(out).toContain(`export WECHAT_PAY_APP_ID=${simulator.merchant.appId}\n`);
  expect(out).toContain(`export WECHAT_PAY_MCH_ID=${simulator.merchant.mchId}\n`);
  expect(out).toContain(`export WECHAT_PAY_API_KEY=${simulator.merchant.apiKey}\n`);
  expect(out).toContain(`export WECHAT_PAY_GATEWAY=${simulator.url}\n`);
  await fetch(`${simulator.url}/pay/orderquery`, { method: 'POST' });
  expect(output.out.slice(out.length)).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3}  gateway\.request  orderquery  127\.0\.0\.1:\d+\n.*  gateway\.reply  orderquery  200  POST_DATA_EMPTY  post数据为空  127\.0\.0\.1:\d+\n$/,
  );
  await simulator.stop();
});

test('writes the certificates, and then sends the shop to TLS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-simulator-'));
  const { result, out } = await run('--port', '0', '--certificates', join(folder, 'new'));
  const { tls, merchant, stop } = result as Simulator;
  expect(out).toContain(`export WECHAT_PAY_GATEWAY=${tls.url}\n`);
  const file = (variable: string): string => new RegExp(`^export ${variable}=(.*)$`, 'm').exec(out)?.[1] ?? '';
  expect(readFileSync(file('NODE_EXTRA_CA_CERTS'), 'utf8')).toBe(tls.ca);
  expect(readFileSync(file('WECHAT_PAY_CERTIFICATE_FILE'), 'utf8')).toBe(merchant.certificate.cert);
  expect(readFileSync(file('WECHAT_PAY_PRIVATE_KEY_FILE'), 'utf8')).toBe(merchant.certificate.key);
  expect(readFileSync(join(folder, 'new', 'apiclient_cert.p12'))).toEqual(merchant.p12.pfx);
  expect(statSync(file('WECHAT_PAY_PRIVATE_KEY_FILE')).mode & 0o777).toBe(0o600);
  expect(out).not.toContain('PRIVATE KEY-----');
  await stop();
  rmSync(folder, { recursive: true });
});

test('a folder that cannot be written ends with 1, and leaves nothing running', async () => {
  const { result, error } = await run('--port', '0', '--certificates', join(__filename, 'below-a-file'));
  expect(result).toBe(1);
  expect(error).toContain('below-a-file');
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'as a process it writes JSON lines and ends cleanly on %s',
  async (signal) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'cli.ts'), '--json', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const exited = new Promise((resolve) => child.on('exit', (code, by) => resolve({ code, by })));
    const first = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const started = JSON.parse(first) as { type: string; url: string; environment: Record<string, string> };
    expect(started).toMatchObject({
      type: 'started',
      url: expect.stringMatching(/^http:/),
      environment: { WECHAT_PAY_GATEWAY: started.url },
    });
    expect(await (await fetch(`${started.url}/__simulator/orders`)).json()).toEqual([]);
    child.kill(signal);
    expect(await exited).toEqual({ code: 0, by: null });
    clearTimeout(timer);
  },
);
