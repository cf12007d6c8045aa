import assert from 'node:assert/strict';
import { assertDeliveredOnce, assertFail, assertSuccess, notify, withScene } from './expectations.js';
import type { ConformanceCase, NotifyMount } from './harness.js';
import { createShop, MERCHANT, NOTIFY_PATH, notification } from './shop.js';
import { exchange } from './wire.js';

/** Where the notify middleware is mounted, and what it leaves alone (I17). */
export const mountCases: readonly ConformanceCase[] = [
  {
    id: 'M01',
    title: 'mounted bare it answers the path of notifyUrl, with a closing slash or a query too (I17)',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, async (running) => {
        for (const path of [NOTIFY_PATH, `${NOTIFY_PATH}/`, `${NOTIFY_PATH}?from=proxy`]) {
          assertSuccess(await notify(running, notification(), { path }));
        }
        assertDeliveredOnce(shop);
      });
    },
  },
  {
    id: 'M02',
    title: 'mounted bare it leaves every other path alone, body and all (I17)',
    async run(harness) {
      const shop = createShop();
      const scene = { notify: [shop], routes: { '/healthz': () => 'well' }, uploads: ['/upload', '/wechat/notify2'] };
      await withScene(harness, scene, async (running) => {
        const body = notification();
        for (const path of scene.uploads) {
          const reply = await notify(running, body, { path });
          assert.deepEqual(
            { status: reply.status, body: reply.body },
            { status: 200, body: String(Buffer.byteLength(body)) },
          );
        }
        for (const path of ['/', '/wechat', '/wechat/notify/more', '/wechat/Notify', '/x/wechat/notify']) {
          assert.equal((await notify(running, body, { path })).status, 404, path);
        }
        assert.equal((await notify(running, '', { path: '/healthz', method: 'GET' })).body, '"well"');
        assert.deepEqual({ runs: shop.runs.length, problems: shop.problems }, { runs: 0, problems: [] });
      });
    },
  },
  elsewhere('M03', 'mount', 'under a mount path it answers what reaches it, whatever notifyUrl says (I17)'),
  elsewhere('M04', 'route', 'in a route it answers what reaches it, whatever notifyUrl says (I17)'),
  elsewhere(
    'M05',
    'router',
    'in a route of a mounted router it answers what reaches it, whatever notifyUrl says (I17)',
  ),
  {
    id: 'M06',
    title: 'behind a proxy that strips a prefix, notifyPath names the path that arrives (I17)',
    async run(harness) {
      const shop = createShop(undefined, {
        notifyUrl: `https://shop.example.com/api${NOTIFY_PATH}`,
        notifyPath: NOTIFY_PATH,
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        assertSuccess(await notify(running, notification()));
        assertDeliveredOnce(shop);
        assert.equal((await notify(running, notification(), { path: `/api${NOTIFY_PATH}` })).status, 404);
      });
    },
  },
  {
    id: 'M07',
    title: 'two instances for two merchants in one application: each answers for its own',
    async run(harness) {
      const other = { ...MERCHANT, mchId: '10000101', apiKey: 'AnotherKeyAnotherKeyAnotherKey00' };
      const first = createShop(undefined, { notifyUrl: 'https://shop.example.com/first/notify' });
      const second = createShop(undefined, { merchant: other, notifyUrl: 'https://shop.example.com/second/notify' });
      await withScene(harness, { notify: [first, second] }, async (running) => {
        const crossed = await notify(running, notification(), { path: '/second/notify' });
        assertFail(crossed);
        assert.deepEqual(
          second.problems.map(({ code }) => code),
          ['MERCHANT_UNKNOWN'],
        );
        assertSuccess(await notify(running, notification(), { path: '/first/notify' }));
        assertDeliveredOnce(first);
        assert.equal(second.runs.length, 0);
        assertSuccess(await notify(running, notification({}, other), { path: '/second/notify' }));
        assertDeliveredOnce(second);
        assertDeliveredOnce(first);
      });
    },
  },
  {
    id: 'M08',
    title: 'a request line with the whole URL, as some proxies send it, is served alike (RFC 9112 §3.2.2)',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, async (running) => {
        const path = `http://shop.example.com${NOTIFY_PATH}`;
        assertSuccess(await exchange(running, { path, body: notification(), headers: { 'content-type': 'text/xml' } }));
        assertDeliveredOnce(shop);
      });
    },
  },
  {
    id: 'M09',
    title: 'mounted bare behind routes and mounts that passed a request on, it leaves every other path alone (I17)',
    async run(harness) {
      const shop = createShop();
      const scene = { passing: true, notify: [shop], routes: { '/healthz': () => 'well' }, uploads: ['/upload'] };
      await withScene(harness, scene, async (running) => {
        assert.equal((await notify(running, notification(), { path: '/upload' })).status, 200);
        assert.equal((await notify(running, '', { path: '/healthz', method: 'GET' })).body, '"well"');
        assert.deepEqual({ runs: shop.runs.length, problems: shop.problems }, { runs: 0, problems: [] });
        assertSuccess(await notify(running, notification()));
        assertDeliveredOnce(shop);
      });
    },
  },
];

/** Mounted where `notifyUrl` does not point: at what reaches it there, and at nothing else. */
function elsewhere(id: string, how: NonNullable<NotifyMount['at']>['how'], title: string): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop();
      const path = '/hooks/pay';
      const mount = { options: shop.options, at: { path, how } };
      await withScene(harness, { notify: [mount], routes: { '/healthz': () => 'well' } }, async (running) => {
        for (const reached of [path, `${path}/`])
          assertSuccess(await notify(running, notification(), { path: reached }));
        assertDeliveredOnce(shop);
        assert.equal((await notify(running, notification())).status, 404);
        assert.equal((await notify(running, '', { path: '/healthz', method: 'GET' })).status, 200);
        assert.deepEqual(shop.problems, []);
      });
    },
  };
}
