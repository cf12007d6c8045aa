import { encodeOrder, type OrderChange, type OrderKey } from '@wechat-h5/core/order-book';
import { applyAll, claim, dueSince, eventually, intend, newKey, newKeys, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import type { SeenRow } from './order-row.js';
import { RememberedRows } from './remembered-rows.js';
import { serverOfBlock, statementsOf } from './store.fixture.js';

const complete: OrderChange = { type: 'complete', attempt: 1 };
const release: OrderChange = { type: 'release', attempt: 1, retryInMs: 0 };

describe('rows that were seen a moment ago', () => {
  const row: SeenRow = { record: '{}', version: 1, due_at: null, taken_at: null, now: 1000 };
  const key = newKey();
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test.each([
    [0, 1000],
    [1234.5, 2235],
    [10_000, 11_000],
    [10_001, undefined],
  ])('after %d ms the clock of the server is %p', (passed, now) => {
    const rows = new RememberedRows();
    rows.set(key, row, performance.now());
    jest.advanceTimersByTime(passed);
    expect(rows.get(key)?.now).toBe(now);
  });

  test('the clock is never slow: it counts from before the statement that read it; of one that took too long it is not known', () => {
    const rows = new RememberedRows();
    const sentAt = performance.now();
    jest.advanceTimersByTime(1000);
    rows.set(key, row, sentAt);
    expect(rows.get(key)?.now).toBe(2000);
    jest.advanceTimersByTime(1);
    rows.set(key, row, sentAt);
    expect(rows.get(key)).toBeUndefined();
  });

  test('the five hundred latest are kept', () => {
    const rows = new RememberedRows();
    const keys = newKeys(501);
    for (const one of keys.slice(0, 500)) rows.set(one, row, performance.now());
    // Seen again, it is no longer the oldest.
    rows.set(keys[0] as OrderKey, row, performance.now());
    rows.set(keys[500] as OrderKey, row, performance.now());
    expect(keys.flatMap((one, index) => (rows.get(one) === undefined ? [index] : []))).toEqual([1]);
    rows.delete(keys[2] as OrderKey);
    expect(rows.get(keys[2] as OrderKey)).toBeUndefined();
  });

  test('of two merchants with one number each has its own', () => {
    const rows = new RememberedRows();
    rows.set(key, row, performance.now());
    expect(rows.get({ ...key, mchId: '1900000110' })).toBeUndefined();
    expect(rows.get({ ...key, subMchId: '1900000110' })).toBeUndefined();
  });
});

describeWithStores(['postgres'], 'an order that was seen a moment ago', () => {
  const { server, books } = serverOfBlock();

  const scene = async () => {
    const { book: elsewhere, schema } = await books.create(server.url);
    const pool = books.pool({ connectionString: server.url });
    const statements = statementsOf(pool);
    const key = newKey();
    const book = books.open(server.url, { schema, pool });
    return { book, elsewhere, key, statements, table: `${schema}.wechat_h5_order` };
  };
  const counted = async (statements: () => number, work: () => Promise<unknown>): Promise<number> => {
    const before = statements();
    await work();
    return statements() - before;
  };

  test('is not read again for the end of a run: a renewal and a completion take one statement each', async () => {
    const { book, key, statements } = await scene();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    expect(await counted(statements, () => book.apply(key, { type: 'renew', attempt: 1, leaseMs: 60_000 }))).toBe(1);
    expect(await counted(statements, () => book.transaction((_, apply) => apply(key, complete)))).toBe(1);
    expect(await book.get(key)).toMatchObject({ version: 5, delivery: { state: 'DONE' } });
  });

  test.each<[string, OrderChange, number]>([
    ['is not read again if nobody held it', { ...release, retryInMs: 0 }, 1],
    ['is read again if somebody did: only the server knows whether that has ended', { ...claim, leaseMs: 1 }, 2],
  ])('after a look at what is due an order to be handed over %s', async (_what, last, expected) => {
    const { book, elsewhere, key, statements } = await scene();
    await applyAll(elsewhere, key, [intend(key), paid(key), ...(last.type === 'claim' ? [last] : [claim, last])]);
    const [taken] = await eventually('it is due', async () => {
      const due = await book.claimDue({ limit: 10, leaseMs: 60_000 });
      return due.length > 0 ? due : undefined;
    });
    expect(await counted(statements, () => book.apply(key, claim))).toBe(expected);
    expect(await book.get(key)).toMatchObject({
      version: (taken?.version ?? 0) + 1,
      takenUntil: taken?.takenUntil,
      delivery: { state: 'LEASED', attempt: 2 },
    });
  });

  test.each<[string, (key: OrderKey) => OrderChange[], OrderChange]>([
    ['the end of a look', (key) => [intend(key)], dueSince(0)],
    ['a run that is given up', (key) => [intend(key), paid(key), claim], { ...release, retryInMs: 0 }],
  ])('is read again for %s: what is due now is due now', async (_what, changes, change) => {
    const { book, key, statements } = await scene();
    await applyAll(book, key, changes(key));
    expect(await counted(statements, () => book.apply(key, change))).toBe(2);
    expect((await book.list({ due: true })).orders).toHaveLength(1);
  });

  test.each<[string, OrderChange, OrderChange, string]>([
    ['a run that has lost its lease does not complete', release, complete, 'lost'],
    ['a delivery that is done is done', complete, claim, 'done'],
    ['a lease that is free is taken', release, claim, 'applied'],
  ])('P06: somebody else changes it meanwhile: %s', async (_what, theirs, ours, outcome) => {
    const { book, elsewhere, key } = await scene();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    await elsewhere.apply(key, theirs);
    expect((await book.apply(key, ours)).outcome).toBe(outcome);
    expect(await book.get(key)).toEqual(await elsewhere.get(key));
  });

  test.each(['another machine', 'this one'])('%s has taken it as due meanwhile: both changes are kept', async (who) => {
    const { book, elsewhere } = await scene();
    const keys = newKeys(3);
    for (const key of keys) await applyAll(book, key, [intend(key), dueSince(0)]);
    const taken = await eventually('they are due', async () => {
      const due = await (who === 'this one' ? book : elsewhere).claimDue({ limit: 3, leaseMs: 60_000 });
      return due.length > 0 ? due : undefined;
    });
    expect(taken).toHaveLength(3);
    const looked = (key: OrderKey) =>
      book.apply(key, { type: 'looked', verdict: 'NOTPAY', nextInMs: 5000, counts: true });
    const [first, ...others] = taken;
    const changed = [
      await looked(first?.key as OrderKey),
      ...(await Promise.all(others.map(({ key }) => looked(key)))),
    ];
    for (const [index, { order }] of changed.entries()) {
      const { key, version = 0 } = taken[index] ?? {};
      expect(order).toMatchObject({ state: 'CREATING', polls: 2, version: version + 1 });
      expect(await elsewhere.get(key as OrderKey)).toEqual(order);
    }
  });

  test('another record stands there under the same version, as after a failover: it is not written over', async () => {
    const { book, table } = await scene();
    const around = books.pool({ connectionString: server.url });
    const keys = newKeys(3);
    for (const key of keys) {
      const { order } = await applyAll(book, key, [intend(key), paid(key), claim]);
      if (order === undefined) throw new Error('no order');
      const other = encodeOrder({ ...order, delivery: { ...order.delivery, attempt: 2 } });
      await around.query(`UPDATE ${table} SET record = $1 WHERE out_trade_no = $2`, [other, key.outTradeNo]);
    }
    const [first, ...others] = keys as [OrderKey, ...OrderKey[]];
    // Alone, and in a group.
    expect((await book.apply(first, complete)).outcome).toBe('lost');
    const applied = await Promise.all(others.map((key) => book.apply(key, complete)));
    expect(applied.map(({ outcome }) => outcome)).toEqual(['lost', 'lost']);
    for (const key of keys) expect((await book.get(key))?.delivery).toMatchObject({ state: 'LEASED', attempt: 2 });
  });

  test('its row is gone: it is not known any more', async () => {
    const { book, key, table } = await scene();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    server.query(`DELETE FROM ${table}`);
    expect(await book.apply(key, complete)).toMatchObject({ outcome: 'unknown', order: undefined });
  });

  test('what nobody has changed is said to be so by the server alone', async () => {
    const { book, key, statements } = await scene();
    await applyAll(book, key, [intend(key), paid(key), claim, complete]);
    expect(await counted(statements, () => book.apply(key, complete))).toBe(1);
    expect((await book.apply(key, complete)).outcome).toBe('done');
  });

  test('changed in a transaction that was rolled back, it is what it was', async () => {
    const { book, key, statements } = await scene();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    const failing = book.transaction(async (tx, apply) => {
      await tx.query('SELECT 1');
      await apply(key, { type: 'renew', attempt: 1, leaseMs: 60_000 });
      throw new Error('the shop');
    });
    await expect(failing).rejects.toThrow('the shop');
    // Read and written, and not written in vain before.
    expect(await counted(statements, () => book.apply(key, complete))).toBe(2);
    expect((await book.get(key))?.delivery.state).toBe('DONE');
  });
});
