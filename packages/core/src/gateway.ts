import http from 'node:http';
import https from 'node:https';
import { quoted, WechatH5Error } from './errors.js';
import { openDownload, type Download } from './gateway-download.js';
import { ENDPOINTS, type DownloadPath, type GatewayPath } from './gateway-endpoints.js';
import { NotConnected, replyInvalid, returnCodeFail } from './gateway-errors.js';
import { isLoopback } from './gateway-hosts.js';
import { readReply } from './gateway-reply.js';
import { post } from './gateway-request.js';
import type { HttpOptions } from './http-options.js';
import type { KnownMerchant } from './merchant.js';
import { nonce } from './nonce.js';
import { readSigned } from './signature.js';
import { recutField } from './signed-fields.js';
import { buildXml } from './xml.js';

/** A reply whose signature and ids were checked: every field as received. */
export interface GatewayReply {
  readonly raw: Readonly<Record<string, string>>;
  /** `undefined`: `result_code` is SUCCESS. */
  readonly refusal: { readonly errCode: string; readonly errCodeDes: string } | undefined;
}

export interface GatewayOptions extends HttpOptions {
  /** Base URLs, the primary first. The next one is tried only when a connection could not be made at all. */
  bases: readonly URL[];
}

const TIMEOUT_MS = 6000;
const CONNECT_TIMEOUT_MS = 3000;
/** How long a download may stand still. */
const DOWNLOAD_IDLE_MS = 30_000;
/** How many replies are remembered to recognise one that belongs to another order. */
const REMEMBERED_REPLIES = 1000;

/**
 * Speaks to WeChat Pay: signs, posts XML over kept connections, and believes a reply only once it parses
 * strictly, is signed with the merchant's key and names the merchant.
 */
export class Gateway {
  readonly #bases: readonly URL[];
  readonly #http: HttpOptions;
  readonly #timeoutMs: number;
  readonly #connectTimeoutMs: number;
  readonly #agents: { http: http.Agent; https: http.Agent };
  readonly #replies = new Map<string, string>();

  constructor({ bases, ...options }: GatewayOptions) {
    this.#bases = bases;
    this.#http = options;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const pool = { keepAlive: true, autoSelectFamily: true };
    this.#agents = { http: new http.Agent(pool), https: new https.Agent(pool) };
  }

  /** `host:port` when the gateway is a simulator on this machine. */
  get simulatorHost(): string | undefined {
    const simulated = this.#bases.find(isLoopback);
    return simulated?.host;
  }

  /**
   * @param subject the number the call is about, to recognise a reply that belongs to another one
   * @param deadline of a call that is one of several tries, on the clock of `performance.now()`
   * @throws {WechatH5Error} `GATEWAY_UNREACHABLE` (nothing was sent), `GATEWAY_TIMEOUT`,
   *   `GATEWAY_REPLY_INVALID`, `RETURN_CODE_FAIL`: after these three, what WeChat Pay did is unknown
   */
  async call(
    path: GatewayPath,
    merchant: KnownMerchant,
    business: Readonly<Record<string, string>>,
    subject: string,
    deadline = this.deadline(),
  ): Promise<GatewayReply> {
    const { response, host } = await this.#send(path, merchant, business, deadline);
    const body = await readReply(response, { host, deadline, timeoutMs: this.#timeoutMs });
    return this.#believe(body, merchant, subject, path);
  }

  /**
   * A file of WeChat Pay, unsigned like every bill. Read it or destroy it.
   * @throws {WechatH5Error} those of {@link call}; `RETURN_CODE_FAIL` and `GATEWAY_REFUSED` carry the `errCode`
   */
  async download(
    path: DownloadPath,
    merchant: KnownMerchant,
    business: Readonly<Record<string, string>>,
  ): Promise<Download> {
    // A bill may be made while one waits for it, so its first byte has as long as any other.
    const deadline = performance.now() + DOWNLOAD_IDLE_MS;
    const { response, host } = await this.#send(path, merchant, business, deadline);
    return openDownload(response, { host, idleMs: DOWNLOAD_IDLE_MS });
  }

  /** When a call that begins now has to be over. */
  deadline(): number {
    return performance.now() + this.#timeoutMs;
  }

  /** Ends kept connections. Calls in flight fail. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #believe(body: Buffer, merchant: KnownMerchant, subject: string, path: GatewayPath): GatewayReply {
    const message = readSigned(body);
    if (!message.ok) {
      throw replyInvalid('is not the XML of WeChat Pay', `${message.reason}: ${quoted(body.toString('utf8'), 200)}`);
    }
    const { fields } = message;
    if (fields['return_code'] !== 'SUCCESS') throw returnCodeFail(fields);
    if (message.verify(merchant.keys) === -1) throw replyInvalid("is not signed with the merchant's key", 'sign');
    const foreign = merchant.foreignId(fields);
    if (foreign !== undefined) throw replyInvalid('is for another merchant', foreign);
    const recut = recutField(message);
    if (recut !== undefined) throw replyInvalid('can be read in two ways', `${recut.name} contains &${recut.hidden}=`);
    if (ENDPOINTS[path].noNonce !== true) this.#checkNonce(fields['nonce_str'], subject);
    if (fields['result_code'] === 'SUCCESS') return { raw: fields, refusal: undefined };
    if (fields['result_code'] !== 'FAIL') throw replyInvalid('has no result', 'result_code');
    return {
      raw: fields,
      refusal: { errCode: fields['err_code'] ?? '', errCodeDes: (fields['err_code_des'] ?? '').slice(0, 128) },
    };
  }

  // The reply's nonce is WeChat Pay's own, not an echo of ours: all it can prove is that a reply, genuine and
  // signed, was handed out before, for another order, by whatever stands in between.
  #checkNonce(value: string | undefined, subject: string): void {
    if (value === undefined || value === '' || value.length > 32) throw replyInvalid('has no nonce', 'nonce_str');
    const before = this.#replies.get(value);
    if (before !== undefined && before !== subject) throw replyInvalid('belongs to another order', 'nonce_str');
    this.#replies.set(value, subject);
    if (this.#replies.size > REMEMBERED_REPLIES) this.#replies.delete(this.#replies.keys().next().value as string);
  }

  async #send(
    path: GatewayPath | DownloadPath,
    merchant: KnownMerchant,
    business: Readonly<Record<string, string>>,
    deadline: number,
  ): Promise<{ response: http.IncomingMessage; host: string }> {
    const body = signedRequest(path, merchant, business);
    const certificate = ENDPOINTS[path].certificate === true ? merchant.certificate : undefined;
    let unreachable: unknown;
    for (const base of this.#bases) {
      if (performance.now() >= deadline) break;
      const isTls = base.protocol === 'https:';
      if (isTls && ENDPOINTS[path].certificate === true && certificate === undefined) throw certificateMissing(path);
      const kept = this.#http.agent ?? (isTls ? this.#agents.https : this.#agents.http);
      // Every call here may be repeated with the same parameters, so a connection that turns out to have been
      // closed while it was idle costs one more try, on a fresh one.
      // The user's agent may hold a proxy or a certificate authority: nothing goes past it.
      for (const agent of [kept, this.#http.agent ?? (false as const)]) {
        try {
          const response = await post(base, path, body, {
            agent,
            lookup: this.#http.lookup,
            certificate,
            connectTimeoutMs: this.#connectTimeoutMs,
            deadline,
            timeoutMs: this.#timeoutMs,
          });
          return { response, host: base.host };
        } catch (error) {
          if (!(error instanceof NotConnected)) throw error;
          unreachable = error.cause;
          if (!error.stale) break;
        }
      }
    }
    throw new WechatH5Error(
      'GATEWAY_UNREACHABLE',
      `No connection to ${this.#bases.map((base) => base.host).join(' or ')}`,
      {
        hint: 'Nothing was sent. Check DNS, the firewall and the outgoing proxy of this server, then call again.',
        cause: unreachable,
      },
    );
  }
}

function signedRequest(
  path: GatewayPath | DownloadPath,
  merchant: KnownMerchant,
  business: Readonly<Record<string, string>>,
): Buffer {
  const { mchIdName, noNonce, signType = merchant.signType } = ENDPOINTS[path];
  const fields: Record<string, string> = { ...merchant.identity, ...business };
  if (mchIdName !== undefined) {
    fields[mchIdName] = merchant.mchId;
    delete fields['mch_id'];
  }
  if (noNonce !== true) fields['nonce_str'] = nonce();
  if (signType !== 'MD5') fields['sign_type'] = signType;
  fields['sign'] = merchant.sign(fields, signType);
  return Buffer.from(buildXml(fields), 'utf8');
}

function certificateMissing(path: string): WechatH5Error {
  return new WechatH5Error('CERTIFICATE_MISSING', `${path} needs the merchant's API certificate, and none was given`, {
    field: 'merchant.certificate',
    hint:
      'Nothing was sent. Pass merchant.certificate with the contents of apiclient_cert.pem and apiclient_key.pem, or set WECHAT_PAY_CERTIFICATE_FILE and WECHAT_PAY_PRIVATE_KEY_FILE. ' +
      '请求并未发出：请配置商户 API 证书 merchant.certificate。',
  });
}
