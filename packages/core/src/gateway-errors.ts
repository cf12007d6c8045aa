import { quoted, WechatH5Error } from './errors.js';

/** No connection came about, so nothing was sent; or (`stale`) a kept one died before the first byte of a reply. */
export class NotConnected extends Error {
  constructor(
    override readonly cause: Error,
    readonly stale = false,
  ) {
    super('not connected', { cause });
  }

  /** This machine has no descriptor, port or connection left: no other host would do better. */
  get isLocal(): boolean {
    return this.cause instanceof NoneFree || LOCAL.has((this.cause as NodeJS.ErrnoException).code ?? '');
  }

  /** The host did not prove who it is. Waiting changes nothing, and another host is no cure for somebody in between. */
  get isImpostor(): boolean {
    return this.cause instanceof CertificateRefused;
  }
}

const LOCAL = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** The host's certificate is expired, for another host, or from nobody known. */
export class CertificateRefused extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** Every connection to the host was in use until the deadline. */
export class NoneFree extends Error {
  constructor() {
    super('every connection was in use until the deadline');
  }
}

export function shutDown(): WechatH5Error {
  return new WechatH5Error('GATEWAY_UNREACHABLE', 'The connection to WeChat Pay was closed', {
    hint: 'Nothing was sent: this instance was shut down.',
  });
}

/** @param because what kept the last attempt from connecting */
export function unreachable(hosts: string, because: Error | undefined): WechatH5Error {
  const hint =
    because instanceof CertificateRefused
      ? 'Nothing was sent: this host is not the one it claims to be, or its certificate is out of order. Look at the outgoing proxy, the clock and the certificate authorities of this server.'
      : because instanceof NoneFree
        ? 'Nothing was sent: every connection was in use until the deadline. WeChat Pay answers slowly, or http.maxSockets is too small.'
        : 'Nothing was sent. Check DNS, the firewall and the outgoing proxy of this server, then call again.';
  return new WechatH5Error('GATEWAY_UNREACHABLE', `No connection to ${hosts}`, { hint, cause: because });
}

const UNKNOWN = 'What WeChat Pay did is unknown: call again with the same parameters, or query.';

export function timedOut(host: string, timeoutMs: number): WechatH5Error {
  return new WechatH5Error('GATEWAY_TIMEOUT', `${host} did not answer within ${timeoutMs} ms`, { hint: UNKNOWN });
}

export function broken(host: string, cause: Error | undefined): WechatH5Error {
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

/**
 * A reply of `return_code` FAIL is never signed: it can say what to look at, and proves nothing. A code in it is part of
 * what it says, never a verdict on an order or a refund.
 */
export function returnCodeFail(fields: Readonly<Record<string, string>>): WechatH5Error {
  // Refusals of the edge say retmsg.
  const said = [fields['return_msg'] ?? fields['retmsg'], fields['err_code'] ?? fields['error_code']];
  return failure(said.filter((part) => part).join(' '), undefined);
}

/** The same for a file. Nothing of a bill is signed; its refusals carry a number in error_code. */
export function fileRefused(fields: Readonly<Record<string, string>>): WechatH5Error {
  return failure(fields['return_msg'] ?? fields['retmsg'] ?? '', fields['error_code'] ?? fields['err_code']);
}

function failure(text: string, errCode: string | undefined): WechatH5Error {
  return new WechatH5Error('RETURN_CODE_FAIL', `WeChat Pay did not process the request: ${quoted(text, 128)}`, {
    ...(errCode === undefined ? {} : { errCode }),
    errCodeDes: text.slice(0, 128),
    hint: 'Look at the text: most often the API key, the ids or a field is wrong. 请核对 API 密钥、appid、mch_id 与参数。',
  });
}
