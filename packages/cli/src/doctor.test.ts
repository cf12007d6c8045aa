import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json, OTHER_KEY, Shop } from './shop.fixture.js';

interface Check {
  check: string;
  status: string;
  message: string;
  cure?: string;
}

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});

afterAll(() => shop.close());

/** Everything set and right, for the simulator. */
const RIGHT = { WECHAT_PAY_TRUSTED_PROXIES: 'none', WECHAT_PAY_H5_DOMAINS: 'pay.example.com' };
const ONLINE = { ...RIGHT, WECHAT_PAY_NOTIFY_URL: 'https://pay.example.com/wechat/notify' };

async function examine(extra: NodeJS.ProcessEnv, ...args: string[]) {
  const ran = await shop.run(['doctor', '--json', ...args], extra);
  const { ok, checks } = json(ran) as unknown as { ok: boolean; checks: Check[] };
  expect(ran.stderr).toBe('');
  expect(ran.code).toBe(ok ? 0 : 1);
  expect(ok).toBe(!checks.some(({ status }) => status === 'fail'));
  for (const { status, message, cure } of checks) {
    expect(message).not.toBe('');
    if (status !== 'ok') expect(cure).toBeTruthy();
  }
  return { checks, of: (name: string) => checks.find(({ check }) => check === name) };
}

test('a setup that is right: each line says so, and no order is created', async () => {
  const { checks, of } = await examine(RIGHT);
  expect(checks.map(({ check }) => check)).toEqual([
    'merchant',
    'api-key',
    'notify-url',
    'certificate',
    'client-ip',
    'h5-domains',
    'gateway',
    'clock',
    'credentials',
  ]);
  expect(checks.filter(({ status }) => status !== 'ok').map(({ check }) => check)).toEqual(['certificate']);
  expect(of('credentials')?.message).toContain('accepted');
  const orders = await (await fetch(`${shop.env['WECHAT_PAY_GATEWAY']}/__simulator/orders`)).json();
  expect(orders).toEqual([]);
});

test('for people: a mark, the finding, the cure below it, a count at the end', async () => {
  const { code, stdout } = await shop.run(['doctor'], { ...RIGHT, WECHAT_PAY_NOTIFY_URL: '' });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✗ notify-url: WECHAT_PAY_NOTIFY_URL is not set\n {4}Set it/m);
  expect(stdout).toMatch(/\n1 wrong, 1 worth a look, 7 fine\n$/);
  const chinese = await shop.run(['doctor', '--lang', 'zh'], RIGHT);
  expect(chinese.stdout).toMatch(/\n有误 0 项，需留意 1 项，正常 8 项\n$/);
});

test.each([
  ['merchant', { WECHAT_PAY_APP_ID: '' }, 'fail', 'WECHAT_PAY_APP_ID is not set'],
  ['merchant', { WECHAT_PAY_APP_ID: 'gh_0123' }, 'warn', 'does not look like one'],
  ['merchant', { WECHAT_PAY_MCH_ID: '12' }, 'warn', 'does not look like one'],
  ['merchant', { WECHAT_PAY_SIGN_TYPE: 'SHA1' }, 'fail', 'WECHAT_PAY_SIGN_TYPE is "SHA1"'],
  ['api-key', { WECHAT_PAY_API_KEY: '' }, 'fail', 'WECHAT_PAY_API_KEY is not set'],
  ['api-key', { WECHAT_PAY_API_KEY: 'short' }, 'fail', 'has 5 characters'],
  ['api-key', { WECHAT_PAY_API_KEY: `${OTHER_KEY},${OTHER_KEY}` }, 'warn', 'twice'],
  ['api-key', { WECHAT_PAY_API_KEY: '!'.repeat(32) }, 'warn', 'other than letters and digits'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'https://pay.example.com/n?x=1' }, 'fail', 'query'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'http://pay.example.com/n', WECHAT_PAY_GATEWAY: '' }, 'fail', 'http'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'https://10.1.2.3/n' }, 'fail', 'cannot be reached'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'https://[fd00::1]/n' }, 'fail', 'cannot be reached'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'https://shop.internal/n' }, 'fail', 'cannot be reached'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'https://intranet/n' }, 'fail', 'cannot be reached'],
  ['notify-url', { WECHAT_PAY_NOTIFY_URL: 'https://8.8.8.8/n' }, 'warn', 'without a name'],
  ['client-ip', { WECHAT_PAY_TRUSTED_PROXIES: '' }, 'warn', 'is not set'],
  ['client-ip', { WECHAT_PAY_TRUSTED_PROXIES: '0.0.0.0/0' }, 'fail', '0.0.0.0/0'],
  ['client-ip', { WECHAT_PAY_TRUSTED_PROXIES: 'hops:2' }, 'warn', 'counted, not checked'],
  ['client-ip', { WECHAT_PAY_TRUSTED_PROXIES: 'loopback' }, 'ok', 'x-forwarded-for is believed from loopback'],
  ['h5-domains', { WECHAT_PAY_H5_DOMAINS: '' }, 'warn', 'is not set'],
  ['h5-domains', { WECHAT_PAY_H5_DOMAINS: 'https://pay.example.com' }, 'fail', 'WECHAT_PAY_H5_DOMAINS'],
  ['outgoing-proxy', { HTTPS_PROXY: 'http://127.0.0.1:3128' }, 'warn', 'HTTPS_PROXY'],
])('offline, %s with %j: %s', async (check, extra, status, said) => {
  const { checks, of } = await examine({ ...ONLINE, ...extra }, '--offline');
  expect(of(check)).toMatchObject({ status, message: expect.stringContaining(said) });
  // Each mistake shows alone.
  const others = checks.filter((found) => found.status === 'fail' && found.check !== check);
  expect(others).toEqual([]);
  expect(of('gateway')).toBeUndefined();
});

describe('credentials', () => {
  test('another key: which key is meant', async () => {
    const { of } = await examine({ ...RIGHT, WECHAT_PAY_API_KEY: OTHER_KEY });
    expect(of('credentials')).toMatchObject({ status: 'fail', cure: expect.stringContaining('APIv3') });
  });

  test('the key in force is the second of the list', async () => {
    const { of } = await examine({ ...RIGHT, WECHAT_PAY_API_KEY: `${OTHER_KEY},${shop.env['WECHAT_PAY_API_KEY']}` });
    expect(of('credentials')).toMatchObject({ status: 'fail', message: expect.stringContaining('accepts key 2') });
  });

  test('another appid', async () => {
    const { of } = await examine({ ...RIGHT, WECHAT_PAY_APP_ID: 'wx0123456789abcdef' });
    expect(of('credentials')).toMatchObject({ status: 'fail' });
  });
});

describe('the gateway', () => {
  test('does not answer: nothing more is asked', async () => {
    const { checks, of } = await examine({ ...RIGHT, WECHAT_PAY_GATEWAY: 'http://127.0.0.1:9' });
    expect(of('gateway')).toMatchObject({ status: 'fail', message: expect.stringContaining('ECONNREFUSED') });
    expect(checks.at(-1)?.check).toBe('gateway');
  });

  test('has one of two hosts down: worth a look, no more', async () => {
    const both = `${shop.env['WECHAT_PAY_GATEWAY']},http://127.0.0.1:9`;
    const { checks } = await examine({ ...RIGHT, WECHAT_PAY_GATEWAY: both });
    expect(checks.filter(({ check }) => check === 'gateway').map(({ status }) => status)).toEqual(['ok', 'warn']);
  });

  test.each([
    [-120_000, 'warn', 'fast'],
    [+120_000, 'warn', 'slow'],
    [-3_600_000, 'fail', 'fast'],
    [+3_600_000, 'fail', 'slow'],
  ])('has a clock %i ms ahead of ours', async (ahead, status, said) => {
    const server = createServer((_, response) => {
      response.setHeader('date', new Date(Date.now() + ahead).toUTCString()).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { of } = await examine({ ...RIGHT, WECHAT_PAY_GATEWAY: gateway });
    server.close();
    expect(of('clock')).toMatchObject({ status, message: expect.stringContaining(said) });
  });
});

describe('the certificate', () => {
  const file = (name: string): string => join(shop.programs.folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: shop.programs.folder, stdio: 'ignore' });
  };
  const PASSPHRASE = 'CANARYpassphrase';

  beforeAll(() => {
    shop.programs.keepSecret(PASSPHRASE);
    const mchId = shop.env['WECHAT_PAY_MCH_ID'] as string;
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
    openssl(...request, '-keyout', 'key.pem', '-out', 'cert.pem', '-subj', `/CN=${mchId}`, '-days', '300');
    openssl(...request, '-keyout', 'key2.pem', '-out', 'soon.pem', '-subj', `/CN=${mchId}`, '-days', '10');
    openssl(...request, '-keyout', 'key3.pem', '-out', 'foreign.pem', '-subj', '/CN=1900000109', '-days', '300');
    const p12 = ['pkcs12', '-export', '-in', 'cert.pem', '-inkey', 'key.pem', '-passout'];
    openssl(...p12, `pass:${PASSPHRASE}`, '-out', 'modern.p12');
    openssl(...p12, `pass:${PASSPHRASE}`, '-legacy', '-out', 'old.p12');
    for (const name of ['key.pem', 'key2.pem', 'key3.pem', 'modern.p12', 'old.p12']) chmodSync(file(name), 0o600);
  });

  test.each([
    ['cert.pem', 'key.pem', 'ok', 'is valid until'],
    ['soon.pem', 'key2.pem', 'warn', 'expires in 9 days'],
    ['foreign.pem', 'key3.pem', 'warn', '1900000109'],
    ['cert.pem', 'key2.pem', 'fail', 'does not belong to the certificate'],
    ['cert.pem', 'nowhere.pem', 'fail', 'cannot be read (ENOENT)'],
    ['key.pem', 'key.pem', 'fail', 'is not a certificate'],
  ])('%s with %s: %s', async (cert, key, status, said) => {
    const { of } = await examine(
      { ...ONLINE, WECHAT_PAY_CERTIFICATE_FILE: file(cert), WECHAT_PAY_PRIVATE_KEY_FILE: file(key) },
      '--offline',
    );
    expect(of('certificate')).toMatchObject({ status, message: expect.stringContaining(said) });
  });

  test.each([
    ['modern.p12', PASSPHRASE, 'ok', ''],
    ['modern.p12', 'wrong', 'fail', 'mch_id'],
    ['old.p12', PASSPHRASE, 'fail', 'openssl pkcs12 -legacy'],
  ])('%s with the passphrase %s: %s', async (p12, passphrase, status, cure) => {
    const { of } = await examine(
      { ...ONLINE, WECHAT_PAY_P12_FILE: file(p12), WECHAT_PAY_P12_PASSPHRASE: passphrase },
      '--offline',
    );
    expect(of('certificate')?.status).toBe(status);
    expect(of('certificate')?.cure ?? '').toContain(cure);
  });

  test('its key can be read by everybody', async () => {
    chmodSync(file('key.pem'), 0o644);
    const extra = { WECHAT_PAY_CERTIFICATE_FILE: file('cert.pem'), WECHAT_PAY_PRIVATE_KEY_FILE: file('key.pem') };
    const { of } = await examine({ ...ONLINE, ...extra }, '--offline');
    chmodSync(file('key.pem'), 0o600);
    expect(of('secret-file')).toMatchObject({ status: 'warn', cure: `chmod 600 ${file('key.pem')}` });
  });
});
