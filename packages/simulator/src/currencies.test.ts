import { openScene, type Scene } from './merchant.fixture.js';
import { parseXml } from './xml.js';

let scene: Scene;
let now = new Date('2026-11-23T04:00:00Z');
beforeEach(async () => {
  now = new Date('2026-11-23T04:00:00Z');
  scene = await openScene({ now: () => now });
});
afterEach(() => scene.stop());

async function paid(outTradeNo: string, totalFee: string, feeType: string): Promise<void> {
  await scene.place(outTradeNo, { total_fee: totalFee, fee_type: feeType });
  await scene.simulator.pay(outTradeNo);
}

test.each([
  ['USD', '1750', '12600', '720000000'],
  ['HKD', '1', '1', '92000000'],
  // Its smallest unit is the whole yen.
  ['JPY', '1000', '4800', '4800000'],
])('%s %s are charged as %s fen, at a rate that is told', async (currency, totalFee, cashFee, rate) => {
  await paid('order-1', totalFee, currency);
  const charged = { total_fee: totalFee, fee_type: currency, cash_fee: cashFee, cash_fee_type: 'CNY', rate };
  expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject(charged);
  expect({ ...parseXml(scene.notified[0] ?? '') }).toMatchObject(charged);
});

test('a refund is in the currency of the order, and gives its share of what was charged back', async () => {
  await paid('order-1', '1000', 'USD');
  const reply = await scene.call('refund', {
    out_trade_no: 'order-1',
    out_refund_no: 'R1',
    total_fee: '1000',
    refund_fee: '250',
    refund_fee_type: 'USD',
  });
  expect(reply).toMatchObject({
    result_code: 'SUCCESS',
    fee_type: 'USD',
    refund_fee: '250',
    refund_fee_type: 'USD',
    cash_fee: '7200',
    cash_refund_fee: '1800',
    cash_refund_fee_type: 'CNY',
    rate: '720000000',
  });
  expect(await scene.call('refundquery', { out_refund_no: 'R1' })).toMatchObject({ fee_type: 'USD', cash_fee: '7200' });
});

describe('a merchant with currencies of its own', () => {
  const refused = { err_code: 'PARAM_ERROR', err_code_des: 'fee_type参数格式错误' };

  test('on the mainland takes CNY alone, said or not', async () => {
    const mainland = await openScene({ merchant: { currencies: ['CNY'] } });
    await mainland.place('order-1');
    await mainland.place('order-2', { fee_type: 'CNY' });
    expect(await mainland.call('unifiedorder', mainland.order('order-3', { fee_type: 'USD' }))).toMatchObject(refused);
    await mainland.stop();
  });

  test('without CNY has to say what it asks for', async () => {
    const abroad = await openScene({ merchant: { currencies: ['HKD', 'USD'] } });
    await abroad.place('order-1', { fee_type: 'HKD' });
    expect(await abroad.call('unifiedorder', abroad.order('order-2', { fee_type: 'CNY' }))).toMatchObject(refused);
    expect(await abroad.call('unifiedorder', abroad.order('order-2'))).toMatchObject({
      err_code: 'LACK_PARAMS',
      err_code_des: '缺少参数fee_type',
    });
    await abroad.stop();
  });

  test.each([[[]], [['XXX']], [['CNY', 'usd']]])('cannot have %j', async (currencies) => {
    await expect(openScene({ merchant: { currencies } })).rejects.toThrow('merchant.currencies');
  });
});

describe('queryexchagerate', () => {
  const ask = (fields: Record<string, string>) => scene.call('queryexchagerate', { nonce_str: '', ...fields });

  test('needs no nonce, and its signed reply has neither one nor a result_code', async () => {
    const { appId, mchId } = scene.simulator.merchant;
    expect({ ...(await ask({ fee_type: 'USD', date: '20261123' })) }).toEqual({
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: appId,
      mch_id: mchId,
      fee_type: 'USD',
      rate_time: '20261123',
      rate: '720000000',
      sign: expect.stringMatching(/^[0-9A-F]{32}$/),
    });
  });

  test('the rate of a day is there from ten in the morning on', async () => {
    const today = { fee_type: 'USD', date: '20261124' };
    now = new Date('2026-11-24T01:59:59Z');
    expect(await ask(today)).toMatchObject({ result_code: 'FAIL', err_code: 'PARAM_ERROR' });
    now = new Date('2026-11-24T02:00:00Z');
    expect(await ask(today)).toMatchObject({ rate_time: '20261124' });
  });

  test.each([
    [{ fee_type: 'XXX', date: '20261123' }, 'PARAM_ERROR'],
    [{ date: '20261123' }, 'LACK_PARAMS'],
    [{ fee_type: 'USD', date: '20260231' }, 'PARAM_ERROR'],
    [{ fee_type: 'USD' }, 'LACK_PARAMS'],
  ])('refuses %j', async (fields, code) => {
    expect(await ask(fields as Record<string, string>)).toMatchObject({ result_code: 'FAIL', err_code: code });
  });
});

describe('settlementquery', () => {
  const ask = (changes: Record<string, string> = {}) =>
    scene.call('settlementquery', {
      mch_id: '',
      mchid: scene.simulator.merchant.mchId,
      usetag: '2',
      offset: '0',
      limit: '10',
      date_start: '20261101',
      date_end: '20261130',
      ...changes,
    });

  test('one record for each day and currency, unsettled until the next day', async () => {
    await paid('order-1', '10000', 'USD');
    await scene.simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 1000 });
    await paid('order-2', '500', 'HKD');
    const record = {
      record_num: '2',
      date_settlement_0: '20261124',
      date_start_0: '20261123',
      date_end_0: '20261123',
      settlementfee_type_0: 'USD',
      pay_fee_0: '10000',
      refund_fee_0: '1000',
      pay_net_fee_0: '9000',
      poundage_fee_0: '54',
      settlementfee_type_1: 'HKD',
    };
    expect(await ask()).toMatchObject({
      ...record,
      mch_id: scene.simulator.merchant.mchId,
      settlement_fee_0: '0',
      unsettlement_fee_0: '8946',
    });
    expect(await ask({ usetag: '1' })).toMatchObject({ record_num: '0' });
    now = new Date('2026-11-24T04:00:00Z');
    expect(await ask({ usetag: '1' })).toMatchObject({ ...record, settlement_fee_0: '8946', unsettlement_fee_0: '0' });
    expect(await ask()).toMatchObject({ record_num: '0' });
  });

  test('page by page, and only the days asked for', async () => {
    await paid('order-1', '10000', 'USD');
    await paid('order-2', '500', 'HKD');
    const second = await ask({ offset: '1', limit: '1' });
    expect(second).toMatchObject({ record_num: '1', settlementfee_type_0: 'HKD' });
    expect(second['settlementfee_type_1']).toBeUndefined();
    expect(await ask({ date_end: '20261122' })).toMatchObject({ record_num: '0' });
  });

  test.each([
    [{ usetag: '3' }, 'PARAM_ERROR'],
    [{ limit: '0' }, 'PARAM_ERROR'],
    [{ offset: '-1' }, 'PARAM_ERROR'],
    [{ date_start: '20261131' }, 'PARAM_ERROR'],
    [{ date_end: '' }, 'LACK_PARAMS'],
  ])('refuses %j', async (changes, code) => {
    expect(await ask(changes as Record<string, string>)).toMatchObject({ result_code: 'FAIL', err_code: code });
  });
});
