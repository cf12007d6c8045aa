import { createWechatH5 } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';
import type { OrderChange } from '@wechat-h5/core/order-book';
import { applyAll, claim, dueSince, eventually, intend, newKey, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores, startRedis, type RedisServer } from '@wechat-h5/testkit/stores';
import { connect, type Connected } from './book.fixture.js';
import { RedisOrderBook } from './index.js';

const DAY = 86_400;
const HOUR = 3600;

describeWithStores(['redis', 'faketime'], 'S18: the clock of the server jumps', () => {
  let server: RedisServer;
  let connected: Connected;
  let book: RedisOrderBook;

  beforeAll(async () => {
    server = await startRedis({ hasOwnClock: true });
    connected = await connect('ioredis', server.url);
    book = new RedisOrderBook({ client: connected.client });
    await book.migrate();
  });
  afterEach(() => server.setClock(0));
  afterAll(async () => {
    connected.end();
    await server.stop();
  });

  const complete = (attempt: number): OrderChange => ({ type: 'complete', attempt });

  test('S18: the book goes by that clock, and by no other', async () => {
    for (const offset of [0, DAY, -DAY]) {
      server.setClock(offset);
      const key = newKey();
      const { at, order } = await book.apply(key, intend(key));
      expect(order?.createdAt).toEqual(at);
      // In days: it does not matter how slow this machine is.
      expect((at.getTime() - Date.now()) / 1000 / DAY).toBeCloseTo(offset / DAY, 2);
    }
  });

  test('S18: ahead, the lease ends early: another run begins, and of the two only that one completes', async () => {
    const key = newKey();
    const first = await applyAll(book, key, [intend(key), paid(key), claim]);
    expect([first.outcome, first.order.delivery.attempt]).toEqual(['applied', 1]);
    server.setClock(DAY);
    const second = await book.apply(key, claim);
    expect([second.outcome, second.order?.delivery.attempt]).toEqual(['applied', 2]);
    expect((await book.apply(key, { type: 'renew', attempt: 1, leaseMs: 60_000 })).outcome).toBe('lost');
    expect((await book.apply(key, complete(1))).outcome).toBe('lost');
    server.setClock(0);
    expect((await book.apply(key, complete(1))).outcome).toBe('lost');
    expect((await book.apply(key, complete(2))).outcome).toBe('applied');
    const history = (await book.get(key))?.history.filter(({ what }) => what === 'complete');
    expect(history).toHaveLength(1);
  });

  test('S18: back, the lease of a dead process lasts that much longer, and nobody else gets in; set right, it ends', async () => {
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
    server.setClock(-HOUR);
    expect((await book.apply(key, claim)).outcome).toBe('busy');
    server.setClock(0);
    const { order } = await eventually('the lease ends', async () => {
      const applied = await book.apply(key, claim);
      return applied.outcome === 'applied' ? applied : undefined;
    });
    expect(order?.delivery.attempt).toBe(2);
  });

  test('S18: back, whoever holds the lease completes all the same', async () => {
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    server.setClock(-HOUR);
    expect((await book.apply(key, { type: 'renew', attempt: 1, leaseMs: 60_000 })).outcome).toBe('applied');
    expect((await book.apply(key, complete(1))).outcome).toBe('applied');
  });

  test('S18: what was due is not due before its time, and is found after it', async () => {
    const key = newKey();
    await applyAll(book, key, [intend(key), dueSince(1000)]);
    server.setClock(-HOUR);
    const taken = async (): Promise<unknown[]> =>
      (await book.claimDue({ limit: 100, leaseMs: 1 })).map((order) => order.key);
    expect(await taken()).not.toContainEqual(key);
    server.setClock(0);
    expect(await taken()).toContainEqual(key);
  });

  test('S18: two shops run the handler at the same time when the clock jumps, one delivery is done, and both answer SUCCESS then', async () => {
    const merchant = { appId: 'wx2421b1c4370ec43b', mchId: '1900000109', apiKey: 'k'.repeat(32) };
    const key = newKey();
    let runs = 0;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const shopOf = (onPaid: () => Promise<void>) =>
      createWechatH5({
        merchant,
        notifyUrl: 'https://shop.example/notify',
        orderBook: book,
        reconcile: false,
        onProblem: () => {},
        onPaid: async () => {
          runs++;
          await onPaid();
        },
      });
    await book.apply(key, intend(key));
    const fields = { out_trade_no: key.outTradeNo, total_fee: '100', transaction_id: `42${key.outTradeNo}` };
    const body = Buffer.from(signedNotification(fields, merchant));
    const notify = async (shop: ReturnType<typeof shopOf>): Promise<string> =>
      (await shop.handleNotification({ method: 'POST', body })).body;
    const slow = notify(shopOf(() => ended));
    await eventually('the first run has begun', async () => (runs === 1 ? true : undefined));
    server.setClock(DAY);
    const quick = await notify(shopOf(async () => {}));
    expect(quick).toContain('SUCCESS');
    server.setClock(0);
    end();
    // Its own run is refused by the fence; the delivery is done.
    expect(await slow).toContain('SUCCESS');
    expect(runs).toBe(2);
    const order = await book.get(key);
    expect(order?.delivery).toMatchObject({ state: 'DONE', attempt: 2 });
    expect(order?.history.filter(({ what }) => what === 'complete')).toHaveLength(1);
  });

  test('S18: turns are given whichever way it jumps', async () => {
    const options = { perSecond: 0.01, withinMs: 0 };
    for (const offset of [0, DAY, -DAY]) {
      server.setClock(offset);
      expect(await book.turn('1900000109', options)).toBe(0);
      // Not for lack of a memory.
      expect(await book.turn('1900000109', options)).toBeUndefined();
    }
  });
});
