import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WechatH5Options } from '@wechat-h5/core';
import type { RequestWechatH5 } from '@wechat-h5/core/adapter';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { eventually, withScene } from './expectations.js';
import type { ConformanceCase, Scene } from './harness.js';
import { createShop, NOTIFY_PATH } from './shop.js';
import { bytesOf, exchange, wait, Wire, type Target } from './wire.js';

/** A chain of which the left half is forged: only the right-most entry was written by a proxy. */
const FORGED = { 'x-forwarded-for': '119.147.16.6, 101.226.103.9' };
const PAYER = '101.226.103.9';
const NUMBER = 'VISITOR0001';

/** The payer's address, and orders placed with it (I20). */
export const visitorCases: readonly ConformanceCase[] = [
  orderCase(
    'C01',
    'behind a trusted proxy, createOrder sends the address that the proxy wrote, not the forged one (I20)',
    PAYER,
    {
      clientIp: { trust: ['loopback'] },
    },
  ),
  orderCase(
    'C02',
    "with no proxy trusted, the header is the visitor's writing: createOrder sends the address of the socket (I20)",
    '127.0.0.1',
    {},
  ),
  orderCase('C03', 'a framework that believes every proxy changes nothing about it (I20)', '127.0.0.1', {}, [
    'trusting',
  ]),
  orderCase('C04', 'nor does it behind a trusted proxy (I20)', PAYER, { clientIp: { trust: ['loopback'] } }, [
    'trusting',
  ]),
  {
    id: 'C05',
    title: 'an explicit clientIp in createOrder is refused, and nothing is sent',
    async run(harness) {
      await withGateway(async (simulator, options) => {
        const scene = visitorScene(options, explicitOrder);
        await withScene(harness, scene, async (running) => {
          assert.deepEqual(await get(running, '/order'), { status: 500, body: { code: 'EXPLICIT_CLIENT_IP' } });
          assert.equal(simulator.orders.list().length, 0);
        });
      });
    },
  },
  {
    id: 'C06',
    title: 'with allowExplicitClientIp it is sent',
    async run(harness) {
      await withGateway(async (simulator, options) => {
        const scene = visitorScene({ ...options, allowExplicitClientIp: true }, explicitOrder);
        await withScene(harness, scene, async (running) => {
          assert.equal((await get(running, '/order')).status, 200);
          assert.equal(simulator.orders.get(NUMBER)?.spbillCreateIp, '101.226.103.77');
        });
      });
    },
  },
  {
    id: 'C07',
    title: 'behind a wrong proxy configuration a health check still answers; only reading clientIp throws',
    async run(harness) {
      const shop = createShop(undefined, { clientIp: { trust: ['loopback'], header: 'x-real-ip' } });
      const scene: Scene = {
        visitor: shop.options,
        notify: [shop],
        routes: { '/healthz': () => 'well', '/who': (wechatH5) => wechatH5?.clientIp.ip },
      };
      await withScene(harness, scene, async (running) => {
        assert.deepEqual(await get(running, '/healthz'), { status: 200, body: 'well' });
        assert.deepEqual(await get(running, '/who'), { status: 500, body: { code: 'HEADER_MISSING' } });
        assert.deepEqual(await get(running, '/healthz'), { status: 200, body: 'well' });
        assert.deepEqual(await get(running, '/who', { 'x-real-ip': PAYER }), { status: 200, body: PAYER });
      });
    },
  },
  {
    id: 'C08',
    title: 'behind a UNIX socket the trusted proxy is whoever connects to it',
    async run(harness) {
      const folder = await mkdtemp(join(tmpdir(), 'wechat-h5-'));
      try {
        const socketPath = join(folder, 'shop.sock');
        const { options } = createShop(undefined, { clientIp: { trust: ['unix'] } });
        const scene: Scene = { socketPath, visitor: options, routes: { '/who': (wechatH5) => wechatH5?.clientIp.ip } };
        await withScene(harness, scene, async () => {
          assert.deepEqual(await get({ socketPath }, '/who', FORGED), { status: 200, body: PAYER });
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  },
  {
    id: 'C09',
    title: 'a visitor who has hung up still has the address he came from',
    async run(harness) {
      const { options } = createShop(undefined, { clientIp: { nonPublic: 'allow' } });
      const seen: string[] = [];
      let arrived = false;
      const scene: Scene = {
        visitor: options,
        routes: {
          '/who': async (wechatH5) => {
            arrived = true;
            await wait(200);
            seen.push(wechatH5?.clientIp.ip ?? '');
          },
        },
      };
      await withScene(harness, scene, async (running) => {
        const wire = await Wire.open(running);
        wire.send(bytesOf({ method: 'GET', path: '/who' }));
        await eventually('the request has arrived', () => arrived);
        wire.reset();
        await eventually('the route has read the address', () => seen.length === 1);
        assert.deepEqual(seen, ['127.0.0.1']);
      });
    },
  },
  {
    id: 'C10',
    title: 'a whole payment: ordered through the framework, paid, notified, delivered, confirmed',
    async run(harness) {
      const relay = await openRelay();
      try {
        await withGateway(async (simulator, base) => {
          const shop = createShop(undefined, {
            ...base,
            findOrder: async () => undefined,
            notifyUrl: `http://127.0.0.1:${relay.port}${NOTIFY_PATH}`,
          });
          const scene: Scene = {
            visitor: shop.options,
            notify: [shop],
            routes: { '/order': order, '/paid': (wechatH5) => wechatH5?.confirmPayment({ outTradeNo: NUMBER }) },
          };
          await withScene(harness, scene, async (running) => {
            relay.target = running.port;
            assert.equal((await get(running, '/order')).status, 200);
            const { attempts } = await simulator.pay(NUMBER);
            assert.deepEqual(
              attempts.map(({ verdict }) => verdict),
              ['acknowledged'],
            );
            assert.equal(shop.runs[0]?.payment.outTradeNo, NUMBER);
            assert.deepEqual((await get(running, '/paid')).status, 200);
            assert.deepEqual(shop.problems, []);
          });
        });
      } finally {
        await relay.stop();
      }
    },
  },
];

function order(wechatH5: RequestWechatH5 | undefined): Promise<unknown> | undefined {
  return wechatH5?.createOrder({ outTradeNo: NUMBER, body: '小店 - 茶', totalFee: 1990 });
}

function explicitOrder(wechatH5: RequestWechatH5 | undefined): Promise<unknown> | undefined {
  return wechatH5?.createOrder({ outTradeNo: NUMBER, body: '小店 - 茶', totalFee: 1990, clientIp: '101.226.103.77' });
}

function visitorScene(options: WechatH5Options, place: typeof order, surroundings: Scene['surroundings'] = []): Scene {
  return { surroundings, visitor: options, routes: { '/order': place } };
}

/** An order, placed by a visitor with a forged header; which address WeChat Pay is told. */
function orderCase(
  id: string,
  title: string,
  expected: string,
  overrides: Partial<WechatH5Options>,
  surroundings?: Scene['surroundings'],
): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      await withGateway(async (simulator, options) => {
        await withScene(harness, visitorScene({ ...options, ...overrides }, order, surroundings), async (running) => {
          const { status, body } = await get(running, '/order', FORGED);
          assert.equal(status, 200, JSON.stringify(body));
          assert.equal(simulator.orders.get(NUMBER)?.spbillCreateIp, expected);
        });
      });
    },
  };
}

async function withGateway(use: (simulator: Simulator, options: WechatH5Options) => Promise<void>): Promise<void> {
  const simulator = await createSimulator();
  try {
    const { appId, mchId, apiKey } = simulator.merchant;
    const { options } = createShop(undefined, {
      merchant: { appId, mchId, apiKey },
      gateway: simulator.url,
      notifyUrl: `http://127.0.0.1:9${NOTIFY_PATH}`,
    });
    await use(simulator, options);
  } finally {
    await simulator.stop();
  }
}

async function get(
  target: Target,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  const { status, body } = await exchange(target, { method: 'GET', path, headers });
  return { status, body: JSON.parse(body) };
}

/** A port that is known before the server behind it has one. */
async function openRelay(): Promise<{ port: number; target: number; stop(): Promise<void> }> {
  const server = createServer((inbound) => {
    const outbound = connect(relay.target, '127.0.0.1');
    for (const socket of [inbound, outbound]) socket.on('error', () => {});
    inbound.pipe(outbound).pipe(inbound);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
  return relay;
}
