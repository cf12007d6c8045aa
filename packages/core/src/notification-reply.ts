import type { WechatH5ErrorCode } from './errors.js';

/** What to send back, to the byte. */
export interface NotificationReply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** The acknowledgement, to the byte: any other text makes WeChat Pay repeat the notification. */
const SUCCESS_XML = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
/** One text for every failure: a forger must not learn how far a message got. The reason goes to `onProblem`. */
const FAIL_XML = '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

export const SUCCESS = replyOf(200, SUCCESS_XML);
export const FAIL = replyOf(200, FAIL_XML);

// Only what never was a notification, or what the deployment gets wrong, has a status of its own.
const STATUS: Partial<Record<WechatH5ErrorCode, number>> = {
  METHOD_NOT_ALLOWED: 405,
  BODY_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  BODY_ENCODED: 415,
  BODY_ALREADY_READ: 500,
  NO_HANDLER: 500,
  ORDER_BOOK_FAILED: 500,
  OVERLOADED: 503,
};

/** FAIL, as it is said for this reason. */
export function refusalFor(code: WechatH5ErrorCode): NotificationReply {
  const status = STATUS[code];
  return status === undefined ? FAIL : replyOf(status, FAIL_XML);
}

function replyOf(status: number, body: string): NotificationReply {
  const headers: Record<string, string> = {
    'content-type': 'text/xml; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    // Nobody on the way may compress, rewrite or keep it.
    'cache-control': 'no-store, no-transform',
  };
  if (status === 405) headers['allow'] = 'POST';
  // What is left of such a body is not read: the connection cannot be used again.
  if (status === 408 || status === 413) headers['connection'] = 'close';
  return Object.freeze({ status, headers: Object.freeze(headers), body });
}
