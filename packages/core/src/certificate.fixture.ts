import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const P12_PASSPHRASE = 'CANARYpassphrase';

/** Files as the merchant platform hands them out, and as old tools wrote them, made by openssl itself. */
export interface MerchantFiles {
  directory: string;
  cert: string;
  key: string;
  p12: Buffer;
  /** Encrypted with RC2-40, as the platform's own tool once did. */
  legacyP12: Buffer;
  openssl(...args: string[]): Buffer;
  remove(): void;
}

export function makeMerchantFiles(): MerchantFiles {
  const directory = mkdtempSync(join(tmpdir(), 'wechat-h5-certificate-'));
  const openssl = (...args: string[]): Buffer =>
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  const read = (name: string): Buffer => readFileSync(join(directory, name));
  const pair = ['-keyout', 'apiclient_key.pem', '-out', 'apiclient_cert.pem'];
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-noenc', ...pair, '-subj', '/CN=10000100', '-days', '30');
  const p12 = ['pkcs12', '-export', '-in', 'apiclient_cert.pem', '-inkey', 'apiclient_key.pem', '-passout'];
  openssl(...p12, `pass:${P12_PASSPHRASE}`, '-out', 'modern.p12');
  openssl(...p12, `pass:${P12_PASSPHRASE}`, '-legacy', '-out', 'apiclient_cert.p12');
  return {
    directory,
    cert: read('apiclient_cert.pem').toString(),
    key: read('apiclient_key.pem').toString(),
    p12: read('modern.p12'),
    legacyP12: read('apiclient_cert.p12'),
    openssl,
    remove: () => rmSync(directory, { recursive: true }),
  };
}
