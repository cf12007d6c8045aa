import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import type { Account } from './client.js';
import type { Step } from './journey.js';

type Line = Step | { readonly sent: string };

const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-foreign-'));
let simulator: Simulator;
beforeEach(async () => {
  simulator = await createSimulator({ refundSeconds: Infinity });
});
afterEach(() => simulator.stop());
afterAll(() => rmSync(folder, { recursive: true }));

async function run(client: string, over: 'http' | 'tls', changes: Partial<Account> = {}): Promise<readonly Line[]> {
  const { appId, mchId, apiKey, certificate, p12 } = simulator.merchant;
  const account: Omit<Account, 'notifyUrl'> = {
    gateway: over === 'http' ? simulator.url : simulator.tls.url,
    appId,
    mchId,
    apiKey,
    certificate,
    pfx: p12.pfx.toString('base64'),
    ...changes,
  };
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, simulator.tls.ca);
  const program = join(__dirname, 'program.fixture.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: ca,
      NODE_NO_WARNINGS: '1',
      FOREIGN_CLIENT: JSON.stringify({ ...account, client, control: simulator.url }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(0);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** One line for each call: what left, and what the client made of the answer. */
function transcript(lines: readonly Line[]): readonly string[] {
  const told: string[] = [];
  let sent = '';
  for (const line of lines) {
    if ('sent' in line) sent = line.sent;
    else {
      told.push(line.call.startsWith('notified') ? `${line.call} → ${line.outcome}` : `${sent} → ${line.outcome}`);
      sent = '';
    }
  }
  return told;
}

/** The gateway's own record of the same calls. */
function record(): readonly string[] {
  return simulator.events
    .list()
    .filter(({ type }) => type === 'gateway.reply')
    .map(({ operation, verdict }) => `${operation} ${verdict}`);
}

const RECORD = [
  'unifiedorder SUCCESS',
  'closeorder SUCCESS',
  'orderquery SUCCESS',
  'unifiedorder SUCCESS',
  'orderquery SUCCESS',
  'orderquery SUCCESS',
  'unifiedorder ORDERPAID',
  'refund SUCCESS',
  'refundquery SUCCESS',
  'refundquery SUCCESS',
  'orderquery SUCCESS',
  'refund INVALID_REQUEST',
];

describe.each([
  ['tenpay', { paid: 'threw: ORDERPAID', excess: 'threw: INVALID_REQUEST', nested: 'refused' }],
  [
    'wechatpay-axios-plugin',
    {
      paid: "threw: Verify the response's data is failed because result_code's value is FAIL.",
      excess: "threw: Verify the response's data is failed because result_code's value is FAIL.",
      nested: '1990',
    },
  ],
] as const)('%s, as it is published', (client, { paid, excess, nested }) => {
  test.each(['http', 'tls'] as const)(
    'orders, queries, closes and refunds over %s',
    async (over) => {
      const to = over === 'http' ? 'POST http://…' : 'POST https://…';
      expect(transcript(await run(client, over))).toEqual([
        `${to}/pay/unifiedorder → SUCCESS MWEB`,
        `${to}/pay/closeorder → SUCCESS`,
        `${to}/pay/orderquery → SUCCESS CLOSED`,
        `${to}/pay/unifiedorder → SUCCESS MWEB`,
        `${to}/pay/orderquery → SUCCESS NOTPAY`,
        'notified: pay → 1990',
        `${to}/pay/orderquery → SUCCESS MWEB SUCCESS`,
        `${to}/pay/unifiedorder → ${paid}`,
        `${to}/secapi/pay/refund → SUCCESS 500`,
        `${to}/pay/refundquery → SUCCESS PROCESSING`,
        'notified: pay → refused',
        `${to}/pay/refundquery → SUCCESS SUCCESS`,
        `${to}/pay/orderquery → SUCCESS MWEB REFUND`,
        `${to}/secapi/pay/refund → ${excess}`,
        `notified: refund → ${nested}`,
      ]);
      expect(record()).toEqual(RECORD);
      expect(simulator.notifications.list().map(({ kind, verdict }) => `${kind} ${verdict}`)).toEqual([
        'payment acknowledged',
        'refund refused',
        'refund acknowledged',
      ]);
    },
    60_000,
  );
});

test.each([
  // Node 20 trusts no NODE_EXTRA_CA_CERTS beside a p12, so that with another one it would not come this far.
  ['tenpay', 'threw: request fail'],
  ['wechatpay-axios-plugin', 'threw: Request failed with status code 400'],
])(
  '%s is turned away from a refund without the right certificate',
  async (client, reason) => {
    const other = await createSimulator({ merchant: { mchId: simulator.merchant.mchId } });
    const { certificate } = other.merchant;
    await other.stop();
    const told = transcript(await run(client, 'tls', { certificate, pfx: '' }));
    expect(told).toContain(`POST https://…/secapi/pay/refund → ${reason}`);
    expect(record().filter((line) => line.startsWith('refund '))).toEqual([
      'refund NO_CERTIFICATE',
      'refund NO_CERTIFICATE',
    ]);
    expect(simulator.refunds.list().filter(({ source }) => source === 'API')).toEqual([]);
  },
  60_000,
);
