import { randomInt } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSimulator } from '@wechat-h5/simulator';

const folder = join(__dirname, '..');
const snippets = [
  ...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```js\n(?:\/\/ \S+\n)?(.*?)^```$/gms),
].map(([, code = '']) => code);
const programs = ['readme/shop.mjs', 'readme/acknowledge.mjs'];

test('every snippet of the README is part of a program that is run here', () => {
  const texts = programs.map((program) => readFileSync(join(folder, program), 'utf8'));
  expect(snippets).toHaveLength(programs.length);
  snippets.forEach((code, index) => expect(texts[index]).toContain(code));
});

test.each(programs)('%s takes a payment, from the form to the delivery', async (program) => {
  const simulator = await createSimulator();
  const port = await freePort();
  const { appId, mchId, apiKey } = simulator.merchant;
  const shop = spawn(process.execPath, ['-C', '@wechat-h5/source', '--import', 'tsx', program], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PORT: String(port),
      WECHAT_PAY_APP_ID: appId,
      WECHAT_PAY_MCH_ID: mchId,
      WECHAT_PAY_API_KEY: apiKey,
      WECHAT_PAY_GATEWAY: simulator.url,
      WECHAT_PAY_NOTIFY_URL: `http://127.0.0.1:${port}/wechat/notify`,
    },
  });
  try {
    const delivered = once(createInterface({ input: shop.stdout }), 'line');
    const page = await untilUp(`http://127.0.0.1:${port}/`, shop);
    expect(await page.text()).toContain('<form method="post" action="/pay">');
    const ordered = await fetch(`http://127.0.0.1:${port}/pay`, { method: 'POST', redirect: 'manual' });
    expect(ordered.status).toBe(303);
    expect(ordered.headers.get('location')).toContain('/checkmweb?prepay_id=');

    const [order] = simulator.orders.list();
    const { attempts } = await simulator.pay(order?.outTradeNo ?? '');
    expect(attempts.map(({ verdict, reason }) => `${verdict}: ${reason}`)).toEqual(['acknowledged: OK']);
    expect(await delivered).toEqual([`deliver ${order?.outTradeNo}: 1990 fen`]);
  } finally {
    shop.kill();
    await simulator.stop();
  }
});

/** Below the range from which systems take ports for outgoing connections, where any of them could be gone a moment later. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(20_000, 30_000), '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // it is taken
    }
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function untilUp(url: string, shop: ChildProcess): Promise<Response> {
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (shop.exitCode !== null) throw new Error(`The shop ended with ${shop.exitCode}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
