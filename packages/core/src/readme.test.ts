import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createWechatH5 } from './index.js';
import { partsOf } from './wechat-h5.js';

const folder = join(__dirname, '..');
const program = readFileSync(join(folder, 'readme/operations.mjs'), 'utf8');
const run = promisify(execFile);

let simulator: Simulator;
let directory: string;
let now: Date;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wechat-h5-readme-'));
  now = new Date();
  simulator = await createSimulator({ timeScale: 0.001, now: () => now });
});
afterAll(async () => {
  await simulator.stop();
  rmSync(directory, { recursive: true });
});

const fileOf = (name: string, contents: string | Buffer): string => {
  const path = join(directory, name);
  writeFileSync(path, contents);
  return path;
};

test('the program of the page about operations is the one that is run here', () => {
  expect(readFileSync(join(folder, '../../docs/operations.md'), 'utf8')).toContain(`\`\`\`js\n${program}\`\`\``);
});

test('it queries, refunds, lists and reads a bill, with the certificate in files', async () => {
  const { appId, mchId, apiKey, certificate, p12 } = simulator.merchant;
  const merchant = { appId, mchId, apiKey };
  const shop = createWechatH5({ merchant, gateway: simulator.url, notifyUrl: 'http://127.0.0.1:9/notify' });
  // The bill of yesterday is not there before ten o'clock.
  const paidAt = new Date(now.getTime() - 2 * 86_400_000);
  now = paidAt;
  await shop.createOrder({ outTradeNo: 'ORDER-0001', body: 'Tea', totalFee: 1990, clientIp: '127.0.0.5' });
  simulator.faults.loseNotification();
  await simulator.pay('ORDER-0001');
  partsOf(shop)?.close();
  now = new Date();

  const day = new Date(paidAt.getTime() + 8 * 3600_000).toISOString().slice(0, 10).replaceAll('-', '');
  const settings = {
    WECHAT_PAY_APP_ID: appId,
    WECHAT_PAY_MCH_ID: mchId,
    WECHAT_PAY_API_KEY: apiKey,
    WECHAT_PAY_GATEWAY: simulator.tls.url,
    WECHAT_PAY_NOTIFY_URL: 'http://127.0.0.1:9/notify',
    NODE_EXTRA_CA_CERTS: fileOf('ca.pem', simulator.tls.ca),
  };
  const output = async (variables: Record<string, string>): Promise<string[]> => {
    const args = ['-C', '@wechat-h5/source', '--import', 'tsx', 'readme/operations.mjs', 'ORDER-0001', day];
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout } = await run(process.execPath, args, { cwd: folder, env: { ...env, ...settings, ...variables } });
    return stdout.trim().split('\n');
  };
  const refunded = await output({
    WECHAT_PAY_CERTIFICATE_FILE: fileOf('cert.pem', certificate.cert),
    WECHAT_PAY_PRIVATE_KEY_FILE: fileOf('key.pem', certificate.key),
  });
  expect(refunded).toEqual([
    expect.stringMatching(/^refund \d+ is on its way$/),
    expect.stringMatching(/^ORDER-0001-1 (SUCCESS|PROCESSING) 990$/),
    expect.stringMatching(/^ORDER-0001 SUCCESS 1990/),
    '1 rows, 1990 fen',
  ]);
  // Refunded by now, so it asks for no other refund.
  const again = await output({ WECHAT_PAY_P12_FILE: fileOf('merchant.p12', p12.pfx) });
  expect(again[0]).toMatch(/^ORDER-0001-1 /);
  expect(simulator.refunds.list('ORDER-0001')).toHaveLength(1);
});
