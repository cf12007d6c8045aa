import fc from 'fast-check';
import { Deliveries } from './delivery.js';
import { createWechatH5, MemoryOrderBook } from './index.js';
import {
  decodeOrder,
  dueAt,
  encodeOrder,
  namesOf,
  orderId,
  transition,
  type Applied,
  type OrderChange,
  type OrderKey,
  type OrderRecord,
} from './order-book.js';
import { paymentOf } from './payment.js';

const MCH_ID = '1900000109';
const APP_ID = 'wx2421b1c4370ec43b';
const START = Date.UTC(2026, 0, 1);
const keyOf = (n: number): OrderKey => ({ mchId: MCH_ID, outTradeNo: `ORDER-000${n}` });
const KEY = keyOf(1);

const paid = (transactionId: string, totalFee = 100): OrderChange => ({
  type: 'paid',
  payment: { transactionId, appId: APP_ID, totalFee, feeType: 'CNY', attach: '', raw: { time_end: '20260101120000' } },
});
const intend = (orderRef?: string): OrderChange => ({
  type: 'intend',
  intent: { appId: APP_ID, totalFee: 100, feeType: 'CNY', attach: '', params: { a: 'b' }, clientIp: '', orderRef },
});
const link = { prepayId: 'p', mwebUrl: 'https://wx.tenpay.com/?p', raw: {} };

/** Everything that can happen to an order, with numbers that meet. */
const anyChange: fc.Arbitrary<OrderChange> = fc.oneof(
  fc.constantFrom<OrderChange>(
    intend(),
    { ...intend(), type: 'found' } as OrderChange,
    { type: 'created', link, clientIp: '', tookMs: 5 },
    { type: 'create-failed', reason: 'NOAUTH' },
    { type: 'create-unknown', reason: 'GATEWAY_TIMEOUT' },
    { type: 'superseded' },
    { type: 'closing' },
    { type: 'closed' },
    { type: 'payment-failed', errCode: 'NOTENOUGH' },
    { type: 'claim', leaseMs: 30_000 },
    { type: 'take', leaseMs: 60_000 },
    { type: 'looked', verdict: 'NOTPAY', nextInMs: 60_000, counts: true },
    { type: 'redrive' },
  ),
  fc.constantFrom('42001', '42002').map((transactionId) => paid(transactionId)),
  fc.constant(paid('42001', 99)),
  fc.constant({ ...paid('42001'), leaseMs: 30_000 } as OrderChange),
  fc.constantFrom('deliver' as const, 'withhold' as const).map((as) => ({ type: 'resolve' as const, as })),
  fc.record({
    type: fc.constantFrom('complete' as const, 'release' as const),
    attempt: fc.integer({ min: 0, max: 5 }),
  }),
  fc.record({
    type: fc.constantFrom('refunded' as const, 'refund-accepted' as const),
    outRefundNo: fc.constantFrom('R1', '__proto__'),
    refundFee: fc.integer({ min: 1, max: 100 }),
  }),
  fc.record({ type: fc.constant('claim' as const), leaseMs: fc.constant(1000), outRefundNo: fc.constant('R1') }),
);
const history = fc.array(fc.tuple(anyChange, fc.integer({ min: 0, max: 400_000 })), { maxLength: 40 });

function play(
  changes: readonly (readonly [OrderChange, number])[],
  each: (applied: Applied, change: OrderChange) => void,
): void {
  let order: OrderRecord | undefined;
  let now = START;
  for (const [change, wait] of changes) {
    now += wait;
    const applied = transition(order, KEY, change, new Date(now));
    each(applied, change);
    order = applied.order;
  }
}

describe('one order', () => {
  test('G7: the same evidence in any order, any number of times, ends in the same state', () => {
    const evidence: OrderChange[] = [
      intend(),
      { type: 'created', link, clientIp: '', tookMs: 0 },
      { type: 'create-unknown', reason: 'GATEWAY_TIMEOUT' },
      paid('42001'),
      { type: 'looked', verdict: 'NOTPAY', nextInMs: 1000, counts: true },
      { type: 'superseded' },
      { type: 'payment-failed', errCode: 'NOTENOUGH' },
      { type: 'refunded', outRefundNo: 'R1', refundFee: 40 },
    ];
    const shuffled = fc
      .array(fc.constantFrom(...evidence), { maxLength: 30 })
      .chain((more) => fc.shuffledSubarray([...evidence, ...more], { minLength: evidence.length + more.length }));
    fc.assert(
      fc.property(shuffled, (changes) => {
        let order = transition(undefined, KEY, intend(), new Date(START)).order;
        for (const change of changes) ({ order } = transition(order, KEY, change, new Date(START)));
        expect([order?.state, order?.payment?.transactionId, order?.delivery.state, order?.reason]).toEqual([
          'PAID',
          '42001',
          'READY',
          undefined,
        ]);
        expect(order?.refunds['R1']).toMatchObject({ state: 'REFUNDED', refundFee: 40 });
        expect(order && dueAt(order)).toBeDefined();
      }),
    );
  });

  test('B04: nor does it matter whether the payment or the order came first', () => {
    const rest: OrderChange[] = [{ type: 'created', link, clientIp: '', tookMs: 0 }, paid('42001')];
    const end = (changes: OrderChange[]): unknown => {
      let order: OrderRecord | undefined;
      for (const change of changes) ({ order } = transition(order, KEY, change, new Date(START)));
      return [order?.state, order?.payment?.transactionId, order?.delivery.state];
    };
    expect(end([paid('42001'), intend(), ...rest])).toEqual(end([intend(), ...rest]));
    expect(end([paid('42001', 99), intend()])).toEqual(end([intend(), paid('42001', 99)]));
  });

  test('I7: paid is never unpaid, a number never changes, and what was done is never undone', () => {
    fc.assert(
      fc.property(history, (changes) => {
        let before: OrderRecord | undefined;
        play(changes, ({ order }) => {
          if (before?.state === 'PAID') expect(['PAID', 'QUARANTINED']).toContain(order?.state);
          // A forgery is replaced by what fits the order, as long as nothing was handed over.
          if (before?.payment?.totalFee === 100 || before?.delivery.state === 'DONE')
            expect(order?.payment).toEqual(before.payment);
          else if (before?.payment !== undefined)
            expect([before.payment.totalFee, 100]).toContain(order?.payment?.totalFee);
          if (before?.delivery.state === 'DONE') expect(order?.delivery.state).toBe('DONE');
          expect(order?.delivery.attempt ?? 0).toBeGreaterThanOrEqual(before?.delivery.attempt ?? 0);
          if (order !== undefined && order !== before) expect(order.version).toBe((before?.version ?? 0) + 1);
          before = order;
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('I2, I6: at most one run completes, and each has an attempt of its own', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const attempts: number[] = [];
        let completed = 0;
        play(changes, ({ outcome, order }, change) => {
          if (outcome !== 'applied' || ('outRefundNo' in change && change.outRefundNo !== undefined)) return;
          const claims = change.type === 'claim' || (change.type === 'paid' && change.leaseMs !== undefined);
          if (claims && order?.delivery.state === 'LEASED') attempts.push(order.delivery.attempt);
          if (change.type === 'complete') completed++;
        });
        expect(completed).toBeLessThanOrEqual(1);
        expect(attempts).toEqual([...new Set(attempts)].sort((a, b) => a - b));
      }),
      { numRuns: 1000 },
    );
  });

  test('who takes an order has it for the length of the lease, and history stays short', () => {
    fc.assert(
      fc.property(history, (changes) => {
        play(changes, ({ outcome, order, at }, change) => {
          if (change.type === 'take' && outcome === 'applied' && order !== undefined) {
            expect(dueAt(order)?.getTime()).toBeGreaterThanOrEqual(at.getTime() + change.leaseMs);
          }
          expect(order?.history.length ?? 0).toBeLessThanOrEqual(40);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('the text of any record is that record', () => {
    fc.assert(
      fc.property(history, (changes) => {
        play(changes, ({ order }) => {
          if (order !== undefined) expect(decodeOrder(encodeOrder(order))).toStrictEqual(order);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('D21: whatever characters a message has', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (raw) => {
        const { order } = transition(undefined, KEY, paid('42001'), new Date(START));
        if (order?.payment === undefined) throw new Error('no payment');
        const withRaw = { ...order, payment: { ...order.payment, raw } };
        expect(decodeOrder(encodeOrder(withRaw)).payment?.raw).toEqual({ ...raw });
      }),
    );
  });
});

/** What a store that can run no JavaScript does: read, compute, store if nobody else has. */
class ComparingBook extends MemoryOrderBook {
  readonly #step: (what: string) => Promise<unknown>;
  #versions = new Map<string, number>();

  constructor(step: (what: string) => Promise<unknown>) {
    super({ now: () => new Date(START) });
    this.#step = step;
  }

  override async apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    for (;;) {
      await this.#step(`read for ${change.type}`);
      const read = this.#versions.get(orderId(key)) ?? 0;
      await this.#step(`store ${change.type}`);
      if ((this.#versions.get(orderId(key)) ?? 0) !== read) continue;
      const applied = await super.apply(key, change);
      this.#versions.set(orderId(key), applied.order?.version ?? 0);
      return applied;
    }
  }
}

describe('several machines', () => {
  test('B01, B05: notices and answers that settle one order at once: one run, and no two at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.boolean(), { maxLength: 4 }), async (scheduler, failures) => {
        const book = new ComparingBook((what) => scheduler.schedule(Promise.resolve(), what));
        await MemoryOrderBook.prototype.apply.call(book, KEY, intend());
        let running = 0;
        let succeeded = 0;
        const runs = [...failures];
        const machine = (): Deliveries =>
          new Deliveries({
            book,
            findOrder: undefined,
            onRefunded: undefined,
            report: () => {},
            onPaid: async () => {
              expect(++running).toBe(1);
              await scheduler.schedule(Promise.resolve(), 'onPaid');
              running--;
              if (runs.pop() === true) throw new Error('the warehouse is away');
              succeeded++;
            },
          });
        const payment = paymentOf({
          appid: APP_ID,
          mch_id: MCH_ID,
          out_trade_no: KEY.outTradeNo,
          transaction_id: '42001',
          total_fee: '100',
        });
        const settle = async (deliveries: Deliveries): Promise<void> => {
          for (let tries = 0; tries < 8; tries++) {
            // Some ask for the lease with the payment, others after it.
            const standing = tries % 2 === 0 ? await deliveries.take(payment) : await deliveries.record(payment);
            if (standing === 'settled') return;
            const lease = typeof standing === 'object' ? standing : undefined;
            const isDue = standing === 'due' || lease !== undefined;
            if (isDue && (await deliveries.deliver(payment, lease)) === 'done') return;
          }
        };
        const [first, second] = [machine(), machine()];
        await scheduler.waitFor(Promise.all([settle(first), settle(first), settle(second), settle(machine())]));
        expect(succeeded).toBe(1);
        expect((await book.get(KEY))?.delivery.state).toBe('DONE');
      }),
      { numRuns: 200 },
    );
  });

  test('B15: of the attempts of one purchase one is handed over, whatever the order of things', async () => {
    const step = fc.record({
      order: fc.integer({ min: 1, max: 3 }),
      change: fc.oneof(
        fc.constantFrom('42001', '42002', '42003').map((transactionId) => paid(transactionId)),
        anyChange,
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        let now = START;
        const book = new MemoryOrderBook({ now: () => new Date(now) });
        for (const n of [1, 2, 3]) await book.apply(keyOf(n), intend('purchase'));
        for (const { order, change } of steps) {
          now += 20_000;
          await book.apply(keyOf(order), change);
          const { orders } = await book.list({});
          const names = orders.flatMap(namesOf);
          expect(new Set(names).size).toBe(names.length);
          const handedOver = orders.filter(({ delivery }) => ['READY', 'LEASED', 'DONE'].includes(delivery.state));
          expect(handedOver.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('X27: what comes from outside is never part of anything but itself', () => {
  test('keys and names of different things are different', () => {
    const part = fc.stringMatching(/^[0-9A-Za-z_\-|*]{1,32}$/);
    const key = fc.record({ mchId: part, subMchId: fc.option(part, { nil: undefined }), outTradeNo: part });
    const idOf = ({
      mchId,
      subMchId,
      outTradeNo,
    }: {
      mchId: string;
      subMchId: string | undefined;
      outTradeNo: string;
    }) => orderId(subMchId === undefined ? { mchId, outTradeNo } : { mchId, subMchId, outTradeNo });
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(idOf(a) === idOf(b)).toBe(
          a.mchId === b.mchId && a.subMchId === b.subMchId && a.outTradeNo === b.outTradeNo,
        );
      }),
    );
  });

  test.each([
    "ORDER'; drop table orders--",
    'ORDER 0001 1',
    'ORDER\n0001',
    'ORDER\u00000001',
    '${jndi:ldap://x}',
    '../../etc/passwd',
    'ORDER{1}',
  ])('out_trade_no %j reaches no book', async (outTradeNo) => {
    const book = new MemoryOrderBook();
    const wechatH5 = createWechatH5({
      merchant: { appId: APP_ID, mchId: MCH_ID, apiKey: 'k'.repeat(32) },
      gateway: 'http://127.0.0.1:1',
      notifyUrl: 'http://127.0.0.1:1/notify',
      orderBook: book,
    });
    const order = { outTradeNo, body: 'Tea', totalFee: 1, clientIp: '127.0.0.5' };
    for (const call of [
      wechatH5.createOrder(order),
      wechatH5.closeOrder({ outTradeNo }),
      wechatH5.confirmPayment({ outTradeNo }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'ORDER_FIELD_INVALID', field: 'out_trade_no' });
    }
    expect((await book.list({})).orders).toEqual([]);
  });

  test.each(['__proto__', "p'; drop table orders--", '{}', '*', '%', 'a:b|c'])(
    'orderRef %j finds its own',
    async (orderRef) => {
      const book = new MemoryOrderBook();
      await book.apply(keyOf(1), intend(orderRef));
      await book.apply(keyOf(2), intend(`${orderRef}2`));
      await book.apply(keyOf(3), intend());
      expect((await book.list({ orderRef })).orders.map(({ key }) => key.outTradeNo)).toEqual(['ORDER-0001']);
    },
  );
});
