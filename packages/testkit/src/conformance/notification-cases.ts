import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  assertDeliveredOnce,
  assertFail,
  assertRefused,
  assertSuccess,
  notify,
  timed,
  withScene,
} from './expectations.js';
import type { ConformanceCase } from './harness.js';
import { createShop, MERCHANT, notification, notificationFields, ORDER, write } from './shop.js';
import { wait } from './wire.js';

/** WeChat Pay counts a later answer as none. */
const PATIENCE_MS = 5000;

/** What is believed, what is not, and how often `onPaid` runs. */
export const notificationCases: readonly ConformanceCase[] = [
  {
    id: 'N01',
    title: 'a genuine notification runs onPaid once, with the exact values, and is acknowledged to the byte',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, async (running) => {
        assertSuccess(await notify(running, notification()));
        assertDeliveredOnce(shop);
        assert.deepEqual(shop.problems, []);
      });
    },
  },
  refusal('N02', 'one byte of a value changed is refused', 'SIGN_INVALID', () =>
    notification().replace('支付', '支村'),
  ),
  refusal('N03', 'a notification without a sign is refused', 'SIGN_MISSING', () => {
    const { sign: _, ...unsigned } = notificationFields();
    return write(unsigned);
  }),
  refusal('N04', 'a notification signed with another key is refused', 'SIGN_INVALID', () =>
    notification({}, { ...MERCHANT, apiKey: 'AnotherKeyAnotherKeyAnotherKey00' }),
  ),
  refusal('N05', 'an empty body is refused', 'XML_INVALID', () => ''),
  refusal('N06', 'a field that comes twice is refused, whichever of the two was signed', 'XML_INVALID', () =>
    notification().replace('</xml>', '<total_fee>1</total_fee></xml>'),
  ),
  refusal('N07', 'a document type is refused at once', 'XML_INVALID', () =>
    notification().replace('<xml>', '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/hostname">]><xml>'),
  ),
  refusal(
    'N08',
    'a body that is not UTF-8 is refused, whatever charset its content type names (I09)',
    'XML_INVALID',
    () =>
      // 支付 in GBK.
      Buffer.from(notification().replace('支付', '\xd6\xa7\xb8\xb6'), 'latin1'),
  ),
  refusal('N09', 'a genuine payment of another amount than the order runs nothing', 'ORDER_MISMATCH', () =>
    notification({ total_fee: '1', cash_fee: '1' }),
  ),
  refusal('N10', 'a genuine payment for an order nobody knows runs nothing', 'ORDER_UNKNOWN', () =>
    notification({ out_trade_no: 'NOBODYKNOWS1' }),
  ),
  refusal('N11', 'a notification of another merchant is refused', 'MERCHANT_UNKNOWN', () =>
    notification({}, { ...MERCHANT, mchId: '10000101' }),
  ),
  {
    id: 'N12',
    title: 'a byte order mark, an XML declaration and blanks around the document change nothing (I16)',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, async (running) => {
        const body = `\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n${notification()}\r\n\t `;
        assertSuccess(await notify(running, body));
        assertDeliveredOnce(shop);
      });
    },
  },
  {
    id: 'N13',
    title: 'SUCCESS leaves only after onPaid has ended',
    async run(harness) {
      let ended = 0;
      const shop = createShop(async () => {
        await wait(300);
        ended = performance.now();
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        assertSuccess(await notify(running, notification()));
        assert.ok(ended > 0 && ended <= performance.now(), 'SUCCESS came before onPaid had ended');
        assertDeliveredOnce(shop);
      });
    },
  },
  {
    id: 'N14',
    title: 'onPaid throws: FAIL at once, nothing of the error leaks, and the repeat runs it again',
    async run(harness) {
      const secret = 'the database password is hunter2';
      const shop = createShop((_, { attempt }) => {
        if (attempt === 1)
          throw Object.assign(new Error(secret), { status: 418, expose: true, headers: { 'x-leak': secret } });
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        const first = await notify(running, notification());
        assertFail(first);
        assert.ok(!JSON.stringify(first).includes('hunter2'), 'the error leaked');
        assert.deepEqual(
          shop.problems.map(({ type, code }) => ({ type, code })),
          [{ type: 'handler-failed', code: 'HANDLER_FAILED' }],
        );
        assertSuccess(await notify(running, notification()));
        assert.deepEqual(
          shop.runs.map(({ context }) => context.attempt),
          [1, 2],
        );
      });
    },
  },
  {
    id: 'N15',
    title: 'onPaid rejects asynchronously with something that is no Error: FAIL, and the repeat runs it again',
    async run(harness) {
      const shop = createShop(async (_, { attempt }) => {
        await wait(10);
        if (attempt === 1) throw 'not an error';
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        assertFail(await notify(running, notification()));
        assertSuccess(await notify(running, notification()));
        assert.equal(shop.runs.length, 2);
      });
    },
  },
  {
    id: 'N16',
    title: 'onPaid slower than the deadline: FAIL before WeChat Pay gives up, success on the repeat, one run',
    async run(harness) {
      const replied = new EventEmitter();
      const shop = createShop(async () => {
        await once(replied, 'reply');
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        assertFail(await notify(running, notification()));
        replied.emit('reply');
        assertSuccess(await notify(running, notification()));
        assertDeliveredOnce(shop);
        assert.deepEqual(
          shop.problems.map(({ code }) => code),
          ['HANDLER_TIMEOUT'],
        );
      });
    },
  },
  {
    id: 'N17',
    title: 'the same notification again is acknowledged again, and runs nothing',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, async (running) => {
        for (let time = 0; time < 3; time++) assertSuccess(await notify(running, notification()));
        assertDeliveredOnce(shop);
      });
    },
  },
  {
    id: 'N18',
    title: 'the same notification fifty times at once is one run, and all are acknowledged (I14)',
    async run(harness) {
      const shop = createShop(() => wait(100));
      await withScene(harness, { notify: [shop] }, async (running) => {
        const { value, milliseconds } = await timed(
          Promise.all(Array.from({ length: 50 }, () => notify(running, notification()))),
        );
        value.forEach(assertSuccess);
        assertDeliveredOnce(shop);
        assert.ok(milliseconds < PATIENCE_MS, `it took ${Math.round(milliseconds)} ms`);
      });
    },
  },
  {
    id: 'N19',
    title: 'ten times the capacity at once: the surplus gets FAIL at once, and its repeat is served (I15)',
    async run(harness) {
      const numbers = Array.from({ length: 20 }, (_, index) => `LOAD${String(index).padStart(4, '0')}`);
      let inside = 0;
      let peak = 0;
      const work = async (): Promise<void> => {
        peak = Math.max(peak, ++inside);
        await wait(100);
        inside--;
      };
      const shop = createShop(work, {
        maxConcurrentNotifications: 2,
        findOrder: async () => ({ totalFee: ORDER.totalFee }),
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        const bodies = numbers.map((outTradeNo) => notification({ out_trade_no: outTradeNo }));
        const { value, milliseconds } = await timed(Promise.all(bodies.map((body) => notify(running, body))));
        assert.ok(milliseconds < PATIENCE_MS, `it took ${Math.round(milliseconds)} ms`);
        const shed = value.filter(({ status }) => status === 503);
        shed.forEach((reply) => assertFail(reply, 503));
        value.filter((reply) => !shed.includes(reply)).forEach(assertSuccess);
        assert.ok(
          shed.length > 0 && shed.length < numbers.length,
          `${shed.length} of ${numbers.length} were turned away`,
        );
        assert.equal(peak, 2, 'runs at the same time');
        for (const body of bodies) assertSuccess(await notify(running, body));
        assert.equal(shop.runs.length, numbers.length);
      });
    },
  },
  {
    id: 'N20',
    title:
      'with notificationSources, the sender is found as a payer is: through trusted proxies, not by what he writes',
    async run(harness) {
      const shop = createShop(undefined, {
        clientIp: { trust: ['loopback'] },
        notificationSources: ['101.226.103.0/25'],
      });
      await withScene(harness, { notify: [shop] }, async (running) => {
        const from = (chain: string) => notify(running, notification(), { headers: { 'x-forwarded-for': chain } });
        assertRefused(shop, await from('119.147.16.9'), 'SOURCE_REFUSED');
        assertRefused(shop, await from('101.226.103.9, 119.147.16.9'), 'SOURCE_REFUSED');
        assertSuccess(await from('119.147.16.9, 101.226.103.9'));
        assertDeliveredOnce(shop);
      });
    },
  },
];

/** A body that must change nothing, and why. */
function refusal(id: string, title: string, code: string, body: () => string | Uint8Array): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, async (running) => {
        const { value, milliseconds } = await timed(notify(running, body()));
        assertRefused(shop, value, code);
        assert.ok(milliseconds < 3000, `FAIL took ${Math.round(milliseconds)} ms`);
      });
    },
  };
}
