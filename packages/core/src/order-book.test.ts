import fc from 'fast-check';
import { MemoryOrderBook } from './memory-order-book.js';
import {
  decodeOrder,
  dueAt,
  encodeOrder,
  transition,
  type OrderChange,
  type OrderIntent,
  type OrderRecord,
  type PaymentEvidence,
} from './order-book.js';
import { purchaseName } from './order-record.js';

const KEY = { mchId: '1900000109', outTradeNo: 'ORDER-0001' };
const NOW = new Date('2026-01-01T00:00:00Z');
const INTENT: OrderIntent = {
  appId: 'wx2421b1c4370ec43b',
  totalFee: 100,
  feeType: 'CNY',
  attach: '',
  params: { out_trade_no: 'ORDER-0001', total_fee: '100', body: 'Tea', spbill_create_ip: '203.0.113.7' },
  clientIp: '203.0.113.7',
};
const PAYMENT: PaymentEvidence = {
  transactionId: '4200000001',
  appId: INTENT.appId,
  totalFee: 100,
  feeType: 'CNY',
  attach: '',
  raw: {},
};
const LINK = {
  prepayId: 'wx1',
  mwebUrl: 'https://wx.tenpay.com/?prepay_id=wx1',

  raw: {},
};

const intend: OrderChange = { type: 'intend', intent: INTENT };
const created: OrderChange = { type: 'created', link: LINK, clientIp: INTENT.clientIp, tookMs: 0 };
const paid: OrderChange = { type: 'paid', payment: PAYMENT };
const claim: OrderChange = { type: 'claim', leaseMs: 30_000 };

function after(changes: readonly OrderChange[], now = NOW): OrderRecord {
  let order: OrderRecord | undefined;
  for (const change of changes) order = transition(order, KEY, change, now).order ?? order;
  if (order === undefined) throw new Error('no order');
  return order;
}

test('an order that nobody intended cannot be changed', () => {
  for (const change of [created, claim, { type: 'closed' } as const]) {
    expect(transition(undefined, KEY, change, NOW)).toMatchObject({ outcome: 'unknown', order: undefined });
  }
});

test('B17: the same number with other parameters is a conflict, and changes nothing', () => {
  const order = after([intend, created]);
  const other = { ...INTENT, totalFee: 200, params: { ...INTENT.params, total_fee: '200' } };
  expect(transition(order, KEY, { type: 'intend', intent: other }, NOW)).toMatchObject({ outcome: 'conflict', order });
});

test("the payer's address is no parameter of the comparison", () => {
  const order = after([intend, created]);
  const moved = { ...INTENT, clientIp: '198.51.100.9', params: { ...INTENT.params, spbill_create_ip: '198.51.100.9' } };
  expect(transition(order, KEY, { type: 'intend', intent: moved }, NOW).outcome).toBe('unchanged');
});

test('B03: a notification before the reply of unifiedorder stays', () => {
  expect(after([intend, paid, created]).state).toBe('PAID');
});

test.each([
  ['total_fee', { totalFee: 99 }],
  ['fee_type', { feeType: 'USD' }],
  ['appid', { appId: 'wx0000000000000000' }],
  ['attach', { attach: 'something' }],
])('B11: a payment that differs in %s is quarantined, and never delivered', (field, difference) => {
  const change: OrderChange = { type: 'paid', payment: { ...PAYMENT, ...difference } };
  const { outcome, order } = transition(after([intend, created]), KEY, change, NOW);
  expect([outcome, order?.state, order?.reason]).toEqual(['conflict', 'QUARANTINED', field]);
  expect(transition(order, KEY, claim, NOW).outcome).toBe('unpaid');
  // The right one does not set it free either: a person decides.
  expect(transition(order, KEY, paid, NOW).outcome).toBe('conflict');
});

test('S19: a second transaction for one order is a contradiction, and what was delivered stays delivered', () => {
  const delivered = after([intend, created, paid, claim, { type: 'complete', attempt: 1 }]);
  const { outcome, order } = transition(
    delivered,
    KEY,
    { type: 'paid', payment: { ...PAYMENT, transactionId: '4200000002' } },
    NOW,
  );
  expect([outcome, order?.state, order?.delivery.state, order?.payment?.transactionId]).toEqual([
    'conflict',
    'QUARANTINED',
    'DONE',
    '4200000001',
  ]);
});

test('B10: a payment after the close is kept from the handler', () => {
  const order = after([intend, created, { type: 'closed' }, paid]);
  expect([order.state, order.delivery.state]).toEqual(['PAID', 'WITHHELD']);
  expect(transition(order, KEY, claim, NOW).outcome).toBe('withheld');
});

describe('B21: refunded in full before it was handed over', () => {
  const refunded = (outRefundNo: string, refundFee: number): OrderChange => ({
    type: 'refunded',
    outRefundNo,
    refundFee,
  });
  const all = [refunded('R1', 60), refunded('R2', 40)];

  test.each([
    ['refunds first', [...all, paid]],
    ['payment first', [paid, ...all]],
    ['a run that failed between', [paid, claim, { type: 'release', attempt: 1 } as const, ...all]],
  ])('%s: the claim withholds it, once and for all', (_order, changes) => {
    const order = after([intend, created, ...changes]);
    const first = transition(order, KEY, claim, NOW);
    expect([first.outcome, first.order?.delivery.state, first.order?.state]).toEqual(['applied', 'WITHHELD', 'PAID']);
    expect(transition(first.order, KEY, claim, NOW)).toMatchObject({ outcome: 'withheld', order: first.order });
  });

  test('a part leaves it due; what is running or delivered stays so', () => {
    const part = after([intend, created, paid, refunded('R1', 99)]);
    expect(transition(part, KEY, claim, NOW).order?.delivery.state).toBe('LEASED');
    const running = after([intend, created, paid, claim, ...all]);
    expect(transition(running, KEY, claim, NOW).outcome).toBe('busy');
    const { outcome, order } = transition(running, KEY, { type: 'complete', attempt: 1 }, NOW);
    expect([outcome, order?.delivery.state]).toEqual(['applied', 'DONE']);
    expect(transition(order, KEY, claim, NOW).outcome).toBe('done');
  });

  test('the refunds themselves are handed over', () => {
    const order = after([intend, created, paid, ...all, claim]);
    const { outcome, order: handedOver } = transition(order, KEY, { ...claim, outRefundNo: 'R1' }, NOW);
    expect([outcome, handedOver?.refunds['R1']?.delivery.state]).toEqual(['applied', 'LEASED']);
  });
});

test('an absent attach is not compared, a known empty one is', () => {
  const found: OrderChange = { type: 'found', intent: { ...INTENT, attach: undefined, params: {} } };
  expect(after([found, { type: 'paid', payment: { ...PAYMENT, attach: 'anything' } }]).state).toBe('PAID');
});

describe('a payment that claims with the same write', () => {
  const paidAndClaimed: OrderChange = { ...paid, leaseMs: 30_000 };
  const both = (order: OrderRecord): OrderRecord | undefined =>
    transition(transition(order, KEY, paid, NOW).order, KEY, claim, NOW).order;

  test('is what the two are, in one version', () => {
    const order = after([intend, created]);
    const { outcome, order: leased } = transition(order, KEY, paidAndClaimed, NOW);
    expect(outcome).toBe('applied');
    expect(leased).toEqual({ ...both(order), version: order.version + 1 });
    expect(leased?.history.slice(-2)).toMatchObject([{ what: 'paid' }, { what: 'claim', detail: 'LEASED 1' }]);
  });

  test('repeated, it claims what has become free, and says so; what somebody holds it leaves alone', () => {
    const leased = after([intend, paidAndClaimed]);
    expect(transition(leased, KEY, paidAndClaimed, NOW)).toMatchObject({ outcome: 'unchanged', order: leased });
    const { order: free } = transition(leased, KEY, { type: 'release', attempt: 1 }, NOW);
    const again = transition(free, KEY, paidAndClaimed, NOW);
    expect([again.outcome, again.order?.delivery.attempt, again.order?.history.at(-1)?.what]).toEqual([
      'applied',
      2,
      'claim',
    ]);
    const { order: done } = transition(leased, KEY, { type: 'complete', attempt: 1 }, NOW);
    expect(transition(done, KEY, paidAndClaimed, NOW)).toMatchObject({ outcome: 'unchanged', order: done });
  });

  test.each<[string, OrderChange[], Partial<PaymentEvidence>, object]>([
    ['another amount', [intend], { totalFee: 99 }, { state: 'QUARANTINED', delivery: { state: 'NONE' } }],
    ['after the close', [intend, { type: 'closed' }], {}, { state: 'PAID', delivery: { state: 'WITHHELD' } }],
    ['an unknown order', [], {}, { state: 'ORPHAN', delivery: { state: 'NONE' } }],
    [
      'refunded in full',
      [intend, { type: 'refunded', outRefundNo: 'R1', refundFee: 100 }],
      {},
      { state: 'PAID', reason: 'refunded', delivery: { state: 'WITHHELD' } },
    ],
    [
      'a refund of everything under way',
      [intend, { type: 'refund-accepted', outRefundNo: 'R1', refundFee: 100 }],
      {},
      { state: 'PAID', delivery: { state: 'READY' } },
    ],
  ])('%s: nothing is leased', (_why, before, difference, expected) => {
    const order = before.length === 0 ? undefined : after(before);
    const change: OrderChange = { ...paidAndClaimed, payment: { ...PAYMENT, ...difference } } as OrderChange;
    const applied = transition(order, KEY, change, NOW);
    expect(applied.order).toMatchObject({ ...expected, version: (order?.version ?? 0) + 1 });
  });

  test('S19: what is due, and then contradicted by a second payment, is claimed by neither', () => {
    const due = after([intend, paid]);
    const second = { ...PAYMENT, transactionId: '4200000099' };
    const contradicted = transition(due, KEY, { type: 'paid', payment: second, leaseMs: 30_000 }, NOW);
    expect(contradicted).toMatchObject({
      outcome: 'conflict',
      order: { state: 'QUARANTINED', delivery: { state: 'READY', attempt: 0 } },
    });
    expect(transition(contradicted.order, KEY, claim, NOW)).toMatchObject({ outcome: 'unpaid' });
    const again = transition(contradicted.order, KEY, paidAndClaimed, NOW).order;
    expect(again?.delivery).toMatchObject({ state: 'READY', attempt: 0 });
  });

  test('paid by another attempt of the purchase: withheld', () => {
    const ofCart = after([{ type: 'intend', intent: { ...INTENT, orderRef: 'cart 9' } }]);
    const taken = new Set([purchaseName(KEY, 'cart 9')]);
    const { order } = transition(ofCart, KEY, paidAndClaimed, NOW, taken);
    expect([order?.delivery.state, order?.reason]).toEqual(['WITHHELD', 'paid-twice']);
  });
});

describe('B12: a payment that failed', () => {
  const failed = (errCode: string): OrderChange => ({ type: 'payment-failed', errCode });

  test.each([
    ['placed', [intend, created]],
    ['paid', [intend, paid]],
    ['closed', [intend, { type: 'closed' } as const]],
    ['in quarantine', [intend, { type: 'paid', payment: { ...PAYMENT, totalFee: 99 } } as const]],
  ])('is a line in the history of an order that is %s, and nothing else', (_how, before) => {
    const order = after(before);
    const { outcome, order: noted } = transition(order, KEY, failed('SYSTEMERROR'), NOW);
    expect([outcome, noted?.history.at(-1)]).toEqual([
      'applied',
      { at: NOW, source: 'notification', what: 'payment-failed', state: order.state, detail: 'SYSTEMERROR' },
    ]);
    expect({ ...noted, history: order.history, version: order.version }).toEqual(order);
    expect(transition(noted, KEY, failed('SYSTEMERROR'), NOW)).toMatchObject({ outcome: 'unchanged', order: noted });
    expect(transition(noted, KEY, failed('USERPAYING'), NOW).outcome).toBe('applied');
  });

  test('is a line also where another line says the same words', () => {
    const refused = after([intend, { type: 'create-failed', reason: 'SYSTEMERROR' }]);
    const { outcome, order } = transition(refused, KEY, failed('SYSTEMERROR'), NOW);
    expect([outcome, order?.history.at(-1)?.what]).toEqual(['applied', 'payment-failed']);
  });

  test('makes no order, and no orphan', () => {
    expect(transition(undefined, KEY, failed('SYSTEMERROR'), NOW)).toMatchObject({ outcome: 'unknown' });
    const orphan = transition(undefined, KEY, paid, NOW).order;
    expect(transition(orphan, KEY, failed('SYSTEMERROR'), NOW)).toMatchObject({ outcome: 'unknown', order: orphan });
  });
});

describe('leases', () => {
  const leased = after([intend, created, paid, claim]);
  const later = (ms: number): Date => new Date(NOW.getTime() + ms);

  test('one holder at a time; after the lease the next attempt', () => {
    expect(transition(leased, KEY, claim, later(29_999)).outcome).toBe('busy');
    const { outcome, order } = transition(leased, KEY, claim, later(30_000));
    expect([outcome, order?.delivery.attempt]).toEqual(['applied', 2]);
  });

  test('P06: who lost the lease can neither renew, complete nor release', () => {
    const { order } = transition(leased, KEY, claim, later(30_000));
    for (const type of ['complete', 'release'] as const) {
      expect(transition(order, KEY, { type, attempt: 1 }, later(30_001))).toMatchObject({ outcome: 'lost', order });
    }
    expect(transition(order, KEY, { type: 'renew', attempt: 1, leaseMs: 1 }, later(30_001)).outcome).toBe('lost');
    expect(transition(order, KEY, { type: 'complete', attempt: 2 }, later(30_001)).outcome).toBe('applied');
  });

  test('released, it is free at once', () => {
    const { order } = transition(leased, KEY, { type: 'release', attempt: 1 }, NOW);
    expect(transition(order, KEY, claim, NOW).order?.delivery.attempt).toBe(2);
  });
});

test('G7: evidence in any order, any number of times, ends the same', () => {
  const evidence: OrderChange[] = [
    created,
    paid,
    paid,
    { type: 'create-unknown', reason: 'GATEWAY_TIMEOUT' },
    { type: 'create-failed', reason: 'NOAUTH' },
    intend,
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(evidence, { minLength: evidence.length }), (history) => {
      const order = after([intend, ...history]);
      expect([order.state, order.payment?.transactionId, order.delivery.state]).toEqual([
        'PAID',
        '4200000001',
        'READY',
      ]);
    }),
  );
});

test('whatever happens, at most one run completes and attempts only grow', () => {
  const changes = fc.oneof(
    fc.constantFrom<OrderChange>(intend, created, paid, { ...paid, leaseMs: 30_000 }, claim, { type: 'closed' }),
    fc.record({
      type: fc.constantFrom('complete' as const, 'release' as const),
      attempt: fc.integer({ min: 0, max: 4 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(changes, fc.integer({ min: 0, max: 60_000 })), { maxLength: 40 }), (history) => {
      let order: OrderRecord | undefined;
      let now = NOW.getTime();
      let completed = 0;
      let attempt = 0;
      for (const [change, wait] of history) {
        now += wait;
        const applied = transition(order, KEY, change, new Date(now));
        if (change.type === 'complete' && applied.outcome === 'applied') completed++;
        expect(applied.order?.delivery.attempt ?? 0).toBeGreaterThanOrEqual(attempt);
        attempt = applied.order?.delivery.attempt ?? attempt;
        order = applied.order ?? order;
      }
      expect(completed).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2000 },
  );
});

describe('MemoryOrderBook', () => {
  test('B16: fifty claims at once, one winner', async () => {
    const book = new MemoryOrderBook();
    await book.apply(KEY, intend);
    await book.apply(KEY, paid);
    const outcomes = await Promise.all(Array.from({ length: 50 }, async () => (await book.apply(KEY, claim)).outcome));
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(49);
  });

  test('S19: one transaction cannot pay two orders', async () => {
    const book = new MemoryOrderBook();
    const second = { ...KEY, outTradeNo: 'ORDER-0002' };
    await book.apply(KEY, intend);
    await book.apply(second, intend);
    expect((await book.apply(KEY, paid)).outcome).toBe('applied');
    const { outcome, order } = await book.apply(second, paid);
    expect([outcome, order?.state, order?.reason]).toEqual(['conflict', 'QUARANTINED', 'transaction_id']);
    expect((await book.findByTransactionId(KEY.mchId, PAYMENT.transactionId))?.key).toEqual(KEY);
  });

  test('sub-merchants and merchants do not share numbers', async () => {
    const book = new MemoryOrderBook();
    await book.apply(KEY, intend);
    expect(await book.get({ ...KEY, subMchId: '1' })).toBeUndefined();
    expect(await book.get({ ...KEY, mchId: '1' })).toBeUndefined();
  });
});

describe('an orphan', () => {
  const orphan = transition(undefined, KEY, paid, NOW);

  test('B04: a payment for an unknown order is kept, and is no order', () => {
    expect([orphan.outcome, orphan.order?.state, orphan.order?.payment]).toEqual(['unknown', 'ORPHAN', PAYMENT]);
    for (const change of [paid, created, claim, { type: 'closed' } as const]) {
      expect(transition(orphan.order, KEY, change, NOW)).toMatchObject({ outcome: 'unknown', order: orphan.order });
    }
  });

  test.each(['intend', 'found'] as const)('B04: %s matches it: paid, and due', (type) => {
    const { outcome, order } = transition(orphan.order, KEY, { type, intent: INTENT }, NOW);
    expect([outcome, order?.state, order?.delivery.state, order?.version]).toEqual(['applied', 'PAID', 'READY', 2]);
    expect(order?.history.map(({ what, state }) => [what, state])).toEqual([
      ['paid', 'ORPHAN'],
      [type, 'PAID'],
    ]);
  });

  test('an order of another amount does not get it', () => {
    const { outcome, order } = transition(
      orphan.order,
      KEY,
      { type: 'found', intent: { ...INTENT, totalFee: 1 } },
      NOW,
    );
    expect([outcome, order?.state, order?.reason, order?.totalFee]).toEqual([
      'conflict',
      'QUARANTINED',
      'total_fee',
      1,
    ]);
  });
});

describe('text', () => {
  test('a record comes back exactly as it was', () => {
    const history: OrderChange[] = [
      intend,
      created,
      { type: 'refund-intend', outRefundNo: '__proto__', refundFee: 40, params: { refund_fee: '40' } },
      paid,
      claim,
      { type: 'refunded', outRefundNo: 'R2', refundFee: 1 },
      { type: 'take', leaseMs: 1000 },
    ];
    for (let length = 1; length <= history.length; length++) {
      const order = after(history.slice(0, length));
      expect(decodeOrder(encodeOrder(order))).toStrictEqual(order);
    }
  });

  test('a message may name its fields as it likes', () => {
    const raw = { at: '1', createdAt: '2', v: '3', __proto__x: '4', emoji: '\u{1f600}\ud800' };
    const order = after([intend, { type: 'paid', payment: { ...PAYMENT, raw } }]);
    expect(decodeOrder(encodeOrder(order)).payment?.raw).toEqual(raw);
  });

  test('P14: what a later version has written is refused', () => {
    const later = encodeOrder(after([intend])).replace('"v":1', '"v":2');
    for (const text of [later, '', 'null', '{}', '[]']) {
      expect(() => decodeOrder(text)).toThrow(expect.objectContaining({ code: 'ORDER_BOOK_FAILED' }));
    }
  });
});

test('while a refund of everything is under way nobody knows whether to deliver: not yet', () => {
  const accepted: OrderChange = { type: 'refund-accepted', outRefundNo: 'R1', refundFee: 100 };
  const order = after([intend, created, accepted, paid]);
  expect(transition(order, KEY, claim, NOW).outcome).toBe('busy');
  const failed = transition(order, KEY, { type: 'refund-failed', outRefundNo: 'R1', reason: 'REFUNDCLOSE' }, NOW);
  expect(transition(failed.order, KEY, claim, NOW).order?.delivery.state).toBe('LEASED');
});

test('P08: a delivery that ends its process each time is given up, and so is one that throws each time', () => {
  let order = after([intend, created, paid]);
  let now = NOW.getTime();
  let outcome = 'applied';
  while (order.delivery.state !== 'DEAD' && order.delivery.attempt < 100) {
    now += 60_000;
    ({ order = order, outcome } = transition(order, KEY, claim, new Date(now)));
  }
  expect([outcome, order.delivery.state, order.delivery.attempt]).toEqual(['applied', 'DEAD', 20]);
  expect(transition(order, KEY, claim, new Date(now)).outcome).toBe('dead');
  expect(dueAt(order)).toBeUndefined();
});

test('what is not due is not taken', () => {
  const order = after([intend, created]);
  const take: OrderChange = { type: 'take', leaseMs: 60_000 };
  const at = (ms: number): Date => new Date(NOW.getTime() + ms);
  expect(transition(order, KEY, take, at(34_999)).outcome).toBe('busy');
  const taken = transition(order, KEY, take, at(35_000));
  expect(taken.outcome).toBe('applied');
  expect(transition(taken.order, KEY, take, at(94_999)).outcome).toBe('busy');
  expect(transition(taken.order, KEY, take, at(95_000)).outcome).toBe('applied');
});

test('what is settled cannot be superseded', () => {
  for (const settled of [after([intend, created, paid]), after([intend, created, { type: 'closed' }])]) {
    expect(transition(settled, KEY, { type: 'superseded' }, NOW)).toMatchObject({
      outcome: 'unchanged',
      order: settled,
    });
  }
});

test('of a long history the beginning and the end are kept', () => {
  const looks = Array.from({ length: 100 }, (_, n): OrderChange => ({
    type: 'looked',
    verdict: `NOTPAY ${n}`,
    nextInMs: 1000,
    counts: true,
  }));
  const { history } = after([intend, created, ...looks]);
  expect(history).toHaveLength(40);
  expect(history.slice(0, 3).map(({ what }) => what)).toEqual(['intend', 'created', 'looked']);
  expect(history.at(-1)).toMatchObject({ detail: 'NOTPAY 99', source: 'reconciler', state: 'PENDING' });
  expect(history.at(-32)).toMatchObject({ detail: 'NOTPAY 68' });
});

describe('a person decides', () => {
  const quarantined = after([intend, created, { type: 'paid', payment: { ...PAYMENT, totalFee: 99 } }]);
  const again: OrderChange = { type: 'paid', payment: { ...PAYMENT, totalFee: 99 } };

  test('deliver: it is handed over, and the same payment is no contradiction any more', () => {
    const { order } = transition(quarantined, KEY, { type: 'resolve', as: 'deliver' }, NOW);
    expect([order?.state, order?.delivery.state]).toEqual(['PAID', 'READY']);
    expect(transition(order, KEY, again, NOW).outcome).toBe('unchanged');
    expect(order?.history.at(-1)).toMatchObject({ what: 'resolve', source: 'operator', detail: 'deliver' });
  });

  test('withhold: it is not, unless a person insists', () => {
    const { order } = transition(quarantined, KEY, { type: 'resolve', as: 'withhold' }, NOW);
    expect([order?.state, order?.delivery.state]).toEqual(['PAID', 'WITHHELD']);
    expect(transition(order, KEY, claim, NOW).outcome).toBe('withheld');
    expect(transition(order, KEY, { type: 'redrive' }, NOW).outcome).toBe('unchanged');
    expect(transition(order, KEY, { type: 'redrive', force: true }, NOW).order?.delivery.state).toBe('READY');
  });

  const genuine: OrderChange = { type: 'paid', payment: { ...PAYMENT, transactionId: '4200000002' } };

  test.each([
    ['that was decided about', [{ type: 'resolve', as: 'withhold' }]],
    ['that nobody has decided about', []],
  ] as [string, OrderChange[]][])(
    'B11: the genuine payment after a forgery %s is the one to accept',
    (_what, decided) => {
      let order: OrderRecord = quarantined;
      for (const change of [...decided, genuine]) order = transition(order, KEY, change, NOW).order ?? order;
      expect([order.state, order.payment?.transactionId, order.payment?.totalFee]).toEqual([
        'QUARANTINED',
        '4200000002',
        100,
      ]);
      // And another forgery does not take its place.
      const third = transition(
        order,
        KEY,
        { type: 'paid', payment: { ...PAYMENT, transactionId: '3', totalFee: 1 } },
        NOW,
      );
      expect([third.outcome, third.order]).toEqual(['conflict', order]);
      const { order: accepted } = transition(order, KEY, { type: 'resolve', as: 'deliver' }, NOW);
      expect([accepted?.state, accepted?.delivery.state, accepted?.payment?.totalFee]).toEqual(['PAID', 'READY', 100]);
    },
  );

  test('B11: a decision about a payment is none about another one that came meanwhile', () => {
    const { order = quarantined } = transition(quarantined, KEY, genuine, NOW);
    for (const as of ['deliver', 'withhold'] as const) {
      const late = transition(order, KEY, { type: 'resolve', as, seen: quarantined }, NOW);
      expect([late.outcome, late.order]).toEqual(['conflict', order]);
      expect(transition(order, KEY, { type: 'resolve', as, seen: { payment: undefined } }, NOW)).toEqual(late);
      expect(transition(order, KEY, { type: 'resolve', as, seen: order }, NOW).order?.state).toBe('PAID');
    }
  });

  test('S19: what names the payment of another order is not known to be closed, and can still be paid', () => {
    const elsewhere = transition(
      after([intend, created]),
      KEY,
      paid,
      NOW,
      new Set(['transaction 1900000109 4200000001']),
    );
    expect(elsewhere.order).toMatchObject({ state: 'QUARANTINED', payment: undefined });
    const { order } = transition(elsewhere.order, KEY, { type: 'resolve', as: 'withhold' }, NOW);
    expect([order?.state, order && dueAt(order)]).toEqual(['CLOSING', new Date(NOW.getTime() + 300_000)]);
    expect(transition(order, KEY, genuine, NOW).order).toMatchObject({ state: 'PAID', delivery: { state: 'READY' } });
  });

  test('why is kept, and what is handed over is due at once', () => {
    const change = { type: 'resolve', as: 'deliver', note: 'the price had changed' } as const;
    const { order = quarantined } = transition(quarantined, KEY, change, NOW);
    expect(order.history.at(-1)?.detail).toBe('deliver: the price had changed');
    expect(dueAt(order)).toEqual(NOW);
  });

  test('a delivery that waits for its next try is due at once, though somebody has just looked; what is under way or done is not', () => {
    const later = new Date(NOW.getTime() + 60_000);
    const failing = after([intend, paid, claim, { type: 'release', attempt: 1, retryInMs: 3_600_000 }]);
    const taken = { ...failing, takenUntil: new Date(later.getTime() + 60_000) };
    const { outcome, order = taken } = transition(taken, KEY, { type: 'redrive' }, later);
    expect([outcome, dueAt(order), order.delivery.attempt]).toEqual(['applied', later, 1]);
    const under = transition(order, KEY, claim, later).order ?? order;
    expect(transition(under, KEY, { type: 'redrive' }, later).outcome).toBe('unchanged');
    const done = transition(under, KEY, { type: 'complete', attempt: 2 }, later).order;
    expect(transition(done, KEY, { type: 'redrive' }, later).outcome).toBe('unchanged');
  });

  test('an orphan is looked at at once', () => {
    const orphan = after([paid, { type: 'looked', verdict: 'ORPHAN', nextInMs: undefined, counts: true }]);
    expect(dueAt(orphan)).toBeUndefined();
    const { order = orphan } = transition(orphan, KEY, { type: 'redrive' }, NOW);
    expect([order.state, dueAt(order)]).toEqual(['ORPHAN', NOW]);
  });

  test('what is in no doubt is not decided', () => {
    const order = after([intend, created, paid]);
    expect(transition(order, KEY, { type: 'resolve', as: 'withhold' }, NOW).outcome).toBe('unchanged');
  });
});
