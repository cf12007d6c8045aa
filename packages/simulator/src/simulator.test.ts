import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { HANG, openScene } from './merchant.fixture.js';
import { createSimulator, SimulatorError } from './index.js';

test('makes ids and a key for each run, and takes given ones', async () => {
  const [one, two] = await Promise.all([
    createSimulator(),
    createSimulator({
      merchant: { appId: 'wx0123456789abcdef', mchId: '1900000109', apiKey: 'k'.repeat(32), name: 'Tea' },
    }),
  ]);
  expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(one.merchant).toEqual({
    appId: expect.stringMatching(/^wx[0-9a-f]{16}$/),
    mchId: expect.stringMatching(/^19\d{8}$/),
    apiKey: expect.stringMatching(/^[0-9A-Za-z]{32}$/),
    h5Domains: ['localhost', '127.0.0.1', '[::1]'],
    currencies: expect.arrayContaining(['CNY', 'HKD', 'ISK']),
    name: expect.any(String),
    certificate: { cert: expect.stringContaining('CERTIFICATE'), key: expect.stringContaining('PRIVATE KEY') },
    p12: { pfx: expect.any(Buffer), passphrase: one.merchant.mchId },
  });
  expect(two.merchant).toMatchObject({
    appId: 'wx0123456789abcdef',
    mchId: '1900000109',
    apiKey: 'k'.repeat(32),
    name: 'Tea',
  });
  await Promise.all([one.stop(), two.stop()]);
});

test.each([
  [{ apiKey: 'short' }, 'merchant.apiKey'],
  [{ apiKey: '钥'.repeat(32) }, 'merchant.apiKey'],
  [{ mchId: '' }, 'merchant.mchId'],
  [{ appId: '<wx>' }, 'merchant.appId'],
  [{ h5Domains: ['https://shop.example'] }, 'merchant.h5Domains'],
  [{ h5Domains: ['shop.example/pay'] }, 'merchant.h5Domains'],
  [{ h5Domains: ['shop.example/'] }, 'merchant.h5Domains'],
  [{ h5Domains: ['user@shop.example'] }, 'merchant.h5Domains'],
  [{ h5Domains: [''] }, 'merchant.h5Domains'],
])('refuses the merchant %j', async (merchant, named) => {
  await expect(createSimulator({ merchant })).rejects.toThrow(named);
});

test.each([0, -1, NaN, Infinity, 11])('refuses timeScale %p', async (timeScale) => {
  await expect(createSimulator({ timeScale })).rejects.toThrow('timeScale');
});

test.each(['0.0.0.0', '::', '192.168.0.1', 'example.com'])('refuses to listen on %s', async (host) => {
  await expect(createSimulator({ host })).rejects.toMatchObject({ code: 'NOT_LOOPBACK' });
});

test('refuses to run in production', async () => {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    const refusal = createSimulator();
    await expect(refusal).rejects.toBeInstanceOf(SimulatorError);
    await expect(refusal).rejects.toMatchObject({ code: 'IN_PRODUCTION', hint: expect.any(String) });
  } finally {
    process.env['NODE_ENV'] = before;
  }
});

test('a port that is taken is an error, not a wait', async () => {
  const first = await createSimulator();
  await expect(createSimulator({ port: Number(new URL(first.url).port) })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await first.stop();
});

test('notifies beyond this machine only when told', async () => {
  const scene = await openScene();
  const remote = { notify_url: 'https://shop.example/notify' };
  expect(await scene.call('unifiedorder', scene.order('order-1', remote))).toMatchObject({ err_code: 'PARAM_ERROR' });
  await scene.stop();
  const open = await openScene({ allowRemoteNotifyUrl: true });
  expect(await open.call('unifiedorder', open.order('order-1', remote))).toMatchObject({ result_code: 'SUCCESS' });
  await open.stop();
});

test('pay and cancel need a payable order', async () => {
  const scene = await openScene();
  const { simulator } = scene;
  await expect(simulator.pay('never')).rejects.toMatchObject({ code: 'ORDER_UNKNOWN' });
  await scene.place('paid-order');
  expect(await simulator.cancel('paid-order')).toMatchObject({ tradeState: 'NOTPAY' });
  await simulator.pay('paid-order');
  await expect(simulator.pay('paid-order')).rejects.toMatchObject({ code: 'ORDER_PAID' });
  await expect(simulator.cancel('paid-order')).rejects.toMatchObject({ code: 'ORDER_PAID' });
  await scene.place('closed-order');
  await scene.call('closeorder', { out_trade_no: 'closed-order' });
  await expect(simulator.pay('closed-order')).rejects.toMatchObject({ code: 'ORDER_CLOSED' });
  expect(simulator.orders.list()).toHaveLength(2);
  await scene.stop();
});

test('a subscriber hears events until it leaves', async () => {
  const scene = await openScene();
  const heard: string[] = [];
  const leave = scene.simulator.events.subscribe(({ type, number }) => heard.push(`${number} ${type}`));
  await scene.place('order-1');
  leave();
  await scene.place('order-2');
  expect(heard).toEqual(['1 gateway.request', '2 gateway.reply']);
  await scene.stop();
});

test('stop cuts deliveries in flight, cancels repetitions and frees the port', async () => {
  const scene = await openScene({ timeScale: 1 });
  scene.answer = (_body, request) => (request.url === '/hang' ? HANG : 'no');
  await scene.place('refused-order');
  await scene.simulator.pay('refused-order');
  await scene.place('hanging-order', { notify_url: `${scene.shopUrl}/hang` });
  const hanging = scene.simulator.pay('hanging-order');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = performance.now();
  await Promise.all([scene.simulator.stop(), scene.simulator.stop()]);
  expect((await hanging).attempts).toMatchObject([{ verdict: 'refused', reason: 'the simulator was stopped' }]);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(scene.simulator.notifications.nextAttemptAt('refused-order')).toBeUndefined();
  expect(scene.simulator.notifications.nextAttemptAt('hanging-order')).toBeUndefined();
  await expect(scene.simulator.pay('refused-order')).rejects.toMatchObject({ code: 'STOPPED' });
  const { port } = new URL(scene.simulator.url);
  const again = createServer();
  await new Promise<void>((resolve, reject) => {
    again.once('error', reject);
    again.listen(Number(port), '127.0.0.1', resolve);
  });
  await new Promise((resolve) => again.close(resolve));
  await scene.stop();
});

test('after stop nothing holds the process', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', require.resolve('./leftover.fixture.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const code = await new Promise((resolve) => child.on('exit', (exitCode) => resolve(exitCode)));
  clearTimeout(timer);
  expect({ code, output }).toEqual({ code: 0, output: 'stopped\n' });
});

test('shares no code with the merchant library: a wrong signature would verify itself', () => {
  const sources = readdirSync(__dirname).filter((name) => name.endsWith('.ts'));
  const imported = sources.flatMap((name) =>
    [...readFileSync(join(__dirname, name), 'utf8').matchAll(/^(?:import|export|\}) .*from '([^.'][^']*)';$/gm)].map(
      ([, from = '']) => from,
    ),
  );
  expect(new Set(imported.filter((from) => !from.startsWith('node:')))).toEqual(
    new Set(['fast-xml-parser', 'fast-check']),
  );
});
