import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { broken, NotConnected, unreachable } from './gateway-errors.js';
import { Hosts } from './gateway-hosts.js';
import { post, type CertificateOptions, type Deadline } from './gateway-request.js';
import type { HttpOptions } from './http-options.js';

export interface TransportOptions extends HttpOptions {
  /** Base URLs, the primary first. The next one is tried only when a connection could not be made at all. */
  bases: readonly URL[];
  /** Waits before further attempts. Default 1 s, 3 s. */
  repeatAfterMs?: readonly number[] | undefined;
  /** By which hosts rest. */
  now: () => number;
}

/** One message to WeChat Pay, made anew for each attempt: a nonce is for one message. */
export interface Message {
  readonly path: string;
  readonly body: () => string;
  readonly certificate: CertificateOptions | undefined;
}

const CONNECT_TIMEOUT_MS = 3000;
const MAX_SOCKETS = 64;
const REPEAT_AFTER_MS = [1000, 3000];
/** Kept connections are closed before anything on the way is likely to forget them. */
const KEPT_IDLE_MS = 15_000;

/** Brings messages to the first host that can be reached, over kept connections. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #hosts: Hosts;
  readonly #agents: { http: http.Agent; https: http.Agent };
  readonly #stopping = new AbortController();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#hosts = new Hosts(options.bases);
    const maxSockets = options.maxSockets ?? MAX_SOCKETS;
    const pool = { keepAlive: true, maxSockets, timeout: KEPT_IDLE_MS, autoSelectFamily: true };
    this.#agents = { http: new http.Agent(pool), https: new https.Agent(pool) };
  }

  /**
   * The head of the reply, from the first host with which a connection came about. While there is none, nothing can
   * have been applied, so it tries again.
   *
   * @throws {WechatH5Error} `GATEWAY_UNREACHABLE` (nothing was sent), `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`
   */
  async send(message: Message, deadline: Deadline): Promise<{ response: http.IncomingMessage; host: string }> {
    let sentTo: string | undefined;
    for (let attempt = 0; ; attempt++) {
      let failure: NotConnected | undefined;
      for (const base of this.#hosts.inOrder(this.#options.now())) {
        if (performance.now() >= deadline.at) break;
        const outcome = await this.#sendTo(base, message, deadline);
        if (!(outcome instanceof NotConnected)) {
          this.#hosts.reached(base);
          return { response: outcome, host: base.host };
        }
        failure = outcome;
        if (outcome.stale) sentTo ??= base.host;
        if (outcome.isLocal || outcome.isImpostor) break;
        this.#hosts.notReached(base, this.#options.now());
      }
      if (failure?.isImpostor === true || !(await this.#waitToRepeat(attempt, deadline))) {
        if (sentTo !== undefined) throw broken(sentTo, failure?.cause);
        throw unreachable(this.#options.bases.map((base) => base.host).join(' or '), failure?.cause);
      }
    }
  }

  /** `false`: no attempt is left, or no time. */
  async #waitToRepeat(attempt: number, deadline: Deadline): Promise<boolean> {
    const wait = (this.#options.repeatAfterMs ?? REPEAT_AFTER_MS)[attempt];
    if (wait === undefined || performance.now() + wait >= deadline.at) return false;
    try {
      await delay(wait, undefined, { signal: this.#stopping.signal });
      return true;
    } catch {
      return false;
    }
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Ends kept connections. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /**
   * Every call here may be repeated with the same parameters, so a kept connection that turns out to be dead costs one
   * more try, on a fresh one.
   */
  async #sendTo(base: URL, message: Message, deadline: Deadline): Promise<http.IncomingMessage | NotConnected> {
    const { agent, lookup, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const { path, certificate } = message;
    const options = { lookup, certificate, connectTimeoutMs, deadline };
    const own = base.protocol === 'https:' ? this.#agents.https : this.#agents.http;
    const first = await post(base, path, message.body(), { ...options, agent: agent ?? own }).catch(notConnected);
    if (!(first instanceof NotConnected) || !first.stale) return first;
    // The user's agent may hold a proxy or a certificate authority: nothing goes past it.
    const second = await post(base, path, message.body(), { ...options, agent: agent ?? false }).catch(notConnected);
    // The first one was sent, and nobody knows how far it got.
    return second instanceof NotConnected ? new NotConnected(second.cause, true) : second;
  }
}

function notConnected(error: unknown): NotConnected {
  if (error instanceof NotConnected) return error;
  throw error;
}
