import { dueAt, transition, type OrderChange, type OrderKey } from '@wechat-h5/core/order-book';
import { applyAll, dueSince, eventually, intend, newKey, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import { serverOfBlock } from './store.fixture.js';

const leased: OrderChange = { type: 'claim', leaseMs: 1 };
const strange = (key: OrderKey): OrderChange => {
  const { type, intent } = intend(key);
  const text = '","takenUntil":1,"version":7}\\u0000\\';
  return { type, intent: { ...intent, attach: text, params: { ...intent.params, body: text, version: '1' } } };
};
const refund = (outRefundNo: string): OrderChange => ({ type: 'refunded', outRefundNo, refundFee: 1 });

describeWithStores(['postgres'], 'what claimDue takes', () => {
  const { server, books } = serverOfBlock();

  // The statement does what the state machine does elsewhere: whatever is in a record, they must agree.
  test.each<[string, (key: OrderKey) => OrderChange[]]>([
    ['an order', (key) => [intend(key), dueSince(0)]],
    ['an orphan', (key) => [paid(key), dueSince(0)]],
    ['a payment that was not handed over', (key) => [intend(key), paid(key), leased]],
    [
      'an order with refunds called as members of a record are',
      (key) => [intend(key), paid(key), leased, ...['version', 'takenUntil', '__proto__', '"'].map(refund)],
    ],
    ['an order with text that looks like a record', (key) => [strange(key), dueSince(0)]],
  ])('is what the state machine makes of it: %s', async (_what, changes) => {
    const { book, schema } = await books.create(server.url);
    const key = newKey();
    await applyAll(book, key, changes(key));
    for (const leaseMs of [1, 60_000]) {
      const before = await book.get(key);
      const taken = await eventually('it is due', async () => (await book.claimDue({ limit: 10, leaseMs }))[0]);
      const { order } = transition(before, key, { type: 'take', leaseMs }, taken.updatedAt);
      expect(taken).toEqual(order);
      expect(await book.get(key)).toEqual(order);
      expect(server.query(`SELECT round(extract(epoch FROM due_at) * 1000) FROM ${schema}.wechat_h5_order`)).toBe(
        String(dueAt(taken)?.getTime()),
      );
    }
    // Others change it afterwards as ever.
    expect((await book.apply(key, dueSince(1))).order?.version).toBe((await book.get(key))?.version);
  });
});
