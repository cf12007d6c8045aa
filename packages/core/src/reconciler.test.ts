import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { closeInstance, instanceOf } from './adapter.js';
import { createWechatH5, MemoryOrderBook, type WechatH5, type WechatH5Options } from './index.js';
import type { OrderChange } from './order-book.js';
import { Reconciler } from './reconciler.js';
import { HOUR, MINUTE, openReconcilerScene, ORDER_NO, type ReconcilerScene } from './reconciler.fixture.js';
import { fakeDate } from './fake-date.fixture.js';
import { partsOf } from './wechat-h5.js';

let scene: ReconcilerScene;
let shop: WechatH5;

beforeEach(async () => {
  scene = await openReconcilerScene();
  shop = scene.machine();
});
afterEach(() => scene.stop());

/** Intervals are up to a tenth longer, and a step of the clock is five seconds. */
function expectTimes(seen: readonly number[], expected: readonly number[]): void {
  expect(seen).toHaveLength(expected.length);
  for (const [n, seconds] of expected.entries()) {
    expect(seen[n]).toBeGreaterThanOrEqual(seconds);
    expect(seen[n]).toBeLessThanOrEqual(seconds * 1.1 + 10 * (n + 1));
  }
}

describe('the schedule', () => {
  test('an order nobody pays: asked less and less often, closed, confirmed, and looked at twice more', async () => {
    await scene.order(shop);
    await scene.pass(shop, 49 * MINUTE);
    expectTimes(scene.calls('orderquery'), [35, 95, 275, 575, 1175]);
    expect(scene.calls('closeorder')).toEqual([]);
    await scene.pass(shop, 7 * MINUTE);
    expectTimes(scene.calls('closeorder'), [50 * 60]);
    // Before the close, and to confirm it.
    expect(scene.calls('orderquery')).toHaveLength(7);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
    await scene.pass(shop, 30 * HOUR, MINUTE);
    expectTimes(scene.calls('orderquery').slice(7), [60 * 60, (24 * 60 + 10) * 60]);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED', pollAt: undefined });
    expect(scene.calls('orderquery')).toHaveLength(9);
    expect(scene.problems).toEqual([]);
  });

  test('closeAfterMs closes earlier', async () => {
    const hasty = scene.machine({ reconcile: { closeAfterMs: 6 * MINUTE } });
    await scene.order(hasty);
    await scene.pass(hasty, 7 * MINUTE);
    expectTimes(scene.calls('closeorder'), [6 * 60]);
  });

  test('B02: all notices are lost: found by asking, and handed over', async () => {
    await scene.order(shop);
    scene.skip(20_000);
    await scene.pay();
    await scene.pass(shop, MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
    await scene.pass(shop, 30 * HOUR, MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
    expect(scene.calls('orderquery')).toHaveLength(1);
  });

  test('B07: NOTPAY right after the payment is no reason to give it up', async () => {
    await scene.order(shop);
    await scene.pay();
    const lag = { trade_state: 'NOTPAY', transaction_id: '', time_end: '', total_fee: '' };
    scene.simulator.faults.nextCall('orderquery', { fields: lag });
    await scene.pass(shop, MINUTE);
    expect([scene.paid, (await scene.get())?.state]).toEqual([[], 'PENDING']);
    await scene.pass(shop, MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test('B06: an answer NOTPAY that comes after the payment changes nothing', async () => {
    await scene.order(shop);
    const lag = { trade_state: 'NOTPAY', transaction_id: '', time_end: '', total_fee: '' };
    scene.simulator.faults.nextCall('orderquery', { fields: lag });
    const asking = shop.confirmPayment({ outTradeNo: ORDER_NO });
    expect(await scene.notify(shop)).toContain('SUCCESS');
    const before = await scene.get();
    await asking;
    expect(before).toMatchObject({ state: 'PAID', delivery: { state: 'DONE' } });
    expect(await scene.get()).toMatchObject({ state: 'PAID', delivery: { state: 'DONE' } });
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test.each(['REVOKED', 'PAYERROR'])(
    'B23: %s ends an order unpaid, and a payment that comes later is told',
    async (state) => {
      await scene.order(shop);
      scene.simulator.faults.nextCall('orderquery', { fields: { trade_state: state } });
      await scene.pass(shop, MINUTE);
      expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
      expect(scene.calls('closeorder')).toEqual([]);
      expect(await scene.notify(shop)).toContain('SUCCESS');
      expect(await scene.get()).toMatchObject({ state: 'PAID', delivery: { state: 'WITHHELD' } });
      expect(scene.problems).toMatchObject([{ type: 'paid-after-close' }]);
      expect(scene.paid).toEqual([]);
    },
  );

  test('B18: a payer who is paying is asked about, and not closed', async () => {
    await scene.order(shop);
    // Five or six of the schedule, and the one before the close.
    for (let n = 0; n < 7; n++)
      scene.simulator.faults.nextCall('orderquery', { fields: { trade_state: 'USERPAYING' } });
    while ((await scene.get())?.state === 'PENDING') await scene.pass(shop, 5000);
    expect(await scene.get()).toMatchObject({ state: 'CLOSING' });
    expect(scene.calls('closeorder')).toEqual([]);
    await scene.pay();
    await scene.pass(shop, 5 * MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test('an order of which WeChat Pay never heard is given up after ten minutes, and not before', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { drop: 'ignore' });
    await expect(scene.order(shop)).rejects.toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
    expect(await scene.get()).toMatchObject({ state: 'CREATE_UNKNOWN' });
    await scene.pass(shop, 9 * MINUTE);
    expect(await scene.get()).toMatchObject({ state: 'CREATE_UNKNOWN' });
    await scene.pass(shop, 15 * MINUTE);
    expect(await scene.get()).toMatchObject({ state: 'CREATE_FAILED', reason: 'ORDERNOTEXIST' });
    await scene.order(shop);
    expect(await scene.get()).toMatchObject({ state: 'PENDING' });
  });

  test('an order that was refused at first has its time from when it was placed', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { errCode: 'NOAUTH' });
    await expect(scene.order(shop)).rejects.toMatchObject({ errCode: 'NOAUTH' });
    expect(await scene.get()).toMatchObject({ state: 'CREATE_FAILED' });
    // WeChat Pay knows nothing of the first time, so neither its limits nor ours count from there.
    scene.skip(30 * 24 * HOUR);
    const placedAt = 30 * 24 * 60 * 60;
    await scene.order(shop);
    await scene.pass(shop, 49 * MINUTE);
    expectTimes(
      scene.calls('orderquery').map((at) => at - placedAt),
      [35, 95, 275, 575, 1175],
    );
    expect(await scene.get()).toMatchObject({ state: 'PENDING' });
    await scene.pass(shop, 7 * MINUTE);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
  });

  test('what was looked for in vain and is placed later is asked about as often as any', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { drop: 'ignore' });
    await expect(scene.order(shop)).rejects.toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
    while ((await scene.get())?.state !== 'CREATE_FAILED') await scene.pass(shop, MINUTE);
    await scene.order(shop);
    expect(await scene.get()).toMatchObject({ state: 'PENDING', polls: 0 });
  });

  test('an order whose creation was not answered, and which was paid all the same', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { drop: 'apply' });
    await expect(scene.order(shop)).rejects.toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
    await scene.pay();
    await scene.pass(shop, MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test.each(['FREQUENCY_LIMITED', 'SYSTEMERROR'])(
    '%s is no answer: asked again soon, and it does not count',
    async (errCode) => {
      await scene.order(shop);
      for (let n = 0; n < 3; n++) scene.simulator.faults.nextCall('orderquery', { errCode });
      await scene.pass(shop, 45_000);
      expect(await scene.get()).toMatchObject({ state: 'PENDING', polls: 0 });
      for (let n = 0; n < 40 && (await scene.get())?.polls === 0; n++) await scene.pass(shop, 35_000);
      expect(await scene.get()).toMatchObject({ state: 'PENDING', polls: 1 });
    },
  );

  test('without a turn among the machines nobody is asked, and it does not count', async () => {
    await scene.order(shop);
    const asked: string[] = [];
    Object.assign(scene.book, { turn: async (mchId: string) => void asked.push(mchId) });
    await scene.pass(shop, 3 * MINUTE);
    expect(scene.calls('orderquery')).toEqual([]);
    expect(await scene.get()).toMatchObject({ state: 'PENDING', polls: 0 });
    expect(new Set(asked)).toEqual(new Set([scene.key().mchId]));
    expect(scene.problems).toEqual([]);
    Object.assign(scene.book, { turn: async () => 0 });
    await scene.pass(shop, MINUTE);
    expect(scene.calls('orderquery')).toHaveLength(1);
  });

  test('the attempt that another one has replaced is closed at five minutes', async () => {
    await scene.order(shop, ORDER_NO, { orderRef: 'P1' });
    await scene.order(shop, ORDER_NO, { orderRef: 'P1', clientIp: '127.0.0.6' });
    await scene.pass(shop, 5 * MINUTE - 1000);
    expect(scene.calls('closeorder')).toEqual([]);
    await scene.pass(shop, 20_000);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
    expect(await scene.get(`${ORDER_NO}-2`)).toMatchObject({ state: 'PENDING' });
  });
});

describe('B11: an order in quarantine', () => {
  const forge = (): Promise<string> => scene.notify(shop, { total_fee: '1', transaction_id: '4200000666' });

  test('is asked about once, so that a person can tell a leaked key from a wrong order', async () => {
    await scene.order(shop);
    expect(await forge()).toContain('FAIL');
    await scene.pass(shop, 26 * HOUR, MINUTE);
    expect(scene.calls('orderquery')).toHaveLength(1);
    const order = await scene.get();
    expect(order?.state).toBe('QUARANTINED');
    expect(order?.history.at(-1)).toMatchObject({ what: 'looked', detail: 'NOTPAY', source: 'reconciler' });
  });

  test('is asked about again when nobody has answered', async () => {
    await scene.order(shop);
    for (let n = 0; n < 3; n++) scene.simulator.faults.nextCall('orderquery', { errCode: 'SYSTEMERROR' });
    await forge();
    await scene.pass(shop, HOUR, 5000);
    const looks = (await scene.get())?.history.filter(({ what }) => what === 'looked').map(({ detail }) => detail);
    expect(looks).toEqual(['SYSTEMERROR', 'NOTPAY']);
  });

  test('keeps the payment that WeChat Pay confirms: that is the one to accept', async () => {
    await scene.order(shop);
    await scene.pay();
    await forge();
    await scene.pass(shop, MINUTE);
    expect(await scene.get()).toMatchObject({
      state: 'QUARANTINED',
      payment: { totalFee: 100 },
      delivery: { attempt: 0 },
    });
    await scene.book.apply(scene.key(), { type: 'resolve', as: 'deliver' });
    await scene.pass(shop, MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
    expect(await scene.get()).toMatchObject({ state: 'PAID', payment: { totalFee: 100 }, delivery: { state: 'DONE' } });
  });
});

describe('closing', () => {
  test('B08: paid between the question and the close: paid', async () => {
    await scene.order(shop);
    scene.skip(51 * MINUTE);
    await scene.pay();
    const lag = { trade_state: 'NOTPAY', transaction_id: '', time_end: '', total_fee: '' };
    scene.simulator.faults.nextCall('orderquery', { fields: lag });
    await scene.pass(shop, 10_000);
    expect(scene.calls('closeorder')).toHaveLength(1);
    expect(scene.paid).toEqual([ORDER_NO]);
    expect(await scene.get()).toMatchObject({ state: 'PAID' });
  });

  test('B09: a close that reports success and has closed nothing is not believed', async () => {
    await scene.order(shop);
    scene.skip(51 * MINUTE);
    scene.simulator.faults.nextCall('closeorder', { errCode: 'ORDERCLOSED' });
    await scene.pass(shop, 5000);
    expect(await scene.get()).toMatchObject({ state: 'CLOSING' });
    await scene.pass(shop, 30_000);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
    expect(scene.calls('closeorder')).toHaveLength(2);
  });

  test('B10: paid after the close: found by the late look, told, and not delivered', async () => {
    await scene.order(shop);
    await scene.pass(shop, 57 * MINUTE);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
    const order = scene.simulator.orders.get(ORDER_NO);
    expect(order?.tradeState).toBe('CLOSED');
    const paid = { trade_state: 'SUCCESS', transaction_id: '4200000001', total_fee: '100', time_end: '20260101130000' };
    scene.simulator.faults.nextCall('orderquery', { fields: { ...paid, trade_type: 'MWEB', cash_fee: '100' } });
    await scene.pass(shop, 15 * MINUTE);
    expect(scene.problems).toMatchObject([{ type: 'paid-after-close' }]);
    expect(scene.paid).toEqual([]);
    expect(await scene.get()).toMatchObject({
      state: 'PAID',
      delivery: { state: 'WITHHELD' },
      reason: 'paid-after-close',
    });
  });

  test('an order that orderquery does not know for a moment is closed at WeChat Pay all the same', async () => {
    await scene.order(shop);
    scene.skip(6 * MINUTE);
    scene.simulator.faults.nextCall('orderquery', { errCode: 'ORDERNOTEXIST' });
    await shop.closeOrder({ outTradeNo: ORDER_NO });
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
    expect(scene.simulator.orders.get(ORDER_NO)?.tradeState).toBe('CLOSED');
  });

  test('an order that never came to be is closed here', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { drop: 'ignore' });
    await expect(scene.order(shop)).rejects.toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
    scene.skip(6 * MINUTE);
    await shop.closeOrder({ outTradeNo: ORDER_NO });
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
  });

  test('a close that was begun by a process that has died is gone on with', async () => {
    await scene.order(shop);
    scene.skip(6 * MINUTE);
    await scene.book.apply(scene.key(), { type: 'closing' });
    await expect(scene.order(shop)).rejects.toMatchObject({ code: 'ORDER_CLOSED' });
    await scene.pass(shop, 2 * MINUTE);
    expect(await scene.get()).toMatchObject({ state: 'CLOSED' });
  });
});

describe('handing over', () => {
  const paid: OrderChange = {
    type: 'paid',
    payment: {
      transactionId: '4200000001',
      appId: '',
      totalFee: 100,
      feeType: 'CNY',
      attach: '',
      raw: { out_trade_no: ORDER_NO, transaction_id: '4200000001', total_fee: '100' },
    },
  };
  /** As if a process had stored it and died. */
  const store = async (): Promise<void> => {
    const { appId, mchId } = scene.simulator.merchant;
    const payment = { ...paid.payment, appId, raw: { ...paid.payment.raw, appid: appId, mch_id: mchId } };
    await scene.book.apply(scene.key(), { ...paid, payment });
  };

  test('P02: the process died after the evidence, before the claim', async () => {
    await scene.order(shop);
    await store();
    await scene.pass(shop, 25_000);
    expect(scene.paid).toEqual([]);
    await scene.pass(shop, 10_000);
    expect(scene.paid).toEqual([ORDER_NO]);
    expect(await scene.get()).toMatchObject({ delivery: { state: 'DONE', attempt: 1 } });
  });

  test('P03: the process died in the handler: the next attempt, when the lease has ended', async () => {
    await scene.order(shop);
    await store();
    await scene.book.apply(scene.key(), { type: 'claim', leaseMs: 30_000 });
    await scene.pass(shop, 25_000);
    expect(scene.paid).toEqual([]);
    await scene.pass(shop, 10_000);
    expect(await scene.get()).toMatchObject({ delivery: { state: 'DONE', attempt: 2 } });
  });

  test('P10: what a handler leaves behind and fails later does not touch the delivery', async () => {
    // In a process of its own: Jest takes every rejection that nobody waits for as a failure of the test.
    const program = ['--import', 'tsx', join(__dirname, 'detached-rejection.fixture.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, program);
    expect(JSON.parse(stdout)).toEqual({
      rejections: ['nobody waits for this'],
      runs: 1,
      replies: ['SUCCESS', 'SUCCESS'],
      state: 'PAID',
      delivery: 'DONE',
    });
  });

  test('a handler that throws runs again, later and later', async () => {
    const at: number[] = [];
    scene.onPaid = () => {
      at.push((scene.now() - start) / 1000);
      if (at.length < 5) throw new Error('the warehouse is away');
    };
    await scene.order(shop);
    const start = scene.now();
    expect(await scene.notify(shop)).toContain('FAIL');
    await scene.pass(shop, 10 * MINUTE, 1000);
    expect(scene.paid).toEqual([ORDER_NO]);
    const gaps = at.slice(1).map((time, n) => time - (at[n] ?? 0));
    for (const [n, most] of [3, 6, 16, 31].entries()) {
      expect(gaps[n]).toBeGreaterThanOrEqual((most - 1) / 2);
      expect(gaps[n]).toBeLessThanOrEqual(most);
    }
  });

  test('B25: a poisoned order ends as DEAD with an alarm, the others are delivered, and a person starts it again', async () => {
    scene.onPaid = (outTradeNo) => {
      if (outTradeNo === ORDER_NO) throw new Error('poison');
    };
    await scene.order(shop);
    await scene.notify(shop);
    for (let n = 2; n < 6; n++) {
      await scene.order(shop, `ORDER-000${n}`);
      await scene.pay(`ORDER-000${n}`);
    }
    await scene.pass(shop, 12 * HOUR, MINUTE);
    expect([...scene.paid].sort()).toEqual(['ORDER-0002', 'ORDER-0003', 'ORDER-0004', 'ORDER-0005']);
    expect(await scene.get()).toMatchObject({ delivery: { state: 'DEAD', attempt: 20 } });
    expect(scene.problems.filter(({ type }) => type === 'gave-up')).toHaveLength(1);
    expect(await scene.notify(shop)).toContain('FAIL');
    scene.onPaid = () => {};
    await scene.book.apply(scene.key(), { type: 'redrive' });
    await scene.pass(shop, 10_000);
    expect(await scene.get()).toMatchObject({ delivery: { state: 'DONE', attempt: 21 } });
  });

  test('P12: a handler that calls back for the same order does not wait for itself', async () => {
    scene.onPaid = async () => {
      const ref = { outTradeNo: ORDER_NO };
      expect((await shop.queryOrder(ref)).tradeState).toBe('SUCCESS');
      await expect(shop.closeOrder(ref)).rejects.toMatchObject({ code: 'ORDER_PAID' });
      await expect(scene.order(shop)).rejects.toMatchObject({ code: 'ORDER_PAID' });
    };
    await scene.order(shop);
    await scene.pay();
    await scene.pass(shop, MINUTE);
    expect([scene.paid, scene.problems]).toEqual([[ORDER_NO], []]);
  });

  test('B04: an orphan is handed over once the shop knows its order', async () => {
    const known = new Set<string>();
    const finding = scene.machine({
      findOrder: async ({ outTradeNo }) => (known.has(outTradeNo) ? { totalFee: 100 } : undefined),
    });
    expect(await scene.notify(finding)).toContain('FAIL');
    expect(await scene.get()).toMatchObject({ state: 'ORPHAN' });
    await scene.pass(finding, 3 * MINUTE);
    expect(scene.paid).toEqual([]);
    known.add(ORDER_NO);
    await scene.pass(finding, 10 * MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test('B04: an orphan that was given up after weeks is looked at when a person asks for it', async () => {
    const known = new Set<string>();
    const finding = scene.machine({
      findOrder: async ({ outTradeNo }) => (known.has(outTradeNo) ? { totalFee: 100 } : undefined),
    });
    await scene.notify(finding);
    await scene.pass(finding, 30 * 24 * HOUR, HOUR);
    expect(await scene.get()).toMatchObject({ state: 'ORPHAN', pollAt: undefined });
    known.add(ORDER_NO);
    await scene.book.apply(scene.key(), { type: 'redrive' });
    await scene.pass(finding, MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });
});

describe('several machines', () => {
  test('an order is asked about by one of them', async () => {
    await scene.order(shop);
    const machines = Array.from({ length: 5 }, () => scene.machine());
    scene.skip(40_000);
    await Promise.all(machines.map((machine) => scene.pass(machine, 1)));
    expect(scene.calls('orderquery')).toHaveLength(1);
  });

  test('one that dies while it looks is replaced when its lease has ended', async () => {
    await scene.order(shop);
    await scene.pay();
    scene.skip(40_000);
    expect(await scene.book.claimDue({ limit: 10, leaseMs: 120_000 })).toHaveLength(1);
    await scene.pass(shop, MINUTE);
    expect(scene.paid).toEqual([]);
    await scene.pass(shop, 2 * MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test('a run, and a look, hold an order for as long as the book says', async () => {
    const leases: number[] = [];
    class Hasty extends MemoryOrderBook {
      readonly leaseMs = 1000;
      override apply(...[key, change]: Parameters<MemoryOrderBook['apply']>) {
        if (change.type === 'paid' && change.leaseMs !== undefined) leases.push(change.leaseMs);
        return super.apply(key, change);
      }
      override claimDue(options: Parameters<MemoryOrderBook['claimDue']>[0]) {
        leases.push(options.leaseMs);
        return super.claimDue(options);
      }
    }
    const machine = scene.machine({ orderBook: new Hasty({ now: () => new Date(scene.now()) }) });
    await scene.order(machine);
    expect(await scene.notify(machine)).toContain('SUCCESS');
    await scene.pass(machine, 1);
    expect(leases).toEqual([1000, 4000]);
  });

  test('T01: the clock of the machine has no say', async () => {
    for (const skew of [-24 * HOUR, -10_000, 10_000, 24 * HOUR]) {
      const own = await openReconcilerScene();
      const machine = own.machine();
      fakeDate(own.now() + skew);
      try {
        await own.order(machine);
        await own.pass(machine, 30_000);
        expect(own.calls('orderquery')).toEqual([]);
        await expect(machine.closeOrder({ outTradeNo: ORDER_NO })).rejects.toMatchObject({ code: 'CLOSE_TOO_EARLY' });
        await own.pass(machine, 56 * MINUTE);
        expect(await own.get()).toMatchObject({ state: 'CLOSED' });
      } finally {
        jest.useRealTimers();
        await own.stop();
      }
    }
  });
});

/** `REFUND-1` of a paid order: accepted, and processing until somebody settles it. */
async function refundThatTakesTime(machine: WechatH5): Promise<void> {
  await scene.order(machine);
  await scene.pay();
  await scene.pass(machine, MINUTE);
  scene.simulator.faults.nextRefund('PROCESSING');
  await machine.refund({ outTradeNo: ORDER_NO, outRefundNo: 'REFUND-1', refundFee: 40, totalFee: 100 });
}

describe('a look that failed', () => {
  /** What is due now, taken and looked at; how many orders that were. */
  const look = (machine: WechatH5): Promise<number> | undefined => partsOf(machine)?.reconciler.look();

  test('at a payment of another merchant, is not repeated at once', async () => {
    const { merchant } = scene.simulator;
    const stranger = scene.machine({ merchant: { ...merchant, mchId: '1900009999' } });
    await scene.order(shop);
    scene.onPaid = () => {
      throw new Error('the warehouse is away');
    };
    await scene.notify(shop);
    scene.skip(MINUTE);
    expect(await look(stranger)).toBe(1);
    expect(await look(stranger)).toBe(0);
    expect(scene.problems.filter(({ code }) => code === 'MERCHANT_UNKNOWN')).toHaveLength(1);
    scene.onPaid = () => {};
    await scene.pass(shop, 15 * MINUTE);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test.each(['SYSTEMERROR', 'FREQUENCY_LIMITED'])('at a refund, for %s, is not repeated at once', async (errCode) => {
    await scene.order(shop);
    await scene.pay();
    await scene.pass(shop, MINUTE);
    await shop.refund({ outTradeNo: ORDER_NO, outRefundNo: 'REFUND-1', refundFee: 40, totalFee: 100 });
    for (let n = 0; n < 3; n++) scene.simulator.faults.nextCall('refundquery', { errCode });
    scene.skip(MINUTE + 10_000);
    expect(await look(shop)).toBe(1);
    expect(await look(shop)).toBe(0);
    const asked = scene.calls('refundquery').length;
    await scene.pass(shop, 25_000);
    expect(scene.calls('refundquery')).toHaveLength(asked);
    await scene.pass(shop, 3 * MINUTE);
    expect(scene.calls('refundquery').length).toBeGreaterThan(asked);
  });

  test('at a refund, time after time, comes less and less often and is told once', async () => {
    await refundThatTakesTime(shop);
    for (let n = 0; n < 50; n++) scene.simulator.faults.nextCall('refundquery', { errCode: 'NOAUTH' });
    await scene.pass(shop, 5 * MINUTE);
    expect(scene.problems).toEqual([]);
    await scene.pass(shop, HOUR);
    await scene.pass(shop, 11 * HOUR, MINUTE);
    expectTimes(scene.calls('refundquery'), [120, 150, 210, 510, 2310, 9510, 31_110]);
    expect(scene.problems).toMatchObject([
      {
        type: 'misconfigured',
        code: 'GATEWAY_REFUSED',
        outTradeNo: ORDER_NO,
        message: expect.stringContaining('"REFUND-1"'),
        error: { errCode: 'NOAUTH' },
      },
    ]);
    expect((await scene.get())?.refunds).toMatchObject({ 'REFUND-1': { state: 'ACCEPTED', polls: 0 } });

    scene.simulator.faults.clear();
    scene.simulator.faults.loseNotification();
    await scene.simulator.settleRefund('REFUND-1');
    await scene.pass(shop, 7 * HOUR, MINUTE);
    expect((await scene.get())?.refunds).toMatchObject({ 'REFUND-1': { state: 'REFUNDED' } });
    expect(scene.problems).toHaveLength(1);
  });

  test('at a refund is told again when it comes back after an answer', async () => {
    await refundThatTakesTime(shop);
    for (let run = 1; run <= 2; run++) {
      for (let n = 0; n < 5; n++) scene.simulator.faults.nextCall('refundquery', { errCode: 'NOAUTH' });
      await scene.pass(shop, 48 * HOUR, 10 * MINUTE);
      expect(scene.problems).toHaveLength(run);
    }
    expect((await scene.get())?.refunds).toMatchObject({ 'REFUND-1': { state: 'ACCEPTED' } });
  });

  test('a refund that has no end is told when it is asked about no more', async () => {
    await refundThatTakesTime(shop);
    await scene.pass(shop, 12 * 24 * HOUR, HOUR);
    expect(scene.problems).toEqual([]);
    await scene.pass(shop, 12 * 24 * HOUR, HOUR);
    expect(scene.problems).toMatchObject([
      { type: 'gave-up', outTradeNo: ORDER_NO, message: expect.stringContaining('"REFUND-1" is still "PROCESSING"') },
    ]);
    expect((await scene.get())?.refunds).toMatchObject({ 'REFUND-1': { state: 'ACCEPTED', pollAt: undefined } });
  });

  test('at one refund does not keep another one waiting', async () => {
    await scene.order(shop);
    await scene.pay();
    await scene.pass(shop, MINUTE);
    for (const outRefundNo of ['REFUND-1', 'REFUND-2'])
      await shop.refund({ outTradeNo: ORDER_NO, outRefundNo, refundFee: 40, totalFee: 100 });
    scene.simulator.faults.loseNotification();
    await scene.simulator.settleRefund('REFUND-2');
    for (let n = 0; n < 3; n++) scene.simulator.faults.nextCall('refundquery', { errCode: 'SYSTEMERROR' });
    scene.skip(MINUTE + 10_000);
    await look(shop);
    expect((await scene.get())?.refunds).toMatchObject({
      'REFUND-1': { state: 'ACCEPTED', polls: 0 },
      'REFUND-2': { state: 'REFUNDED' },
    });
  });
});

describe('after downtime', () => {
  test('B26: the newest first, the oldest not last, and all of them in the end', async () => {
    const looked: number[] = [];
    class Watched extends MemoryOrderBook {
      override async claimDue(options: Parameters<MemoryOrderBook['claimDue']>[0]) {
        const orders = await super.claimDue(options);
        looked.push(...orders.map(({ key }) => Number(key.outTradeNo.slice(-4))));
        return orders;
      }
    }
    const book = new Watched({ now: () => new Date(scene.now()) });
    const machine = scene.machine({ orderBook: book, reconcile: { concurrency: 10 } });
    for (let n = 1; n <= 100; n++) {
      await scene.order(machine, `ORDER-${String(n).padStart(4, '0')}`);
      scene.skip(1000);
    }
    scene.skip(MINUTE);
    await scene.pass(machine, 1);
    expect([...looked].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    expect(looked.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, n) => 100 - n));
    expect(looked.slice(30, 40)).toEqual(Array.from({ length: 10 }, (_, n) => n + 1));
    // T08: what was overdue together does not come back together.
    const { orders } = await book.list({}, { limit: 100 });
    expect(new Set(orders.map(({ pollAt }) => pollAt?.getTime())).size).toBeGreaterThan(50);
  });

  test('I10: the pace of the gateway holds for it as for all calls', async () => {
    const slow = scene.machine({ http: { callsPerSecond: 5, timeoutMs: 2000 }, reconcile: { concurrency: 100 } });
    for (let n = 10; n < 60; n++) await scene.order(shop, `ORDER-00${n}`);
    scene.skip(MINUTE);
    const started = performance.now();
    await scene.pass(slow, 1);
    const seconds = (performance.now() - started) / 1000;
    expect(scene.calls('orderquery').length).toBeLessThanOrEqual(5 + 5 * (seconds + 1));
    expect(scene.calls('orderquery').length).toBeGreaterThan(0);
  });
});

describe('start and stop', () => {
  test('start without onPaid is refused', () => {
    const { merchant, url } = scene.simulator;
    const bare = createWechatH5({ merchant, gateway: url, notifyUrl: 'http://127.0.0.1:1/notify' });
    expect(() => bare.start()).toThrow(expect.objectContaining({ code: 'NO_HANDLER' }));
  });

  test('it looks by itself, and P09: stop waits for what is under way', async () => {
    let started: () => void = () => {};
    const running = new Promise<void>((resolve) => (started = resolve));
    let finish: () => void = () => {};
    scene.onPaid = () => {
      started();
      return new Promise<void>((resolve) => (finish = resolve));
    };
    const machine = scene.machine({ reconcile: { idleMs: 100 } });
    await scene.order(machine);
    await scene.pay();
    scene.skip(MINUTE);
    machine.start();
    machine.start();
    await running;
    let stopped = false;
    const stopping = machine.stop().then(() => (stopped = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    finish();
    await stopping;
    expect(scene.paid).toEqual([ORDER_NO]);
    expect(await scene.get()).toMatchObject({ delivery: { state: 'DONE' } });
  });

  test('closing an instance does not wait for a look that waits for its turn', async () => {
    let asked = (): void => {};
    const asking = new Promise<void>((resolve) => (asked = resolve));
    const turn = async (): Promise<number> => {
      asked();
      return MINUTE;
    };
    Object.assign(scene.book, { turn });
    const machine = scene.machine({ reconcile: { idleMs: 100 } });
    await scene.order(machine);
    scene.skip(MINUTE);
    machine.start();
    await asking;
    await partsOf(machine)?.close();
    expect(scene.calls('orderquery')).toEqual([]);
    expect((await scene.get())?.history.at(-1)).toMatchObject({ what: 'looked', detail: 'GATEWAY_UNREACHABLE' });
  });

  test('B25: a handler that does not end holds up no other order', async () => {
    let began: () => void = () => {};
    const hanging = new Promise<void>((resolve) => (began = resolve));
    let end: () => void = () => {};
    const never = new Promise<void>((resolve) => (end = resolve));
    let done: () => void = () => {};
    const other = new Promise<void>((resolve) => (done = resolve));
    let runs = 0;
    scene.onPaid = (outTradeNo) => {
      if (outTradeNo !== ORDER_NO) return done();
      if (++runs === 1) throw new Error('the warehouse is away');
      began();
      return never;
    };
    const machine = scene.machine({ reconcile: { idleMs: 100, concurrency: 2 } });
    await scene.order(machine);
    expect(await scene.notify(machine)).toContain('FAIL');
    scene.skip(5000);
    machine.start();
    await hanging;
    await scene.order(machine, 'ORDER-0002');
    await scene.pay('ORDER-0002');
    scene.skip(MINUTE);
    await other;
    end();
    await machine.stop();
    expect([...scene.paid].sort()).toEqual([ORDER_NO, 'ORDER-0002']);
  });

  test('S01: a book that is away is told once, and looked into again when it is back', async () => {
    let isAway = true;
    class Away extends MemoryOrderBook {
      override async claimDue(options: Parameters<MemoryOrderBook['claimDue']>[0]) {
        if (isAway) throw new Error('connection refused');
        return super.claimDue(options);
      }
    }
    const machine = scene.machine({ orderBook: new Away({ now: () => new Date(scene.now()) }) });
    await scene.order(machine);
    await scene.pay();
    await scene.pass(machine, 2 * MINUTE);
    expect(scene.problems).toMatchObject([{ type: 'misconfigured', code: 'ORDER_BOOK_FAILED' }]);
    isAway = false;
    await scene.pass(machine, 10_000);
    expect(scene.paid).toEqual([ORDER_NO]);
  });

  test.each([
    [{ idleMs: 60_001 }, 'reconcile.idleMs'],
    [{ concurrency: 0 }, 'reconcile.concurrency'],
    [{ closeAfterMs: 299_999 }, 'reconcile.closeAfterMs'],
    [{ closeAfter: 1 }, 'reconcile.closeAfter'],
    ['yes', 'reconcile'],
  ])('T07: reconcile: %j is refused', (reconcile, field) => {
    expect(() => scene.machine({ reconcile: reconcile as never })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', field }),
    );
  });
});

describe('an instance that an adapter made', () => {
  const options = (more: Partial<WechatH5Options> = {}): Partial<WechatH5Options> => ({
    merchant: scene.simulator.merchant,
    gateway: scene.simulator.url,
    notifyUrl: 'http://127.0.0.1:1/notify',
    orderBook: scene.book,
    onProblem: () => {},
    onPaid: ({ outTradeNo }) => void scene.paid.push(outTradeNo),
    reconcile: { idleMs: 100 },
    ...more,
  });
  /** Paid, and due. */
  const prepare = async (): Promise<void> => {
    await scene.order(shop);
    await scene.pay();
    scene.skip(MINUTE);
  };

  test('looks after orders by itself, until it is closed', async () => {
    await prepare();
    const delivered = new Promise<void>((resolve) => {
      scene.onPaid = resolve as () => void;
    });
    const instance = instanceOf(options({ onPaid: ({ outTradeNo }) => scene.onPaid(outTradeNo) }));
    await delivered;
    await closeInstance(instance);
    expect(await scene.get()).toMatchObject({ delivery: { state: 'DONE' } });
    const looks = jest.spyOn(scene.book, 'claimDue');
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(looks).not.toHaveBeenCalled();
  });

  test('does not, with reconcile: false', async () => {
    const start = jest.spyOn(Reconciler.prototype, 'start');
    await closeInstance(instanceOf(options({ reconcile: false })));
    expect(start).not.toHaveBeenCalled();
    await closeInstance(instanceOf(options({ reconcile: true })));
    expect(start).toHaveBeenCalledTimes(1);
    start.mockRestore();
  });
});
