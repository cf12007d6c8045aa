import assert from 'node:assert/strict';
import { decodeOrder, encodeOrder, type OrderChange } from '@wechat-h5/core/order-book';
import type { OrderBookCase } from './harness.js';
import {
  applyAll,
  assertStored,
  claim,
  created,
  intend,
  MCH_ID,
  newKey,
  newKeys,
  paid,
  tally,
  withStore,
} from './scenario.js';

const AT_ONCE = 50;

/** One change at a time, whole, and there for everybody. */
export const applyCases: readonly OrderBookCase[] = [
  {
    id: 'K01',
    title: 'what apply answers is what is stored, and what another book over the same store reads',
    run: (harness) =>
      withStore(harness, async (store) => {
        const [one, other] = [await store.open(), await store.open()];
        const key = newKey();
        const refund = { outRefundNo: '__proto__', refundFee: 30 };
        const life: OrderChange[] = [
          intend(key, { orderRef: 'cart "7"\n' }),
          created(),
          { type: 'looked', verdict: 'NOTPAY', nextInMs: 1000, counts: true },
          paid(key),
          claim,
          { type: 'renew', attempt: 1, leaseMs: 1000 },
          { type: 'release', attempt: 1, retryInMs: 500 },
          claim,
          { type: 'complete', attempt: 2 },
          { type: 'refund-intend', ...refund, params: { out_refund_no: '__proto__' } },
          { type: 'refund-accepted', ...refund },
          { type: 'refunded', ...refund },
          { ...claim, outRefundNo: '__proto__' },
        ];
        for (const change of life) {
          const { outcome, order } = await one.apply(key, change);
          assert.equal(outcome, 'applied', change.type);
          assert.ok(order);
          await assertStored(store, order);
          assert.deepEqual(await other.get(key), order, change.type);
        }
      }),
  },
  {
    id: 'K02',
    title: 'a number that nobody intended is not there, and nothing is stored for it',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const key = newKey();
        for (const change of [created(), claim, { type: 'closed' } as const]) {
          const { outcome, order } = await book.apply(key, change);
          assert.deepEqual([outcome, order], ['unknown', undefined]);
        }
        assert.equal(await book.get(key), undefined);
        assert.equal(await book.findByTransactionId(MCH_ID, '42'), undefined);
        assert.equal(await store.stored(key), undefined);
      }),
  },
  {
    id: 'K03',
    title: 'a payment of an unknown order is kept as an orphan, and joins the order once there is one (B04)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const key = newKey();
        const orphan = await book.apply(key, paid(key));
        assert.deepEqual([orphan.outcome, orphan.order?.state], ['unknown', 'ORPHAN']);
        assert.ok(orphan.order);
        await assertStored(store, orphan.order);
        const { order } = await applyAll(book, key, [intend(key)]);
        assert.deepEqual([order.state, order.delivery.state], ['PAID', 'READY']);
        await assertStored(store, order);
        const { orders } = await book.list({});
        assert.deepEqual(orders, [order]);
      }),
  },
  {
    id: 'K04',
    title: 'merchants and their sub-merchants do not share numbers',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const key = newKey();
        const keys = [key, { ...key, subMchId: '1900000141' }, { ...key, mchId: '1230000109' }];
        for (const [index, one] of keys.entries()) await book.apply(one, intend(one, { totalFee: index + 1 }));
        for (const [index, one] of keys.entries()) {
          const order = await book.get(one);
          assert.deepEqual([order?.key, order?.totalFee], [one, index + 1]);
          assert.ok(order);
          await assertStored(store, order);
        }
      }),
  },
  {
    id: 'K05',
    title: 'of fifty intents at once one is stored; the others find it, or contradict it (B16, B17)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const [same, differing] = [newKey(), newKey()];
        const applied = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) => books[index % 2]?.apply(same, intend(same))),
        );
        assert.deepEqual(tally(applied.map((one) => one?.outcome ?? '')), { applied: 1, unchanged: AT_ONCE - 1 });
        const fees = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) =>
            books[index % 2]?.apply(differing, intend(differing, { totalFee: index + 1 })),
          ),
        );
        assert.deepEqual(tally(fees.map((one) => one?.outcome ?? '')), { applied: 1, conflict: AT_ONCE - 1 });
        const order = await books[0]?.get(differing);
        assert.deepEqual(new Set(fees.map((one) => one?.order?.totalFee)), new Set([order?.totalFee]));
        assert.equal(order?.version, 1);
      }),
  },
  {
    id: 'K06',
    title: 'of fifty notifications of one payment at once one changes something (B01)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const key = newKey();
        await books[0]?.apply(key, intend(key));
        const applied = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) => books[index % 2]?.apply(key, paid(key))),
        );
        assert.deepEqual(tally(applied.map((one) => one?.outcome ?? '')), { applied: 1, unchanged: AT_ONCE - 1 });
        assert.equal((await books[1]?.get(key))?.version, 2);
      }),
  },
  {
    id: 'K07',
    title: 'changes of different kinds at once all find a place, one after the other',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const key = newKey();
        await books[0]?.apply(key, intend(key));
        await books[0]?.apply(key, paid(key));
        const numbers = Array.from({ length: 20 }, (_, index) => `R${index}`);
        const outcomes = await Promise.all(
          numbers.map((outRefundNo, index) =>
            books[index % 2]?.apply(key, {
              type: 'refund-intend',
              outRefundNo,
              refundFee: 10,
              params: { outRefundNo },
            }),
          ),
        );
        // Together they are never more than the order.
        assert.deepEqual(tally(outcomes.map((one) => one?.outcome ?? '')), { applied: 10, exceeds: 10 });
        const order = await books[0]?.get(key);
        assert.equal(Object.keys(order?.refunds ?? {}).length, 10);
        assert.equal(order?.version, 12);
        assert.ok(order);
        await assertStored(store, order);
      }),
  },
  {
    id: 'K08',
    title: 'one transaction pays one order, however many claim it at once (S19)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const keys = newKeys(10);
        for (const key of keys) await books[0]?.apply(key, intend(key));
        const transactionId = `42${keys[0]?.outTradeNo ?? ''}`;
        await Promise.all(keys.map((key, index) => books[index % 2]?.apply(key, paid(key, { transactionId }))));
        const orders = await Promise.all(keys.map((key) => books[0]?.get(key)));
        assert.deepEqual(tally(orders.map((order) => order?.state ?? '')), { PAID: 1, QUARANTINED: 9 });
        const payer = orders.find((order) => order?.state === 'PAID');
        assert.deepEqual(await books[1]?.findByTransactionId(MCH_ID, transactionId), payer);
        assert.equal(await books[1]?.findByTransactionId('1230000109', transactionId), undefined);
        for (const order of orders) if (order !== undefined) await assertStored(store, order);
      }),
  },
  {
    id: 'K09',
    title: 'one purchase is handed over once, however many of its attempts are paid at once (B15)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const keys = newKeys(10);
        for (const key of keys) await books[0]?.apply(key, intend(key, { orderRef: 'cart 7' }));
        await Promise.all(keys.map((key, index) => books[index % 2]?.apply(key, paid(key))));
        const orders = await Promise.all(keys.map((key) => books[0]?.get(key)));
        assert.deepEqual(tally(orders.map((order) => order?.delivery.state ?? '')), { READY: 1, WITHHELD: 9 });
        for (const order of orders) if (order !== undefined) await assertStored(store, order);
      }),
  },
  {
    id: 'K10',
    title: 'a name that is given up can be taken by another order',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const [first, second] = [newKey(), newKey()];
        for (const key of [first, second]) await book.apply(key, intend(key, { orderRef: 'cart 8' }));
        await book.apply(first, paid(first));
        // All of it given back before it was handed over: the purchase is free again.
        const refunded: OrderChange = { type: 'refunded', outRefundNo: 'R1', refundFee: 100 };
        const { order } = await applyAll(book, first, [refunded, claim]);
        assert.equal(order.delivery.state, 'WITHHELD');
        await assertStored(store, order);
        const { order: next } = await applyAll(book, second, [paid(second)]);
        assert.equal(next.delivery.state, 'READY');
        await assertStored(store, next);
        await assertStored(store, order);
      }),
  },
  {
    id: 'K11',
    title: 'keys, numbers and texts from outside are values, whatever they look like (X27, D21)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const texts = [
          `'; DROP TABLE wechat_h5_order; --`,
          `{tag}*?[a-z]"\\`,
          `$1$$;$(x)`,
          `__proto__`,
          `微信支付\u{1F600}\u0000\uFFFF`,
          `a\r\nSET x 1\r\n`,
        ];
        for (const text of texts) {
          // Blanks part the key of an order; numbers are checked before they get to a book.
          const outTradeNo = text.replaceAll(' ', '').replaceAll('\u0000', '');
          const key = { mchId: MCH_ID, outTradeNo };
          const { order } = await applyAll(book, key, [
            intend(key, { orderRef: text.replaceAll('\u0000', '') }),
            { type: 'create-unknown', reason: text },
            paid(key, { raw: { attach: text } }),
          ]);
          assert.equal(order.payment?.raw['attach'], text);
          await assertStored(store, order);
          assert.deepEqual(await book.findByTransactionId(MCH_ID, `42${outTradeNo}`), order);
          const { orders } = await book.list({ orderRef: text.replaceAll('\u0000', '') });
          assert.deepEqual(orders, [order]);
        }
      }),
  },
  {
    id: 'K12',
    title: 'a record of a later version is refused, and not written over (P14)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const book = await store.open();
        const key = newKey();
        const { order } = await applyAll(book, key, [intend(key)]);
        assert.deepEqual(decodeOrder(encodeOrder(order)), order);
        assert.throws(() => decodeOrder(encodeOrder(order).replace('"v":1', '"v":2')), { code: 'ORDER_BOOK_FAILED' });
      }),
  },
];
