import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import type { Merchant } from './merchant.js';
import { sign, type SignType } from './signature.js';
import { buildXml } from './xml.js';

/**
 * A payment notification as WeChat Pay would post it, signed: for tests of your own `onPaid` and routes.
 *
 * @param fields official names; whatever is absent is filled in with the values of a genuine MWEB payment.
 *   Give at least `out_trade_no` and `total_fee` of an order. `''` leaves a field out. A `sign_type` of MD5 or
 *   HMAC-SHA256 is also the one it is signed with, whatever the merchant's.
 * @param merchant the one the application under test is configured with; the current key signs
 * @returns the body, to be posted as `text/xml`
 */
export function signedNotification(
  fields: Readonly<Record<string, string>>,
  merchant: Pick<Merchant, 'appId' | 'mchId' | 'apiKey' | 'signType' | 'subAppId' | 'subMchId'>,
): string {
  const apiKey = currentKey(merchant);
  const outTradeNo = fields['out_trade_no'] ?? 'TEST_0001';
  const totalFee = fields['total_fee'] ?? '1';
  const all: Record<string, string> = {
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    ...(merchant.subAppId === undefined ? {} : { sub_appid: merchant.subAppId }),
    ...(merchant.subMchId === undefined ? {} : { sub_mch_id: merchant.subMchId }),
    nonce_str: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
    openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    is_subscribe: 'N',
    trade_type: 'MWEB',
    bank_type: 'OTHERS',
    total_fee: totalFee,
    fee_type: 'CNY',
    cash_fee: totalFee,
    // One transaction for one order, as at WeChat Pay: the same number for the same out_trade_no.
    transaction_id: transactionIdFor(outTradeNo),
    out_trade_no: outTradeNo,
    time_end: '20260102150405',
    ...fields,
  };
  delete all['sign'];
  for (const name of Object.keys(all)) if (all[name] === '') delete all[name];
  return buildXml({ ...all, sign: fields['sign'] ?? sign(all, apiKey, signTypeOf(all) ?? merchant.signType ?? 'MD5') });
}

function signTypeOf({ sign_type: declared }: Readonly<Record<string, string>>): SignType | undefined {
  return declared === 'MD5' || declared === 'HMAC-SHA256' ? declared : undefined;
}

/**
 * A refund notification as WeChat Pay would post it: unsigned, its fields encrypted in `req_info`.
 *
 * @param fields official names of the inner fields; whatever is absent is filled in with the values of a
 *   refund that succeeded. Give `out_trade_no`, `out_refund_no`, `total_fee`, `refund_fee`. `''` leaves a field out
 * @param merchant as for {@link signedNotification}
 */
export function refundNotification(
  fields: Readonly<Record<string, string>>,
  merchant: Pick<Merchant, 'appId' | 'mchId' | 'apiKey' | 'subAppId' | 'subMchId'>,
): string {
  const outTradeNo = fields['out_trade_no'] ?? 'TEST_0001';
  const totalFee = fields['total_fee'] ?? '1';
  const refundFee = fields['refund_fee'] ?? totalFee;
  const outRefundNo = fields['out_refund_no'] ?? `${outTradeNo}_R1`;
  const inner: Record<string, string> = {
    transaction_id: transactionIdFor(outTradeNo),
    out_trade_no: outTradeNo,
    refund_id: `50${transactionIdFor(outRefundNo).slice(2)}`,
    out_refund_no: outRefundNo,
    total_fee: totalFee,
    refund_fee: refundFee,
    settlement_refund_fee: refundFee,
    refund_status: 'SUCCESS',
    success_time: '2026-01-02 15:04:05',
    refund_recv_accout: '支付用户零钱',
    refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
    refund_request_source: 'API',
    ...fields,
  };
  for (const name of Object.keys(inner)) if (inner[name] === '') delete inner[name];
  const xml = buildXml(inner)
    .replace(/^<xml>/, '<root>')
    .replace(/<\/xml>$/, '</root>');
  const key = createHash('md5').update(currentKey(merchant), 'utf8').digest('hex');
  const cipher = createCipheriv('aes-256-ecb', key, null);
  return buildXml({
    return_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    ...(merchant.subAppId === undefined ? {} : { sub_appid: merchant.subAppId }),
    ...(merchant.subMchId === undefined ? {} : { sub_mch_id: merchant.subMchId }),
    nonce_str: randomBytes(16).toString('hex'),
    req_info: Buffer.concat([cipher.update(xml, 'utf8'), cipher.final()]).toString('base64'),
  });
}

function currentKey(merchant: Pick<Merchant, 'apiKey'>): string {
  const apiKey = typeof merchant.apiKey === 'string' ? merchant.apiKey : merchant.apiKey[0];
  if (apiKey === undefined) throw new TypeError('merchant.apiKey is an empty list');
  return apiKey;
}

function transactionIdFor(outTradeNo: string): string {
  const hash = createHash('sha256').update(outTradeNo).digest('hex');
  return `42000000${String(BigInt(`0x${hash}`) % 10n ** 20n).padStart(20, '0')}`;
}
