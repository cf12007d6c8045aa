import assert from 'node:assert/strict';
import type { AdapterHarness, RunningScene, Scene } from './harness.js';
import { NOTIFY_PATH, ORDER, type Shop } from './shop.js';
import { exchange, wait, type Reply, type RequestParts } from './wire.js';

// Written out here and not imported: the very bytes are what WeChat Pay waits for.
const SUCCESS = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
const FAIL = '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

/** What Node adds by itself. Anything else in a reply was put there by the framework or the shop. */
const HEADERS_OF_NODE = ['date', 'connection', 'keep-alive'];
const HEADERS_OF_OURS = ['content-type', 'content-length', 'cache-control'];

/** Runs a scene for as long as `use` takes. */
export async function withScene(
  harness: AdapterHarness,
  scene: Scene,
  use: (running: RunningScene) => Promise<void>,
): Promise<void> {
  const running = await harness.start(scene);
  try {
    await use(running);
  } finally {
    await running.stop();
  }
}

/** Posts to the notify path as WeChat Pay does, unless told otherwise. */
export function notify(
  running: RunningScene,
  body: string | Uint8Array,
  parts: Partial<RequestParts> = {},
): Promise<Reply> {
  const { headers, ...others } = parts;
  return exchange(running, { path: NOTIFY_PATH, body, headers: { 'content-type': 'text/xml', ...headers }, ...others });
}

export function assertSuccess(reply: Reply): void {
  assertReply(reply, 200, SUCCESS);
}

/** @param status of what never was a notification; 200 for a notification that is refused */
export function assertFail(reply: Reply, status = 200): void {
  assertReply(reply, status, FAIL);
}

function assertReply(reply: Reply, status: number, body: string): void {
  assert.deepEqual({ status: reply.status, body: reply.body }, { status, body });
  const headers = new Map(reply.headers);
  assert.equal(headers.get('content-type'), 'text/xml; charset=utf-8');
  assert.equal(headers.get('content-length'), String(Buffer.byteLength(body)));
  const allowed = [...HEADERS_OF_NODE, ...HEADERS_OF_OURS, ...(status === 405 ? ['allow'] : [])];
  const foreign = reply.headers.map(([name]) => name).filter((name) => !allowed.includes(name));
  assert.deepEqual(foreign, [], 'headers that are not ours');
  assert.equal(headers.size, reply.headers.length, 'a header came twice');
}

export function isSuccess(reply: Reply): boolean {
  return reply.body.includes('SUCCESS');
}

/** `onPaid` ran exactly once, with the exact values of the order. */
export function assertDeliveredOnce(shop: Shop): void {
  assert.equal(shop.runs.length, 1, 'runs of onPaid');
  const [run] = shop.runs;
  assert.equal(run?.payment.outTradeNo, ORDER.outTradeNo);
  assert.equal(run?.payment.totalFee, ORDER.totalFee);
  assert.equal(run?.payment.attach, ORDER.attach);
  assert.match(run?.payment.transactionId ?? '', /^42000000\d{20}$/);
}

/** Nothing was believed: no run, nothing but FAIL, and the reason reported. */
export function assertRefused(shop: Shop, reply: Reply, code: string, status = 200): void {
  assertFail(reply, status);
  assert.equal(shop.runs.length, 0, 'runs of onPaid');
  assert.deepEqual([...new Set(shop.problems.map((problem) => problem.code))], [code]);
}

/** Resolves with how long something took, in milliseconds, and with what it was. */
export async function timed<T>(work: Promise<T>): Promise<{ value: T; milliseconds: number }> {
  const start = performance.now();
  const value = await work;
  return { value, milliseconds: performance.now() - start };
}

/** @throws if it does not come true within ten seconds */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const until = performance.now() + 10_000; !holds(); await wait(5)) {
    if (performance.now() > until) assert.fail(`after ten seconds still not: ${what}`);
  }
}
