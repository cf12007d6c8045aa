import assert from 'node:assert/strict';
import { orderId, type OrderRecord } from '@wechat-h5/core/order-book';
import type { OrderBookCase } from './harness.js';
import {
  applyAll,
  assertStored,
  claim,
  created,
  dueSince,
  eventually,
  intend,
  LEASE_MS,
  MCH_ID,
  newKey,
  newKeys,
  paid,
  paidAndClaimed,
  tally,
  withStore,
} from './scenario.js';

const AT_ONCE = 50;

/** Leases by the store's clock, and what is due. */
export const leaseCases: readonly OrderBookCase[] = [
  {
    id: 'L01',
    title: 'of fifty claims at once one holds the lease (B05)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const key = newKey();
        await applyAll(await store.open(), key, [intend(key), paid(key)]);
        const applied = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) => books[index % 2]?.apply(key, claim)),
        );
        assert.deepEqual(tally(applied.map((one) => one?.outcome ?? '')), { applied: 1, busy: AT_ONCE - 1 });
        assert.equal((await books[0]?.get(key))?.delivery.attempt, 1);
      }),
  },
  {
    id: 'L02',
    title: 'after a lease the next one holds it, and who lost it can neither renew, complete nor release (P06)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const [zombie, heir] = [await store.open(), await store.open()];
        const key = newKey();
        await applyAll(zombie, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
        await eventually('the lease ends', async () =>
          (await heir.apply(key, claim)).outcome === 'applied' ? true : undefined,
        );
        for (const change of [
          { type: 'renew', attempt: 1, leaseMs: LEASE_MS },
          { type: 'complete', attempt: 1 },
          { type: 'release', attempt: 1 },
        ] as const) {
          assert.equal((await zombie.apply(key, change)).outcome, 'lost', change.type);
        }
        assert.equal((await heir.apply(key, { type: 'complete', attempt: 2 })).outcome, 'applied');
        assert.equal((await zombie.apply(key, { type: 'complete', attempt: 1 })).outcome, 'done');
        assert.equal((await zombie.apply(key, claim)).outcome, 'done');
        const order = await zombie.get(key);
        assert.ok(order);
        await assertStored(store, order);
      }),
  },
  {
    id: 'L03',
    title: 'a lease that is released is free at once',
    run: (harness) =>
      withStore(harness, async (store) => {
        const [one, other] = [await store.open(), await store.open()];
        const key = newKey();
        await applyAll(one, key, [intend(key), paid(key), claim]);
        assert.equal((await other.apply(key, claim)).outcome, 'busy');
        await one.apply(key, { type: 'release', attempt: 1 });
        assert.equal((await other.apply(key, claim)).order?.delivery.attempt, 2);
      }),
  },
  {
    id: 'L04',
    title: 'only what is due is handed out, the latest due first, or what has waited longest',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const keys = newKeys(6);
        for (const [index, key] of keys.entries()) await applyAll(book, key, [intend(key), dueSince(index * 1000)]);
        const notYet = newKey();
        await applyAll(book, notYet, [intend(notYet), created()]);
        const settled = newKey();
        await applyAll(book, settled, [intend(settled), paid(settled), claim, { type: 'complete', attempt: 1 }]);
        const claimed = async (limit: number, oldestFirst: boolean): Promise<number[]> => {
          const orders = await book.claimDue({ limit, leaseMs: LEASE_MS, oldestFirst });
          for (const order of orders) await assertStored(store, order);
          return orders.map((order) => keys.findIndex((key) => orderId(key) === orderId(order.key)));
        };
        assert.deepEqual(await claimed(2, false), [0, 1]);
        assert.deepEqual(await claimed(3, true), [5, 4, 3]);
        assert.deepEqual(await claimed(100, false), [2]);
        assert.deepEqual(await claimed(100, false), []);
      }),
  },
  {
    id: 'L05',
    title: 'what is taken is handed out again when the lease has ended, or when the look has',
    run: (harness) =>
      withStore(harness, async (store) => {
        const [one, other] = [await store.open(), await store.open()];
        const key = newKey();
        await applyAll(one, key, [intend(key), dueSince(0)]);
        assert.equal((await one.claimDue({ limit: 10, leaseMs: 1 })).length, 1);
        const [again] = await eventually('it is due again', async () => {
          const orders = await other.claimDue({ limit: 10, leaseMs: LEASE_MS });
          return orders.length > 0 ? orders : undefined;
        });
        assert.deepEqual(again?.key, key);
        assert.deepEqual(await one.claimDue({ limit: 10, leaseMs: LEASE_MS }), []);
        await one.apply(key, dueSince(0));
        assert.equal((await other.claimDue({ limit: 10, leaseMs: LEASE_MS })).length, 1);
        await one.apply(key, { type: 'looked', verdict: 'NOTPAY', nextInMs: undefined, counts: true });
        assert.equal((await store.stored(key))?.dueAt, undefined);
        assert.deepEqual(await other.claimDue({ limit: 10, leaseMs: LEASE_MS }), []);
      }),
  },
  {
    id: 'L06',
    title: 'two hundred due orders go to eight callers at once, each to one of them',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const keys = newKeys(200);
        await Promise.all(
          keys.map((key, index) => applyAll(books[index % 2] as never, key, [intend(key), dueSince(index)])),
        );
        const got: OrderRecord[] = [];
        await Promise.all(
          Array.from({ length: 8 }, async (_, index) => {
            await eventually('all are handed out', async () => {
              got.push(...((await books[index % 2]?.claimDue({ limit: 20, leaseMs: LEASE_MS })) ?? []));
              return got.length >= keys.length ? true : undefined;
            });
          }),
        );
        const ids = got.map((order) => orderId(order.key)).sort();
        assert.deepEqual(ids, keys.map(orderId).sort());
      }),
  },
  {
    id: 'L07',
    title: 'orders are listed newest first, page by page, and by what is asked for',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const keys = newKeys(7);
        for (const [index, key] of keys.entries()) {
          await book.apply(key, intend(key, index === 0 ? { orderRef: 'cart 9' } : {}));
          if (index % 2 === 0) await book.apply(key, paid(key));
        }
        await book.apply({ ...newKey(), mchId: '1230000109' }, intend(newKey()));
        const pages: OrderRecord[][] = [];
        let after: string | undefined;
        do {
          const page = await book.list({ mchId: MCH_ID }, { limit: 3, ...(after === undefined ? {} : { after }) });
          pages.push([...page.orders]);
          after = page.next;
        } while (after !== undefined);
        assert.deepEqual(
          pages.map((page) => page.length),
          [3, 3, 1],
        );
        const listed = pages.flat();
        assert.deepEqual(listed.map(({ key }) => orderId(key)).sort(), keys.map(orderId).sort());
        const times = listed.map(({ createdAt }) => createdAt.getTime());
        assert.deepEqual(
          times,
          times.toSorted((a, b) => b - a),
        );
        for (const order of listed) await assertStored(store, order);
        const count = async (filter: Parameters<typeof book.list>[0]): Promise<number> =>
          (await book.list(filter)).orders.length;
        assert.equal(await count({}), 8);
        assert.equal(await count({ state: 'PAID' }), 4);
        assert.equal(await count({ delivery: 'NONE' }), 4);
        assert.equal(await count({ orderRef: 'cart 9' }), 1);
        assert.equal(await count({ paidOn: '20260102' }), 4);
        assert.equal(await count({ paidOn: '20260103' }), 0);
        assert.equal(await count({ mchId: MCH_ID, state: 'PAID', paidOn: '20260102' }), 4);
        assert.equal(await count({ due: true }), 0);
        await book.apply(keys[1] as never, dueSince(0));
        assert.equal(await count({ due: true }), 1);
        assert.equal(await count({ due: false }), 7);
      }),
  },
  {
    id: 'L08',
    title: 'of fifty payments at once that claim with the same write one holds the lease, and the write is one (B05)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const key = newKey();
        await applyAll(await store.open(), key, [intend(key)]);
        const applied = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) => books[index % 2]?.apply(key, paidAndClaimed(key))),
        );
        assert.deepEqual(tally(applied.map((one) => one?.outcome ?? '')), { applied: 1, unchanged: AT_ONCE - 1 });
        const order = await books[0]?.get(key);
        assert.ok(order);
        assert.deepEqual([order.version, order.delivery.state, order.delivery.attempt], [2, 'LEASED', 1]);
        await assertStored(store, order);
      }),
  },
];
