import assert from 'node:assert/strict';
import { MemoryOrderBook } from '@wechat-h5/core';
import type { OrderChange, OrderKey } from '@wechat-h5/core/order-book';
import fc from 'fast-check';
import type { OrderBookCase } from './harness.js';
import { assertStored, claim, created, intend, newKeys, paid, paidAndClaimed, withStore } from './scenario.js';

const NUMBERS = ['R1', 'R2'] as const;

/** Any history of any of two orders of one purchase. */
const steps = fc.array(
  fc.record({
    which: fc.nat(1),
    change: fc.oneof(
      fc.constantFrom<(key: OrderKey) => OrderChange>(
        (key) => intend(key, { orderRef: `cart ${key.mchId}` }),
        created,
        paid,
        (key) => paidAndClaimed(key),
        (key) => paid(key, { totalFee: 99 }),
        (key) => paid(key, { transactionId: `42${key.mchId}` }),
        () => ({ type: 'create-unknown', reason: 'GATEWAY_TIMEOUT' }),
        () => ({ type: 'create-failed', reason: 'NOAUTH' }),
        () => ({ type: 'closed' }),
        () => ({ type: 'payment-failed', errCode: 'NOTENOUGH' }),
        () => ({ type: 'superseded' }),
        () => claim,
        () => ({ type: 'looked', verdict: 'NOTPAY', nextInMs: undefined, counts: true }),
        () => ({ type: 'redrive', force: true }),
      ),
      fc
        .record({ type: fc.constantFrom('complete' as const, 'release' as const), attempt: fc.nat(3) })
        .map((change) => () => change),
      fc
        .record({
          type: fc.constant('refunded' as const),
          outRefundNo: fc.constantFrom(...NUMBERS),
          refundFee: fc.constantFrom(40, 100),
        })
        .map((change) => () => change),
    ),
  }),
  { minLength: 4, maxLength: 16 },
);

/** The same as in memory, whatever happens. */
export const modelCases: readonly OrderBookCase[] = [
  {
    id: 'M01',
    title: 'any history has the outcomes and the states that it has in memory, and the store says the same',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        let merchant = 1_000_000_000;
        await fc.assert(
          fc.asyncProperty(steps, async (history) => {
            const model = new MemoryOrderBook();
            // Histories share a store, and no name in it.
            const mchId = String(merchant++);
            const keys = newKeys(2).map((key) => ({ ...key, mchId }));
            for (const { which, change } of history) {
              const key = keys[which];
              assert.ok(key);
              const [real, expected] = [await book.apply(key, change(key)), await model.apply(key, change(key))];
              assert.deepEqual(essence(real), essence(expected));
            }
            for (const key of keys) {
              const order = await book.get(key);
              if (order !== undefined) await assertStored(store, order);
            }
          }),
          { numRuns: 25 },
        );
      }),
  },
];

/** Clocks differ: everything but the times. */
function essence(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, inner: unknown) => (/(At|Until)$|^at$/.test(name) ? undefined : inner)),
  );
}
