import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls, { type SecureContextOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { atEnd, call, gatewayTo, reply } from './gateway.fixture.js';

let folder: string;
let ca: string;
let good: SecureContextOptions;

const openssl = (command: string): unknown =>
  execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'pipe' });
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** A certificate of our own authority. */
function issued(name: string, subjectAltName: string, days: number): SecureContextOptions {
  writeFileSync(join(folder, `${name}.cnf`), `subjectAltName=${subjectAltName}\n`);
  openssl(`req -newkey rsa:2048 -noenc -keyout ${name}.key -out ${name}.csr -subj /CN=x`);
  const authority = `-CA ca.pem -CAkey ca.key -days ${days} -extfile ${name}.cnf`;
  openssl(`x509 -req -in ${name}.csr ${authority} -out ${name}.pem`);
  return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-h5-tls-'));
  openssl('req -x509 -newkey rsa:2048 -noenc -keyout ca.key -out ca.pem -subj /CN=authority -days 30');
  ca = read('ca.pem');
  good = issued('good', 'IP:127.0.0.1', 30);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface TlsServer {
  readonly base: URL;
  /** Requests that got through, TLS handshakes that were completed, and connections. */
  readonly seen: { requests: number; handshakes: number; connections: number };
}

async function tlsServer(options: https.ServerOptions): Promise<TlsServer> {
  const seen = { requests: 0, handshakes: 0, connections: 0 };
  const server = https.createServer(options, (request, response) => {
    seen.requests++;
    request.resume().on('end', () => response.end(reply()));
  });
  server.on('secureConnection', () => seen.handshakes++);
  server.on('connection', () => seen.connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { base: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`), seen };
}

function trusting(): https.Agent {
  const agent = new https.Agent({ keepAlive: true, ca });
  atEnd(async () => agent.destroy());
  return agent;
}

describe('N13: a host that does not prove who it is', () => {
  test.each([
    ['expired', 'CERT_HAS_EXPIRED', () => issued('expired', 'IP:127.0.0.1', -1), true],
    ['for another host', 'ERR_TLS_CERT_ALTNAME_INVALID', () => issued('other', 'DNS:other.example', 30), true],
    ['of an authority nobody knows', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', () => good, false],
    ['signed by itself', 'DEPTH_ZERO_SELF_SIGNED_CERT', () => ({ cert: ca, key: read('ca.key') }), false],
  ])(
    'N13: a certificate that is %s: nothing is sent, nothing is tried again',
    async (_what, code, certificate, known) => {
      const impostor = await tlsServer(certificate());
      const backup = await tlsServer(good);
      const gateway = gatewayTo([impostor.base, backup.base], {
        repeatAfterMs: [1, 1],
        ...(known ? { agent: trusting() } : {}),
      });
      await expect(call(gateway)).rejects.toMatchObject({
        code: 'GATEWAY_UNREACHABLE',
        hint: expect.stringContaining('certificate'),
        cause: { cause: { code } },
      });
      expect([impostor.seen.requests, impostor.seen.connections, backup.seen.connections]).toEqual([0, 1, 0]);
    },
  );

  test('N13: a certificate that is in order is accepted', async () => {
    const { base } = await tlsServer(good);
    await expect(call(gatewayTo([base], { agent: trusting() }))).resolves.toBeDefined();
  });
});

test.each(['TLSv1', 'TLSv1.1'] as const)(
  'N15: a host that speaks nothing newer than %s is refused',
  async (version) => {
    // Neither Node's own default nor the age of its ciphers is what refuses.
    jest.replaceProperty(tls, 'DEFAULT_MIN_VERSION', 'TLSv1');
    atEnd(async () => void jest.restoreAllMocks());
    const server = tls.createServer({
      ...good,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(async () => server.close());
    const agent = new https.Agent({ ca, ciphers: 'DEFAULT@SECLEVEL=0' });
    atEnd(async () => agent.destroy());
    const base = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(call(gatewayTo([base], { agent }))).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      cause: { code: 'EPROTO', message: expect.stringContaining('protocol version') },
    });
  },
);

test('a kept connection serves one call after the other: one handshake', async () => {
  const { base, seen } = await tlsServer(good);
  const gateway = gatewayTo([base], { agent: trusting() });
  for (let n = 0; n < 5; n++) await call(gateway, `ORDER-${n}`);
  expect(seen).toEqual({ requests: 5, handshakes: 1, connections: 1 });
});
