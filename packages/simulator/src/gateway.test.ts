import { createHash, createHmac } from 'node:crypto';
import { openScene, type Scene } from './merchant.fixture.js';
import { parseXml } from './xml.js';

let scene: Scene;
let now = new Date('2026-11-23T04:00:00Z');
beforeAll(async () => {
  scene = await openScene({ now: () => now });
});
afterAll(() => scene.stop());
beforeEach(() => {
  now = new Date('2026-11-23T04:00:00Z');
});

const minutes = (count: number): void => {
  now = new Date(now.getTime() + count * 60_000);
};

/** Written out from the documentation, not taken from the code under test. */
function independentSign(fields: Record<string, string>, key: string, type: 'MD5' | 'HMAC-SHA256'): string {
  const text = Object.entries(fields)
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .concat(`key=${key}`)
    .join('&');
  const hash = type === 'MD5' ? createHash('md5') : createHmac('sha256', key);
  return hash.update(text).digest('hex').toUpperCase();
}

async function raw(body: string | Uint8Array | undefined, init: RequestInit = {}, path = 'unifiedorder') {
  const reply = await fetch(`${scene.simulator.url}/pay/${path}`, { method: 'POST', body, ...init } as RequestInit);
  return { status: reply.status, fields: { ...parseXml(await reply.text()) } };
}

describe('unifiedorder', () => {
  test('answers with both layers, a signed reply and a link that carries prepay_id and package', async () => {
    const { simulator } = scene;
    const reply = await scene.call('unifiedorder', scene.order('first-order', { device_info: 'WEB' }));
    expect(reply).toMatchObject({
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: simulator.merchant.appId,
      mch_id: simulator.merchant.mchId,
      device_info: 'WEB',
      result_code: 'SUCCESS',
      trade_type: 'MWEB',
      nonce_str: expect.stringMatching(/^[0-9A-Za-z]{16}$/),
      prepay_id: expect.stringMatching(/^wx20261123120000sim[0-9a-f]{17}$/),
    });
    expect(reply['sign']).toBe(independentSign(reply, simulator.merchant.apiKey, 'MD5'));
    const link = new URL(reply['mweb_url'] ?? '');
    expect(`${link.origin}${link.pathname}`).toBe(`${simulator.url}/cgi-bin/mmpayweb-bin/checkmweb`);
    expect(Object.fromEntries(link.searchParams)).toEqual({
      prepay_id: reply['prepay_id'],
      package: expect.stringMatching(/^\d{10}$/),
    });
  });

  test('signs the reply with the type of the request', async () => {
    const reply = await scene.call('unifiedorder', scene.order('hmac-order'), { signType: 'HMAC-SHA256' });
    expect(reply['sign']).toBe(independentSign(reply, scene.simulator.merchant.apiKey, 'HMAC-SHA256'));
    expect(scene.simulator.orders.get('hmac-order')).toMatchObject({ signType: 'HMAC-SHA256' });
  });

  test('keeps the order: fee_type absent means CNY, a week to pay, nothing of the key', async () => {
    await scene.place('kept-order', { attach: 'a=1&b=2', spbill_create_ip: '::1' });
    const order = scene.simulator.orders.get('kept-order');
    expect(order).toMatchObject({
      totalFee: 1990,
      feeType: 'CNY',
      spbillCreateIp: '::1',
      tradeState: 'NOTPAY',
      createdAt: now,
      expiresAt: new Date('2026-11-30T04:00:00Z'),
    });
    expect(order?.fields).toMatchObject({ attach: 'a=1&b=2' });
    expect(JSON.stringify(scene.simulator.orders.list())).not.toContain(scene.simulator.merchant.apiKey);
  });

  test('the same number with the same parameters gets a fresh link; nonce, sign type and signature may differ', async () => {
    const first = await scene.place('again-order');
    minutes(2);
    const again = await scene.call(
      'unifiedorder',
      { ...scene.order('again-order'), nonce_str: 'other' },
      { signType: 'HMAC-SHA256' },
    );
    expect(again['result_code']).toBe('SUCCESS');
    expect(again['mweb_url']).not.toBe(first);
    expect(scene.simulator.orders.get('again-order')?.links).toHaveLength(2);
    // The payment will be told with the type used last.
    expect(scene.simulator.orders.get('again-order')).toMatchObject({ signType: 'HMAC-SHA256' });
  });

  test.each([
    ['another amount', { total_fee: '1991' }],
    ['another description', { body: 'tea' }],
    ['another address', { spbill_create_ip: '127.0.0.2' }],
    ['another attach', { attach: 'x' }],
    ['a time_expire of its own', { time_expire: '20261123123000' }],
  ])('B13 the same number with %s is refused as 201 商户订单号重复', async (_what, changes) => {
    await scene.call('unifiedorder', scene.order('reused-number'));
    expect(await scene.call('unifiedorder', scene.order('reused-number', changes))).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: 'INVALID_REQUEST',
      err_code_des: '201 商户订单号重复',
    });
  });

  test('a paid and a closed number cannot be used again', async () => {
    await scene.place('paid-number');
    await scene.simulator.pay('paid-number');
    expect(await scene.call('unifiedorder', scene.order('paid-number'))).toMatchObject({ err_code: 'ORDERPAID' });
    await scene.place('closed-number');
    await scene.call('closeorder', { out_trade_no: 'closed-number' });
    expect(await scene.call('unifiedorder', scene.order('closed-number'))).toMatchObject({ err_code: 'ORDERCLOSED' });
  });

  test('time_expire counts from the first order: repeating it later is fine, until it has come', async () => {
    const expiring = scene.order('expiring-order', { time_expire: '20261123120600' });
    expect(await scene.call('unifiedorder', expiring)).toMatchObject({ result_code: 'SUCCESS' });
    minutes(4);
    expect(await scene.call('unifiedorder', expiring)).toMatchObject({ result_code: 'SUCCESS' });
    minutes(2);
    expect(await scene.call('unifiedorder', expiring)).toMatchObject({ err_code: 'ORDERCLOSED' });
    expect(scene.simulator.orders.get('expiring-order')).toMatchObject({ tradeState: 'CLOSED' });
  });
});

describe('what cannot be authenticated is answered unsigned, with return_code and return_msg alone', () => {
  const fails = (returnMsg: string) => ({ status: 200, fields: { return_code: 'FAIL', return_msg: returnMsg } });

  test('REQUIRE_POST_METHOD', async () => {
    expect(await raw(undefined, { method: 'GET' })).toEqual(fails('请使用post方法'));
  });
  test('POST_DATA_EMPTY', async () => {
    expect(await raw('')).toEqual(fails('post数据为空'));
  });
  test('NOT_UTF8', async () => {
    expect(await raw(Buffer.from('<xml><body>\xd6\xd0</body></xml>', 'latin1'))).toEqual(fails('编码格式错误'));
  });
  test.each(['{"appid":"wx"}', '<xml><appid>wx', '<!DOCTYPE xml><xml/>', 'appid=wx&mch_id=1'])(
    'XML_FORMAT_ERROR for %s',
    async (body) => {
      expect(await raw(body)).toEqual(fails('XML格式错误'));
    },
  );
  test.each(['appid', 'mch_id', 'nonce_str', 'sign'])('LACK_PARAMS without %s', async (name) => {
    expect({ ...(await scene.call('unifiedorder', { ...scene.order('lacking'), [name]: '' })) }).toEqual(
      fails('缺少参数').fields,
    );
  });
  test.each([
    ['MCHID_NOT_EXIST', { mch_id: '1' }, 'MCHID不存在'],
    ['APPID_NOT_EXIST', { appid: 'nonsense' }, 'APPID不存在'],
    ['APPID_MCHID_NOT_MATCH', { appid: 'wx0000000000000000' }, 'appid和mch_id不匹配'],
    ['PARAM_ERROR', { nonce_str: 'n'.repeat(33) }, 'nonce_str参数长度有误'],
    ['PARAM_ERROR', { sign_type: 'SHA1' }, 'sign_type参数格式错误'],
    ['SIGNERROR', { sign: '0'.repeat(32) }, '签名错误'],
  ])('%s', async (code, changes, returnMsg) => {
    expect({ ...(await scene.call('unifiedorder', { ...scene.order('stranger'), ...changes })) }).toEqual(
      fails(returnMsg).fields,
    );
    expect(scene.simulator.events.list().at(-1)).toMatchObject({ type: 'gateway.reply', verdict: code });
    expect(scene.simulator.orders.get('stranger')).toBeUndefined();
  });
  test('SIGNERROR for another key, and for a type that sign_type does not name', async () => {
    const order = scene.order('stranger');
    expect(await scene.call('unifiedorder', order, { apiKey: 'x'.repeat(32) })).toMatchObject({
      return_msg: '签名错误',
    });
    const undeclared = { ...order, sign_type: '' };
    expect(await scene.call('unifiedorder', undeclared, { signType: 'HMAC-SHA256' })).toMatchObject({
      return_msg: '签名错误',
    });
  });
});

describe('orderquery', () => {
  test('NOTPAY: the state and little else', async () => {
    await scene.place('query-unpaid', { attach: 'shelf 7' });
    const reply = await scene.call('orderquery', { out_trade_no: 'query-unpaid' });
    expect(Object.keys(reply).sort()).toEqual(
      'appid attach mch_id nonce_str out_trade_no result_code return_code return_msg sign total_fee trade_state trade_state_desc'.split(
        ' ',
      ),
    );
    expect(reply).toMatchObject({
      trade_state: 'NOTPAY',
      trade_state_desc: '订单未支付',
      attach: 'shelf 7',
      total_fee: '1990',
    });
  });

  test('SUCCESS: the payment, by either number; the transaction id wins', async () => {
    await scene.place('query-paid', { fee_type: 'HKD' });
    const { order } = await scene.simulator.pay('query-paid', { openId: 'oPayer', bankType: 'CMB_DEBIT' });
    const transactionId = order.payment?.transactionId ?? '';
    expect(transactionId).toMatch(/^990000000020261123\d{10}$/);
    for (const ref of [
      { out_trade_no: 'query-paid' },
      { transaction_id: transactionId },
      { transaction_id: transactionId, out_trade_no: 'query-unpaid' },
    ]) {
      const reply = await scene.call('orderquery', ref);
      expect(reply).toMatchObject({
        trade_state: 'SUCCESS',
        out_trade_no: 'query-paid',
        transaction_id: transactionId,
        total_fee: '1990',
        fee_type: 'HKD',
        cash_fee: '1831',
        openid: 'oPayer',
        bank_type: 'CMB_DEBIT',
        trade_type: 'MWEB',
        time_end: '20261123120000',
      });
      expect(reply['sign']).toBe(independentSign(reply, scene.simulator.merchant.apiKey, 'MD5'));
    }
  });

  test('CLOSED by closeorder, and by itself after seven days', async () => {
    await scene.place('query-closed');
    await scene.call('closeorder', { out_trade_no: 'query-closed' });
    await scene.place('query-old');
    minutes(7 * 24 * 60);
    for (const number of ['query-closed', 'query-old']) {
      expect(await scene.call('orderquery', { out_trade_no: number })).toMatchObject({
        trade_state: 'CLOSED',
        trade_state_desc: '订单已关闭',
      });
    }
  });

  test.each([
    ['ORDERNOTEXIST', { out_trade_no: 'never-placed' }],
    ['ORDERNOTEXIST', { transaction_id: '4200000000000000000000000000' }],
    ['LACK_PARAMS', {}],
    ['PARAM_ERROR', { out_trade_no: '中文' }],
    ['PARAM_ERROR', { transaction_id: '4'.repeat(33) }],
  ])('%s for %p', async (code, ref) => {
    expect(await scene.call('orderquery', ref)).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: code,
    });
  });
});

describe('closeorder', () => {
  test('closes what is unpaid, once', async () => {
    await scene.place('close-me');
    minutes(5);
    expect(await scene.call('closeorder', { out_trade_no: 'close-me' })).toMatchObject({
      result_code: 'SUCCESS',
      result_msg: 'OK',
    });
    expect(scene.simulator.events.list().at(-1)?.reason).toBeUndefined();
    expect(await scene.call('closeorder', { out_trade_no: 'close-me' })).toMatchObject({ err_code: 'ORDERCLOSED' });
  });
  test('B08 refuses what is paid', async () => {
    await scene.place('close-paid');
    await scene.simulator.pay('close-paid');
    expect(await scene.call('closeorder', { out_trade_no: 'close-paid' })).toMatchObject({ err_code: 'ORDERPAID' });
    expect(scene.simulator.orders.get('close-paid')).toMatchObject({ tradeState: 'SUCCESS' });
  });
  test('B09 reports success for a number it never saw', async () => {
    expect(await scene.call('closeorder', { out_trade_no: 'never-placed' })).toMatchObject({ result_code: 'SUCCESS' });
    expect(await scene.call('orderquery', { out_trade_no: 'never-placed' })).toMatchObject({
      err_code: 'ORDERNOTEXIST',
    });
  });
  test('notes a close within five minutes of creation', async () => {
    await scene.place('close-early');
    minutes(4);
    await scene.call('closeorder', { out_trade_no: 'close-early' });
    expect(scene.simulator.events.list().at(-1)).toMatchObject({
      verdict: 'SUCCESS',
      reason: expect.stringContaining('five minutes'),
    });
  });
  test('LACK_PARAMS without a number', async () => {
    expect(await scene.call('closeorder', {})).toMatchObject({ err_code: 'LACK_PARAMS' });
  });
});

test('what is not an operation is nothing here, and too much is refused', async () => {
  expect((await fetch(`${scene.simulator.url}/pay/constructor`, { method: 'POST', body: 'x' })).status).toBe(404);
  expect(
    (await fetch(`${scene.simulator.url}/pay/unifiedorder`, { method: 'POST', body: 'x'.repeat(65_537) })).status,
  ).toBe(413);
});

test('records what reached and left the gateway', async () => {
  const from = scene.simulator.events.list().at(-1)?.number ?? 0;
  await scene.place('recorded-order');
  const [request, reply] = scene.simulator.events.list().filter(({ number }) => number > from);
  expect(request).toMatchObject({
    type: 'gateway.request',
    operation: 'unifiedorder',
    outTradeNo: 'recorded-order',
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    at: now,
    fields: { spbill_create_ip: '127.0.0.1', total_fee: '1990' },
  });
  expect(reply).toMatchObject({
    type: 'gateway.reply',
    status: 200,
    verdict: 'SUCCESS',
    fields: { mweb_url: expect.stringContaining('checkmweb') },
  });
});
