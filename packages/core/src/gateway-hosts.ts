import { quoted, WechatH5Error } from './errors.js';

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

/** How long a host that could not be reached is tried last. */
const REST_MS = 30_000;

/**
 * The hosts of the gateway and which of them to try first. One that could not be reached rests; when its rest is
 * over, one call tries it again, while the others keep to the next host: a probe that hangs delays nobody else.
 */
export class Hosts {
  readonly #bases: readonly URL[];
  readonly #restingUntil = new Map<URL, number>();

  constructor(bases: readonly URL[]) {
    this.#bases = bases;
  }

  /** @param now on a monotonic clock, in milliseconds */
  inOrder(now: number): readonly URL[] {
    if (this.#restingUntil.size === 0) return this.#bases;
    const ready: URL[] = [];
    const resting: URL[] = [];
    for (const base of this.#bases) {
      const until = this.#restingUntil.get(base);
      if (until !== undefined && now < until) resting.push(base);
      else {
        // Whoever asks now is the probe.
        if (until !== undefined) this.#restingUntil.set(base, now + REST_MS);
        ready.push(base);
      }
    }
    return [...ready, ...resting];
  }

  reached(base: URL): void {
    this.#restingUntil.delete(base);
  }

  notReached(base: URL, now: number): void {
    this.#restingUntil.set(base, now + REST_MS);
  }
}

function badGateway(problem: string, cause?: unknown): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `gateway ${problem}`, {
    field: 'gateway',
    hint: "Use 'mainland', 'global', or https base URLs such as https://api.mch.weixin.qq.com; http only for a simulator on 127.0.0.1.",
    cause,
  });
}
