import fc from 'fast-check';
import { transition, type OrderChange, type OrderRecord } from './order-book.js';
import { openReconcilerScene, MINUTE, ORDER_NO, type ReconcilerScene } from './reconciler.fixture.js';
import type { Refund, WechatH5 } from './index.js';

let scene: ReconcilerScene;
let shop: WechatH5;
let refunded: [outRefundNo: string, refundFee: number][];

beforeEach(async () => {
  scene = await openReconcilerScene();
  refunded = [];
  shop = scene.machine({
    onRefunded: ({ outRefundNo, refundFee }: Refund) => void refunded.push([outRefundNo, refundFee]),
  });
  await scene.order(shop);
  await scene.pay();
  await scene.pass(shop, MINUTE);
});
afterEach(() => scene.stop());

const refund = (outRefundNo: string, refundFee: number, machine = shop) => {
  scene.simulator.faults.loseNotification({ outTradeNo: ORDER_NO });
  return machine.refund({ outTradeNo: ORDER_NO, outRefundNo, totalFee: 100, refundFee });
};
const state = async (outRefundNo: string): Promise<string | undefined> =>
  (await scene.get())?.refunds[outRefundNo]?.state;

test('the intent is there before the call, and what WeChat Pay says after it', async () => {
  const { book } = scene;
  const seen: (string | undefined)[] = [];
  const { apply } = book;
  book.apply = async (...args) => {
    if (args[1].type.startsWith('refund')) seen.push(`${args[1].type} after ${scene.calls('refund').length} calls`);
    return apply.apply(book, args);
  };
  await refund('R1', 40);
  expect(seen).toEqual(['refund-intend after 0 calls', 'refund-accepted after 1 calls']);
  expect(await state('R1')).toBe('ACCEPTED');
});

test('B20: parts add up, one that failed may be tried again under its number, and never more than the order', async () => {
  await refund('R1', 40);
  scene.simulator.faults.nextCall('refund', { errCode: 'NOTENOUGH' });
  await expect(refund('R2', 40)).rejects.toMatchObject({ errCode: 'NOTENOUGH' });
  expect(await state('R2')).toBe('FAILED');
  await refund('R2', 40);
  await expect(refund('R3', 21)).rejects.toMatchObject({ code: 'REFUND_EXCEEDED' });
  await refund('R3', 20);
  expect(scene.calls('refund')).toHaveLength(4);
});

test('a refund whose outcome is unknown counts, until it is known', async () => {
  scene.simulator.faults.nextCall('refund', { status: 502 });
  await expect(refund('R1', 60)).rejects.toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
  expect(await state('R1')).toBe('REQUESTED');
  await expect(refund('R2', 60)).rejects.toMatchObject({ code: 'REFUND_EXCEEDED' });
  await scene.pass(shop, 60 * MINUTE, MINUTE);
  expect((await scene.get())?.refunds['R1']).toMatchObject({ state: 'FAILED', reason: 'REFUNDNOTEXIST' });
  await refund('R2', 60);
});

test('I9: a call that is repeated and refused says nothing of the first, whose outcome is unknown', async () => {
  for (let n = 0; n < 3; n++) scene.simulator.faults.nextCall('refund', { errCode: 'SYSTEMERROR', apply: true });
  await expect(refund('R1', 60)).rejects.toMatchObject({ errCode: 'SYSTEMERROR' });
  scene.simulator.faults.nextCall('refund', { errCode: 'NOTENOUGH' });
  await expect(refund('R1', 60)).rejects.toMatchObject({ errCode: 'NOTENOUGH' });
  expect(await state('R1')).toBe('REQUESTED');
  await expect(refund('R2', 60)).rejects.toMatchObject({ code: 'REFUND_EXCEEDED' });
  await scene.pass(shop, 10 * MINUTE);
  expect(refunded).toEqual([['R1', 60]]);
});

test('an unsigned refusal is unknown, never failed, whatever code it carries', async () => {
  const fields = { return_code: 'FAIL', return_msg: 'no', err_code: 'NOTENOUGH', sign: '' };
  scene.simulator.faults.nextCall('refund', { fields });
  await expect(refund('R1', 60)).rejects.toMatchObject({ code: 'RETURN_CODE_FAIL', errCodeDes: 'no NOTENOUGH' });
  expect(await state('R1')).toBe('REQUESTED');
  await expect(refund('R2', 60)).rejects.toMatchObject({ code: 'REFUND_EXCEEDED' });
});

test('one that was accepted without an answer is found, and told', async () => {
  for (let n = 0; n < 3; n++) scene.simulator.faults.nextCall('refund', { errCode: 'SYSTEMERROR', apply: true });
  await expect(refund('R1', 60)).rejects.toMatchObject({ errCode: 'SYSTEMERROR' });
  expect(await state('R1')).toBe('REQUESTED');
  await scene.pass(shop, 10 * MINUTE);
  expect(await state('R1')).toBe('REFUNDED');
  expect(refunded).toEqual([['R1', 60]]);
});

test('the same number is the same refund: other parameters are a conflict', async () => {
  await refund('R1', 40);
  await refund('R1', 40);
  await expect(refund('R1', 41)).rejects.toMatchObject({ code: 'REFUND_CONFLICT', field: 'out_refund_no' });
  await expect(
    shop.refund({ outTradeNo: ORDER_NO, outRefundNo: 'R2', totalFee: 101, refundFee: 1 }),
  ).rejects.toMatchObject({ code: 'ORDER_MISMATCH', field: 'total_fee' });
  expect(scene.calls('refund')).toHaveLength(2);
});

test('another currency than that of the order is not sent', async () => {
  const inCurrency = (refundFeeType: string) =>
    shop.refund({ outTradeNo: ORDER_NO, outRefundNo: 'R1', totalFee: 100, refundFee: 40, refundFeeType });
  await expect(inCurrency('HKD')).rejects.toMatchObject({ code: 'ORDER_MISMATCH', field: 'refund_fee_type' });
  expect(scene.calls('refund')).toHaveLength(0);
  // Nor does it count.
  expect(await state('R1')).toBeUndefined();
  await inCurrency('CNY');
  expect(await state('R1')).toBe('ACCEPTED');
});

test('I9: ten machines at once give back no more than was paid', async () => {
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => refund(`R${n}`, 30, scene.machine())));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(scene.calls('refund')).toHaveLength(3);
});

test('B21: trade_state REFUND is payment too: what is left of it is delivered, and what went back is told', async () => {
  await scene.order(shop, 'ORDER-0002');
  await scene.pay('ORDER-0002');
  scene.simulator.faults.loseNotification({ outTradeNo: 'ORDER-0002' });
  await scene.simulator.refund('ORDER-0002', { outRefundNo: 'R1', refundFee: 30 });
  expect(await shop.confirmPayment({ outTradeNo: 'ORDER-0002' })).toMatchObject({ state: 'paid', delivered: true });
  expect(scene.paid).toContain('ORDER-0002');
  await scene.pass(shop, 2 * MINUTE);
  expect(refunded).toEqual([['R1', 30]]);
});

test('B21: of an order that was refunded in full nothing is delivered', async () => {
  await scene.order(shop, 'ORDER-0002');
  await scene.pay('ORDER-0002');
  for (const [outRefundNo, refundFee] of [
    ['R1', 30],
    ['R2', 70],
  ] as const) {
    scene.simulator.faults.loseNotification({ outTradeNo: 'ORDER-0002' });
    await scene.simulator.refund('ORDER-0002', { outRefundNo, refundFee });
  }
  const answer = { state: 'refunded', delivered: false };
  expect(await shop.confirmPayment({ outTradeNo: 'ORDER-0002' })).toMatchObject(answer);
  expect(await scene.machine().confirmPayment({ outTradeNo: 'ORDER-0002' })).toMatchObject(answer);
  expect(scene.paid).not.toContain('ORDER-0002');
  expect(scene.problems).toMatchObject([{ type: 'refunded-before-delivery' }]);
});

describe('I9: of two calls for one refund, one accepted and one refused, in either order', () => {
  const KEY = { mchId: '1', outTradeNo: 'ORDER-0001' };
  const intent = { appId: 'a', totalFee: 100, feeType: 'CNY', attach: '', params: { a: 'b' }, clientIp: '' };
  const about = { outRefundNo: 'R1', refundFee: 60 };
  const accepted: OrderChange = { type: 'refund-accepted', ...about };
  const refused: OrderChange = { type: 'refund-refused', outRefundNo: 'R1', reason: 'NOTENOUGH' };
  const played = (changes: readonly OrderChange[]): OrderRecord | undefined => {
    let order: OrderRecord | undefined;
    for (const change of changes) order = transition(order, KEY, change, new Date(0)).order ?? order;
    return order;
  };

  test.each([
    ['accepted first', [accepted, refused]],
    ['refused first', [refused, accepted]],
  ])('%s: it is on its way, and counts', (_when, answers) => {
    const before: OrderChange[] = [
      { type: 'intend', intent },
      { type: 'refund-intend', ...about, params: {} },
    ];
    const order = played([...before, ...answers]);
    expect(order?.refunds['R1']).toMatchObject({ state: 'ACCEPTED', reason: undefined });
    expect(order?.refunds['R1']?.pollAt).toBeDefined();
    const second = { type: 'refund-intend', outRefundNo: 'R2', refundFee: 60, params: {} } as const;
    expect(transition(order, KEY, second, new Date(0)).outcome).toBe('exceeds');
  });
});

test('refunds in any order, repeated, refused and confirmed, never add up to more than the order', () => {
  const KEY = { mchId: '1', outTradeNo: 'ORDER-0001' };
  const numbers = fc.constantFrom('R1', 'R2', 'R3', '__proto__');
  const fees = fc.integer({ min: 1, max: 100 });
  const change: fc.Arbitrary<OrderChange> = fc.oneof(
    fc.record({
      type: fc.constant('refund-intend' as const),
      outRefundNo: numbers,
      refundFee: fees,
      params: fc.constant({ refund_fee: 'x' }),
    }),
    fc.record({
      type: fc.constantFrom('refund-failed' as const, 'refund-refused' as const),
      outRefundNo: numbers,
      reason: fc.constant('NOTENOUGH'),
    }),
  );
  const intent = { appId: 'a', totalFee: 100, feeType: 'CNY', attach: '', params: { a: 'b' }, clientIp: '' };
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      let order: OrderRecord | undefined = transition(undefined, KEY, { type: 'intend', intent }, new Date(0)).order;
      for (const each of changes) order = transition(order, KEY, each, new Date(0)).order ?? order;
      const under = Object.values(order?.refunds ?? {}).filter((each) => each.state !== 'FAILED');
      expect(under.reduce((sum, { refundFee }) => sum + refundFee, 0)).toBeLessThanOrEqual(100);
    }),
  );
});
