import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import {
  assertDeliveredOnce,
  assertFail,
  assertRefused,
  assertSuccess,
  eventually,
  isSuccess,
  notify,
  timed,
  withScene,
} from './expectations.js';
import type { ConformanceCase, RunningScene } from './harness.js';
import { createShop, NOTIFY_PATH, notification, type Shop } from './shop.js';
import { bytesOf, wait, Wire } from './wire.js';

const LIMIT = 64 * 1024;

/** How the bytes come in, or do not. */
export const wireCases: readonly ConformanceCase[] = [
  wireCase(
    'W01',
    'a body that arrives one byte at a time, split inside its characters, is whole',
    async (running, shop) => {
      const wire = await Wire.open(running);
      const body = Buffer.from(notification());
      const first = body.indexOf(Buffer.from('支付'));
      wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'content-length': String(body.length) } }));
      await wire.sendSlowly([
        body.subarray(0, first + 1),
        ...Array.from({ length: 12 }, (_, index) => body.subarray(first + 1 + index, first + 2 + index)),
        body.subarray(first + 13),
      ]);
      assertSuccess(await wire.reply());
      wire.hangUp();
      assertDeliveredOnce(shop);
    },
  ),
  wireCase('W02', 'a chunked body is read (I05)', async (running, shop) => {
    const wire = await Wire.open(running);
    const body = Buffer.from(notification());
    wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'transfer-encoding': 'chunked' } }));
    for (let at = 0; at < body.length; at += 100) wire.send(chunk(body.subarray(at, at + 100)));
    wire.send('0\r\n\r\n');
    assertSuccess(await wire.reply());
    wire.hangUp();
    assertDeliveredOnce(shop);
  }),
  wireCase('W03', 'Expect: 100-continue works (I11)', async (running, shop) => {
    const wire = await Wire.open(running);
    const body = Buffer.from(notification());
    wire.send(
      bytesOf({ path: NOTIFY_PATH, headers: { expect: '100-continue', 'content-length': String(body.length) } }),
    );
    assert.equal((await wire.reply()).status, 100);
    wire.send(body);
    assertSuccess(await wire.reply());
    wire.hangUp();
    assertDeliveredOnce(shop);
  }),
  wireCase(
    'W04',
    'a Content-Length larger than the body, and then the sender hangs up: nothing is run (I04)',
    async (running, shop) => {
      const wire = await Wire.open(running);
      wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'content-length': '60000' }, body: notification() }));
      await wait(100);
      wire.finish();
      await wire.closed;
      await assertUnharmed(running, shop);
    },
  ),
  wireCase(
    'W05',
    'a Content-Length smaller than the body cuts it: refused, and the rest runs nothing either (I04)',
    async (running, shop) => {
      const wire = await Wire.open(running);
      const body = Buffer.from(notification());
      const cut = body.length - '</xml>'.length;
      wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'content-length': String(cut) } }));
      wire.send(body.subarray(0, cut));
      assertRefused(shop, await wire.reply(), 'XML_INVALID');
      // No request begins with it: Node says so and closes.
      wire.send(body.subarray(cut));
      await wire.closed;
      assert.equal(shop.runs.length, 0);
    },
  ),
  wireCase(
    'W06',
    'a body with both lengths, as request smugglers send it, is rejected (I06)',
    async (running, shop) => {
      const wire = await Wire.open(running);
      const body = Buffer.from(notification());
      wire.send(
        bytesOf({
          path: NOTIFY_PATH,
          headers: { 'content-length': String(body.length), 'transfer-encoding': 'chunked' },
        }),
      );
      wire.send(Buffer.concat([chunk(body), Buffer.from('0\r\n\r\n')]));
      assert.equal((await wire.reply()).status, 400);
      wire.hangUp();
      assert.equal(shop.runs.length, 0);
    },
  ),
  wireCase(
    'W07',
    'a body announced as larger than the limit gets 413 before it is sent (I07)',
    async (running, shop) => {
      const wire = await Wire.open(running);
      wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'content-length': String(LIMIT + 1) } }));
      const { value, milliseconds } = await timed(wire.reply());
      assertRefused(shop, value, 'BODY_TOO_LARGE', 413);
      assert.ok(milliseconds < 3000, `413 took ${Math.round(milliseconds)} ms`);
      await wire.closed;
    },
  ),
  wireCase(
    'W08',
    'a body without end gets 413 and a closed connection, and memory stays flat (I07)',
    async (running, shop) => {
      const wire = await Wire.open(running);
      const before = process.memoryUsage().arrayBuffers;
      wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'transfer-encoding': 'chunked' } }));
      const block = chunk(Buffer.alloc(LIMIT, ' '));
      let peak = 0;
      for (let sent = 0; sent < 512 && wire.isOpen; sent++) {
        wire.send(block);
        await wait(0);
        // What this client itself has not yet got rid of is not the server's.
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        if (wire.surplus > 0) break;
      }
      assertRefused(shop, await wire.reply(), 'BODY_TOO_LARGE', 413);
      await wire.closed;
      const unsent = 512 * block.length;
      assert.ok(wire.sentBytes < unsent / 2, `the server took ${wire.sentBytes} bytes`);
      assert.ok(peak < 16 * 1024 * 1024, `buffers grew by ${peak} bytes`);
    },
  ),
  wireCase('W09', 'a body of exactly the limit is read, one byte more is not (I07)', async (running, shop) => {
    const body = Buffer.from(notification());
    const padded = (size: number): Buffer => Buffer.concat([body, Buffer.alloc(size - body.length, ' ')]);
    assertSuccess(await notify(running, padded(LIMIT)));
    assertDeliveredOnce(shop);
    assertFail(await notify(running, padded(LIMIT + 1)), 413);
  }),
  wireCase('W10', 'a compressed body gets 415, however it would unpack (I08)', async (running, shop) => {
    for (const encoding of ['gzip', 'GZip', 'br', 'deflate']) {
      const reply = await notify(running, gzipSync(notification()), { headers: { 'content-encoding': encoding } });
      assertRefused(shop, reply, 'BODY_ENCODED', 415);
    }
    assertSuccess(await notify(running, notification(), { headers: { 'content-encoding': 'identity' } }));
  }),
  wireCase(
    'W11',
    'a body that does not arrive is given up with 408, and nothing was locked for it (I02)',
    async (running, shop) => {
      const wire = await Wire.open(running);
      const body = Buffer.from(notification());
      wire.send(bytesOf({ path: NOTIFY_PATH, headers: { 'content-length': String(body.length) } }));
      wire.send(body.subarray(0, -1));
      const slow = timed(wire.reply());
      slow.catch(() => {});
      await wait(100);
      // The repeat, while the first one is still under way.
      assertSuccess(await notify(running, body));
      const { value, milliseconds } = await slow;
      assertFail(value, 408);
      assert.ok(milliseconds > 2000, `408 took ${Math.round(milliseconds)} ms`);
      await wire.closed;
      assertDeliveredOnce(shop);
      assert.deepEqual(
        shop.problems.map(({ code }) => code),
        ['BODY_TIMEOUT'],
      );
    },
  ),
  wireCase(
    'W12',
    'an upload that is reset half-way runs nothing, and the server lives on (I03)',
    async (running, shop) => {
      for (const part of [0, 10, 400]) {
        const wire = await Wire.open(running);
        wire.send(
          bytesOf({ path: NOTIFY_PATH, headers: { 'content-length': '4000' }, body: notification().slice(0, part) }),
        );
        await wait(50);
        wire.reset();
        await wire.closed;
      }
      await assertUnharmed(running, shop);
    },
  ),
  {
    id: 'W13',
    title:
      'a sender who hangs up before the answer loses nothing: its repeat is acknowledged without a second run (I13)',
    async run(harness) {
      const shop = createShop(() => wait(200));
      await withScene(harness, { notify: [shop] }, async (running) => {
        const wire = await Wire.open(running);
        wire.send(bytesOf({ path: NOTIFY_PATH, body: notification() }));
        await eventually('onPaid has begun', () => shop.runs.length === 1);
        wire.reset();
        await wire.closed;
        assertSuccess(await notify(running, notification()));
        assertDeliveredOnce(shop);
      });
    },
  },
  wireCase('W14', 'the bytes decide, not the content type (I09)', async (running, shop) => {
    const types = [
      'text/plain',
      'application/json',
      'application/x-www-form-urlencoded',
      'application/octet-stream',
      'nonsense',
    ];
    for (const type of types) {
      assertSuccess(await notify(running, notification(), { headers: { 'content-type': type } }));
    }
    const wire = await Wire.open(running);
    wire.send(bytesOf({ path: NOTIFY_PATH, body: notification(), headers: { connection: 'close' } }));
    assertSuccess(await wire.reply());
    wire.hangUp();
    assertDeliveredOnce(shop);
  }),
  wireCase(
    'W15',
    'whoever does not post gets 405 with Allow: POST, and starts no work (I10)',
    async (running, shop) => {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        const body = method === 'GET' ? '' : notification();
        const reply = await notify(running, body, { method });
        assertRefused(shop, reply, 'METHOD_NOT_ALLOWED', 405);
        assert.equal(new Map(reply.headers).get('allow'), 'POST');
      }
      const head = await notify(running, '', { method: 'HEAD' });
      assert.deepEqual({ status: head.status, body: head.body }, { status: 405, body: '' });
      assert.equal(shop.runs.length, 0);
    },
  ),
  wireCase(
    'W16',
    'one connection carries one notification after another, also two at once and after a refusal',
    async (running, shop) => {
      const wire = await Wire.open(running);
      wire.send(bytesOf({ path: NOTIFY_PATH, body: '<xml></xml>' }));
      assert.ok(!isSuccess(await wire.reply()));
      wire.send(
        Buffer.concat([
          bytesOf({ path: NOTIFY_PATH, body: notification() }),
          bytesOf({ path: NOTIFY_PATH, body: notification() }),
        ]),
      );
      assertSuccess(await wire.reply());
      assertSuccess(await wire.reply());
      assert.equal(wire.surplus, 0);
      assert.ok(wire.isOpen, 'the connection was closed');
      wire.hangUp();
      assertDeliveredOnce(shop);
    },
  ),
];

/** A bare notify middleware with `onPaid`, and a sender that is no polite client. */
function wireCase(
  id: string,
  title: string,
  act: (running: RunningScene, shop: Shop) => Promise<void>,
): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { notify: [shop] }, (running) => act(running, shop));
    },
  };
}

/** Whatever happened, nothing was run for it, and the next genuine notification is served. */
async function assertUnharmed(running: RunningScene, shop: Shop): Promise<void> {
  await wait(50);
  assert.equal(shop.runs.length, 0, 'runs of onPaid');
  assertSuccess(await notify(running, notification()));
  assertDeliveredOnce(shop);
}

function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
