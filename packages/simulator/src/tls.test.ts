import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Agent, request as httpsRequest } from 'node:https';
import { connect, createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { createAuthority } from './certificate-authority.js';
import { createSimulator } from './index.js';
import { openScene, type Scene } from './merchant.fixture.js';
import { sign } from './signing.js';
import { buildXml, parseXml } from './xml.js';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.stop());

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Posts over TLS, with its own connection unless an agent is given. */
function post(path: string, body: string, options: SecureContextOptions & { servername?: string; agent?: Agent } = {}) {
  const { url, ca } = scene.simulator.tls;
  return new Promise<Reply>((resolve, reject) => {
    const request = httpsRequest(`${url}${path}`, { method: 'POST', ca, agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

function message(fields: Record<string, string>): string {
  const { appId, mchId, apiKey } = scene.simulator.merchant;
  const complete = { appid: appId, mch_id: mchId, nonce_str: 'n', ...fields };
  return buildXml({ ...complete, sign: sign(complete, apiKey, 'MD5') });
}

async function paid(outTradeNo: string): Promise<string> {
  await scene.place(outTradeNo, { total_fee: '100' });
  await scene.simulator.pay(outTradeNo);
  return message({ out_trade_no: outTradeNo, out_refund_no: `R-${outTradeNo}`, total_fee: '100', refund_fee: '100' });
}

test('the same orders over TLS as over http, for who trusts the authority, by name and by address', async () => {
  await scene.place('over-http');
  for (const servername of ['localhost', 'api.mch.weixin.qq.com', 'apihk.mch.weixin.qq.com']) {
    const { status, text } = await post('/pay/orderquery', message({ out_trade_no: 'over-http' }), { servername });
    expect(status).toBe(200);
    expect({ ...parseXml(text) }).toMatchObject({ out_trade_no: 'over-http', trade_state: 'NOTPAY' });
  }
  await expect(post('/pay/orderquery', '', { servername: 'pay.example' })).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

test('nobody trusts it unasked, and no two simulators have an authority in common', async () => {
  await expect(post('/pay/orderquery', '', { ca: undefined })).rejects.toMatchObject({
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
  });
  const other = await createSimulator();
  await expect(post('/pay/orderquery', '', { ca: other.tls.ca })).rejects.toMatchObject({
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
  });
  await other.stop();
});

test('a refund without the certificate gets the page of the web server, and nothing is refunded', async () => {
  const { status, type, text } = await post('/secapi/pay/refund', await paid('bare-order'));
  expect(status).toBe(400);
  expect(type).toBe('text/html');
  expect(text).toContain('<head><title>400 No required SSL certificate was sent</title></head>');
  expect(scene.simulator.refunds.list('bare-order')).toEqual([]);
  expect(scene.simulator.events.list().at(-1)).toMatchObject({
    type: 'gateway.reply',
    operation: 'refund',
    status: 400,
    verdict: 'NO_CERTIFICATE',
  });
});

test('a fund flow wants the certificate, too', async () => {
  const { status, text } = await post('/pay/downloadfundflow', message({ bill_date: '20261120' }));
  expect(status).toBe(400);
  expect(text).toContain('No required SSL certificate was sent');
});

test("a refund with somebody else's certificate of the same name gets the other page", async () => {
  const { mchId } = scene.simulator.merchant;
  const { cert, key } = createAuthority('Simulated WeChat Pay').issue({ commonName: mchId });
  const { status, text } = await post('/secapi/pay/refund', await paid('foreign-order'), { cert, key });
  expect(status).toBe(400);
  expect(text).toContain('400 The SSL certificate error');
  expect(scene.simulator.refunds.list('foreign-order')).toEqual([]);
});

test.each([
  ['the PEM pair', () => scene.simulator.merchant.certificate],
  ['the p12 with the mch_id', () => scene.simulator.merchant.p12],
])('a refund with %s is accepted', async (what, certificate) => {
  const number = what.includes('PEM') ? 'pem-order' : 'p12-order';
  const { status, text } = await post('/secapi/pay/refund', await paid(number), certificate());
  expect(status).toBe(200);
  expect({ ...parseXml(text) }).toMatchObject({ result_code: 'SUCCESS', out_refund_no: `R-${number}` });
});

/** Three refunds, each over a connection of its own, of which the later ones resume the session of the first. */
async function refundThrice(name: string, certificate: SecureContextOptions) {
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
  const { url, ca } = scene.simulator.tls;
  const replies: { readonly status: number; readonly resumed: boolean }[] = [];
  for (const number of ['first', 'second', 'third']) {
    const body = await paid(`${name}-${number}`);
    await new Promise((resolve, reject) => {
      const options = { method: 'POST', ca, agent, ...certificate };
      const request = httpsRequest(`${url}/secapi/pay/refund`, options, (response) => {
        const resumed = (response.socket as TLSSocket).isSessionReused();
        replies.push({ status: response.statusCode ?? 0, resumed });
        response.resume().on('end', resolve);
      });
      request.on('error', reject);
      request.end(body);
    });
  }
  agent.destroy();
  expect(replies.map(({ resumed }) => resumed)).toContain(true);
  return replies.map(({ status }) => status);
}

test('a resumed session still is whose it was', async () => {
  expect(await refundThrice('known', scene.simulator.merchant.certificate)).toEqual([200, 200, 200]);
  expect(scene.simulator.refunds.get('R-known-third')).toBeDefined();
});

test('a resumed session that began without a certificate still has none', async () => {
  expect(await refundThrice('unknown', {})).toEqual([400, 400, 400]);
  expect(scene.simulator.refunds.get('R-unknown-third')).toBeUndefined();
});

test('on plain http nobody can show a certificate: a refund goes by its signature alone', async () => {
  const body = await paid('http-order');
  const reply = await fetch(`${scene.simulator.url}/secapi/pay/refund`, { method: 'POST', body });
  expect({ ...parseXml(await reply.text()) }).toMatchObject({ result_code: 'SUCCESS' });
});

test('speaks nothing older than TLS 1.2', async () => {
  const { url, ca } = scene.simulator.tls;
  const error = await new Promise<Error>((resolve) => {
    const socket = connect({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      ca,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
    });
    socket.on('error', resolve);
    socket.on('secureConnect', () => resolve(new Error('connected')));
  });
  expect(error.message).not.toBe('connected');
});

test('the certificates say whose they are and what for, and are valid now', () => {
  const { certificate } = scene.simulator.merchant;
  const root = new X509Certificate(scene.simulator.tls.ca);
  const client = new X509Certificate(certificate.cert);
  expect(root.ca).toBe(true);
  expect(root.verify(root.publicKey)).toBe(true);
  expect(client.ca).toBe(false);
  expect(client.subject).toBe(`CN=${scene.simulator.merchant.mchId}`);
  expect(client.checkIssued(root)).toBe(true);
  expect(client.verify(root.publicKey)).toBe(true);
  expect(client.checkPrivateKey(createPrivateKey(certificate.key))).toBe(true);
  expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  for (const { validFrom, validTo } of [root, client]) {
    expect(new Date(validFrom).getTime()).toBeLessThan(Date.now());
    expect(new Date(validTo).getTime()).toBeGreaterThan(Date.now());
  }
  expect(client.serialNumber).not.toBe(root.serialNumber);
});

test('the p12 opens with the mch_id and with nothing else', () => {
  const { pfx, passphrase } = scene.simulator.merchant.p12;
  expect(passphrase).toBe(scene.simulator.merchant.mchId);
  expect(() => createSecureContext({ pfx, passphrase })).not.toThrow();
  expect(() => createSecureContext({ pfx, passphrase: `${passphrase}0` })).toThrow('mac verify failure');
  const changed = Buffer.from(pfx);
  changed[100] = (changed[100] ?? 0) ^ 1;
  expect(() => createSecureContext({ pfx: changed, passphrase })).toThrow(/./);
});

test('a TLS port that is taken is an error, and leaves nothing listening', async () => {
  const tlsPort = Number(new URL(scene.simulator.tls.url).port);
  const probe = await createSimulator();
  const port = Number(new URL(probe.url).port);
  await probe.stop();
  await expect(createSimulator({ port, tlsPort })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const again = await createSimulator({ port });
  await again.stop();
});

test('no key of any kind is among what it records or tells', async () => {
  const { certificate } = scene.simulator.merchant;
  const secret = certificate.key.split('\n')[1] ?? '';
  expect(secret.length).toBeGreaterThan(40);
  const told = await Promise.all(
    ['', '__simulator/orders', '__simulator/refunds', '__simulator/events'].map(async (path) =>
      (await fetch(`${scene.simulator.url}/${path}`)).text(),
    ),
  );
  expect(told.join('')).not.toContain(secret);
});
