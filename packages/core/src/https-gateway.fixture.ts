import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeMerchantFiles, type MerchantFiles } from './certificate.fixture.js';
import { buildXml, parseXml, sign, type WechatH5Options } from './index.js';

type Fields = Record<string, string>;

const APP_ID = 'wx2421b1c4370ec43b';
const MCH_ID = '10000100';
const API_KEY = '192006250b4c09247ec02edce69f6a2d';

/** WeChat Pay's side of mutual TLS: one https server that knows the merchant's certificate and signs what it says. */
export interface HttpsGateway {
  readonly files: MerchantFiles;
  /** What arrived: the path, the fields, and who the certificate says it was. */
  readonly requests: { path: string; fields: Fields; certificate: string | undefined }[];
  /** What is answered to it; signed unless it is bytes. */
  answer: (fields: Fields) => Fields | Buffer | string;
  /** Options of an instance that reaches it. */
  options(merchant?: object): WechatH5Options;
  stop(): Promise<void>;
}

export async function openHttpsGateway(): Promise<HttpsGateway> {
  const files = makeMerchantFiles();
  const server = ['-keyout', 'server_key.pem', '-out', 'server_cert.pem', '-subj', '/CN=localhost', '-days', '30'];
  files.openssl('req', '-x509', '-newkey', 'rsa:2048', '-noenc', ...server, '-addext', 'subjectAltName=DNS:localhost');
  const ca = readFileSync(join(files.directory, 'server_cert.pem'));
  const agent = new Agent({ ca, keepAlive: true });
  const https = createServer(
    {
      cert: ca,
      key: readFileSync(join(files.directory, 'server_key.pem')),
      ca: files.cert,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const socket = request.socket as TLSSocket;
        const fields = parseXml(Buffer.concat(chunks));
        const certificate = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined;
        gateway.requests.push({ path: request.url ?? '', fields, certificate });
        const answer = gateway.answer(fields);
        if (typeof answer === 'string' || Buffer.isBuffer(answer)) return response.end(answer);
        const reply = { return_code: 'SUCCESS', result_code: 'SUCCESS', appid: APP_ID, mch_id: MCH_ID, ...answer };
        const signed = { nonce_str: `${Math.random()}`, ...reply };
        return response.end(buildXml({ ...signed, sign: sign(signed, API_KEY) }));
      });
    },
  );
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  const gateway: HttpsGateway = {
    files,
    requests: [],
    answer: () => ({}),
    options: (merchant) => ({
      merchant: { appId: APP_ID, mchId: MCH_ID, apiKey: API_KEY, ...merchant },
      notifyUrl: 'https://pay.example.com/notify',
      gateway: `https://localhost:${(https.address() as AddressInfo).port}`,
      http: { agent },
      onProblem: () => {},
    }),
    async stop() {
      agent.destroy();
      https.closeAllConnections();
      https.close();
      await once(https, 'close');
      files.remove();
    },
  };
  return gateway;
}
