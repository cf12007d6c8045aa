import { createWechatH5, parseXml, verifySign } from './index.js';
import { refundNotification, signedNotification } from './testing.js';

const API_KEY = '192006250b4c09247ec02edce69f6a2d';
const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: API_KEY };

test.each([
  ['HMAC-SHA256', 'MD5', 64],
  ['MD5', 'HMAC-SHA256', 32],
] as const)(
  "a message that says %s is signed so, though the merchant's orders are signed with %s",
  (own, other, length) => {
    const body = signedNotification({ sign_type: own }, { ...MERCHANT, signType: other });
    expect(parseXml(body)['sign']).toHaveLength(length);
    expect(verifySign(parseXml(body), API_KEY)).toBe(true);
  },
);

test('two refunds have two numbers at WeChat Pay, the same one has the same', () => {
  const wechatH5 = createWechatH5({ merchant: MERCHANT, notifyUrl: 'https://pay.example.com/notify' });
  const refundId = (fields: Record<string, string>): unknown => {
    const hint = wechatH5.verifyNotification(refundNotification(fields, MERCHANT));
    return hint.type === 'refund-hint' ? hint.refundId : undefined;
  };
  const first = refundId({ out_trade_no: 'ORDER-0001' });
  expect(first).toMatch(/^50\d+$/);
  expect(refundId({ out_trade_no: 'ORDER-0002' })).not.toBe(first);
  expect(refundId({ out_trade_no: 'ORDER-0001', out_refund_no: 'R2' })).not.toBe(first);
  expect(refundId({ out_trade_no: 'ORDER-0001' })).toBe(first);
});
