import assert from 'node:assert/strict';
import { decodeOrder, type OrderChange, type OrderKey, type OrderRecord } from '@wechat-h5/core/order-book';
import type { OrderBookCase, SharedOrderBookHarness, SharedStore } from './harness.js';
import { BookProcess } from './processes.js';
import {
  applyAll,
  assertStored,
  claim,
  dueSince,
  eventually,
  intend,
  LEASE_MS,
  newKey,
  newKeys,
  paid,
  tally,
  withStore,
} from './scenario.js';

type SharedCase = OrderBookCase<SharedOrderBookHarness>;

const ORDERS = 200;
const AT_ONCE = 50;

/** With real processes, and with kill -9. */
export const processCases: readonly SharedCase[] = [
  {
    id: 'W01',
    title:
      'four processes settle the same two hundred orders: each is delivered by one of them, and all histories are complete',
    run: (harness) =>
      withProcesses(harness, 4, async (store, processes) => {
        const book = await store.open();
        const keys = newKeys(ORDERS);
        await inTens(keys, (key) => book.apply(key, intend(key)));
        const changes = keys.map((key) => paid(key));
        const won = await Promise.all(
          processes.map((one) => one.run<string[]>({ do: 'settle', keys, changes, leaseMs: LEASE_MS })),
        );
        assert.deepEqual(won.flat().sort(), keys.map(({ outTradeNo }) => outTradeNo).sort());
        await inTens(keys, async (key) => {
          const order = await decoded(store, key);
          assert.deepEqual(whatHappened(order), ['intend', 'paid', 'claim', 'complete']);
          await assertStored(store, order);
        });
      }),
  },
  {
    id: 'W02',
    title: 'four processes look at two hundred due orders: each is looked at once',
    run: (harness) =>
      withProcesses(harness, 4, async (store, processes) => {
        const book = await store.open();
        const keys = newKeys(ORDERS);
        await inTens(keys, (key, index) => applyAll(book, key, [intend(key), dueSince(index)]));
        const taken = await Promise.all(processes.map((one) => one.run<string[]>({ do: 'drain', leaseMs: LEASE_MS })));
        assert.deepEqual(taken.flat().sort(), keys.map(({ outTradeNo }) => outTradeNo).sort());
        await inTens(keys, async (key) => assert.equal((await store.stored(key))?.dueAt, undefined));
      }),
  },
  {
    id: 'W03',
    title: 'a process that was stopped for longer than its lease finds it lost (P06)',
    run: (harness) =>
      withProcesses(harness, 2, async (store, [zombie, heir]) => {
        assert.ok(zombie && heir);
        const key = await paidOrder(store);
        const claimed = await zombie.run<Answer>({ do: 'apply', key, change: { type: 'claim', leaseMs: 50 } });
        assert.deepEqual(claimed, { outcome: 'applied', attempt: 1 });
        zombie.signal('SIGSTOP');
        const complete = zombie.run<Answer>({ do: 'apply', key, change: { type: 'complete', attempt: 1 } });
        await eventually('the lease ends', async () =>
          (await heir.run<Answer>({ do: 'apply', key, change: claim })).outcome === 'applied' ? true : undefined,
        );
        zombie.signal('SIGCONT');
        assert.equal((await complete).outcome, 'lost');
        assert.equal(
          (await heir.run<Answer>({ do: 'apply', key, change: { type: 'complete', attempt: 2 } })).outcome,
          'applied',
        );
        assert.deepEqual(whatHappened(await decoded(store, key)), ['intend', 'paid', 'claim', 'claim', 'complete']);
      }),
  },
  killed('W04', 'kill -9 before the payment is stored: the repeated notification does it all (P01)', [], {
    first: 'applied',
    second: 'applied',
  }),
  killed('W05', 'kill -9 between the payment and the claim: it is due, and nobody holds it (P02)', [paid], {
    first: 'unchanged',
    second: 'applied',
  }),
  killed(
    'W06',
    'kill -9 in the handler: the next attempt after the lease (P03)',
    [paid, () => ({ type: 'claim', leaseMs: 1 })],
    {
      first: 'unchanged',
      second: 'applied',
      attempt: 2,
    },
  ),
  killed(
    'W07',
    'kill -9 after completing, before the acknowledgement: the repeat finds it delivered (P05)',
    [paid, () => claim, () => ({ type: 'complete', attempt: 1 })],
    { first: 'unchanged', second: 'done', attempt: 1 },
  ),
  {
    id: 'W08',
    title: 'kill -9 of processes at work: nothing that was said to be done is lost, and nothing is done twice (P04)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const keys = newKeys(ORDERS);
        const book = await store.open();
        await inTens(keys, (key) => book.apply(key, intend(key)));
        const changes = keys.map((key) => paid(key));
        const said: string[] = [];
        for (let round = 0; round < 3; round++) {
          const victims = await BookProcess.startAll(store.program, 2);
          const runs = victims.map((one) => one.run({ do: 'settle', keys, changes, leaseMs: 1 }).catch(() => {}));
          try {
            // In the middle of it.
            await eventually('they have delivered something', async () =>
              victims.flatMap(({ done }) => done).length > 10 ? true : undefined,
            );
          } finally {
            await Promise.all(victims.map((one) => one.kill()));
          }
          await Promise.all(runs);
          said.push(...victims.flatMap(({ done }) => done));
        }
        const [last] = await BookProcess.startAll(store.program, 1);
        assert.ok(last);
        try {
          await eventually('all leases end', async () => {
            await last.run({ do: 'settle', keys, changes, leaseMs: LEASE_MS });
            const { orders } = await book.list({ delivery: 'DONE' }, { limit: ORDERS + 1 });
            return orders.length === ORDERS ? true : undefined;
          });
        } finally {
          await last.kill();
        }
        said.push(...last.done);
        assert.deepEqual(
          Object.entries(tally(said)).filter(([, count]) => count > 1),
          [],
        );
        await inTens(keys, async (key) => {
          const order = await decoded(store, key);
          await assertStored(store, order);
          assert.deepEqual(tally(whatHappened(order).filter((what) => what !== 'claim')), {
            intend: 1,
            paid: 1,
            complete: 1,
          });
        });
      }),
  },
  {
    id: 'W09',
    title: 'calls of all machines share one pace for each merchant, and who would be too late takes no turn (§4.3)',
    run: (harness) =>
      withStore(harness, async (store) => {
        const books = [await store.open(), await store.open()];
        const ask = async (mchId: string, perSecond: number, withinMs: number): Promise<(number | undefined)[]> => {
          const began = performance.now();
          const waits = await Promise.all(
            Array.from({ length: AT_ONCE }, (_, index) => {
              const book = books[index % 2];
              assert.ok(book?.turn, 'a book of several processes gives turns');
              return book.turn(mchId, { perSecond, withinMs });
            }),
          );
          // What the time that passed meanwhile was good for comes on top.
          took = (performance.now() - began) / 1000;
          return waits.filter((wait) => wait !== undefined).sort((a, b) => a - b);
        };
        let took = 0;
        assert.deepEqual(await ask('1900000101', 0.05, 0), [0]);
        assert.deepEqual(await ask('1900000101', 0.05, 0), []);
        // Another merchant has its own.
        const waits = await ask('1900000102', 0.05, 55_000);
        assert.equal(waits.length, 3, waits.join(' '));
        for (const [index, wait = 0] of waits.entries()) {
          assert.ok(wait > index * 20_000 - took * 1000 - 50 && wait < index * 20_000 + 50, waits.join(' '));
        }
        const spread = await ask('1900000103', 10, 60_000);
        assert.ok(spread.filter((wait) => wait === 0).length >= 10, `${spread.join(' ')}: a second's worth at once`);
        const last = spread.at(-1) ?? 0;
        assert.ok(last > 3950 - took * 1000 && last < 4050, `${last} ms until the fiftieth`);
        const now = (await ask('1900000104', 10, 0)).length;
        assert.ok(now >= 10 && now <= 11 + took * 10, `${now} of ten a second in ${took} s`);
      }),
  },
];

interface Answer {
  readonly outcome: string;
  readonly attempt: number | undefined;
}

/** One process dies after `changes`; another one is told of the payment again, claims, and completes. */
function killed(
  id: string,
  title: string,
  changes: readonly ((key: OrderKey) => OrderChange)[],
  expected: { first: string; second: string; attempt?: number },
): SharedCase {
  return {
    id,
    title,
    run: (harness) =>
      withProcesses(harness, 2, async (store, [victim, other]) => {
        assert.ok(victim && other);
        const book = await store.open();
        const key = newKey();
        await book.apply(key, intend(key));
        for (const change of changes) await victim.run({ do: 'apply', key, change: change(key) });
        await victim.run({ do: 'die' }).catch(() => {});
        await victim.kill();
        assert.equal((await other.run<Answer>({ do: 'apply', key, change: paid(key) })).outcome, expected.first);
        const { outcome, attempt } = await eventually('the lease ends', async () => {
          const answer = await other.run<Answer>({ do: 'apply', key, change: claim });
          return answer.outcome === 'busy' ? undefined : answer;
        });
        assert.deepEqual([outcome, attempt], [expected.second, expected.attempt ?? 1]);
        if (outcome === 'applied') {
          const change: OrderChange = { type: 'complete', attempt: attempt ?? 0 };
          assert.equal((await other.run<Answer>({ do: 'apply', key, change })).outcome, 'applied');
        }
        const order = await decoded(store, key);
        assert.equal(order.delivery.state, 'DONE');
        assert.equal(whatHappened(order).filter((what) => what === 'complete').length, 1);
      }),
  };
}

async function withProcesses(
  harness: SharedOrderBookHarness,
  count: number,
  work: (store: SharedStore, processes: readonly BookProcess[]) => Promise<void>,
): Promise<void> {
  await withStore(harness, async (store) => {
    const processes = await BookProcess.startAll(store.program, count);
    try {
      await work(store, processes);
    } finally {
      await Promise.all(processes.map((one) => one.kill()));
    }
  });
}

async function paidOrder(store: SharedStore): Promise<OrderKey> {
  const key = newKey();
  await applyAll(await store.open(), key, [intend(key), paid(key)]);
  return key;
}

async function decoded(store: SharedStore, key: OrderKey): Promise<OrderRecord> {
  const stored = await store.stored(key);
  assert.ok(stored);
  return decodeOrder(stored.record);
}

function whatHappened({ history }: OrderRecord): string[] {
  return history.map(({ what }) => what);
}

/** At once, but not all. */
async function inTens<T>(items: readonly T[], work: (item: T, index: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += 10) {
    await Promise.all(items.slice(start, start + 10).map((item, index) => work(item, start + index)));
  }
}
