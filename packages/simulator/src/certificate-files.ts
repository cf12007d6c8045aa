import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Simulator } from './simulator.js';

/** Absolute paths. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly p12: string;
}

/**
 * Writes what TLS needs, named as the merchant platform names its own. Keys are for the owner alone.
 *
 * @throws {Error} of `node:fs` when the folder cannot be written
 */
export function writeCertificates(folder: string, { tls, merchant }: Simulator): CertificateFiles {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string | Buffer, mode: number): string => {
    const path = resolve(join(folder, name));
    writeFileSync(path, content, { mode });
    return path;
  };
  return {
    ca: write('ca.pem', tls.ca, 0o644),
    cert: write('apiclient_cert.pem', merchant.certificate.cert, 0o644),
    key: write('apiclient_key.pem', merchant.certificate.key, 0o600),
    p12: write('apiclient_cert.p12', merchant.p12.pfx, 0o600),
  };
}
