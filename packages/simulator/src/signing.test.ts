import { isSignedBy, sign } from './signing.js';

const DOCUMENTED_KEY = '192006250b4c09247ec02edce69f6a2d';
const BASE = { appid: 'wxd930ea5d5a258f4f', mch_id: '10000100', nonce_str: 'ibuaiVcKdpRxkhJA' };
const S1 = { ...BASE, device_info: '1000', body: 'test' };
const S3 = {
  appId: 'mock-appid',
  timeStamp: '1601234567',
  nonceStr: 'mock-nonce',
  package: 'prepay_id=mock-prepay-id',
};
const O1 = {
  appid: 'wx2421b1c4370ec43b',
  attach: '支付测试',
  bank_type: 'CFT',
  cash_fee: '70',
  coupon_count: '2',
  coupon_fee: '30',
  coupon_fee_0: '10',
  coupon_fee_1: '20',
  coupon_id_0: '10000',
  coupon_id_1: '10001',
  coupon_type_0: 'CASH',
  coupon_type_1: 'NO_CASH',
  fee_type: 'CNY',
  is_subscribe: 'Y',
  mch_id: '10000100',
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  out_trade_no: '1409811653',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  time_end: '20140903131540',
  total_fee: '100',
  trade_type: 'MWEB',
  transaction_id: '1004400740201409030005092168',
};
const O2 = { ...BASE, attach: 'a=1&b=2', coupon_fee: '0', device_info: '', total_fee: '0' };
const O3 = { ...BASE, coupon_fee: '12', coupon_fee_10: '10', coupon_fee_2: '2' };
const O4 = {
  ...BASE,
  body: '腾讯充值中心-QQ会员充值',
  notify_url: 'https://example.com/wxpay/notify',
  out_trade_no: '20150806125346',
  scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://pay.qq.com","wap_name":"腾讯充值"}}',
  spbill_create_ip: '2001:db8::1',
  total_fee: '888',
  trade_type: 'MWEB',
};

// S1 and S2 are WeChat's own (security rules, chapter 4_3); S3 to S5 are published by other libraries. O1 to O4 were
// computed by hand with WeChat's documented key, for the edges that no published vector reaches.
test.each([
  ['S1', S1, DOCUMENTED_KEY, 'MD5', '9A0A8659F005D6984697E2CA0A9CF3B7'],
  ['S2', S1, DOCUMENTED_KEY, 'HMAC-SHA256', '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6'],
  ['S3', { ...S3, signType: 'MD5' }, 'mock-v2-secret-key', 'MD5', 'C52D6B09E8A039D6E8696A014BB37160'],
  [
    'S4',
    { ...S3, signType: 'HMAC-SHA256' },
    'mock-v2-secret-key',
    'HMAC-SHA256',
    'BAC9240577E86EDC7753264E502196C61F78F24777E9E7CCE82A7BD97F906EED',
  ],
  ['S5', { name: 'yansongda', age: '29', foo: '' }, 'yansongda', 'MD5', '3213848AED2C380749FD1D559555881D'],
  ['O1', O1, DOCUMENTED_KEY, 'MD5', 'DBBD7EA4E63C9C5D89C776C72E4B554A'],
  ['O1', O1, DOCUMENTED_KEY, 'HMAC-SHA256', '5B5C97AD0A2D24A73C2107F508FFBB9E29C1B7E81DB5F217BA8559A1916C54EF'],
  ['O2', O2, DOCUMENTED_KEY, 'MD5', 'F628F57E3FFBE08F9F904376C10C8AD6'],
  ['O2', O2, DOCUMENTED_KEY, 'HMAC-SHA256', 'AEE9CF1FC12E39332E5D9941EFE9AEDF4DA853205B7A8EFA2E28ED6179915144'],
  ['O3', O3, DOCUMENTED_KEY, 'MD5', '5B21B841B291AFCE8962F21D0E14203A'],
  ['O3', O3, DOCUMENTED_KEY, 'HMAC-SHA256', '9FD304F007C13790959BB99215B1BAA4974C33A65F63CC39ADF4125A8060E676'],
  ['O4', O4, DOCUMENTED_KEY, 'MD5', 'AA15E0A266AE4E7FCAFE93EC1B6DFC29'],
  ['O4', O4, DOCUMENTED_KEY, 'HMAC-SHA256', '09EE9B6B17048DBE5084CA92BB2C3F9022D9895121BD239B488FA730D6E1A4AA'],
] as const)('vector %s is signed as published, and recognised', (_id, fields, key, signType, expected) => {
  expect(sign(fields, key, signType)).toBe(expected);
  expect(isSignedBy({ ...fields, sign: expected }, key, signType)).toBe(true);
});

test.each([
  ['another key', { ...S1, sign: '9A0A8659F005D6984697E2CA0A9CF3B7' }, 'x'.repeat(32), 'MD5'],
  ['another type', { ...S1, sign: '9A0A8659F005D6984697E2CA0A9CF3B7' }, DOCUMENTED_KEY, 'HMAC-SHA256'],
  ['a changed field', { ...S1, body: 'Test', sign: '9A0A8659F005D6984697E2CA0A9CF3B7' }, DOCUMENTED_KEY, 'MD5'],
  ['lower case', { ...S1, sign: '9a0a8659f005d6984697e2ca0a9cf3b7' }, DOCUMENTED_KEY, 'MD5'],
  ['no sign', S1, DOCUMENTED_KEY, 'MD5'],
] as const)('a signature is refused for %s', (_what, fields, key, signType) => {
  expect(isSignedBy(fields, key, signType)).toBe(false);
});
