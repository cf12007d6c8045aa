import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import request from 'supertest';
import { createApp } from './app.js';
import { observe } from './observe.js';

let simulator: Simulator;
let server: Server;
let shop: string;
let lines: string[];
let stop: () => void;

beforeEach(async () => {
  simulator = await createSimulator();
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  lines = [];
  const registry = new Registry();
  stop = observe(pino({}, { write: (line: string) => void lines.push(line) }), registry);
  const { appId, mchId, apiKey } = simulator.merchant;
  const options = {
    merchant: { appId, mchId, apiKey },
    gateway: simulator.url,
    notifyUrl: `${shop}/wechat/notify`,
    onPaid: () => {},
  };
  server.on('request', createApp(options, registry));
});

afterEach(async () => {
  stop();
  await simulator.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const metrics = async (): Promise<string> => (await request(shop).get('/metrics').expect(200)).text;
interface Line {
  level: number;
  msg: string;
  notification?: { code?: string };
  problem?: { code?: string };
}
const logged = (): Line[] => lines.map((line) => JSON.parse(line) as Line);

test('a payment leaves its trail in the log and in /metrics', async () => {
  await request(shop).post('/pay/ORDER_1').expect(303);
  await simulator.pay('ORDER_1');
  // A channel is one for the whole process: other instances in it may have problems of their own.
  const trail = logged().filter(({ notification }) => notification !== undefined);
  expect(trail.map(({ msg }) => msg)).toEqual([
    'notification received',
    'notification verified',
    'notification handled',
    'notification acknowledged',
  ]);
  const { transactionId } = simulator.orders.get('ORDER_1')?.payment ?? {};
  expect(trail[3]).toMatchObject({
    level: 30,
    notification: { outTradeNo: 'ORDER_1', transactionId, keyIndex: 0, durationMs: expect.any(Number) },
  });
  const text = await metrics();
  expect(text).toContain('wechat_h5_notifications_total{stage="acknowledged",code=""} 1');
  expect(text).toContain('wechat_h5_notification_duration_seconds_count{outcome="acknowledged"} 1');
});

test('a forgery is counted by its code, and reported as a problem', async () => {
  const forged = '<xml><return_code>SUCCESS</return_code><mch_id>1</mch_id></xml>';
  await request(shop).post('/wechat/notify').type('text/xml').send(forged).expect(200, /FAIL/);
  const text = await metrics();
  expect(text).toContain('wechat_h5_notifications_total{stage="refused",code="MERCHANT_UNKNOWN"} 1');
  expect(text).toContain('wechat_h5_problems_total{type="refused",code="MERCHANT_UNKNOWN"} 1');
  expect(text).not.toContain('stage="acknowledged"');
  const refused = logged().filter((line) => (line.notification ?? line.problem)?.code === 'MERCHANT_UNKNOWN');
  expect(refused).toMatchObject([
    { level: 40, notification: { code: 'MERCHANT_UNKNOWN' } },
    { level: 50, problem: { type: 'refused', code: 'MERCHANT_UNKNOWN' } },
  ]);
});

test('no key and no openid in any line', async () => {
  await request(shop).post('/pay/ORDER_2').expect(303);
  await simulator.pay('ORDER_2');
  const said = lines.join() + (await metrics());
  expect(said).toContain('ORDER_2');
  expect(said).not.toContain(simulator.merchant.apiKey);
  expect(said).not.toMatch(/openid|<xml>/);
});
