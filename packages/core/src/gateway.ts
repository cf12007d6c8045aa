import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { CallRate, rateLimited } from './call-rate.js';
import { WechatH5Error } from './errors.js';
import { Belief, type GatewayReply } from './gateway-belief.js';
import { shutDown } from './gateway-errors.js';
import { openDownload, type Download } from './gateway-download.js';
import { ENDPOINTS, type DownloadPath, type GatewayPath } from './gateway-endpoints.js';
import { isLoopback } from './gateway-hosts.js';
import { readReply } from './gateway-reply.js';
import type { Deadline } from './gateway-request.js';
import { Transport, type Message } from './gateway-transport.js';
import type { HttpOptions } from './http-options.js';
import type { KnownMerchant } from './merchant.js';
import { nonce } from './nonce.js';
import type { OrderBook } from './order-book.js';
import { rowOf } from './result-codes.js';

export type { GatewayReply } from './gateway-belief.js';

export interface GatewayOptions extends HttpOptions {
  /** Base URLs, the primary first. The next one is tried only when a connection could not be made at all. */
  bases: readonly URL[];
  /** Waits before further attempts when no connection came about. Default 1 s, 3 s. */
  repeatAfterMs?: readonly number[];
  /** By which hosts rest and calls are counted. Default `performance.now`: no clock that can be set. */
  now?: () => number;
  /** Where machines share one pace for what nobody waits for: {@link OrderBook.turn}. Without it each has its own. */
  turns?: Pick<OrderBook, 'turn'>;
}

const TIMEOUT_MS = 6000;
const CALLS_PER_SECOND = 100;
/** How long a download may stand still. */
const DOWNLOAD_IDLE_MS = 30_000;
/** How long one may be waited for in all: the bill of a large shop over a slow line takes minutes. */
const DOWNLOAD_WAIT_MS = 30 * 60_000;
/** How long calls in flight may take when everything stops. */
const DRAIN_MS = 5000;

/** What an operation needs of a gateway. */
export type Caller = Pick<Gateway, 'call' | 'deadline' | 'simulatorHost'>;

/** Speaks to WeChat Pay: signs, posts XML at the merchant's pace, and hands out replies that can be believed. */
export class Gateway {
  readonly #bases: readonly URL[];
  readonly #timeoutMs: number;
  readonly #callsPerSecond: number;
  readonly #now: () => number;
  readonly #transport: Transport;
  readonly #belief = new Belief();
  readonly #rates = new Map<string, CallRate>();
  readonly #turns: Pick<OrderBook, 'turn'>;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #isClosed = false;

  constructor(options: GatewayOptions) {
    setMaxListeners(0, this.#ending.signal);
    this.#bases = options.bases;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#callsPerSecond = options.callsPerSecond ?? CALLS_PER_SECOND;
    this.#now = options.now ?? (() => performance.now());
    this.#turns = options.turns ?? {};
    this.#transport = new Transport({ ...options, now: this.#now });
  }

  /** `host:port` when the gateway is a simulator on this machine. */
  get simulatorHost(): string | undefined {
    return this.#bases.find(isLoopback)?.host;
  }

  /**
   * @param subject the number the call is about, to recognise a reply that belongs to another one
   * @param deadline of a call that is one of several tries
   * @throws {WechatH5Error} `GATEWAY_UNREACHABLE`, `RATE_LIMITED`, `CERTIFICATE_MISSING`: nothing was sent. `GATEWAY_TIMEOUT`,
   *   `GATEWAY_REPLY_INVALID`, `RETURN_CODE_FAIL`: what WeChat Pay did is unknown
   */
  call(
    path: GatewayPath,
    merchant: KnownMerchant,
    business: Readonly<Record<string, string>>,
    subject: string,
    deadline = this.deadline(),
  ): Promise<GatewayReply> {
    return this.#counted(async () => {
      const message = this.#message(path, merchant, business);
      const { response, host } = await this.#send(message, merchant, deadline);
      const body = await readReply(response, { host, deadline });
      return this.#paced(merchant, () =>
        this.#belief.believe(body, merchant, subject, ENDPOINTS[path].noNonce !== true),
      );
    });
  }

  /**
   * A file of WeChat Pay, unsigned like every bill. Read it or destroy it.
   * @throws {WechatH5Error} those of {@link call}; `RETURN_CODE_FAIL` and `GATEWAY_REFUSED` carry the `errCode`
   */
  download(path: DownloadPath, merchant: KnownMerchant, business: Readonly<Record<string, string>>): Promise<Download> {
    return this.#counted(async () => {
      // A bill may be made while one waits for it, so its first byte has as long as any other.
      const message = this.#message(path, merchant, business);
      const { response, host } = await this.#send(message, merchant, within(DOWNLOAD_IDLE_MS));
      const limits = { host, idleMs: DOWNLOAD_IDLE_MS, waitMs: DOWNLOAD_WAIT_MS };
      return openDownload(response, limits).catch((error: unknown) => {
        throw this.#heeded(merchant, error);
      });
    });
  }

  /** When a call that begins now has to be over. */
  deadline(): Deadline {
    return within(this.#timeoutMs);
  }

  /** The same for calls that nobody waits for: at the same pace, after all others. */
  get background(): Caller {
    const deadline = (): Deadline => ({ ...this.deadline(), isBackground: true });
    return {
      simulatorHost: this.simulatorHost,
      deadline,
      call: (path, merchant, business, subject, by = deadline()) => this.call(path, merchant, business, subject, by),
    };
  }

  /** From here on nothing in the background waits for its turn: it is refused instead. */
  endBackground(): void {
    this.#ending.abort();
    for (const rate of this.#rates.values()) rate.end('background');
  }

  /** Takes no more calls, gives those in flight five seconds, and ends kept connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.endBackground();
    this.#transport.stop();
    if (this.#inFlight.size > 0) {
      const drained = new AbortController();
      const rest = delay(DRAIN_MS, undefined, { signal: drained.signal }).catch(() => {});
      await Promise.race([Promise.allSettled(this.#inFlight), rest]);
      drained.abort();
    }
    for (const rate of this.#rates.values()) rate.end('everybody');
    this.#transport.close();
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw shutDown();
    const call = work();
    this.#inFlight.add(call);
    try {
      return await call;
    } finally {
      this.#inFlight.delete(call);
    }
  }

  async #send(message: Message, merchant: KnownMerchant, deadline: Deadline): ReturnType<Transport['send']> {
    const rate = this.#rateOf(merchant);
    if (deadline.isBackground === true) await this.#turnAmongMachines(merchant, rate, deadline);
    await rate.turn(deadline.at, deadline);
    return this.#transport.send(message, deadline);
  }

  async #turnAmongMachines({ mchId }: KnownMerchant, rate: CallRate, deadline: Deadline): Promise<void> {
    if (this.#turns.turn === undefined) return;
    const perSecond = rate.backgroundPerSecond;
    // A book that is away keeps nobody from asking at this machine's own pace: who asks is told by the book soon enough.
    const wait = await this.#turns.turn(mchId, { perSecond, withinMs: deadline.at - performance.now() }).catch(() => 0);
    if (wait === undefined) throw rateLimited(perSecond);
    if (wait === 0) return;
    await delay(wait, undefined, { signal: this.#ending.signal }).catch(() => {
      throw shutDown();
    });
  }

  #message(
    path: GatewayPath | DownloadPath,
    merchant: KnownMerchant,
    business: Readonly<Record<string, string>>,
  ): Message {
    const needsCertificate = ENDPOINTS[path].certificate === true;
    const certificate = needsCertificate ? merchant.certificate : undefined;
    // A simulator on plain http can be shown none.
    if (needsCertificate && certificate === undefined && this.#bases.some(({ protocol }) => protocol === 'https:')) {
      throw certificateMissing(path);
    }
    return { path, certificate, body: () => signedRequest(path, merchant, business) };
  }

  /** Slows down when the reply says that there were too many calls. */
  #paced(merchant: KnownMerchant, read: () => GatewayReply): GatewayReply {
    try {
      const reply = read();
      if (reply.refusal !== undefined && isTooFrequent(reply.refusal)) this.#rateOf(merchant).halve();
      return reply;
    } catch (error) {
      throw this.#heeded(merchant, error);
    }
  }

  /** The same for an error, which it hands back. */
  #heeded(merchant: KnownMerchant, error: unknown): unknown {
    if (error instanceof WechatH5Error && isTooFrequent(error)) this.#rateOf(merchant).halve();
    return error;
  }

  #rateOf({ mchId }: KnownMerchant): CallRate {
    let rate = this.#rates.get(mchId);
    if (rate === undefined) {
      rate = new CallRate(this.#callsPerSecond, this.#now);
      this.#rates.set(mchId, rate);
    }
    return rate;
  }
}

function within(ms: number): Deadline {
  return { at: performance.now() + ms, ms };
}

/** WeChat Pay says it by a code or, where a reply has none, in words. */
function isTooFrequent({
  errCode = '',
  errCodeDes = '',
}: {
  errCode?: string | undefined;
  errCodeDes?: string | undefined;
}): boolean {
  return (
    rowOf(errCode, { text: errCodeDes }).type === 'rate-limit' ||
    /频率限制|频率过高|过于频繁|FREQUENCY_LIMITED/.test(errCodeDes)
  );
}

function signedRequest(
  path: GatewayPath | DownloadPath,
  merchant: KnownMerchant,
  business: Readonly<Record<string, string>>,
): string {
  const { mchIdName, noNonce, signType = merchant.signType } = ENDPOINTS[path];
  const own = merchant.identity;
  if (mchIdName !== undefined) {
    own[mchIdName] = merchant.mchId;
    delete own['mch_id'];
  }
  if (noNonce !== true) own['nonce_str'] = nonce();
  if (signType !== 'MD5') own['sign_type'] = signType;
  return merchant.signedXml(own, business, signType);
}

function certificateMissing(path: string): WechatH5Error {
  return new WechatH5Error('CERTIFICATE_MISSING', `${path} needs the merchant's API certificate, and none was given`, {
    field: 'merchant.certificate',
    hint:
      'Nothing was sent. Pass merchant.certificate with the contents of apiclient_cert.pem and apiclient_key.pem, or set WECHAT_PAY_CERTIFICATE_FILE and WECHAT_PAY_PRIVATE_KEY_FILE. ' +
      '请求并未发出：请配置商户 API 证书 merchant.certificate。',
  });
}
