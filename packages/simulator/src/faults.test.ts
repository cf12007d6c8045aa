import { createHash } from 'node:crypto';
import { eventually, openScene, type Scene } from './merchant.fixture.js';
import { buildXml, parseXml } from './xml.js';

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.stop());

function independentMd5(body: string, key: string): { sent: string | undefined; computed: string } {
  const { sign: sent, ...signed } = parseXml(body);
  const pairs = Object.keys(signed)
    .sort()
    .map((name) => `${name}=${signed[name]}`);
  return {
    sent,
    computed: createHash('md5')
      .update(`${pairs.join('&')}&key=${key}`)
      .digest('hex')
      .toUpperCase(),
  };
}

describe('scripted calls', () => {
  test('SYSTEMERROR once, signed, and nothing is applied', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { errCode: 'SYSTEMERROR' });
    const reply = await scene.call('unifiedorder', scene.order('order-1'));
    expect(reply).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: 'SYSTEMERROR',
      err_code_des: '系统错误',
      sign: expect.any(String),
    });
    expect(scene.simulator.orders.get('order-1')).toBeUndefined();
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ result_code: 'SUCCESS' });
  });

  test('any other official code, with its own words', async () => {
    scene.simulator.faults.nextCall('closeorder', { errCode: 'TRADE_STATE_ERROR', errCodeDes: '订单状态错误' });
    expect(await scene.call('closeorder', { out_trade_no: 'order-1' })).toMatchObject({
      err_code: 'TRADE_STATE_ERROR',
      err_code_des: '订单状态错误',
    });
  });

  test('the plain answer with other fields, signed again', async () => {
    await scene.place('order-1');
    const fields = { total_fee: '1', trade_state_desc: '' };
    scene.simulator.faults.nextCall('orderquery', { fields });
    const reply = { ...(await scene.call('orderquery', { out_trade_no: 'order-1' })) };
    expect(reply).toMatchObject({ result_code: 'SUCCESS', trade_state: 'NOTPAY', total_fee: '1' });
    expect(reply).not.toHaveProperty('trade_state_desc');
    const { sent, computed } = independentMd5(buildXml(reply), scene.simulator.merchant.apiKey);
    expect(sent).toBe(computed);
  });

  test('return_code=FAIL once, unsigned, and nothing is applied', async () => {
    await scene.place('order-1');
    scene.simulator.faults.nextCall('orderquery', { returnMsg: '系统繁忙' });
    expect({ ...(await scene.call('orderquery', { out_trade_no: 'order-1' })) }).toEqual({
      return_code: 'FAIL',
      return_msg: '系统繁忙',
    });
    expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject({ trade_state: 'NOTPAY' });
  });

  test.each(['apply', 'ignore'] as const)('a connection cut: %s', async (drop) => {
    scene.simulator.faults.nextCall('unifiedorder', { drop });
    await expect(scene.call('unifiedorder', scene.order('order-1'))).rejects.toThrow('fetch failed');
    expect(scene.simulator.orders.get('order-1') !== undefined).toBe(drop === 'apply');
    expect(scene.simulator.events.list().at(-1)).toMatchObject({ type: 'gateway.reply', verdict: 'DROPPED' });
    expect(scene.simulator.events.list().at(-1)).not.toHaveProperty('status');
    // The same parameters again: one order either way.
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ result_code: 'SUCCESS' });
    expect(scene.simulator.orders.list()).toHaveLength(1);
  });

  test('wait for their operation, their order and a correct signature, in the order of scripting', async () => {
    const { faults } = scene.simulator;
    faults.nextCall('unifiedorder', { errCode: 'FIRST' }, { outTradeNo: 'order-2' });
    faults.nextCall('unifiedorder', { errCode: 'SECOND' });
    expect(await scene.call('orderquery', { out_trade_no: 'order-2' })).toMatchObject({ err_code: 'ORDERNOTEXIST' });
    expect(await scene.call('unifiedorder', scene.order('order-2'), { apiKey: 'x'.repeat(32) })).toMatchObject({
      return_msg: '签名错误',
    });
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ err_code: 'SECOND' });
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ result_code: 'SUCCESS' });
    expect(await scene.call('unifiedorder', scene.order('order-2'))).toMatchObject({ err_code: 'FIRST' });
  });

  test('clear forgets them', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { errCode: 'SYSTEMERROR' });
    scene.simulator.faults.loseNotification();
    scene.simulator.faults.clear();
    await scene.place('order-1');
    expect((await scene.simulator.pay('order-1')).attempts).toHaveLength(1);
  });
});

describe('scripted notifications', () => {
  test('B02 lost: the order is paid, nobody is told', async () => {
    await scene.place('order-1');
    scene.simulator.faults.loseNotification();
    expect((await scene.simulator.pay('order-1')).attempts).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(scene.notified).toEqual([]);
    expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject({ trade_state: 'SUCCESS' });
    // It can still be sent by hand, and the next payment is told as ever.
    expect(await scene.simulator.notifications.send('order-1')).toMatchObject([{ verdict: 'acknowledged' }]);
    await scene.place('order-2');
    expect((await scene.simulator.pay('order-2')).attempts).toHaveLength(1);
  });

  test('late: it leaves after the delay', async () => {
    await scene.place('order-1');
    scene.simulator.faults.delayNotification(80, { outTradeNo: 'order-1' });
    const started = performance.now();
    expect((await scene.simulator.pay('order-1')).attempts).toEqual([]);
    expect(scene.simulator.notifications.nextAttemptAt('order-1')).toBeInstanceOf(Date);
    await eventually(() => scene.notified.length === 1);
    expect(performance.now() - started).toBeGreaterThanOrEqual(79);
  });

  test('B01 doubled: every delivery leaves as concurrent copies, until one is acknowledged', async () => {
    scene.answer = () => (scene.notified.length <= 3 ? 'no' : undefined);
    await scene.place('order-1');
    scene.simulator.faults.duplicateNotification(3);
    expect((await scene.simulator.pay('order-1')).attempts).toMatchObject([
      { attempt: 1 },
      { attempt: 1 },
      { attempt: 1 },
    ]);
    await eventually(() => scene.simulator.notifications.list().length === 6);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(scene.simulator.notifications.list().map(({ attempt, verdict }) => [attempt, verdict])).toEqual([
      ...Array<unknown>(3).fill([1, 'refused']),
      ...Array<unknown>(3).fill([2, 'acknowledged']),
    ]);
  });

  test('late and doubled at once', async () => {
    await scene.place('order-1');
    scene.simulator.faults.delayNotification(20);
    scene.simulator.faults.duplicateNotification(2);
    expect((await scene.simulator.pay('order-1')).attempts).toEqual([]);
    await eventually(() => scene.notified.length === 2);
    expect(scene.notified[0]).toBe(scene.notified[1]);
  });

  test.each([0, 1.5, 101])('%p copies are refused', (copies) => {
    expect(() => scene.simulator.faults.duplicateNotification(copies)).toThrow(RangeError);
  });
  test.each([0, -1, NaN, 86_400_001])('a delay of %p is refused', (milliseconds) => {
    expect(() => scene.simulator.faults.delayNotification(milliseconds)).toThrow(RangeError);
  });
});

describe('forged notifications', () => {
  test('claim success with a signature that the merchant’s key did not make, and change nothing', async () => {
    await scene.place('order-1');
    const attempt = await scene.simulator.faults.forgeNotification('order-1');
    expect(attempt).toMatchObject({ kind: 'forged', outTradeNo: 'order-1', requestBody: scene.notified[0] });
    expect(parseXml(attempt.requestBody)).toMatchObject({
      result_code: 'SUCCESS',
      out_trade_no: 'order-1',
      total_fee: '1990',
    });
    const { sent, computed } = independentMd5(attempt.requestBody, scene.simulator.merchant.apiKey);
    expect(sent).toMatch(/^[0-9A-F]{32}$/);
    expect(sent).not.toBe(computed);
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'NOTPAY' });
  });

  test('say what they are told to say, also with a leaked key', async () => {
    await scene.place('order-1');
    const { apiKey } = scene.simulator.merchant;
    const attempt = await scene.simulator.faults.forgeNotification('order-1', { fields: { total_fee: '1' }, apiKey });
    expect(parseXml(attempt.requestBody)).toMatchObject({ total_fee: '1' });
    const { sent, computed } = independentMd5(attempt.requestBody, apiKey);
    expect(sent).toBe(computed);
  });

  test('carry a given sign as it is', async () => {
    await scene.place('order-1');
    const attempt = await scene.simulator.faults.forgeNotification('order-1', { fields: { sign: '' } });
    expect(parseXml(attempt.requestBody)).toMatchObject({ sign: '' });
  });

  test('are not repeated when refused', async () => {
    scene.answer = () => 'no';
    await scene.place('order-1');
    expect(await scene.simulator.faults.forgeNotification('order-1')).toMatchObject({ verdict: 'refused' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(scene.notified).toHaveLength(1);
  });

  test('need an order', async () => {
    await expect(scene.simulator.faults.forgeNotification('never-placed')).rejects.toMatchObject({
      code: 'ORDER_UNKNOWN',
    });
  });
});

describe('every operation', () => {
  const OPERATIONS = [
    'unifiedorder',
    'orderquery',
    'closeorder',
    'refund',
    'refundquery',
    'settlementquery',
    'queryexchagerate',
  ] as const;
  const CODES = [
    ['SYSTEMERROR', '系统错误'],
    ['FREQUENCY_LIMITED', '频率限制'],
    ['NOTENOUGH', '余额不足'],
    ['USER_ACCOUNT_ABNORMAL', '退款请求失败'],
    ['INVALID_REQUEST', '参数错误'],
    ['ORDERPAID', '商户订单已支付'],
    ['BIZERR_NEED_RETRY', '退款业务流程错误，需要商户触发重试来解决'],
    ['A_CODE_OF_TOMORROW', 'A_CODE_OF_TOMORROW'],
  ] as const;

  test.each(OPERATIONS.flatMap((operation) => CODES.map((code) => [operation, ...code] as const)))(
    '%s answers %s on request, in the official words',
    async (operation, errCode, description) => {
      const { mchId } = scene.simulator.merchant;
      scene.simulator.faults.nextCall(operation, { errCode });
      const reply = await scene.call(operation, operation === 'settlementquery' ? { mch_id: '', mchid: mchId } : {});
      expect(reply).toMatchObject({ return_code: 'SUCCESS', result_code: 'FAIL', err_code: errCode });
      expect(reply['err_code_des']).toBe(description);
      const { sent, computed } = independentMd5(buildXml(reply), scene.simulator.merchant.apiKey);
      expect(sent).toBe(computed);
    },
  );
});

describe('SYSTEMERROR although it was applied', () => {
  const fault = { errCode: 'SYSTEMERROR', apply: true };

  test('an order: the same call again gives its link', async () => {
    scene.simulator.faults.nextCall('unifiedorder', fault);
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ err_code: 'SYSTEMERROR' });
    expect(scene.simulator.orders.get('order-1')?.links).toHaveLength(1);
    expect(await scene.call('unifiedorder', scene.order('order-1'))).toMatchObject({ result_code: 'SUCCESS' });
  });

  test('a refund: the same call again is the same refund', async () => {
    await scene.place('order-1', { total_fee: '100' });
    await scene.simulator.pay('order-1');
    const request = { out_trade_no: 'order-1', out_refund_no: 'R1', total_fee: '100', refund_fee: '60' };
    scene.simulator.faults.nextCall('refund', fault);
    expect(await scene.call('refund', request)).toMatchObject({ err_code: 'SYSTEMERROR' });
    const refundId = scene.simulator.refunds.get('R1')?.refundId;
    expect(refundId).toBeDefined();
    expect(await scene.call('refund', request)).toMatchObject({ result_code: 'SUCCESS', refund_id: refundId });
    expect(scene.simulator.refunds.list()).toHaveLength(1);
  });

  test('a close', async () => {
    await scene.place('order-1');
    scene.simulator.faults.nextCall('closeorder', fault);
    await scene.call('closeorder', { out_trade_no: 'order-1' });
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'CLOSED' });
  });
});

describe('replies that nobody should trust', () => {
  test.each([
    ['MD5', 'HMAC-SHA256', 64],
    ['HMAC-SHA256', 'MD5', 32],
  ] as const)('asked with %s, answered with %s', async (asked, answered, length) => {
    scene.simulator.faults.nextCall('unifiedorder', { signType: answered });
    const reply = await scene.call('unifiedorder', scene.order('order-1'), { signType: asked });
    expect(reply['sign']).toHaveLength(length);
    // What the order was signed with stays what its notifications are signed with.
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ signType: asked });
  });

  test.each(['', 'A'.repeat(32)])('the plain answer with the signature %j', async (sign) => {
    scene.simulator.faults.nextCall('unifiedorder', { fields: { sign } });
    const reply = await scene.call('unifiedorder', scene.order('order-1'));
    expect(reply).toMatchObject({ result_code: 'SUCCESS' });
    expect(reply['sign']).toBe(sign || undefined);
  });

  test('a page of a machine in between, and nothing is applied', async () => {
    scene.simulator.faults.nextCall('unifiedorder', { status: 502, body: '<html>Bad Gateway</html>' });
    await expect(scene.call('unifiedorder', scene.order('order-1'))).rejects.toThrow('the root must be one <xml>');
    expect(scene.simulator.orders.get('order-1')).toBeUndefined();
    expect(scene.simulator.events.list().at(-1)).toMatchObject({ status: 502, verdict: 'HTTP' });
  });

  test.each([0, 199, 600, 1.5])('an HTTP status %p is none', (status) => {
    expect(() => scene.simulator.faults.nextCall('refund', { status })).toThrow(RangeError);
  });
});
