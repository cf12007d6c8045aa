/**
 * Every code a {@link WechatH5Error} can carry. Codes are stable: switch on them, never on the message.
 * docs/errors.md has one entry for each: what was seen, why, what to change.
 */
export const ERROR_CODES = [
  // start-up: the configuration is wrong
  'OPTIONS_INVALID',
  'ENVIRONMENT_INVALID',
  'ORDER_BOOK_MISSING',
  'SIMULATOR_IN_PRODUCTION',
  'NO_HANDLER',
  'TRUST_INVALID',
  'TRUST_ALL',
  'HEADER_NAME_INVALID',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_PASSPHRASE',
  'CERTIFICATE_LEGACY',
  'CERTIFICATE_EXPIRED',
  // the payer's address: the deployment is wrong
  'NO_PEER',
  'PEER_INVALID',
  'HEADER_MISSING',
  'HEADER_REPEATED',
  'HEADER_INVALID',
  'ITEM_INVALID',
  'CHAIN_TOO_SHORT',
  'TOO_MANY_HOPS',
  'ALL_TRUSTED',
  'NOT_PUBLIC',
  'IPV6_NOT_ALLOWED',
  'EXPLICIT_CLIENT_IP',
  'PROXY_NOT_TRUSTED',
  // the bytes of a notification
  'METHOD_NOT_ALLOWED',
  'SOURCE_REFUSED',
  'BODY_ALREADY_READ',
  'BODY_TOO_LARGE',
  'BODY_ENCODED',
  'BODY_TIMEOUT',
  'BODY_ABORTED',
  'XML_INVALID',
  // what a message of WeChat Pay says
  'RETURN_CODE_FAIL',
  'FIELD_MISSING',
  'FIELD_INVALID',
  'FIELD_AMBIGUOUS',
  'SIGN_MISSING',
  'SIGN_MALFORMED',
  'SIGN_TYPE_REFUSED',
  'SIGN_INVALID',
  'MERCHANT_UNKNOWN',
  'MERCHANT_MISMATCH',
  'ORDER_UNKNOWN',
  'ORDER_MISMATCH',
  'REFUND_UNDECIPHERABLE',
  // orders
  'ORDER_FIELD_INVALID',
  'ORDER_CONFLICT',
  'ORDER_PAID',
  'ORDER_CLOSED',
  'ORDER_REFUNDED',
  'ORDER_QUARANTINED',
  'ORDER_IN_PROGRESS',
  'PAYER_ADDRESS_CHANGED',
  'CLOSE_TOO_EARLY',
  'REFUND_CONFLICT',
  'REFUND_EXCEEDED',
  'MWEB_URL_INVALID',
  'REDIRECT_URL_INVALID',
  // the payer's pages
  'ORIGIN_REFUSED',
  'ORIGIN_NOT_REGISTERED',
  'REFERRER_POLICY',
  'FORM_ACTION',
  'FORM_INVALID',
  'HANDLE_INVALID',
  'TOO_MANY_ORDERS',
  // the handler and its exchange
  'HANDLER_FAILED',
  'HANDLER_TIMEOUT',
  'NOT_ACKNOWLEDGED',
  'NOTHING_TO_ACKNOWLEDGE',
  'OVERLOADED',
  'ORDER_BOOK_FAILED',
  // the gateway
  'GATEWAY_UNREACHABLE',
  'GATEWAY_TIMEOUT',
  'GATEWAY_REPLY_INVALID',
  'GATEWAY_REFUSED',
  'CERTIFICATE_MISSING',
  'BILL_NOT_FOUND',
  'BILL_NOT_READY',
  'BILL_INVALID',
  'BILL_INCOMPLETE',
  'RATE_LIMITED',
] as const;

export type WechatH5ErrorCode = (typeof ERROR_CODES)[number];

export interface WechatH5ErrorDetails {
  /** What to change, in English and, where a merchant reads it, in Chinese. */
  hint?: string;
  /** The official field (`total_fee`) or option (`clientIp.trust`) the error is about. */
  field?: string;
  /** WeChat Pay's `err_code`, when WeChat Pay answered with one. */
  errCode?: string;
  /** WeChat Pay's `err_code_des` or `return_msg`, clipped. */
  errCodeDes?: string;
  /** The attempt that it is about. */
  outTradeNo?: string;
  cause?: unknown;
}

const BRAND = Symbol.for('@wechat-h5/core/error');

/**
 * The one error class of this library.
 *
 * `code` is stable; `hint` says what to change; `field` names the official field or the option;
 * `cause` is what was caught. No message, hint or property ever holds an API key, a signature's
 * input or a whole message.
 */
export class WechatH5Error extends Error {
  readonly code: WechatH5ErrorCode;
  readonly hint: string;
  readonly field: string | undefined;
  readonly errCode: string | undefined;
  readonly errCodeDes: string | undefined;
  /** With `orderRef`: the attempt that it is about, which may be another one than was named. */
  readonly outTradeNo: string | undefined;

  constructor(code: WechatH5ErrorCode, message: string, details: WechatH5ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'WechatH5Error';
    this.code = code;
    this.hint = details.hint ?? '';
    this.field = details.field;
    this.errCode = details.errCode;
    this.errCodeDes = details.errCodeDes;
    this.outTradeNo = details.outTradeNo;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * An error about a message that anybody may have sent: without a stack. It would say nothing of the sender, and to take
 * it costs more than to read the message.
 */
export function withoutStack(make: () => WechatH5Error): WechatH5Error {
  const { stackTraceLimit } = Error;
  // Not assigned: where intrinsics are frozen that would throw, and a stack does no harm.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/**
 * Tells a {@link WechatH5Error} from anything else thrown, by a brand: an application may hold both the
 * ESM and the CommonJS copy of this package, and `instanceof` would then say no to a genuine one.
 */
export function isWechatH5Error(value: unknown): value is WechatH5Error {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}

/**
 * What `JSON.stringify` leaves as it is and a terminal, a log or an editor acts on without showing it: DEL and C1 controls,
 * separators of lines, what has no width, and what turns the direction of writing.
 */
const INVISIBLE = /[\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g;

/** A piece of foreign text for a message: clipped, and quoted so that every character shows and none acts. */
export function quoted(text: string, limit = 60): string {
  const json = JSON.stringify(text.length > limit ? `${text.slice(0, limit)}…` : text);
  return json.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
