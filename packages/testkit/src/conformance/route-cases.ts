import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { MemoryOrderBook } from '@wechat-h5/core';
import {
  assertFail,
  assertRefused,
  assertSuccess,
  eventually,
  isSuccess,
  notify,
  timed,
  withScene,
} from './expectations.js';
import type { ConformanceCase, NotifyMount, RunningScene } from './harness.js';
import { createShop, NOTIFY_PATH, notification, ORDER, type Shop } from './shop.js';
import { bytesOf, wait, Wire, type Reply } from './wire.js';

type Route = NonNullable<NotifyMount['route']>;

/** A route decides, without `onPaid`: only `await acknowledge()` answers SUCCESS. */
export const routeCases: readonly ConformanceCase[] = [
  {
    id: 'A01',
    title: 'a route sees the verified payment and acknowledges it; the repeat is answered without the route',
    async run(harness) {
      const shop = createShop(null);
      const seen: unknown[] = [];
      const route: Route = async (wechatH5) => {
        const { notification: payment } = wechatH5;
        seen.push([payment?.type, payment?.order, payment?.outTradeNo, payment?.totalFee, payment?.attach]);
        await wechatH5.acknowledge();
      };
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
        assertSuccess(await notify(running, notification()));
        assertSuccess(await notify(running, notification()));
        assert.deepEqual(seen, [['payment', 'matched', ORDER.outTradeNo, ORDER.totalFee, ORDER.attach]]);
        assert.deepEqual(shop.problems, []);
      });
    },
  },
  unacknowledged(
    'A02',
    'a route that answers and has forgotten to acknowledge: FAIL at once, and the repeat reaches it',
    (_, answer) => answer(200, 'ok'),
  ),
  unacknowledged('A03', 'a route that writes SUCCESS itself without acknowledging: FAIL goes out', (_, answer) =>
    answer(200, '<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>'),
  ),
  unacknowledged(
    'A04',
    'a route that throws: FAIL at once, nothing of the error leaks, and the repeat reaches it',
    () => {
      throw Object.assign(new Error('the database password is hunter2'), { status: 418, expose: true });
    },
  ),
  unacknowledged('A05', 'a route that rejects later: FAIL as soon as it does', async () => {
    await wait(50);
    throw new Error('the database password is hunter2');
  }),
  {
    id: 'A06',
    title: 'a route that acknowledges after the deadline: FAIL in time, it is told so, and the repeat succeeds',
    async run(harness) {
      const shop = createShop(null);
      const outcomes: unknown[] = [];
      const replied = new EventEmitter();
      const route: Route = async (wechatH5) => {
        if (outcomes.length === 0) {
          outcomes.push('late');
          await once(replied, 'reply');
        }
        outcomes.push(
          await wechatH5.acknowledge().then(
            () => 'acknowledged',
            (error: { code: string }) => error.code,
          ),
        );
      };
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
        assertFail(await notify(running, notification()));
        replied.emit('reply');
        await eventually('the route is told', () => outcomes.length === 2);
        assert.deepEqual(outcomes, ['late', 'NOTHING_TO_ACKNOWLEDGE']);
        assertSuccess(await notify(running, notification()));
        assert.deepEqual(outcomes, ['late', 'NOTHING_TO_ACKNOWLEDGE', 'acknowledged']);
        assert.deepEqual(
          shop.problems.map(({ code }) => code),
          ['NOT_ACKNOWLEDGED'],
        );
      });
    },
  },
  acknowledged('A07', 'an error after acknowledge() changes nothing: SUCCESS stands (I19)', async (wechatH5) => {
    await wechatH5.acknowledge();
    throw new Error('too late');
  }),
  acknowledged('A08', 'an answer after acknowledge() is dropped: SUCCESS alone goes out', async (wechatH5, answer) => {
    await wechatH5.acknowledge();
    answer(500, 'not this');
  }),
  acknowledged('A09', 'acknowledging twice is acknowledging once', async (wechatH5) => {
    await Promise.all([wechatH5.acknowledge(), wechatH5.acknowledge().catch(() => {})]);
    await wechatH5.acknowledge();
  }),
  {
    id: 'A10',
    title: 'an order that the book does not know is called unknown; the route may acknowledge it',
    async run(harness) {
      const shop = createShop(null);
      const seen: unknown[] = [];
      const route: Route = async (wechatH5) => {
        seen.push([wechatH5.notification?.order, wechatH5.notification?.outTradeNo]);
        await wechatH5.acknowledge();
      };
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
        const body = notification({ out_trade_no: 'NOBODYKNOWS1' });
        assertSuccess(await notify(running, body));
        assertSuccess(await notify(running, body));
        assert.deepEqual(seen, [['unknown', 'NOBODYKNOWS1']]);
      });
    },
  },
  {
    id: 'A11',
    title: 'what is not believed never reaches the route',
    async run(harness) {
      const shop = createShop(null);
      let calls = 0;
      const route: Route = (wechatH5) => {
        calls++;
        return wechatH5.acknowledge();
      };
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
        assertRefused(shop, await notify(running, notification().replace('支付', '支村')), 'SIGN_INVALID');
        assertFail(await notify(running, notification({ total_fee: '1', cash_fee: '1' })));
        assertFail(await notify(running, ''));
        assertFail(await notify(running, '', { method: 'GET' }), 405);
        assert.equal(calls, 0);
      });
    },
  },
  {
    id: 'A12',
    title: 'SUCCESS leaves only after the order book has committed, also when the route does not wait for it',
    async run(harness) {
      for (const waits of [true, false]) {
        const book = new SlowOrderBook();
        const shop = createShop(null, { orderBook: book });
        const route: Route = async (wechatH5, answer) => {
          const acknowledged = wechatH5.acknowledge();
          acknowledged.catch(() => {});
          if (waits) await acknowledged;
          answer(200, 'ok');
        };
        await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
          const reply = await notify(running, notification());
          if (isSuccess(reply)) assert.ok(book.committed, 'SUCCESS was there before the commit');
          if (waits) assertSuccess(reply);
          // Whatever was answered, the delivery is in the book, and the repeat is told.
          await wait(400);
          assertSuccess(await notify(running, notification()));
        });
      }
    },
  },
  {
    id: 'A13',
    title: 'an order book that fails while committing: acknowledge() says so, FAIL goes out, the repeat succeeds',
    async run(harness) {
      const book = new FailingOrderBook();
      const shop = createShop(null, { orderBook: book });
      const codes: unknown[] = [];
      const route: Route = async (wechatH5) => {
        await wechatH5.acknowledge().catch((error: { code: string }) => {
          codes.push(error.code);
          throw error;
        });
      };
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
        assertFail(await notify(running, notification()));
        assert.deepEqual(codes, ['ORDER_BOOK_FAILED']);
        assertSuccess(await notify(running, notification()));
      });
    },
  },
  {
    id: 'A14',
    title: 'a body parser between the middleware and its route neither waits for the body nor refuses it',
    async run(harness) {
      for (const parserBehind of ['usual', 'all-in-one', 'text', 'urlencoded'] as const) {
        for (const send of [atOnce, bodyLater]) {
          const shop = createShop(null);
          const route: Route = (wechatH5) => wechatH5.acknowledge();
          const scene = { notify: [{ options: shop.options, route }], parserBehind };
          await withScene(harness, scene, async (running) => {
            const { value, milliseconds } = await timed(send(running, notification()));
            assertSuccess(value);
            assert.ok(milliseconds < 3000, `it took ${Math.round(milliseconds)} ms`);
          });
        }
      }
    },
  },
];

const atOnce = (running: RunningScene, body: string): Promise<Reply> => notify(running, body);

/** The middleware is called before the body is there, and has seen the stream's end when the parser is called. */
async function bodyLater(running: RunningScene, body: string): Promise<Reply> {
  const wire = await Wire.open(running);
  const length = String(Buffer.byteLength(body));
  const headers = { 'content-type': 'text/xml', 'content-length': length, expect: '100-continue' };
  wire.send(bytesOf({ path: NOTIFY_PATH, headers }));
  assert.equal((await wire.reply()).status, 100);
  wire.send(body);
  const reply = await wire.reply();
  wire.hangUp();
  return reply;
}

/** The route ends without acknowledging on the first call, and acknowledges on the second. */
function unacknowledged(id: string, title: string, end: Route): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop(null);
      let calls = 0;
      const route: Route = (wechatH5, answer) => (calls++ === 0 ? end(wechatH5, answer) : wechatH5.acknowledge());
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running) => {
        const { value, milliseconds } = await timed(notify(running, notification()));
        assertFail(value);
        assert.ok(milliseconds < 3000, `FAIL took ${Math.round(milliseconds)} ms`);
        assert.deepEqual(reported(shop), ['not-acknowledged NOT_ACKNOWLEDGED']);
        assertSuccess(await notify(running, notification()));
        assert.equal(calls, 2);
      });
    },
  };
}

/** The route acknowledges, and then does something that must not matter. */
function acknowledged(id: string, title: string, route: Route): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop(null);
      await withScene(harness, { notify: [{ options: shop.options, route }] }, async (running: RunningScene) => {
        assertSuccess(await notify(running, notification()));
        assertSuccess(await notify(running, notification()));
        assert.deepEqual(shop.problems, []);
      });
    },
  };
}

function reported(shop: Shop): string[] {
  return shop.problems.map(({ type, code }) => `${type} ${code}`);
}

class SlowOrderBook extends MemoryOrderBook {
  committed = false;

  override async apply(...[key, change]: Parameters<MemoryOrderBook['apply']>): ReturnType<MemoryOrderBook['apply']> {
    if (change.type === 'complete') await wait(200);
    const applied = await super.apply(key, change);
    if (change.type === 'complete') this.committed = true;
    return applied;
  }
}

class FailingOrderBook extends MemoryOrderBook {
  #failed = false;

  override async apply(...[key, change]: Parameters<MemoryOrderBook['apply']>): ReturnType<MemoryOrderBook['apply']> {
    if (change.type === 'complete' && !this.#failed) {
      this.#failed = true;
      throw new Error('the disk is full');
    }
    return super.apply(key, change);
  }
}
