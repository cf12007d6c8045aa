import { unifiedOrderFields, type NewOrder } from './new-order.js';

const ORDER: NewOrder = { outTradeNo: '20150806125346', body: '腾讯充值中心-QQ会员充值', totalFee: 888 };
const GIVEN = {
  clientIp: '203.0.113.7',
  notifyUrl: 'https://pay.example.com/notify',
  sceneInfo: { type: 'Wap', wapUrl: 'https://pay.qq.com', wapName: '腾讯充值' },
  now: new Date('2026-01-01T00:00:00Z'),
} as const;

const fieldsOf = (order: Partial<NewOrder> | Record<string, unknown>): Record<string, string> =>
  unifiedOrderFields({ ...ORDER, ...order } as NewOrder, GIVEN);

test('a plain order', () => {
  expect(fieldsOf({})).toEqual({
    device_info: 'WEB',
    body: '腾讯充值中心-QQ会员充值',
    out_trade_no: '20150806125346',
    total_fee: '888',
    spbill_create_ip: '203.0.113.7',
    notify_url: 'https://pay.example.com/notify',
    trade_type: 'MWEB',
    scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://pay.qq.com","wap_name":"腾讯充值"}}',
  });
});

test('everything an order may have', () => {
  expect(
    fieldsOf({
      feeType: 'HKD',
      attach: 'a=1&b=2',
      detail: '{"goods_detail":[]}',
      goodsTag: 'WXG',
      limitPay: 'no_credit',
      receipt: true,
      profitSharing: false,
      deviceInfo: '013467007045764',
      timeExpire: new Date('2026-01-01T00:30:00Z'),
      sceneInfo: { type: 'Android', appName: '王者荣耀', packageName: 'com.tencent.tmgp.sgame' },
    }),
  ).toMatchObject({
    fee_type: 'HKD',
    attach: 'a=1&b=2',
    detail: '{"goods_detail":[]}',
    goods_tag: 'WXG',
    limit_pay: 'no_credit',
    receipt: 'Y',
    profit_sharing: 'N',
    device_info: '013467007045764',
    time_expire: '20260101083000',
    scene_info: '{"h5_info":{"type":"Android","app_name":"王者荣耀","package_name":"com.tencent.tmgp.sgame"}}',
  });
});

test.each([
  ['D24', 'out_trade_no', { outTradeNo: '12345' }],
  ['D24', 'out_trade_no', { outTradeNo: '1'.repeat(33) }],
  ['D24', 'out_trade_no', { outTradeNo: '订单123456' }],
  ['D24', 'out_trade_no', { outTradeNo: '123 456' }],
  ['D24', 'out_trade_no', { outTradeNo: '123456\n' }],
  ['D24', 'out_trade_no', { outTradeNo: undefined }],
  ['D25', 'total_fee', { totalFee: 0.1 + 0.2 }],
  ['D25', 'total_fee', { totalFee: 19.9 * 100 }],
  ['D25', 'total_fee', { totalFee: 0 }],
  ['D25', 'total_fee', { totalFee: -1 }],
  ['D25', 'total_fee', { totalFee: NaN }],
  ['D25', 'total_fee', { totalFee: Infinity }],
  ['D25', 'total_fee', { totalFee: 2 ** 31 }],
  ['D25', 'total_fee', { totalFee: '1.00' }],
  ['D25', 'total_fee', { totalFee: 1n }],
  ['D23', 'body', { body: '' }],
  ['D23', 'body', { body: '  ' }],
  ['D23', 'body', { body: '好'.repeat(128) }],
  ['D23', 'body', { body: 'line\nbreak' }],
  ['D23', 'body', { body: 'nul\u0000' }],
  ['D23', 'body', { body: 'half \ud83d' }],
  ['X26', 'attach', { attach: 'a\r\nb' }],
  ['D23', 'attach', { attach: 'x'.repeat(128) }],
  ['re-cut', 'attach', { attach: 'a&total_fee=1' }],
  ['re-cut', 'body', { body: 'shop&coupon_fee_0=1' }],
  ['T04', 'time_expire', { timeExpire: new Date('2026-01-01T00:00:59Z') }],
  ['T04', 'time_expire', { timeExpire: new Date('2025-12-31T23:59:00Z') }],
  ['T04', 'time_expire', { timeExpire: new Date(NaN) }],
  ['T04', 'time_expire', { timeExpire: '20260101083000' }],
  [
    'length',
    'scene_info',
    { sceneInfo: { type: 'Wap', wapUrl: `https://${'a'.repeat(200)}.example`, wapName: '店'.repeat(40) } },
  ],
  ['type', 'scene_info', { sceneInfo: { type: 'iOS', appName: 'a', bundleId: 'b' } }],
  ['currency', 'fee_type', { feeType: 'cny' }],
  ['JSON', 'detail', { detail: '{' }],
  ['value', 'limit_pay', { limitPay: 'no_debit' }],
  ['name', 'total_fee', { total_fee: 1 }],
  ['name', 'price', { price: 1 }],
  ['XML', 'body', { body: 'x\ufffe' }],
  ['boolean', 'profit_sharing', { profitSharing: 'false' }],
  ['boolean', 'receipt', { receipt: 'yes' }],
  ['URL', 'scene_info', { sceneInfo: { type: 'Wap', wapUrl: 'x', wapName: 'y' } }],
  ['member', 'scene_info', { sceneInfo: { type: 'Wap', wapUrl: 'https://a.example', wapName: 'y', bundleId: 'z' } }],
])('%s: %s is refused by name: %o', (_id, field, order) => {
  expect(() => fieldsOf(order)).toThrow(
    expect.objectContaining({
      code: 'ORDER_FIELD_INVALID',
      field: expect.stringContaining(field),
      hint: expect.stringMatching(/./),
    }),
  );
});

test('a misspelt field says which one was meant', () => {
  expect(() => fieldsOf({ out_trade_no: 'x' })).toThrow(expect.objectContaining({ hint: 'Did you mean outTradeNo?' }));
});

test('characters are counted as people count them', () => {
  expect(fieldsOf({ body: '🎁'.repeat(127) })['body']).toHaveLength(254);
});

test('D24: numbers that differ only in case are two numbers', () => {
  expect(fieldsOf({ outTradeNo: 'ABCDEF' })['out_trade_no']).not.toBe(
    fieldsOf({ outTradeNo: 'abcdef' })['out_trade_no'],
  );
});
