import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeOrder,
  dueAt,
  namesOf,
  type OrderBook,
  type OrderChange,
  type OrderKey,
  type OrderRecord,
  type PaymentEvidence,
} from '@wechat-h5/core/order-book';
import type { OrderBookHarness, Store } from './harness.js';

export const MCH_ID = '1900000109';
export const LEASE_MS = 60_000;

/** A number nobody has used. */
export function newKey(): OrderKey {
  return { mchId: MCH_ID, outTradeNo: `T${randomBytes(8).toString('hex')}` };
}

export function newKeys(count: number): OrderKey[] {
  return Array.from({ length: count }, newKey);
}

export function intend(key: OrderKey, { totalFee = 100, orderRef }: { totalFee?: number; orderRef?: string } = {}) {
  return {
    type: 'intend',
    intent: {
      appId: 'wx2421b1c4370ec43b',
      totalFee,
      feeType: 'CNY',
      attach: '',
      params: { body: '茶 "Tea" \u{1F375}', out_trade_no: key.outTradeNo, total_fee: String(totalFee) },
      clientIp: '203.0.113.7',
      orderRef,
    },
  } as const satisfies OrderChange;
}

export function created(): OrderChange {
  return {
    type: 'created',
    link: {
      prepayId: 'wx20260101',
      mwebUrl: 'https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20260101',
      raw: { return_code: 'SUCCESS', nonce_str: 'x' },
    },
    clientIp: '203.0.113.7',
    tookMs: 40,
  };
}

/** The payment of an order, with a number that goes with the order's. */
export function paid(key: OrderKey, difference: Partial<PaymentEvidence> = {}): OrderChange {
  return {
    type: 'paid',
    payment: {
      transactionId: `42${key.outTradeNo}`,
      appId: 'wx2421b1c4370ec43b',
      totalFee: 100,
      feeType: 'CNY',
      attach: '',
      raw: { out_trade_no: key.outTradeNo, time_end: '20260102030405', openid: 'o<&>"\'\\', empty: '' },
      ...difference,
    },
  };
}

/** The payment and its claim in one write. */
export function paidAndClaimed(key: OrderKey, leaseMs = LEASE_MS): OrderChange {
  return { ...paid(key), leaseMs } as OrderChange;
}

export const claim = { type: 'claim', leaseMs: LEASE_MS } as const satisfies OrderChange;

/** Due since so many milliseconds. */
export function dueSince(milliseconds: number): OrderChange {
  return { type: 'looked', verdict: 'NOTPAY', nextInMs: -milliseconds, counts: true };
}

/** Applies changes one after the other. @returns what the last one came to */
export async function applyAll(
  book: OrderBook<unknown>,
  key: OrderKey,
  changes: readonly OrderChange[],
): Promise<{ outcome: string; order: OrderRecord }> {
  let last: Awaited<ReturnType<OrderBook['apply']>> | undefined;
  for (const change of changes) last = await book.apply(key, change);
  assert.ok(last?.order, 'there is no order');
  return { outcome: last.outcome, order: last.order };
}

/** How often each word occurs. */
export function tally(words: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** The store says, to its own tools, exactly what the book says. */
export async function assertStored(store: Store, order: OrderRecord): Promise<void> {
  const stored = await store.stored(order.key);
  assert.ok(stored, `${order.key.outTradeNo} is not in the store`);
  assert.deepEqual(decodeOrder(stored.record), order);
  assert.equal(stored.dueAt, dueAt(order)?.getTime());
  assert.deepEqual([...stored.names], namesOf(order).sort());
}

export async function withStore<H extends OrderBookHarness>(
  harness: H,
  work: (store: Awaited<ReturnType<H['create']>>) => Promise<void>,
): Promise<void> {
  const store = await harness.create();
  try {
    await work(store as Awaited<ReturnType<H['create']>>);
  } finally {
    await store.remove();
  }
}

/** Repeats until `attempt` gives something: for what the store's clock has to bring about. */
export async function eventually<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > end) throw new Error(`In 20 seconds never: ${what}`);
    await sleep(2);
  }
}
