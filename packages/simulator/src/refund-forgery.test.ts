import { openScene, type Scene } from './merchant.fixture.js';
import { openReqInfo } from './refunds.fixture.js';
import { parseXml } from './xml.js';

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
  for (const number of ['order-1', 'order-2']) {
    await scene.place(number);
    await scene.simulator.pay(number);
  }
});
afterEach(() => scene.stop());

const apiKey = () => scene.simulator.merchant.apiKey;
const forge = (...args: Parameters<Scene['simulator']['faults']['forgeRefundNotification']>) =>
  scene.simulator.faults.forgeRefundNotification(...args);

describe('enciphered anew', () => {
  test('with a key that is nobody’s, it claims success for a refund that has not ended', async () => {
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', status: 'PROCESSING' });
    const attempt = await forge('R1');
    expect(attempt).toMatchObject({ kind: 'forged', outTradeNo: 'order-1', outRefundNo: 'R1', attempt: 1 });
    expect(() => openReqInfo(attempt.requestBody, apiKey())).toThrow(/bad decrypt|the root/);
    expect(scene.simulator.refunds.get('R1')).toMatchObject({ status: 'PROCESSING' });
  });

  test('says what it is told to say, with a leaked key', async () => {
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 90, status: 'REFUNDCLOSE' });
    const attempt = await forge('R1', { fields: { refund_fee: '1990' }, apiKey: apiKey() });
    expect(openReqInfo(attempt.requestBody, apiKey()).fields).toMatchObject({
      out_refund_no: 'R1',
      refund_fee: '1990',
      refund_status: 'SUCCESS',
      success_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });
  });
});

describe('X33 spliced', () => {
  test('a closed refund claims the success of another one, and no key was used', async () => {
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 11, status: 'REFUNDCLOSE' });
    await scene.simulator.refund('order-2', { outRefundNo: 'R2', refundFee: 22 });
    const genuine = scene.notified.slice(-2).map((body) => parseXml(body)['req_info'] ?? '');
    const attempt = await forge('R1', { spliceWith: 'R2' });
    const one = scene.simulator.refunds.get('R1');
    const other = scene.simulator.refunds.get('R2');
    expect(openReqInfo(attempt.requestBody, apiKey()).fields).toMatchObject({
      out_refund_no: 'R1',
      out_trade_no: 'order-1',
      refund_fee: '11',
      refund_id: one?.refundId,
      refund_status: 'SUCCESS',
      settlement_refund_fee: '22',
      transaction_id: other?.transactionId,
    });
    // Every block of it had been sent before.
    const blocks = (reqInfo: string): string[] => Buffer.from(reqInfo, 'base64').toString('hex').match(/.{32}/g) ?? [];
    const known = new Set(genuine.flatMap(blocks));
    const spliced = blocks(parseXml(attempt.requestBody)['req_info'] ?? '');
    expect(spliced.filter((block) => !known.has(block))).toEqual([]);
  });

  test('fits also when the numbers differ by whole blocks', async () => {
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 11, status: 'REFUNDCLOSE' });
    await scene.simulator.refund('order-2', { outRefundNo: `R2${'x'.repeat(16)}`, refundFee: 22 });
    const attempt = await forge('R1', { spliceWith: `R2${'x'.repeat(16)}` });
    expect(openReqInfo(attempt.requestBody, apiKey()).fields).toMatchObject({
      out_refund_no: 'R1',
      refund_status: 'SUCCESS',
    });
  });

  test('does not fit when they end elsewhere in a block', async () => {
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 11 });
    await scene.simulator.refund('order-2', { outRefundNo: 'R22', refundFee: 22 });
    await expect(forge('R1', { spliceWith: 'R22' })).rejects.toThrow(RangeError);
  });

  test('needs two that were told', async () => {
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', status: 'PROCESSING' });
    await scene.simulator.refund('order-2', { outRefundNo: 'R2' });
    await expect(forge('R1', { spliceWith: 'R2' })).rejects.toMatchObject({ code: 'REFUND_PROCESSING' });
    await expect(forge('R2', { spliceWith: 'R1' })).rejects.toMatchObject({ code: 'REFUND_PROCESSING' });
    await expect(forge('R2', { spliceWith: 'never' })).rejects.toMatchObject({ code: 'REFUND_UNKNOWN' });
  });
});

test('replayed: the first genuine cipher text in a new envelope', async () => {
  await scene.simulator.refund('order-1', { outRefundNo: 'R1', status: 'CHANGE' });
  await scene.simulator.settleRefund('R1', 'SUCCESS');
  const first = parseXml(scene.notified.at(-2) ?? '');
  const replayed = parseXml((await forge('R1', { replay: true })).requestBody);
  expect(replayed['req_info']).toBe(first['req_info']);
  expect(replayed['nonce_str']).not.toBe(first['nonce_str']);
  await scene.simulator.refund('order-2', { outRefundNo: 'R2', status: 'PROCESSING' });
  await expect(forge('R2', { replay: true })).rejects.toMatchObject({ code: 'REFUND_PROCESSING' });
});

test('is not repeated when refused, goes where the refund’s go, and needs a refund', async () => {
  const urls: unknown[] = [];
  scene.answer = (_body, request) => {
    urls.push(request.url);
    return 'no';
  };
  await scene.simulator.refund('order-1', {
    outRefundNo: 'R1',
    status: 'PROCESSING',
    notifyUrl: `${scene.shopUrl}/refunds`,
  });
  expect(await forge('R1')).toMatchObject({ verdict: 'refused' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(urls).toEqual(['/refunds']);
  await expect(forge('never')).rejects.toMatchObject({ code: 'REFUND_UNKNOWN' });
});
