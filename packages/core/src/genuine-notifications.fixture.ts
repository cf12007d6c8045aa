import type { Merchant } from './merchant.js';
import { sign } from './signature.js';
import { refundNotification, signedNotification } from './testing.js';
import { buildXml } from './xml.js';

const APP = 'wx2421b1c4370ec43b';

/** One configuration with everything a message can be for: rotated keys, HMAC only, a provider with two shops. */
const SHOP: Merchant = {
  appId: APP,
  mchId: '10000100',
  apiKey: ['192006250b4c09247ec02edce69f6a2d', 'previousKeyPreviousKeyPreviousKe'],
};
const STRICT: Merchant = {
  appId: 'wx0000000000000002',
  mchId: '10000200',
  apiKey: 'strictKeyStrictKeyStrictKeyStric',
  signType: 'HMAC-SHA256',
  onlyHmacSha256: true,
};
const PROVIDED: Merchant = {
  appId: 'wx0000000000000003',
  mchId: '10000300',
  subAppId: 'wx0000000000000004',
  subMchId: '20000001',
  apiKey: 'providerKeyProviderKeyProviderKe',
};
const ALSO_PROVIDED: Merchant = { ...PROVIDED, subAppId: 'wx0000000000000005', subMchId: '20000002' };
export const MERCHANTS = [SHOP, STRICT, PROVIDED, ALSO_PROVIDED] as const;

const PREVIOUS: Merchant = { ...SHOP, apiKey: SHOP.apiKey[1] as string };
const HMAC: Merchant = { ...SHOP, signType: 'HMAC-SHA256' };

const FIELDS = { out_trade_no: '1409811653', total_fee: '100' };
const ATTACH = '支付测试 R&D "a" <b> 1=1 ]]> 🎁';
const COUPONS = {
  cash_fee: '70',
  coupon_count: '2',
  coupon_fee: '30',
  coupon_fee_0: '10',
  coupon_fee_1: '20',
  coupon_id_0: '10000',
  coupon_id_1: '10001',
  coupon_type_0: 'CASH',
  coupon_type_1: 'NO_CASH',
  settlement_total_fee: '90',
};
const REFUND = { ...FIELDS, out_refund_no: 'R1', refund_fee: '40' };
const FAILURE = { ...FIELDS, result_code: 'FAIL', err_code: 'BANKERROR', err_code_des: '银行系统异常' };

/** What WeChat Pay never leaves out of a payment, and nothing else. */
const MINIMAL = {
  openid: '',
  is_subscribe: '',
  bank_type: '',
  fee_type: '',
  cash_fee: '',
  time_end: '',
};

const rich = { ...FIELDS, ...COUPONS, attach: ATTACH, device_info: 'WEB', brand_new_field: '1' };
const plain = signedNotification({ ...FIELDS, attach: 'plain' }, SHOP);

/** Values as text instead of CDATA. */
function asText(xml: string): string {
  return xml.replace(/<!\[CDATA\[(.*?)\]\]>/gs, (_, value: string) =>
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  );
}

/** Every shape in which WeChat Pay's notifications have been seen, or may come after passing a proxy. */
export const GENUINE: Readonly<Record<string, string>> = {
  MD5: signedNotification(FIELDS, SHOP),
  'HMAC-SHA256': signedNotification(FIELDS, HMAC),
  'MD5, with sign_type': signedNotification({ ...FIELDS, sign_type: 'MD5' }, SHOP),
  'HMAC-SHA256, with sign_type': signedNotification({ ...FIELDS, sign_type: 'HMAC-SHA256' }, HMAC),
  'signed with the previous key': signedNotification(FIELDS, PREVIOUS),
  'HMAC-SHA256, previous key': signedNotification(FIELDS, { ...PREVIOUS, signType: 'HMAC-SHA256' }),
  'a merchant who takes only HMAC-SHA256': signedNotification(FIELDS, STRICT),
  'rich, MD5': signedNotification(rich, SHOP),
  'rich, HMAC-SHA256': signedNotification(rich, HMAC),
  'minimal, MD5': signedNotification({ ...FIELDS, ...MINIMAL }, SHOP),
  'minimal, HMAC-SHA256': signedNotification({ ...FIELDS, ...MINIMAL }, STRICT),
  coupons: signedNotification({ ...FIELDS, ...COUPONS }, SHOP),
  'foreign currency': signedNotification({ ...FIELDS, fee_type: 'USD', cash_fee: '712', cash_fee_type: 'CNY' }, SHOP),
  'no time': signedNotification({ ...FIELDS, time_end: '20250230000000' }, SHOP),
  'sub-merchant': signedNotification(FIELDS, PROVIDED),
  'sub-merchant, rich': signedNotification({ ...rich, sub_openid: 'oSub', sub_is_subscribe: 'N' }, PROVIDED),
  'another sub-merchant': signedNotification(FIELDS, ALSO_PROVIDED),
  'a payment that failed': signedNotification(FAILURE, SHOP),
  'a payment that failed, HMAC-SHA256': signedNotification(FAILURE, STRICT),
  'text instead of CDATA': asText(plain),
  'rich, text instead of CDATA': asText(signedNotification({ ...rich, attach: 'R&D <1> "2"' }, SHOP)),
  'a byte order mark': `\ufeff${plain}`,
  'an XML declaration': `<?xml version="1.0" encoding="UTF-8"?>\n${plain}\n`,
  'a field on each line': plain.replaceAll(/<(?=[a-z_]+>|\/xml)/g, '\n  <'),
  'empty fields': plain.replace('</xml>', '<device_info></device_info><coupon_id/><detail><![CDATA[]]></detail></xml>'),
  'fields in another order': plain.replace(/^<xml>(.*)(<sign>.*<\/sign>)<\/xml>$/s, '<xml>$2$1</xml>'),
  refund: refundNotification(REFUND, SHOP),
  'refund, previous key': refundNotification(REFUND, PREVIOUS),
  'refund, sub-merchant': refundNotification({ ...REFUND, refund_account: '' }, PROVIDED),
  'refund, text instead of CDATA': asText(refundNotification({ ...REFUND, refund_status: 'CHANGE' }, STRICT)),
};

/** A message with exactly these fields, signed with the shop's own key. */
function signed(fields: Record<string, string>): string {
  return buildXml({ ...fields, sign: sign(fields, SHOP.apiKey[0] as string) });
}

const COMMON = { appid: APP, mch_id: '10000100', nonce_str: 'n1', return_code: 'SUCCESS', result_code: 'SUCCESS' };
const PAID = { ...COMMON, ...FIELDS, trade_type: 'MWEB', transaction_id: '4200000001' };

/** WeChat Pay's, some of them signed with the right key, and yet none of them says that an order of ours was paid. */
export const NO_NOTIFICATIONS: Readonly<Record<string, string>> = {
  'an order placed': signed({ ...COMMON, prepay_id: 'wx201410272009395522657a690389285100', trade_type: 'MWEB' }),
  'an order not paid': signed({ ...COMMON, ...FIELDS, trade_state: 'NOTPAY', trade_type: 'MWEB' }),
  'what a browser gets signed': signed({
    appId: APP,
    nonceStr: 'n',
    package: 'prepay_id=wx1',
    timeStamp: '1601234567',
  }),
  'a call that failed': '<xml><return_code>FAIL</return_code><return_msg>签名失败</return_msg></xml>',
  'nothing paid': signed({ ...PAID, total_fee: '0' }),
  'an amount that is none': signed({ ...PAID, total_fee: '1.00' }),
  'no amount': signed({ ...PAID, total_fee: '' }),
  'another application': signed({ ...PAID, appid: 'wx9999999999999999' }),
  'another merchant': signedNotification(FIELDS, { ...SHOP, mchId: '10000999' }),
  'MD5 where only HMAC-SHA256 is taken': signedNotification(FIELDS, { ...STRICT, signType: 'MD5' }),
  'neither paid nor failed': signed({ ...PAID, result_code: 'PROCESSING' }),
  'a refund opened by no key': refundNotification(REFUND, { ...SHOP, apiKey: 'unknownKeyUnknownKeyUnknownKeyUn' }),
};
