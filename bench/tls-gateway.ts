import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildXml, parseXml, sign } from '@wechat-h5/core';
import { MERCHANT } from './http-notification.js';

/**
 * A gateway far away: takes every order, and answers LATENCY_MS after it came, its own work included. A process of its
 * own, so that what it costs is not counted as the client's. Answers every message of its parent with the handshakes
 * there have been.
 */
const LATENCY_MS = Number(process.argv[2]);

const directory = mkdtempSync(join(tmpdir(), 'wechat-h5-bench-'));
const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
const asked =
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench -addext subjectAltName=IP:127.0.0.1';
execFileSync('openssl', [...asked.split(' '), '-out', certificate, '-keyout', key], { stdio: 'ignore' });
const ca = readFileSync(certificate, 'utf8');

let handshakes = 0;
const server = createServer({ cert: ca, key: readFileSync(key) }, (request, response) => {
  const answerAt = performance.now() + LATENCY_MS;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { sign_type: signType } = parseXml(Buffer.concat(chunks));
    const fields: Record<string, string> = {
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: MERCHANT.appId,
      mch_id: MERCHANT.mchId,
      nonce_str: randomBytes(16).toString('hex'),
      result_code: 'SUCCESS',
      trade_type: 'MWEB',
      prepay_id: `wx${randomBytes(8).toString('hex')}`,
      mweb_url: 'https://127.0.0.1/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=1',
    };
    fields['sign'] = sign(fields, MERCHANT.apiKey, signType === 'HMAC-SHA256' ? signType : 'MD5');
    const xml = buildXml(fields);
    setTimeout(() => response.setHeader('content-type', 'text/xml').end(xml), answerAt - performance.now());
  });
});
server.on('secureConnection', () => handshakes++);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `https://127.0.0.1:${port}`, ca, file: certificate });
});
process.on('message', () => process.send?.({ handshakes }));
process.on('disconnect', () => {
  rmSync(directory, { recursive: true });
  process.exit();
});
