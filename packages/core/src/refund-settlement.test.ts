import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { MemoryOrderBook } from './index.js';
import type { NotificationEvent, NotificationStage } from './notification-events.js';
import { eventually, FAIL, openRefundScene, SUCCESS, type RefundScene } from './refunds.fixture.js';
import { refundNotification } from './testing.js';

let scene: RefundScene;
beforeEach(async () => {
  scene = await openRefundScene();
  await scene.payFor('ORDER-0001');
});
afterEach(() => scene.stop());

const forge: RefundScene['simulator']['faults']['forgeRefundNotification'] = (...args) =>
  scene.simulator.faults.forgeRefundNotification(...args);
const leaked = () => scene.simulator.merchant.apiKey;

describe('what WeChat Pay confirms', () => {
  test('a notice, refundquery, onRefunded once, acknowledged', async () => {
    const { refund, attempts } = await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 90 });
    expect(attempts).toMatchObject([{ verdict: 'acknowledged' }]);
    const { appId, mchId } = scene.simulator.merchant;
    expect(scene.refunded).toEqual([
      {
        appId,
        mchId,
        outTradeNo: 'ORDER-0001',
        transactionId: refund.transactionId,
        outRefundNo: 'R1',
        refundId: refund.refundId,
        totalFee: 1990,
        feeType: 'CNY',
        refundFee: 90,
        settlementRefundFee: 90,
        refundStatus: 'SUCCESS',
        refundAccount: 'REFUND_SOURCE_UNSETTLED_FUNDS',
        refundChannel: 'ORIGINAL',
        refundRecvAccout: '支付用户零钱',
        refundSuccessTime: new Date(Math.floor((refund.succeededAt?.getTime() ?? 0) / 1000) * 1000),
        raw: expect.objectContaining({ refund_count: '1', sign: expect.any(String) }),
      },
    ]);
    expect(scene.contexts).toMatchObject([
      { attempt: 1, idempotencyKey: `${mchId}:${refund.transactionId}:refunded:R1` },
    ]);
    expect(scene.queries()).toBe(1);
    expect(scene.problems).toEqual([]);
  });

  test('B20: parts, up to the whole, each handed over once; one that fails first is retried under its number', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 1000 });
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R2', refundFee: 500, status: 'CHANGE' });
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R3' });
    await scene.simulator.settleRefund('R2', 'SUCCESS');
    expect(scene.refunded.map(({ outRefundNo, refundFee }) => [outRefundNo, refundFee])).toEqual([
      ['R1', 1000],
      ['R3', 490],
      ['R2', 500],
    ]);
    expect(scene.problems).toMatchObject([{ type: 'refund-failed' }]);
    await expect(scene.simulator.refund('ORDER-0001')).rejects.toMatchObject({ code: 'REFUND_EXCEEDS' });
  });

  test('B01: fifty copies at once over as many sockets: one run, fifty times SUCCESS', async () => {
    scene.onRefunded = () => new Promise((resolve) => setTimeout(resolve, 50));
    scene.simulator.faults.duplicateNotification(50);
    const { attempts } = await scene.simulator.refund('ORDER-0001');
    expect(attempts).toHaveLength(50);
    expect(attempts.filter(({ verdict }) => verdict !== 'acknowledged')).toEqual([]);
    expect(scene.refunded).toHaveLength(1);
    expect(scene.contexts).toHaveLength(1);
  });

  test('a copy that comes later is acknowledged without a question', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    const copies = await scene.simulator.notifications.send('ORDER-0001', { outRefundNo: 'R1' });
    expect(copies).toMatchObject([{ verdict: 'acknowledged' }]);
    expect([scene.refunded.length, scene.queries()]).toEqual([1, 1]);
  });

  test('copies that come together share one question', async () => {
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    const body = Buffer.from(refundNoticeOf('R1'));
    const copies = Array.from({ length: 50 }, () => scene.wechatH5.handleNotification({ method: 'POST', body }));
    expect(new Set((await Promise.all(copies)).map((reply) => reply.body))).toEqual(new Set([SUCCESS]));
    expect([scene.queries(), scene.contexts.length]).toEqual([1, 1]);
  });

  test('B01: copies at two processes with one book: one run', async () => {
    const orderBook = new MemoryOrderBook();
    const processes = [scene.use({ orderBook }), scene.use({ orderBook })];
    await scene.payFor('ORDER-0002');
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0002', { outRefundNo: 'R1' });
    scene.onRefunded = () => new Promise((resolve) => setTimeout(resolve, 150));
    const body = Buffer.from(refundNoticeOf('R1'));
    const replies = processes.map((process) => process.handleNotification({ method: 'POST', body }));
    expect((await Promise.all(replies)).map((reply) => reply.body)).toEqual([SUCCESS, SUCCESS]);
    expect([scene.queries(), scene.contexts.length]).toEqual([2, 1]);
  });

  test('an order signed with HMAC-SHA256, a key that was rotated since', async () => {
    const { apiKey } = scene.simulator.merchant;
    const merchant = { ...scene.simulator.merchant, signType: 'HMAC-SHA256' as const };
    scene.use({ merchant: { ...merchant, apiKey: [apiKey, 'o'.repeat(32)] } });
    await scene.payFor('ORDER-0002');
    const forged = await forge((await scene.simulator.refund('ORDER-0002')).refund.outRefundNo, { replay: true });
    expect(forged).toMatchObject({ verdict: 'acknowledged' });
    expect(scene.refunded).toHaveLength(1);
  });

  test('in service-provider mode', async () => {
    scene.use({ merchant: { ...scene.simulator.merchant, subMchId: '1900000200' } });
    await scene.payFor('ORDER-0002');
    expect((await scene.simulator.refund('ORDER-0002')).attempts).toMatchObject([{ verdict: 'acknowledged' }]);
    expect(scene.refunded).toMatchObject([{ outTradeNo: 'ORDER-0002', subMchId: '1900000200' }]);
  });
});

describe('what has not ended well', () => {
  test.each(['CHANGE', 'REFUNDCLOSE'] as const)('%s: a problem, acknowledged, no run', async (status) => {
    const { attempts } = await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', status });
    expect(attempts).toMatchObject([{ verdict: 'acknowledged' }]);
    expect(scene.contexts).toEqual([]);
    expect(scene.problems).toMatchObject([
      {
        type: 'refund-failed',
        field: 'refund_status',
        outTradeNo: 'ORDER-0001',
        message: expect.stringContaining(status),
        error: { errCode: status },
      },
    ]);
  });

  test('still PROCESSING when the notice says otherwise: FAIL, a problem; once it has ended, a run', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', status: 'PROCESSING' });
    const early = await forge('R1', { apiKey: leaked() });
    expect(early).toMatchObject({ verdict: 'refused', replyBody: FAIL });
    expect(scene.problems).toMatchObject([{ type: 'refused', code: 'ORDER_MISMATCH', field: 'refund_status' }]);
    expect(scene.contexts).toEqual([]);
    expect((await scene.simulator.settleRefund('R1')).attempts).toMatchObject([{ verdict: 'acknowledged' }]);
    expect(scene.refunded).toMatchObject([{ outRefundNo: 'R1', refundStatus: 'SUCCESS' }]);
  });

  test('without onRefunded: acknowledged; failures are still reported', async () => {
    scene.use({}, { onRefunded: false });
    await scene.payFor('ORDER-0002');
    expect((await scene.simulator.refund('ORDER-0002', { refundFee: 1 })).attempts).toMatchObject([
      { verdict: 'acknowledged' },
    ]);
    expect(scene.problems).toEqual([]);
    expect((await scene.simulator.refund('ORDER-0002', { status: 'CHANGE' })).attempts).toMatchObject([
      { verdict: 'acknowledged' },
    ]);
    expect(scene.problems).toMatchObject([{ type: 'refund-failed' }]);
  });
});

describe('B22, D26, X33: what WeChat Pay does not confirm', () => {
  const refusedAs = (problem: object) => {
    expect(scene.contexts).toEqual([]);
    expect(scene.problems).toMatchObject([{ type: 'refused', ...problem }]);
  };

  test('D26: another key: refused, and nobody is asked', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', status: 'PROCESSING' });
    expect(await forge('R1')).toMatchObject({ verdict: 'refused', replyBody: FAIL });
    refusedAs({ code: 'REFUND_UNDECIPHERABLE', field: 'req_info' });
    expect(scene.queries()).toBe(0);
  });

  test.each([
    ['not base64', (reqInfo: string) => `!${reqInfo.slice(1)}`],
    ['bad padding', (reqInfo: string) => reqInfo.slice(0, 64)],
    ['cut within a block', (reqInfo: string) => reqInfo.slice(0, 60)],
    ['empty', () => ''],
    ['blocks exchanged', (reqInfo: string) => exchangeBlocks(reqInfo, 0, 1)],
  ])('D26: %s: the same answer for all, and nobody is asked', async (_what, spoil) => {
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    const genuine = refundNotification({ out_trade_no: 'ORDER-0001', out_refund_no: 'R1' }, scene.simulator.merchant);
    const [reqInfo = ''] = /(?<=<req_info><!\[CDATA\[)[^\]]+/.exec(genuine) ?? [];
    expect(await scene.post(genuine.replace(reqInfo, spoil(reqInfo)))).toBe(FAIL);
    refusedAs({ code: 'REFUND_UNDECIPHERABLE' });
    expect(scene.queries()).toBe(0);
  });

  test('X33: a closed refund that borrows the success of another: refundquery decides', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 11, status: 'REFUNDCLOSE' });
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R2', refundFee: 22 });
    scene.problems.length = 0;
    expect(await forge('R1', { spliceWith: 'R2' })).toMatchObject({ verdict: 'acknowledged' });
    expect(scene.refunded.map(({ outRefundNo }) => outRefundNo)).toEqual(['R2']);
    expect(scene.problems).toMatchObject([{ type: 'refund-failed', message: expect.stringContaining('REFUNDCLOSE') }]);
  });

  test('X33: one that borrows it from another order: refused', async () => {
    await scene.payFor('ORDER-0002', 1990);
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 11, status: 'CHANGE' });
    await scene.simulator.refund('ORDER-0002', { outRefundNo: 'R2', refundFee: 22 });
    await scene.simulator.settleRefund('R1', 'SUCCESS');
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R3', refundFee: 33 });
    scene.problems.length = 0;
    expect(await forge('R3', { spliceWith: 'R2' })).toMatchObject({ verdict: 'refused' });
    expect(scene.problems).toMatchObject([{ type: 'refused', code: 'ORDER_MISMATCH', field: 'transaction_id' }]);
    expect(scene.refunded.map(({ outRefundNo }) => outRefundNo)).toEqual(['R2', 'R1']);
  });

  test.each([
    ['refund_fee', { refund_fee: '1990' }],
    ['total_fee', { total_fee: '19900' }],
    ['out_trade_no', { out_trade_no: 'ORDER-0002' }],
    ['transaction_id', { transaction_id: '4200000000000000000000000001' }],
    ['refund_id', { refund_id: '50000000000000000000000000001' }],
  ])('with a leaked key and another %s: refused', async (field, fields) => {
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 90 });
    expect(await forge('R1', { fields, apiKey: leaked() })).toMatchObject({ verdict: 'refused', replyBody: FAIL });
    refusedAs({ code: 'ORDER_MISMATCH', field });
    expect(scene.queries()).toBe(1);
  });

  test('a refund that never was: refused', async () => {
    const made = refundNotification({ out_trade_no: 'ORDER-0001', total_fee: '1990' }, scene.simulator.merchant);
    expect(await scene.post(made)).toBe(FAIL);
    refusedAs({ code: 'ORDER_UNKNOWN' });
  });

  test('a replay of what came before: acknowledged, one run', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', status: 'CHANGE' });
    await scene.simulator.settleRefund('R1', 'SUCCESS');
    expect(await forge('R1', { replay: true })).toMatchObject({ verdict: 'acknowledged' });
    expect(scene.refunded).toHaveLength(1);
    expect(scene.contexts).toHaveLength(1);
  });

  test('an old notice of failure after the success that was lost: refundquery says what is true now', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', status: 'CHANGE' });
    scene.simulator.faults.loseNotification();
    await scene.simulator.settleRefund('R1', 'SUCCESS');
    await forge('R1', { replay: true });
    expect(scene.refunded).toMatchObject([{ outRefundNo: 'R1', refundStatus: 'SUCCESS' }]);
  });

  test('a signature that does not fit is not passed over because there is a req_info', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 1 });
    const { requestBody } = scene.simulator.notifications.list('ORDER-0001').at(-1) ?? { requestBody: '' };
    expect(await scene.post(requestBody.replace('</xml>', `<sign>${'0'.repeat(32)}</sign></xml>`))).toBe(FAIL);
    expect(scene.problems).toMatchObject([{ type: 'refused', code: 'SIGN_INVALID' }]);
  });

  test('the envelope of another application of ours is not', async () => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', refundFee: 1 });
    const { requestBody } = scene.simulator.notifications.list('ORDER-0001').at(-1) ?? { requestBody: '' };
    const { appId } = scene.simulator.merchant;
    expect(await scene.post(requestBody.replace(appId, 'wx0000000000000000'))).toBe(FAIL);
    expect(scene.problems).toMatchObject([{ type: 'refused', code: 'MERCHANT_MISMATCH' }]);
  });
});

describe('what goes wrong on our side is repeated', () => {
  test.each([
    ['SYSTEMERROR', Array.from({ length: 3 }, () => ({ errCode: 'SYSTEMERROR' })), 'GATEWAY_REFUSED'],
    ['an unsigned FAIL', [{ returnMsg: '系统繁忙' }], 'RETURN_CODE_FAIL'],
    // The first one on a kept connection, which is worth another try at once.
    ['two connections cut', [{ drop: 'ignore' as const }, { drop: 'ignore' as const }], 'GATEWAY_REPLY_INVALID'],
    ['a reply about another refund', [{ fields: { out_refund_no_0: 'R2' } }], 'GATEWAY_REPLY_INVALID'],
  ])('refundquery fails with %s', async (_what, faults, code) => {
    for (const fault of faults) scene.simulator.faults.nextCall('refundquery', fault);
    const { attempts } = await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    expect(attempts).toMatchObject([{ verdict: 'refused' }]);
    expect(scene.problems).toMatchObject([{ type: 'refused', code }]);
    await eventually(() => scene.simulator.notifications.list('ORDER-0001').at(-1)?.verdict === 'acknowledged');
    expect(scene.refunded).toHaveLength(1);
    expect(scene.problems).toHaveLength(1);
  });

  test('a handler that throws is run again by the repeat', async () => {
    scene.onRefunded = () => {
      if (scene.contexts.length < 3) throw new Error('the ledger is away');
    };
    const { attempts } = await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    expect(attempts).toMatchObject([{ verdict: 'refused', replyBody: FAIL }]);
    await eventually(() => scene.refunded.length === 1);
    expect(scene.contexts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(scene.contexts.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(scene.problems).toMatchObject([
      { type: 'handler-failed', code: 'HANDLER_FAILED', message: 'onRefunded failed on attempt 1' },
      { error: { cause: { message: 'the ledger is away' } } },
    ]);
  });

  test('a handler slower than the deadline: FAIL in time, one run, SUCCESS on the repeat', async () => {
    let finish: () => void = () => {};
    scene.onRefunded = () => new Promise((resolve) => (finish = resolve));
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    const repeat = scene.simulator.notifications.send('ORDER-0001', { outRefundNo: 'R1' });
    await eventually(() => scene.contexts.length === 1);
    const body = Buffer.from(refundNoticeOf('R1'));
    const late = { method: 'POST', body, receivedAt: performance.now() - 3_900 };
    expect((await scene.wechatH5.handleNotification(late)).body).toBe(FAIL);
    expect(scene.problems).toMatchObject([{ code: 'HANDLER_TIMEOUT', hint: expect.stringContaining('onRefunded') }]);
    finish();
    expect(await repeat).toMatchObject([{ verdict: 'acknowledged' }]);
    expect(scene.contexts).toHaveLength(1);
  });

  test('a book that fails', async () => {
    class Away extends MemoryOrderBook {
      away = false;
      override async get(...args: Parameters<MemoryOrderBook['get']>) {
        if (this.away) throw new Error('the disk is full');
        return super.get(...args);
      }
    }
    const book = new Away();
    scene.use({ orderBook: book });
    await scene.payFor('ORDER-0002');
    book.away = true;
    const { attempts } = await scene.simulator.refund('ORDER-0002');
    expect(attempts).toMatchObject([{ verdict: 'refused', reason: 'HTTP status 500 instead of 200' }]);
    expect(scene.problems).toMatchObject([{ code: 'ORDER_BOOK_FAILED' }]);
    book.away = false;
    await eventually(() => scene.refunded.length === 1);
  });
});

describe('the order that a refund is of', () => {
  test('nobody knows it: FAIL, a problem, no run', async () => {
    scene.use({ orderBook: new MemoryOrderBook() });
    expect((await scene.simulator.refund('ORDER-0001')).attempts).toMatchObject([{ verdict: 'refused' }]);
    expect(scene.problems).toMatchObject([{ type: 'order-unknown', outTradeNo: 'ORDER-0001' }]);
    expect(scene.contexts).toEqual([]);
  });

  test("the shop's own table knows it", async () => {
    const findOrder = jest.fn(async () => ({ totalFee: 1990 }));
    scene.use({ orderBook: new MemoryOrderBook(), findOrder });
    expect((await scene.simulator.refund('ORDER-0001')).attempts).toMatchObject([{ verdict: 'acknowledged' }]);
    expect(findOrder).toHaveBeenCalledWith({ mchId: scene.simulator.merchant.mchId, outTradeNo: 'ORDER-0001' });
    expect(scene.refunded).toHaveLength(1);
  });

  test.each([
    ['total_fee', { totalFee: 1991 }],
    ['fee_type', { totalFee: 1990, feeType: 'HKD' }],
  ])('cost something else (%s): refused', async (field, found) => {
    scene.use({ orderBook: new MemoryOrderBook(), findOrder: async () => found });
    expect((await scene.simulator.refund('ORDER-0001')).attempts).toMatchObject([{ verdict: 'refused' }]);
    expect(scene.problems).toMatchObject([{ type: 'refused', code: 'ORDER_MISMATCH', field }]);
    expect(scene.contexts).toEqual([]);
  });

  test('is quarantined: a person decides first', async () => {
    const book = new MemoryOrderBook();
    scene.use({ orderBook: book, findOrder: async () => ({ totalFee: 1990, attach: 'other' }) });
    await scene.simulator.notifications.send('ORDER-0001');
    await scene.simulator.refund('ORDER-0001');
    expect(scene.problems).toMatchObject([{ type: 'quarantined' }, { type: 'refused', code: 'ORDER_QUARANTINED' }]);
    expect(scene.contexts).toEqual([]);
  });
});

describe('B21: the payment’s notification after the refund', () => {
  test('was delivered before: acknowledged, nothing runs', async () => {
    await scene.simulator.refund('ORDER-0001');
    expect(await scene.simulator.notifications.send('ORDER-0001')).toMatchObject([{ verdict: 'acknowledged' }]);
    expect([scene.paid.length, scene.refunded.length, scene.problems.length]).toEqual([1, 1, 0]);
    expect(await scene.wechatH5.confirmPayment({ outTradeNo: 'ORDER-0001' })).toMatchObject({ delivered: true });
  });

  test('was lost, and everything is refunded: onPaid never runs', async () => {
    scene.simulator.faults.loseNotification();
    await scene.payFor('ORDER-0002');
    await scene.simulator.refund('ORDER-0002', { refundFee: 1000 });
    await scene.simulator.refund('ORDER-0002');
    expect(scene.refunded).toHaveLength(2);
    const again = () => scene.simulator.notifications.send('ORDER-0002');
    expect([...(await again()), ...(await again())]).toMatchObject([
      { verdict: 'acknowledged' },
      { verdict: 'acknowledged' },
    ]);
    expect(scene.paid.map(({ outTradeNo }) => outTradeNo)).toEqual(['ORDER-0001']);
    expect(scene.problems).toMatchObject([
      { type: 'refunded-before-delivery', code: 'ORDER_REFUNDED', outTradeNo: 'ORDER-0002' },
    ]);
    expect(scene.problems).toHaveLength(1);
    expect(await scene.wechatH5.confirmPayment({ outTradeNo: 'ORDER-0002' })).toMatchObject({ delivered: false });
  });

  test('was lost, and a part is refunded: onPaid runs', async () => {
    scene.simulator.faults.loseNotification();
    await scene.payFor('ORDER-0002');
    await scene.simulator.refund('ORDER-0002', { refundFee: 1989 });
    await scene.simulator.notifications.send('ORDER-0002');
    expect(scene.paid.map(({ outTradeNo }) => outTradeNo)).toEqual(['ORDER-0001', 'ORDER-0002']);
    expect(scene.problems).toEqual([]);
  });

  test('onPaid had failed, and everything is refunded meanwhile, also without onRefunded', async () => {
    let runs = 0;
    const onPaid = (): void => {
      runs++;
      throw new Error('no stock');
    };
    scene.use({ onPaid }, { onRefunded: false });
    scene.simulator.faults.loseNotification();
    await scene.payFor('ORDER-0002');
    expect(await scene.simulator.notifications.send('ORDER-0002')).toMatchObject([{ verdict: 'refused' }]);
    await scene.simulator.refund('ORDER-0002');
    expect(await scene.wechatH5.confirmPayment({ outTradeNo: 'ORDER-0002' })).toMatchObject({ delivered: false });
    expect(await scene.simulator.notifications.send('ORDER-0002')).toMatchObject([{ verdict: 'acknowledged' }]);
    expect(runs).toBe(1);
    expect(scene.problems.map(({ type }) => type)).toEqual(['handler-failed', 'refunded-before-delivery']);
  });
});

describe('what is published of each notification', () => {
  const STAGES: NotificationStage[] = ['received', 'verified', 'refused', 'handled', 'acknowledged'];
  let published: [stage: string, code: string | undefined][];
  const listeners = STAGES.map(
    (stage) =>
      [
        `wechat-h5:notification:${stage}`,
        (event: unknown) => published.push([stage, (event as NotificationEvent).code]),
      ] as const,
  );
  beforeEach(() => {
    published = [];
    for (const [name, listener] of listeners) subscribe(name, listener);
  });
  afterEach(() => {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
  });

  test('a refund that is handed over, and its copy', async () => {
    const all = ['received', 'verified', 'handled', 'acknowledged'].map((stage) => [stage, undefined]);
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    expect(published).toEqual(all);
    published = [];
    await scene.simulator.notifications.send('ORDER-0001', { outRefundNo: 'R1' });
    expect(published).toEqual(all);
  });

  test.each([
    ['a key that is not ours', () => forge('R1'), 'REFUND_UNDECIPHERABLE'],
    ['a refund that is still PROCESSING', () => forge('R1', { apiKey: leaked() }), 'ORDER_MISMATCH'],
    [
      'a handler that throws',
      () => {
        scene.onRefunded = () => Promise.reject(new Error('no'));
        return scene.simulator.settleRefund('R1');
      },
      'HANDLER_FAILED',
    ],
    [
      'an order nobody knows',
      () => {
        scene.use({ orderBook: new MemoryOrderBook() });
        return scene.simulator.settleRefund('R1');
      },
      'ORDER_UNKNOWN',
    ],
  ])('%s: why it was refused', async (_what, happen, code) => {
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1', status: 'PROCESSING' });
    await happen();
    const first = published.findIndex(([stage]) => stage === 'refused');
    expect(published.slice(0, first + 1).at(-1)).toEqual(['refused', code]);
    expect(published.slice(0, first + 1).map(([stage]) => stage)).not.toContain('acknowledged');
  });

  test('one that ends after its deadline is refused once', async () => {
    scene.onRefunded = () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 150));
    scene.simulator.faults.loseNotification();
    await scene.simulator.refund('ORDER-0001', { outRefundNo: 'R1' });
    const body = Buffer.from(refundNoticeOf('R1'));
    await scene.wechatH5.handleNotification({ method: 'POST', body, receivedAt: performance.now() - 3_950 });
    await eventually(() => scene.problems.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(published.filter(([stage]) => stage === 'refused')).toEqual([['refused', 'HANDLER_TIMEOUT']]);
  });
});

/** A notice of a refund that the simulator knows, as genuine as its own. */
function refundNoticeOf(outRefundNo: string): string {
  const refund = scene.simulator.refunds.get(outRefundNo);
  return refundNotification(
    {
      out_trade_no: refund?.outTradeNo ?? '',
      transaction_id: refund?.transactionId ?? '',
      out_refund_no: outRefundNo,
      refund_id: refund?.refundId ?? '',
      total_fee: '1990',
      refund_fee: String(refund?.refundFee),
    },
    scene.simulator.merchant,
  );
}

function exchangeBlocks(reqInfo: string, one: number, other: number): string {
  const blocks = Buffer.from(reqInfo, 'base64').toString('hex').match(/.{32}/g) ?? [];
  [blocks[one], blocks[other]] = [blocks[other] ?? '', blocks[one] ?? ''];
  return Buffer.from(blocks.join(''), 'hex').toString('base64');
}
