import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createSimulator } from '@wechat-h5/simulator';
import { createApp, listen, PLATFORMS } from './platforms.fixture.js';
import { MerchantsModule, Warehouse } from './readme/merchants.fixture.js';
import { ACKNOWLEDGED, notify, OTHER } from './shop.fixture.js';

const FOLDER = join(__dirname, '..');
const [program = '', ...excerpts] = [...read('README.md').matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, code = '']) => code,
);

test('the program is the one that runs below, to the letter', () => {
  expect(program).toBe(`// shop.ts\n${read('src/readme/shop.fixture.ts')}`);
});

test('the excerpts are in the application that runs below', () => {
  expect(excerpts).toHaveLength(2);
  for (const excerpt of excerpts)
    expect(unindented(read('src/readme/merchants.fixture.ts'))).toContain(unindented(excerpt));
});

test('the program takes a payment, started without decorator metadata', async () => {
  const simulator = await createSimulator();
  const { appId, mchId, apiKey } = simulator.merchant;
  const port = await freePort();
  const shop = spawn(process.execPath, ['--import', 'tsx', '-C', '@wechat-h5/source', 'src/readme/shop.fixture.ts'], {
    cwd: FOLDER,
    env: {
      PATH: process.env['PATH'],
      NO_COLOR: '1',
      // That of the package leaves fixtures out.
      TSX_TSCONFIG_PATH: join(FOLDER, '../../tsconfig.test.json'),
      PORT: String(port),
      WECHAT_PAY_APP_ID: appId,
      WECHAT_PAY_MCH_ID: mchId,
      WECHAT_PAY_API_KEY: apiKey,
      WECHAT_PAY_GATEWAY: simulator.url,
      WECHAT_PAY_NOTIFY_URL: `http://127.0.0.1:${port}/wechat/notify`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let output = '';
    shop.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const said = async (text: string): Promise<void> => {
      while (!output.includes(text) && shop.exitCode === null) {
        await Promise.race([once(shop.stdout, 'data'), once(shop, 'exit')]);
      }
      expect(output).toContain(text);
    };
    await said('successfully started');
    expect(await (await untilUp(`http://127.0.0.1:${port}/`)).text()).toContain('<form method="post" action="/pay">');
    const ordered = await fetch(`http://127.0.0.1:${port}/pay`, { method: 'POST', redirect: 'manual' });
    expect(ordered.status).toBe(303);
    expect(ordered.headers.get('location')).toContain(`${simulator.url}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=`);
    const [order] = simulator.orders.list();
    const { attempts } = await simulator.pay(order?.outTradeNo ?? '');
    expect(attempts.map(({ verdict }) => verdict)).toEqual(['acknowledged']);
    await said(`deliver ${order?.outTradeNo}: 1990 fen`);
  } finally {
    if (shop.kill()) await once(shop, 'exit');
    await simulator.stop();
  }
});

test.each(PLATFORMS)('one merchant with a handler, another with a route, on $name', async ({ adapter }) => {
  const app = await createApp(MerchantsModule, adapter());
  const port = await listen(app);
  expect(await notify(port)).toEqual(ACKNOWLEDGED);
  expect(await notify(port, '/other/notify', OTHER)).toEqual(ACKNOWLEDGED);
  expect(app.get(Warehouse).shipped).toEqual(['TEST_0001', 'book TEST_0001']);
  await app.close();
});

function read(path: string): string {
  return readFileSync(join(FOLDER, path), 'utf8');
}

function unindented(code: string): string {
  return code.replace(/^ +/gm, '');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilUp(url: string): Promise<Response> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url);
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
