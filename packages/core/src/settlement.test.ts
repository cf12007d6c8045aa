import { openHttpsGateway, type HttpsGateway } from './https-gateway.fixture.js';
import { createWechatH5, type ExchangeRateRef, type SettlementRef, type WechatH5 } from './index.js';

let gateway: HttpsGateway;
let wechatH5: WechatH5;
beforeAll(async () => {
  gateway = await openHttpsGateway();
});
beforeEach(() => {
  gateway.requests.length = 0;
  wechatH5 = createWechatH5(gateway.options());
});
afterAll(() => gateway.stop());

const SETTLED: SettlementRef = { state: 'settled', dateStart: '20261101', dateEnd: '20261130' };

describe('querySettlement', () => {
  test('several records', async () => {
    gateway.answer = () => ({
      record_num: '2',
      fbatchno_0: 'B0',
      date_settlement_0: '20261103',
      date_start_0: '20261101',
      date_end_0: '20261102',
      settlement_fee_0: '9940',
      unsettlement_fee_0: '0',
      settlementfee_type_0: 'HKD',
      pay_fee_0: '11000',
      refund_fee_0: '1000',
      pay_net_fee_0: '10000',
      poundage_fee_0: '60',
      fbatchno_1: 'B1',
      settlement_fee_1: '-500',
    });
    expect(await wechatH5.querySettlement({ ...SETTLED, offset: 10, limit: 2 })).toEqual({
      recordNum: 2,
      settlements: [
        {
          batchNo: 'B0',
          dateSettlement: '20261103',
          dateStart: '20261101',
          dateEnd: '20261102',
          settlementFee: 9940,
          unsettlementFee: 0,
          settlementFeeType: 'HKD',
          payFee: 11000,
          refundFee: 1000,
          payNetFee: 10000,
          poundageFee: 60,
        },
        { batchNo: 'B1', settlementFee: -500 },
      ],
      raw: expect.objectContaining({ fbatchno_1: 'B1' }),
    });
    expect(gateway.requests).toMatchObject([
      {
        path: '/pay/settlementquery',
        fields: {
          mchid: '10000100',
          usetag: '1',
          offset: '10',
          limit: '2',
          date_start: '20261101',
          date_end: '20261130',
        },
      },
    ]);
    expect(gateway.requests[0]?.fields).not.toHaveProperty('mch_id');
  });

  test('one record without a number, and none', async () => {
    gateway.answer = () => ({ record_num: '1', unsettlement_fee: '5', settlementfee_type: 'USD' });
    expect(await wechatH5.querySettlement({ ...SETTLED, state: 'unsettled' })).toMatchObject({
      settlements: [{ unsettlementFee: 5, settlementFeeType: 'USD' }],
    });
    expect(gateway.requests[0]?.fields).toMatchObject({ usetag: '2', offset: '0', limit: '10' });
    gateway.answer = () => ({ record_num: '0' });
    expect(await wechatH5.querySettlement(SETTLED)).toMatchObject({ settlements: [], recordNum: 0 });
  });

  test.each([
    ['usetag', { state: 'paid' }],
    ['date_start', { dateStart: '2026-11-01' }],
    ['date_start', { dateStart: '20260230' }],
    ['date_end', { dateEnd: undefined }],
    ['date_end', { dateEnd: '20261031' }],
    ['offset', { offset: -1 }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 1.5 }],
    ['usetag', { usetag: 1 }],
  ])('%s is refused by name: %j', async (field, wrong) => {
    await expect(wechatH5.querySettlement({ ...SETTLED, ...wrong } as SettlementRef)).rejects.toMatchObject({
      code: 'ORDER_FIELD_INVALID',
      field,
    });
    expect(gateway.requests).toEqual([]);
  });

  test('a reply without a count is not believed, a refusal is told', async () => {
    gateway.answer = () => ({});
    await expect(wechatH5.querySettlement(SETTLED)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    gateway.answer = () => ({ result_code: 'FAIL', err_code: 'NOAUTH' });
    await expect(wechatH5.querySettlement(SETTLED)).rejects.toMatchObject({
      code: 'GATEWAY_REFUSED',
      errCode: 'NOAUTH',
    });
  });
});

describe('queryExchangeRate', () => {
  const USD: ExchangeRateRef = { feeType: 'USD', date: '20261120' };

  beforeEach(() => {
    gateway.answer = ({ fee_type = '' }) => ({ fee_type, rate: '650000000', rate_time: '20261120' });
  });

  test('the rate times 10^8, by a request without a nonce', async () => {
    expect(await wechatH5.queryExchangeRate(USD)).toMatchObject({
      feeType: 'USD',
      rate: 650_000_000,
      rateTime: '20261120',
    });
    expect(gateway.requests).toMatchObject([
      { path: '/pay/queryexchagerate', fields: { mch_id: '10000100', fee_type: 'USD', date: '20261120' } },
    ]);
    expect(gateway.requests[0]?.fields).not.toHaveProperty('nonce_str');
  });

  test.each([
    ['fee_type', { feeType: 'usd' }],
    ['date', { date: '' }],
    ['date', { date: '99991231' }],
    ['currency', { currency: 'USD' }],
  ])('%s is refused by name: %j', async (field, wrong) => {
    await expect(wechatH5.queryExchangeRate({ ...USD, ...wrong })).rejects.toMatchObject({
      code: 'ORDER_FIELD_INVALID',
      field,
    });
    expect(gateway.requests).toEqual([]);
  });

  test.each([
    ['fee_type', { fee_type: 'HKD', rate: '1' }],
    ['rate', { fee_type: 'USD', rate: '6.5' }],
    ['rate', { fee_type: 'USD', rate: '0' }],
    ['rate', { fee_type: 'USD' }],
  ])('a reply with a wrong %s is not believed: %j', async (field, reply) => {
    gateway.answer = () => reply as Record<string, string>;
    await expect(wechatH5.queryExchangeRate(USD)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID', field });
  });
});
