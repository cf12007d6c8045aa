import { types } from 'node:util';
import { quoted, WechatH5Error, withoutStack, type WechatH5ErrorCode } from './errors.js';
import { indexOfName } from './field-name.js';
import { fieldError, NOT_SENT, requireOutTradeNo, requirePaymentFields } from './payment-fields.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { paymentOf, type Payment } from './payment.js';
import { openRefundHint, type RefundHint } from './refund-notification.js';
import { readSigned, type SignedMessage } from './signature.js';
import { recutField } from './signed-fields.js';

/** A notification that is WeChat Pay's and ours: payments by their signature, refunds by their cipher alone. */
export type Notification = PaymentNotification | PaymentFailure | RefundHint;

export type PaymentNotification = { type: 'payment' } & Payment;

/** `result_code` FAIL: nothing was paid. */
export interface PaymentFailure {
  type: 'payment-failed';
  mchId: string;
  subMchId?: string;
  outTradeNo: string;
  errCode: string;
  errCodeDes: string;
  raw: Readonly<Record<string, string>>;
}

const RETURN_CODE = indexOfName('return_code');
const RESULT_CODE = indexOfName('result_code');
const REQ_INFO = indexOfName('req_info');
const SIGN = indexOfName('sign');

/**
 * Bytes → a notification. Pure and synchronous: it knows no order, so whoever calls it compares `totalFee`
 * and `feeType` with the order, and confirms a refund hint by `refundquery`.
 *
 * What may come from anybody is refused without a stack: it would cost more than reading the message.
 *
 * @throws {WechatH5Error} `BODY_ALREADY_READ`, `XML_INVALID`, `RETURN_CODE_FAIL`, `MERCHANT_UNKNOWN`, `SIGN_MISSING`,
 *   `SIGN_MALFORMED`, `SIGN_TYPE_REFUSED`, `SIGN_INVALID`, `MERCHANT_MISMATCH`, `FIELD_MISSING`,
 *   `FIELD_INVALID`, `FIELD_AMBIGUOUS`, `REFUND_UNDECIPHERABLE`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011937248
 */
export function verifyNotification(body: Uint8Array | string, merchants: Merchants): Notification {
  return readNotification(body, merchants).notification;
}

/** As {@link verifyNotification}, and which of the merchant's keys fitted a signature. */
export function readNotification(
  body: Uint8Array | string,
  merchants: Merchants,
): { notification: Notification; keyIndex: number | undefined } {
  const message = readSigned(body);
  if (!message.ok) {
    if (typeof body !== 'string' && !types.isUint8Array(body)) throw notBytes(body);
    throw refused('XML_INVALID', `The body is not the XML of WeChat Pay: ${message.reason}`);
  }
  // Until the signature is verified the fields are asked one by one: a forgery is not worth a record.
  if (!message.is(RETURN_CODE, 'SUCCESS')) {
    const returnCode = message.get('return_code');
    if (returnCode === undefined) throw withoutStack(() => fieldError('return_code', undefined));
    throw refused('RETURN_CODE_FAIL', `return_code is ${quoted(returnCode)}`, 'return_code');
  }
  const merchant = requireMerchant(message, merchants);
  // A refund notification has no signature at all. One that has is judged by it, whatever else it carries.
  if (message.has(REQ_INFO) && !message.has(SIGN)) {
    requireOurs(message, merchant);
    return { notification: openRefundHint(message.fields, merchant.reqInfoOpeners), keyIndex: undefined };
  }
  const keyIndex = requireSignature(message, merchant);
  requireOurs(message, merchant);
  requireRecutFree(message);
  return { notification: paymentNotification(message), keyIndex };
}

function paymentNotification(message: SignedMessage): PaymentNotification | PaymentFailure {
  if (!message.is(RESULT_CODE, 'SUCCESS')) return paymentFailure(message);
  requirePaymentFields(message);
  // Not spread: copying twenty fields costs more than reading them.
  const payment: Payment & { type?: 'payment' } = paymentOf(message.fields);
  payment.type = 'payment';
  return payment as PaymentNotification;
}

function paymentFailure(message: SignedMessage): PaymentFailure {
  if (!message.is(RESULT_CODE, 'FAIL')) throw fieldError('result_code', message.get('result_code'));
  requireOutTradeNo(message);
  const { fields } = message;
  return {
    type: 'payment-failed',
    mchId: fields['mch_id'] ?? '',
    ...(fields['sub_mch_id'] ? { subMchId: fields['sub_mch_id'] } : {}),
    outTradeNo: fields['out_trade_no'] ?? '',
    errCode: fields['err_code'] ?? '',
    errCodeDes: fields['err_code_des'] ?? '',
    raw: fields,
  };
}

const SIGN_PROBLEMS = {
  SIGN_MISSING: 'sign is missing',
  SIGN_MALFORMED: 'sign is neither 32 nor 64 upper-case hexadecimal digits',
} as const;

function requireSignature(message: SignedMessage, merchant: KnownMerchant): number {
  const { signRefusal } = message;
  if (signRefusal !== undefined) throw refused(signRefusal, SIGN_PROBLEMS[signRefusal], 'sign');
  if (merchant.onlyHmacSha256 && message.signType !== 'HMAC-SHA256') {
    throw refused(
      'SIGN_TYPE_REFUSED',
      'The message is signed with MD5',
      'sign_type',
      'onlyHmacSha256 is set for this merchant. Orders have to be placed with signType HMAC-SHA256 then.',
    );
  }
  const keyIndex = message.verify(merchant.keys);
  if (keyIndex !== -1) return keyIndex;
  throw refused(
    'SIGN_INVALID',
    'The signature fits none of the keys',
    'sign',
    'Either this is a forgery, or apiKey is not the API v2 key of this mch_id. 签名不符：可能是伪造的通知，也可能是 APIv2 密钥配置有误。',
  );
}

function requireMerchant(message: SignedMessage, merchants: Merchants): KnownMerchant {
  const merchant = merchants.ofMessage(message);
  if (merchant !== undefined) return merchant;
  const mchId = message.get('mch_id');
  if (mchId === undefined) throw withoutStack(() => fieldError('mch_id', undefined));
  const subMchId = message.get('sub_mch_id');
  const sub = subMchId ? ` with sub_mch_id ${quoted(subMchId)}` : '';
  throw refused(
    'MERCHANT_UNKNOWN',
    `mch_id is ${quoted(mchId)}${sub}`,
    'mch_id',
    'No configured merchant has these ids. 没有配置该商户号。',
  );
}

function requireOurs(message: SignedMessage, merchant: KnownMerchant): void {
  const foreign = merchant.foreignId(message);
  if (foreign === undefined) return;
  throw refused(
    'MERCHANT_MISMATCH',
    `${foreign} is ${quoted(message.get(foreign) ?? '')}`,
    foreign,
    `The message is for another application. List it under merchant if it is yours. 通知中的 ${foreign} 与配置不一致。`,
  );
}

function requireRecutFree(message: SignedMessage): void {
  const recut = recutField(message);
  if (recut === undefined) return;
  throw refused(
    'FIELD_AMBIGUOUS',
    `${recut.name} contains "&${recut.hidden}="`,
    recut.name,
    'The same signature would fit a message in which this is a field of its own, so it proves nothing.',
  );
}

function refused(code: WechatH5ErrorCode, message: string, field?: string, hint = NOT_SENT): WechatH5Error {
  return withoutStack(() => new WechatH5Error(code, message, field === undefined ? { hint } : { field, hint }));
}

/** A mistake of the program, which hands over what a parser has made of the body, or nothing. */
function notBytes(body: unknown): WechatH5Error {
  const is = body === null ? 'null' : `of type ${typeof body}`;
  return new WechatH5Error('BODY_ALREADY_READ', `The body is ${is}, not the bytes that were received`, {
    field: 'body',
    hint: 'Pass the body exactly as it was received, as a Buffer, a Uint8Array or text: before any parser has read it. 请传入未经解析的原始报文（Buffer 或字符串）。',
  });
}
