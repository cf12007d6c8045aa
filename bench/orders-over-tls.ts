import { createWechatH5, MemoryOrderBook } from '@wechat-h5/core';
import { fork, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { MERCHANT } from './http-notification.js';
import { median, shuffled } from './interleaved.js';

/**
 * Orders in flight against a gateway over TLS that takes its time: how much of what the latency allows is reached, how
 * many handshakes that takes, and what an order costs the client in CPU time. Beside whole orders, ours and those of
 * other libraries, stand the two ways of sending bytes that are ready: node:https with one Agent, and undici's Pool.
 *
 * Where there are two cores, the gateway has one and the client the other. Each turn begins with a round of orders that
 * are not counted: in a long pause the other end may have closed what was kept.
 */
const LATENCY_MS = Number(process.env['LATENCY'] ?? 50);
const IN_FLIGHT = Number(process.env['IN_FLIGHT'] ?? 50);
const ORDERS = Number(process.env['ORDERS'] ?? 4000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const NOTIFY_URL = 'https://pay.example.com/notify';

function start(program: string, core: number, args: string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const pinned = { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...process.execArgv] };
  const canPin = process.platform === 'linux' && availableParallelism() > 1;
  return fork(fileURLToPath(new URL(program, import.meta.url)), args, { env, ...(canPin ? pinned : {}) });
}

async function main(): Promise<void> {
  const gateway = start('tls-gateway.ts', 0, [String(LATENCY_MS)]);
  const [{ url, file }] = (await once(gateway, 'message')) as [{ url: string; file: string }];
  // tenpay takes no certificate authority of its own, so all are told in the way that Node knows.
  const client = start('orders-over-tls.ts', 1, [url], { ...process.env, NODE_EXTRA_CA_CERTS: file });
  client.on('message', (message) => {
    if (message !== 'handshakes') return;
    gateway.once('message', (answer) => client.send(answer as object));
    gateway.send('handshakes');
  });
  const [code] = (await once(client, 'exit')) as [number];
  gateway.disconnect();
  process.exitCode = code;
}

interface Side {
  readonly name: string;
  readonly order: (outTradeNo: string) => Promise<unknown>;
  readonly rates: number[];
  readonly cpu: number[];
  handshakes: number;
}

const loaded = createRequire(import.meta.url);
type Call = (fields: object) => Promise<Record<string, string>>;
interface TenpayClient {
  urls: Record<string, string>;
  unifiedOrder: Call;
}
interface AxiosPlugin {
  Wechatpay: new (config: object) => {
    client: { request(path: string, method: string, fields: object): Promise<{ data: Record<string, string> }> };
  };
}

const succeeded = (fields: Record<string, string>): void => {
  if (fields['result_code'] !== 'SUCCESS' || fields['mweb_url'] === undefined) throw new Error('An order was refused');
};

function sidesOf(url: string): Side[] {
  const { appId, mchId, apiKey } = MERCHANT;
  const wechatH5 = createWechatH5({
    merchant: MERCHANT,
    gateway: url,
    notifyUrl: NOTIFY_URL,
    orderBook: new MemoryOrderBook(),
    http: { callsPerSecond: 10_000, maxSockets: IN_FLIGHT },
  });
  const tenpay = new (loaded('tenpay') as new (config: object) => TenpayClient)({
    appid: appId,
    mchid: mchId,
    partnerKey: apiKey,
    notify_url: NOTIFY_URL,
    spbill_create_ip: '127.0.0.1',
  });
  for (const [name, address] of Object.entries(tenpay.urls)) {
    tenpay.urls[name] = address.replace('https://api.mch.weixin.qq.com', url);
  }
  const plugin = new (loaded('wechatpay-axios-plugin') as AxiosPlugin).Wechatpay({
    mchid: mchId,
    secret: apiKey,
    baseURL: url,
    // What its V3 half insists on; nothing here uses it.
    serial: 'nop',
    privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certs: { any: '' },
  });
  const sceneInfo = '{"h5_info":{"type":"Wap","wap_url":"https://pay.example.com","wap_name":"Shop"}}';
  const common = (outTradeNo: string): Record<string, string | number> => ({
    out_trade_no: outTradeNo,
    body: 'tea',
    total_fee: 100,
    trade_type: 'MWEB',
    scene_info: sceneInfo,
  });
  const bytes = Buffer.from(
    `<xml>${Object.entries({ appid: appId, mch_id: mchId, ...common('READY'), sign: '0'.repeat(32) })
      .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
      .join('')}</xml>`,
  );
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const pool = new Pool(url, { connections: IN_FLIGHT });
  const sendReady = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sending = request(`${url}/pay/unifiedorder`, { method: 'POST', agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => (Buffer.concat(chunks).length > 0 ? resolve() : reject(new Error('No reply'))));
      });
      sending.on('error', reject).end(bytes);
    });
  const side = (name: string, order: Side['order']): Side => ({ name, order, rates: [], cpu: [], handshakes: 0 });
  return [
    side('wechat-h5', (outTradeNo) =>
      wechatH5.createOrder({ outTradeNo, body: 'tea', totalFee: 100, clientIp: '127.0.0.1' }),
    ),
    side('wechatpay-axios-plugin', async (outTradeNo) => {
      const fields = { appid: appId, mch_id: mchId, ...common(outTradeNo), spbill_create_ip: '127.0.0.1' };
      const { data } = await plugin.client.request('v2/pay/unifiedorder', 'post', {
        ...fields,
        notify_url: NOTIFY_URL,
        sign_type: 'HMAC-SHA256',
      });
      succeeded(data);
    }),
    side('tenpay', async (outTradeNo) => succeeded(await tenpay.unifiedOrder(common(outTradeNo)))),
    side('bytes ready, node:https and one Agent', sendReady),
    side('bytes ready, undici Pool', async () => {
      const { body } = await pool.request({ method: 'POST', path: '/pay/unifiedorder', body: bytes });
      if ((await body.text()).length === 0) throw new Error('No reply');
    }),
  ];
}

async function handshakes(): Promise<number> {
  process.send?.('handshakes');
  const [answer] = (await once(process, 'message')) as [{ handshakes: number }];
  return answer.handshakes;
}

let number = 0;

async function placed(side: Side, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await side.order(`BENCH-${++number}`);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function measure(side: Side): Promise<void> {
  await placed(side, IN_FLIGHT);
  const before = await handshakes();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await placed(side, ORDERS);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  side.rates.push(ORDERS / seconds);
  side.cpu.push((user + system) / ORDERS);
  side.handshakes += (await handshakes()) - before;
}

async function client(url: string): Promise<void> {
  const sides = sidesOf(url);
  for (const side of sides) await measure(side);
  for (const side of sides) {
    side.rates.length = side.cpu.length = 0;
    side.handshakes = 0;
  }
  for (let round = 0; round < ROUNDS; round++) for (const side of shuffled(sides)) await measure(side);
  const allowed = IN_FLIGHT / (LATENCY_MS / 1000);
  console.log(
    `Node ${process.version}, ${ROUNDS} interleaved rounds of ${ORDERS} orders, ${IN_FLIGHT} in flight, ${LATENCY_MS} ms: the latency allows ${allowed} orders/s\n`,
  );
  console.log('| client | orders/s | of what is allowed, % | CPU µs/order | handshakes/order |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const side of sides) {
    const rate = median(side.rates);
    const perOrder = (side.handshakes / (ROUNDS * ORDERS)).toFixed(4);
    const cells = [rate.toFixed(0), ((100 * rate) / allowed).toFixed(1), median(side.cpu).toFixed(0), perOrder];
    console.log(`| ${side.name} | ${cells.join(' | ')} |`);
  }
  process.exit();
}

const [, , url] = process.argv;
await (url === undefined ? main() : client(url));
