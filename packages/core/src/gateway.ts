import { randomFillSync } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { quoted, WechatH5Error } from './errors.js';
import type { KnownMerchant } from './merchant.js';
import { readSigned } from './signature.js';
import { recutField } from './signed-fields.js';
import { buildXml } from './xml.js';

/** The V2 operations used here, by path. */
export type GatewayPath = '/pay/unifiedorder' | '/pay/orderquery' | '/pay/closeorder' | '/pay/refundquery';

/** A reply whose signature and ids were checked: every field as received. */
export interface GatewayReply {
  readonly raw: Readonly<Record<string, string>>;
  /** `undefined`: `result_code` is SUCCESS. */
  readonly refusal: { readonly errCode: string; readonly errCodeDes: string } | undefined;
}

export interface GatewayOptions {
  /** Base URLs, the primary first. The next one is tried only when a connection could not be made at all. */
  bases: readonly URL[];
  /** For the whole call, all hosts together. Default 6000. */
  timeoutMs?: number;
  /** Until a connection stands, for each host. Default 3000. */
  connectTimeoutMs?: number;
}

const MAX_REPLY_BYTES = 256 * 1024;
const TIMEOUT_MS = 6000;
const CONNECT_TIMEOUT_MS = 3000;
/** How many replies are remembered to recognise one that belongs to another order. */
const REMEMBERED_REPLIES = 1000;

const MAINLAND = ['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com'];
const GLOBAL = ['https://apihk.mch.weixin.qq.com', 'https://api.mch.weixin.qq.com'];

/**
 * The `gateway` option as base URLs.
 * @throws {WechatH5Error} `OPTIONS_INVALID`
 */
export function gatewayBases(gateway: string | readonly string[]): URL[] {
  const named =
    gateway === 'mainland'
      ? MAINLAND
      : gateway === 'global'
        ? GLOBAL
        : typeof gateway === 'string'
          ? [gateway]
          : gateway;
  if (named.length === 0) throw badGateway('is an empty list');
  return named.map((base) => {
    let url: URL;
    try {
      url = new URL(base);
    } catch (cause) {
      throw badGateway(`${quoted(String(base))} is not a URL`, cause);
    }
    if (url.search !== '' || url.hash !== '' || url.username !== '')
      throw badGateway('carries a query, a fragment or credentials');
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
      throw badGateway(`${quoted(base)} is not https`);
    }
    return url;
  });
}

/** Whether a gateway is on this machine, which makes it a simulator: WeChat Pay itself never is. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname);
}

/**
 * Speaks to WeChat Pay: signs, posts XML over kept connections, and believes a reply only once it parses
 * strictly, is signed with the merchant's key and names the merchant.
 */
export class Gateway {
  readonly #bases: readonly URL[];
  readonly #timeoutMs: number;
  readonly #connectTimeoutMs: number;
  readonly #agents: { http: http.Agent; https: https.Agent };
  readonly #replies = new Map<string, string>();

  constructor(options: GatewayOptions) {
    this.#bases = options.bases;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#agents = {
      http: new http.Agent({ keepAlive: true }),
      https: new https.Agent({ keepAlive: true, minVersion: 'TLSv1.2' }),
    };
  }

  /** `host:port` when the gateway is a simulator on this machine. */
  get simulatorHost(): string | undefined {
    const simulated = this.#bases.find(isLoopback);
    return simulated?.host;
  }

  /**
   * @param subject the number the call is about, to recognise a reply that belongs to another one
   * @throws {WechatH5Error} `GATEWAY_UNREACHABLE` (nothing was sent), `GATEWAY_TIMEOUT`,
   *   `GATEWAY_REPLY_INVALID`, `RETURN_CODE_FAIL`: after these three, what WeChat Pay did is unknown
   */
  async call(
    path: GatewayPath,
    merchant: KnownMerchant,
    business: Readonly<Record<string, string>>,
    subject: string,
  ): Promise<GatewayReply> {
    const fields: Record<string, string> = { ...merchant.identity, ...business, nonce_str: nonce() };
    if (merchant.signType !== 'MD5') fields['sign_type'] = merchant.signType;
    fields['sign'] = merchant.sign(fields);
    const body = Buffer.from(buildXml(fields), 'utf8');
    return this.#believe(await this.#post(path, body), merchant, subject);
  }

  /** Ends kept connections. Calls in flight fail. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #believe(body: Buffer, merchant: KnownMerchant, subject: string): GatewayReply {
    const message = readSigned(body);
    if (!message.ok) {
      throw replyInvalid('is not the XML of WeChat Pay', `${message.reason}: ${quoted(body.toString('utf8'), 200)}`);
    }
    const { fields } = message;
    // These replies are never signed: they can say what to look at, and prove nothing.
    if (fields['return_code'] !== 'SUCCESS') {
      const text = fields['return_msg'] ?? fields['retmsg'] ?? '';
      throw new WechatH5Error('RETURN_CODE_FAIL', `WeChat Pay did not process the request: ${quoted(text, 128)}`, {
        errCodeDes: text.slice(0, 128),
        hint: 'Look at the text: most often the API key, the ids or a field is wrong. 请核对 API 密钥、appid、mch_id 与参数。',
      });
    }
    if (message.verify(merchant.keys) === -1) throw replyInvalid("is not signed with the merchant's key", 'sign');
    const foreign = merchant.foreignId(fields);
    if (foreign !== undefined) throw replyInvalid('is for another merchant', foreign);
    const recut = recutField(message);
    if (recut !== undefined) throw replyInvalid('can be read in two ways', `${recut.name} contains &${recut.hidden}=`);
    this.#checkNonce(fields['nonce_str'], subject);
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

  async #post(path: GatewayPath, body: Buffer): Promise<Buffer> {
    const deadline = performance.now() + this.#timeoutMs;
    let unreachable: unknown;
    for (const base of this.#bases) {
      if (performance.now() >= deadline) break;
      try {
        return await this.#postTo(base, path, body, deadline, 'kept');
      } catch (error) {
        if (!(error instanceof NotConnected)) throw error;
        unreachable = error.cause;
        if (!error.stale) continue;
      }
      // Every call here may be repeated with the same parameters, so a connection that turns out to have been
      // closed while it was idle costs one more try, on a fresh one.
      try {
        return await this.#postTo(base, path, body, deadline, 'fresh');
      } catch (error) {
        if (!(error instanceof NotConnected)) throw error;
        unreachable = error.cause;
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

  #postTo(base: URL, path: GatewayPath, body: Buffer, deadline: number, connection: 'kept' | 'fresh'): Promise<Buffer> {
    const transport = base.protocol === 'https:' ? https : http;
    const agent = connection === 'fresh' ? false : base.protocol === 'https:' ? this.#agents.https : this.#agents.http;
    return new Promise((resolve, reject) => {
      let connected = false;
      const request = transport.request({
        protocol: base.protocol,
        hostname: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port,
        path: base.pathname.replace(/\/$/, '') + path,
        method: 'POST',
        agent,
        ...(base.protocol === 'https:' ? { minVersion: 'TLSv1.2' as const } : {}),
        headers: { 'content-type': 'text/xml; charset=utf-8', 'content-length': body.byteLength, accept: 'text/xml' },
      });
      const connectTimer = setTimeout(() => {
        request.destroy(new Error(`no connection within ${this.#connectTimeoutMs} ms`));
      }, this.#connectTimeoutMs);
      const totalTimer = setTimeout(
        () => {
          settle(() =>
            reject(
              connected
                ? new WechatH5Error('GATEWAY_TIMEOUT', `${base.host} did not answer within ${this.#timeoutMs} ms`, {
                    hint: 'What WeChat Pay did is unknown: call again with the same parameters, or query.',
                  })
                : new NotConnected(new Error(`no connection within ${this.#timeoutMs} ms`)),
            ),
          );
        },
        Math.max(0, deadline - performance.now()),
      );
      const settle = (finish: () => void): void => {
        clearTimeout(connectTimer);
        clearTimeout(totalTimer);
        finish();
        if (!request.destroyed) request.destroy();
      };
      request.on('socket', (socket) => {
        const onConnected = (): void => {
          connected = true;
          clearTimeout(connectTimer);
        };
        if (!socket.connecting) onConnected();
        else socket.once(base.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected);
      });
      request.on('error', (error) => {
        const stale = connected && request.reusedSocket;
        settle(() => reject(connected && !stale ? broken(base, error) : new NotConnected(error, stale)));
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > MAX_REPLY_BYTES)
            settle(() => reject(replyInvalid('is too large', `more than ${MAX_REPLY_BYTES} bytes`)));
          else chunks.push(chunk);
        });
        response.on('error', (error) => settle(() => reject(broken(base, error))));
        response.on('aborted', () =>
          settle(() => reject(broken(base, new Error('the connection closed within the reply')))),
        );
        response.on('end', () => {
          clearTimeout(connectTimer);
          clearTimeout(totalTimer);
          const reply = Buffer.concat(chunks, size);
          // Redirects included: the body holds what only WeChat Pay may see.
          if (response.statusCode !== 200) {
            reject(replyInvalid(`has status ${response.statusCode}`, quoted(reply.toString('utf8'), 200)));
          } else if ((response.headers['content-encoding'] ?? 'identity') !== 'identity') {
            reject(
              replyInvalid(
                'is compressed although nobody asked for it',
                quoted(String(response.headers['content-encoding'])),
              ),
            );
          } else resolve(reply);
        });
      });
      request.end(body);
    });
  }
}

/** No connection came about, or (`stale`) a kept one broke before the first byte of a reply. */
class NotConnected extends Error {
  constructor(
    cause: unknown,
    readonly stale = false,
  ) {
    super('not connected', { cause });
  }
}

const NONCES = Buffer.alloc(16 * 256);
let nextNonce = NONCES.byteLength;

/** 32 hexadecimal characters from the system's generator, drawn in batches because each draw is a system call. */
function nonce(): string {
  if (nextNonce === NONCES.byteLength) {
    randomFillSync(NONCES);
    nextNonce = 0;
  }
  nextNonce += 16;
  return NONCES.toString('hex', nextNonce - 16, nextNonce);
}

function broken(base: URL, cause: Error): WechatH5Error {
  return new WechatH5Error(
    'GATEWAY_REPLY_INVALID',
    `The connection to ${base.host} broke before the reply was complete`,
    {
      hint: 'What WeChat Pay did is unknown: call again with the same parameters, or query.',
      cause,
    },
  );
}

function replyInvalid(problem: string, detail: string): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', `The reply ${problem} (${detail})`, {
    hint: 'It was not believed; what WeChat Pay did is unknown. Call again with the same parameters, or query. If it lasts, look at what stands between this server and WeChat Pay.',
  });
}

function badGateway(problem: string, cause?: unknown): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `gateway ${problem}`, {
    field: 'gateway',
    hint: "Use 'mainland', 'global', or https base URLs such as https://api.mch.weixin.qq.com; http only for a simulator on 127.0.0.1.",
    cause,
  });
}
