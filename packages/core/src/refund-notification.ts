import { createDecipheriv, createHash } from 'node:crypto';
import { parseRefundTime } from './beijing-time.js';
import { WechatH5Error } from './errors.js';
import { parseFlatXml } from './xml.js';

/**
 * What a refund notification claims. It carries no signature and its cipher has no integrity, so it is a
 * hint, worth a `refundquery` and nothing else.
 */
export interface RefundHint {
  type: 'refund-hint';
  appId: string;
  mchId: string;
  subMchId?: string;
  outTradeNo: string;
  transactionId: string;
  outRefundNo: string;
  refundId: string;
  totalFee: number;
  refundFee: number;
  refundStatus: 'SUCCESS' | 'CHANGE' | 'REFUNDCLOSE' | (string & {});
  successTime?: Date;
  /** The decrypted fields, untouched. */
  raw: Readonly<Record<string, string>>;
}

/** Opens `req_info` for one API key. Made once per key, so that the key itself is not kept. */
export type ReqInfoOpener = (reqInfo: string) => Uint8Array;

/** base64 → AES-256-ECB, keyed by the 32 lower-case hexadecimal characters of the key's MD5. */
export function createReqInfoOpener(apiKey: string): ReqInfoOpener {
  const key = createHash('md5').update(apiKey, 'utf8').digest('hex');
  return (reqInfo) => {
    const decipher = createDecipheriv('aes-256-ecb', key, null);
    return Buffer.concat([decipher.update(reqInfo, 'base64'), decipher.final()]);
  };
}

const SHAPES: ReadonlyArray<readonly [name: string, shape: RegExp]> = [
  ['out_trade_no', /^[0-9A-Za-z_\-|*@]{1,32}$/],
  ['transaction_id', /^[0-9A-Za-z_-]{1,32}$/],
  ['out_refund_no', /^[0-9A-Za-z_\-|*@]{1,64}$/],
  ['refund_id', /^[0-9A-Za-z_-]{1,32}$/],
  ['total_fee', /^[1-9][0-9]{0,9}$/],
  ['refund_fee', /^[1-9][0-9]{0,9}$/],
  ['refund_status', /^[A-Z_]{1,16}$/],
];

/**
 * @param outer the fields around it, of a merchant whose ids were checked
 * @throws {WechatH5Error} `REFUND_UNDECIPHERABLE`, the same for every way in which it can fail: bad base64,
 *   padding, UTF-8, XML or fields must not be told apart from outside
 */
export function openRefundHint(outer: Readonly<Record<string, string>>, openers: readonly ReqInfoOpener[]): RefundHint {
  const reqInfo = outer['req_info'] ?? '';
  for (const open of openers) {
    const raw = decoded(reqInfo, open);
    if (raw === undefined) continue;
    const hint: RefundHint = {
      type: 'refund-hint',
      appId: outer['appid'] ?? '',
      mchId: outer['mch_id'] ?? '',
      outTradeNo: raw['out_trade_no'] ?? '',
      transactionId: raw['transaction_id'] ?? '',
      outRefundNo: raw['out_refund_no'] ?? '',
      refundId: raw['refund_id'] ?? '',
      totalFee: Number(raw['total_fee']),
      refundFee: Number(raw['refund_fee']),
      refundStatus: raw['refund_status'] ?? '',
      raw,
    };
    if (outer['sub_mch_id']) hint.subMchId = outer['sub_mch_id'];
    const successTime = parseRefundTime(raw['success_time']);
    if (successTime !== undefined) hint.successTime = successTime;
    return hint;
  }
  throw new WechatH5Error('REFUND_UNDECIPHERABLE', 'req_info cannot be read with any of the keys', {
    field: 'req_info',
    hint: 'Either it is not from WeChat Pay, or apiKey is not the API v2 key of this mch_id. 退款通知无法解密：请核对 APIv2 密钥。',
  });
}

function decoded(reqInfo: string, open: ReqInfoOpener): Readonly<Record<string, string>> | undefined {
  // Node would skip what is not base64; then two texts would mean the same.
  if (!/^[A-Za-z0-9+/]{2,}={0,2}$/.test(reqInfo) || reqInfo.length % 4 !== 0) return undefined;
  try {
    const raw = parseFlatXml(open(reqInfo), 'root');
    return SHAPES.every(([name, shape]) => shape.test(raw[name] ?? '')) ? raw : undefined;
  } catch {
    return undefined;
  }
}
