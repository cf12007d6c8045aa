import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { makeMerchantFiles, P12_PASSPHRASE, type MerchantFiles } from './certificate.fixture.js';
import { checkedCertificate, P12_CONVERSION, type Certificate } from './certificate.js';
import { fakeDate } from './fake-date.fixture.js';
import { createWechatH5, optionsFromEnv } from './index.js';
import { KnownMerchant, type Merchant } from './merchant.js';

const MERCHANT: Merchant = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '10000100',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
};

let files: MerchantFiles;
beforeAll(() => {
  files = makeMerchantFiles();
});
afterAll(() => files.remove());

const check = (certificate: unknown): unknown =>
  checkedCertificate(certificate as Certificate, 'merchant.certificate', MERCHANT.mchId);

test('a pair of PEM contents, as text or bytes', () => {
  const { cert, key } = files;
  expect(check({ cert, key })).toEqual({ cert, key });
  expect(check({ cert: Buffer.from(cert), key: Buffer.from(key) })).toEqual({ cert, key });
});

test.each([
  ['text', (pem: string) => `\uFEFF${pem}`],
  ['bytes', (pem: string) => Buffer.from(`\uFEFF${pem}`)],
])('PEM behind the byte order mark of an editor, as %s', (_how, marked) => {
  const { cert, key } = files;
  expect(check({ cert: marked(cert), key: marked(key) })).toEqual({ cert, key });
});

test('a p12 with its passphrase', () => {
  const p12 = { pfx: files.p12, passphrase: P12_PASSPHRASE };
  expect(check(p12)).toEqual(p12);
});

test('a p12 without a passphrase is opened with the mch_id', () => {
  const pair = ['-in', 'apiclient_cert.pem', '-inkey', 'apiclient_key.pem'];
  const pfx = files.openssl('pkcs12', '-export', ...pair, '-passout', `pass:${MERCHANT.mchId}`);
  expect(check({ pfx })).toEqual({ pfx, passphrase: MERCHANT.mchId });
});

describe('a p12 made by old tools (RC2)', () => {
  test('is recognised, and the hint names the conversion', () => {
    expect(() => check({ pfx: files.legacyP12, passphrase: P12_PASSPHRASE })).toThrow(
      expect.objectContaining({
        code: 'CERTIFICATE_LEGACY',
        field: 'merchant.certificate.pfx',
        hint: expect.stringContaining(P12_CONVERSION),
      }),
    );
  });

  test('the command of the hint makes one file that is both certificate and key', () => {
    const [program = '', ...args] = P12_CONVERSION.split(' ');
    execFileSync(program, [...args, '-passin', `pass:${P12_PASSPHRASE}`], { cwd: files.directory });
    const pem = readFileSync(join(files.directory, 'apiclient.pem'));
    expect(check({ cert: pem, key: pem })).toEqual({ cert: pem.toString(), key: pem.toString() });
  });

  test('with a wrong passphrase it is the passphrase that is wrong', () => {
    expect(() => check({ pfx: files.legacyP12, passphrase: 'wrong' })).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_PASSPHRASE', field: 'merchant.certificate.passphrase' }),
    );
  });
});

test.each<[what: string, code: string, field: string, make: () => unknown]>([
  ['a wrong passphrase', 'CERTIFICATE_PASSPHRASE', '.passphrase', () => ({ pfx: files.p12, passphrase: 'wrong' })],
  ['no passphrase and not the mch_id', 'CERTIFICATE_PASSPHRASE', '.passphrase', () => ({ pfx: files.p12 })],
  ['a passphrase that is a number', 'CERTIFICATE_INVALID', '.passphrase', () => ({ pfx: files.p12, passphrase: 1 })],
  ['a p12 that is none', 'CERTIFICATE_INVALID', '.pfx', () => ({ pfx: Buffer.from('p12') })],
  [
    'half a p12',
    'CERTIFICATE_INVALID',
    '.pfx',
    () => ({ pfx: files.p12.subarray(0, 900), passphrase: P12_PASSPHRASE }),
  ],
  ['a p12 read as text', 'CERTIFICATE_INVALID', '.pfx', () => ({ pfx: files.p12.toString() })],
  [
    'a p12 without a key',
    'CERTIFICATE_INVALID',
    '.pfx',
    () => ({
      pfx: files.openssl('pkcs12', '-export', '-nokeys', '-in', 'apiclient_cert.pem', '-passout', 'pass:x'),
      passphrase: 'x',
    }),
  ],
  [
    'a p12 without a certificate',
    'CERTIFICATE_INVALID',
    '.pfx',
    () => ({
      pfx: files.openssl('pkcs12', '-export', '-nocerts', '-inkey', 'apiclient_key.pem', '-passout', 'pass:x'),
      passphrase: 'x',
    }),
  ],
  [
    'the path of a certificate',
    'CERTIFICATE_INVALID',
    '.cert',
    () => ({ cert: '/etc/apiclient_cert.pem', key: files.key }),
  ],
  ['no key', 'CERTIFICATE_INVALID', '.key', () => ({ cert: files.cert })],
  ['a key that is none', 'CERTIFICATE_INVALID', '.key', () => ({ cert: files.cert, key: '-----BEGIN CANARY' })],
  ['a certificate as key', 'CERTIFICATE_INVALID', '.key', () => ({ cert: files.cert, key: files.cert })],
  ['a key as certificate', 'CERTIFICATE_INVALID', '.cert', () => ({ cert: files.key, key: files.key })],
  ['another key', 'CERTIFICATE_INVALID', '.key', () => ({ cert: files.cert, key: files.openssl('genrsa', '2048') })],
  [
    'an encrypted key',
    'CERTIFICATE_INVALID',
    '.key',
    () => ({
      cert: files.cert,
      key: files.openssl('pkey', '-in', 'apiclient_key.pem', '-aes128', '-passout', 'pass:CANARY'),
    }),
  ],
  ['something else beside', 'CERTIFICATE_INVALID', '', () => ({ cert: files.cert, key: files.key, ca: 'x' })],
  ['text', 'CERTIFICATE_INVALID', '', () => 'apiclient_cert.pem'],
])('%s: %s about certificate%s', (_what, code, field, make) => {
  const certificate = make() as Certificate;
  expect(() => new KnownMerchant({ ...MERCHANT, certificate }, 'merchant[1]')).toThrow(
    expect.objectContaining({ code, field: `merchant[1].certificate${field}`, hint: expect.stringMatching(/./) }),
  );
});

describe('validity', () => {
  afterEach(() => jest.useRealTimers());

  test.each<[string, number, () => Certificate]>([
    ['expired, PEM', 31, () => ({ cert: files.cert, key: files.key })],
    ['expired, p12', 31, () => ({ pfx: files.p12, passphrase: P12_PASSPHRASE })],
    ['not begun', -1, () => ({ cert: files.cert, key: files.key })],
  ])('%s', (_what, days, certificate) => {
    fakeDate(Date.now() + days * 86_400_000);
    expect(() => check(certificate())).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_EXPIRED', field: 'merchant.certificate' }),
    );
  });
});

describe('from the environment', () => {
  const env = (variables: Record<string, string>): NodeJS.ProcessEnv => ({
    WECHAT_PAY_APP_ID: MERCHANT.appId,
    WECHAT_PAY_MCH_ID: MERCHANT.mchId,
    WECHAT_PAY_API_KEY: MERCHANT.apiKey as string,
    WECHAT_PAY_NOTIFY_URL: 'https://pay.example.com/notify',
    ...variables,
  });
  const certificateOf = (variables: Record<string, string>): Certificate | undefined =>
    (optionsFromEnv(env(variables)).merchant as Merchant).certificate;

  test('files', () => {
    const { cert, key, p12, directory } = files;
    expect(
      certificateOf({
        WECHAT_PAY_CERTIFICATE_FILE: join(directory, 'apiclient_cert.pem'),
        WECHAT_PAY_PRIVATE_KEY_FILE: join(directory, 'apiclient_key.pem'),
      }),
    ).toEqual({ cert, key });
    expect(certificateOf({ WECHAT_PAY_P12_FILE: join(directory, 'modern.p12') })).toEqual({ pfx: p12 });
  });

  test('contents: PEM whose line breaks were escaped, p12 in base64', () => {
    const { cert, key, p12 } = files;
    const oneLine = (pem: string): string => pem.trim().replaceAll('\n', '\\n');
    const pair = certificateOf({ WECHAT_PAY_CERTIFICATE: oneLine(cert), WECHAT_PAY_PRIVATE_KEY: oneLine(key) });
    expect(pair).toEqual({ cert: cert.trim(), key: key.trim() });
    expect(check(pair)).toEqual(pair);
    expect(
      certificateOf({ WECHAT_PAY_P12: p12.toString('base64'), WECHAT_PAY_P12_PASSPHRASE: P12_PASSPHRASE }),
    ).toEqual({ pfx: p12, passphrase: P12_PASSPHRASE });
  });

  test.each<[string, Record<string, string>]>([
    ['WECHAT_PAY_PRIVATE_KEY', { WECHAT_PAY_CERTIFICATE: 'x' }],
    ['WECHAT_PAY_CERTIFICATE', { WECHAT_PAY_PRIVATE_KEY: 'x' }],
    ['WECHAT_PAY_CERTIFICATE', { WECHAT_PAY_CERTIFICATE: 'x', WECHAT_PAY_P12: 'eA==' }],
    ['WECHAT_PAY_PRIVATE_KEY', { WECHAT_PAY_PRIVATE_KEY: 'x', WECHAT_PAY_P12: 'eA==' }],
    ['WECHAT_PAY_P12', { WECHAT_PAY_P12: 'not base64!' }],
    ['WECHAT_PAY_P12_FILE', { WECHAT_PAY_P12_FILE: '/nowhere/apiclient_cert.p12' }],
    ['WECHAT_PAY_P12_FILE', { WECHAT_PAY_P12_FILE: '/nowhere/apiclient_cert.p12', WECHAT_PAY_P12: 'eA==' }],
  ])('%s is named: %j', (field, variables) => {
    expect(() => certificateOf(variables)).toThrow(expect.objectContaining({ code: 'ENVIRONMENT_INVALID', field }));
  });
});

test('X11: neither passphrase nor private key shows, in an instance or in an error', () => {
  const secretLine = files.key.split('\n')[5] ?? '';
  expect(secretLine).toHaveLength(64);
  const sinks: string[] = [];
  const look = (value: unknown): void => {
    sinks.push(inspect(value, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null }));
    sinks.push(JSON.stringify(value), String((value as Error).stack));
  };
  const certificates: Certificate[] = [
    { cert: files.cert, key: files.key },
    { pfx: files.p12, passphrase: P12_PASSPHRASE },
    { pfx: files.legacyP12, passphrase: P12_PASSPHRASE },
    { pfx: files.legacyP12.subarray(1), passphrase: P12_PASSPHRASE },
    { pfx: files.p12, passphrase: `${P12_PASSPHRASE}!` },
    { cert: files.key, key: files.key },
    { cert: files.cert, key: files.key.replace('BEGIN', 'BEGIN CANARY') },
  ];
  for (const certificate of certificates) {
    const merchant = { ...MERCHANT, certificate };
    try {
      look(new KnownMerchant(merchant, 'merchant'));
      look(createWechatH5({ merchant, notifyUrl: 'https://pay.example.com/notify' }));
    } catch (error) {
      look(error);
    }
  }
  expect(sinks).toHaveLength(4 * 3 + 5 * 3);
  for (const sink of sinks) {
    expect(sink).not.toContain(secretLine);
    expect(sink).not.toContain(P12_PASSPHRASE);
    expect(sink).not.toContain('CANARY');
  }
});
