import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClientIp, ClientIpRequest, TrustFunction } from './client-ip.js';
import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import { checkSecret, headerValue } from './operator-secret.js';
import { jsonReply, textReply, type PageReply, type PageRequest } from './page.js';

/**
 * For shops that payers reach over IPv6: a second host name without an AAAA record, under which the same
 * application serves the probe. The page asks it before the order is placed, and the order then carries the
 * IPv4 address that WeChat Pay's cashier will most likely see.
 */
export interface IpProbeOptions {
  /** Absolute URL of the probe on the host that has only IPv4: `https://v4.example.com/wechat-h5/ip-probe`. */
  url: string;
  /** Signs the answer; at least 16 characters, the same on every machine. */
  secret: string;
}

/** What a page needs for the probe. */
export interface IpProbePage {
  /** Goes into the order form: a hidden field `wechat_h5_ip`, and the script that fills it. */
  html: string;
  /** Send it as `Set-Cookie`; `undefined` when the browser has it already. */
  setCookie: string | undefined;
}

/** The name of the form field, and of the cookie that binds an answer to the browser that asked. */
export const IP_PROBE_FIELD = 'wechat_h5_ip';
const COOKIE = 'wechat_h5_probe';
const LIFE_MS = 120_000;

export class IpProbe {
  readonly #url: URL;
  readonly #secret: string;
  readonly #find: (request: ClientIpRequest, trust?: TrustFunction) => ClientIp;
  readonly #isAllowedOrigin: (origin: string) => boolean;

  /** @throws {WechatH5Error} `OPTIONS_INVALID` */
  constructor(
    options: IpProbeOptions,
    parts: {
      find: (request: ClientIpRequest, trust?: TrustFunction) => ClientIp;
      /** Pages of the shop, which alone may read the answer. */
      isAllowedOrigin: (origin: string) => boolean;
      simulated: boolean;
    },
  ) {
    this.#url = probeUrl(options.url, parts.simulated);
    this.#secret = checkSecret(options.secret, 'ipProbe.secret');
    this.#find = parts.find;
    this.#isAllowedOrigin = parts.isAllowedOrigin;
  }

  get path(): string {
    return this.#url.pathname;
  }

  /** For the page with the order form. */
  page(rawHeaders: readonly string[], nonce?: string): IpProbePage {
    const known = cookieOf(rawHeaders);
    const cookie = known ?? randomBytes(16).toString('base64url');
    const url = new URL(this.#url);
    url.searchParams.set('sid', sessionOf(cookie));
    // The answer lives for two minutes, a page longer: it is asked for again before it ends. Without one the order
    // goes without. Old browsers' words only; `<` cannot end the script.
    const target = JSON.stringify(url.href).replaceAll('<', '\\u003c');
    const script =
      `(function(f){function ask(){fetch(${target},{credentials:"omit",cache:"no-store"})` +
      `.then(function(r){return r.json()}).then(function(a){f.value=a.token||""}).catch(function(){})}` +
      `if(window.fetch){ask();setInterval(ask,${LIFE_MS - 20_000})}})(document.currentScript.previousElementSibling)`;
    return {
      html: `<input type="hidden" name="${IP_PROBE_FIELD}" value=""><script${nonce === undefined ? '' : ` nonce="${attribute(nonce)}"`}>${script}</script>`,
      setCookie:
        known === undefined
          ? `${COOKIE}=${cookie}; Path=/; HttpOnly; SameSite=Lax${this.#url.protocol === 'https:' ? '; Secure' : ''}`
          : undefined,
    };
  }

  /** Answers the page's question. The address comes from the connection, by the same rules as every other. */
  reply(request: PageRequest, trust?: TrustFunction): PageReply {
    const origin = headerValue(request.rawHeaders, 'origin');
    const vary = { vary: 'Origin' };
    if (request.method !== 'GET') return textReply(405, 'Only GET.\n', { allow: 'GET' });
    if (origin === undefined || !this.#isAllowedOrigin(origin))
      return textReply(403, 'Only for pages of the shop.\n', vary);
    const sid = new URLSearchParams(request.query ?? '').get('sid') ?? '';
    const cors = { ...vary, 'access-control-allow-origin': origin };
    if (!/^[\w-]{43}$/.test(sid)) return jsonReply(400, { token: null }, cors);
    return jsonReply(200, { token: this.#tokenFor(sid, request, trust) }, cors);
  }

  #tokenFor(sid: string, request: PageRequest, trust: TrustFunction | undefined): string | null {
    try {
      const { ip, family } = this.#find(request, trust);
      // Reached over IPv6 after all: the host has an AAAA record, and there is nothing to vouch for.
      return family === 4 ? this.#sign(sid, ip) : null;
    } catch (error) {
      // The merchant has been told; the payer's page goes on without an answer.
      if (isWechatH5Error(error)) return null;
      throw error;
    }
  }

  /** The IPv4 address that a token vouches for, for this browser, now; `undefined` for anything else. */
  read(token: string, rawHeaders: readonly string[]): string | undefined {
    const cookie = cookieOf(rawHeaders);
    const match = /^(\d{10,16})\.(\d{1,3}(?:\.\d{1,3}){3})\.([\w-]{43})$/.exec(token);
    if (cookie === undefined || match === null) return undefined;
    const [, expires = '', ip = '', given = ''] = match;
    const expected = this.#mac(sessionOf(cookie), expires, ip);
    if (!timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(expected, 'latin1'))) return undefined;
    return Number(expires) >= Date.now() ? ip : undefined;
  }

  #sign(sid: string, ip: string): string {
    const expires = String(Date.now() + LIFE_MS);
    return `${expires}.${ip}.${this.#mac(sid, expires, ip)}`;
  }

  // Blanks cannot occur in any part, so the parts cannot run into each other.
  #mac(sid: string, expires: string, ip: string): string {
    return createHmac('sha256', this.#secret).update(`${sid} ${expires} ${ip}`).digest('base64url');
  }
}

/** What the page tells the other host: enough to bind the answer to, and of no use to anybody else. */
function sessionOf(cookie: string): string {
  return createHash('sha256').update(cookie, 'utf8').digest('base64url');
}

function cookieOf(rawHeaders: readonly string[]): string | undefined {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{22})(?:;|$)`).exec(headerValue(rawHeaders, 'cookie') ?? '')?.[1];
}

function attribute(nonce: string): string {
  if (/^[A-Za-z0-9+/_=-]+$/.test(nonce)) return nonce;
  throw new WechatH5Error('OPTIONS_INVALID', 'nonce is not base64', {
    field: 'nonce',
    hint: "Pass the nonce of the page's Content-Security-Policy.",
  });
}

function probeUrl(value: unknown, simulated: boolean): URL {
  let url: URL | undefined;
  try {
    url = new URL(String(value));
  } catch {
    url = undefined;
  }
  if (
    url !== undefined &&
    (url.protocol === 'https:' || (simulated && url.protocol === 'http:')) &&
    url.search === '' &&
    url.hash === ''
  )
    return url;
  throw new WechatH5Error('OPTIONS_INVALID', `ipProbe.url is ${quoted(String(value))}`, {
    field: 'ipProbe.url',
    hint: 'Give an absolute https URL without a query, on a host that has an A record and no AAAA record.',
  });
}
