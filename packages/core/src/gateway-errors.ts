import { quoted, WechatH5Error } from './errors.js';

/** No connection came about, or (`stale`) a kept one broke before the first byte of a reply: nothing was applied. */
export class NotConnected extends Error {
  constructor(
    cause: unknown,
    readonly stale = false,
  ) {
    super('not connected', { cause });
  }
}

const UNKNOWN = 'What WeChat Pay did is unknown: call again with the same parameters, or query.';

export function timedOut(host: string, timeoutMs: number): WechatH5Error {
  return new WechatH5Error('GATEWAY_TIMEOUT', `${host} did not answer within ${timeoutMs} ms`, { hint: UNKNOWN });
}

export function broken(host: string, cause: Error): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', `The connection to ${host} broke before the reply was complete`, {
    hint: UNKNOWN,
    cause,
  });
}

export function replyInvalid(problem: string, detail: string): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', `The reply ${problem} (${detail})`, {
    hint: 'It was not believed; what WeChat Pay did is unknown. Call again with the same parameters, or query. If it lasts, look at what stands between this server and WeChat Pay.',
  });
}

/** A reply of `return_code` FAIL is never signed: it can say what to look at, and proves nothing. */
export function returnCodeFail(fields: Readonly<Record<string, string>>): WechatH5Error {
  // Refusals of the edge say retmsg; those of bills carry a number in error_code.
  const text = fields['return_msg'] ?? fields['retmsg'] ?? '';
  const errCode = fields['error_code'] ?? fields['err_code'];
  return new WechatH5Error('RETURN_CODE_FAIL', `WeChat Pay did not process the request: ${quoted(text, 128)}`, {
    ...(errCode === undefined ? {} : { errCode }),
    errCodeDes: text.slice(0, 128),
    hint: 'Look at the text: most often the API key, the ids or a field is wrong. 请核对 API 密钥、appid、mch_id 与参数。',
  });
}
