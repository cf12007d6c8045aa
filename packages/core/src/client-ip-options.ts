import { didYouMean } from './did-you-mean.js';
import { quoted, WechatH5Error } from './errors.js';
import { trustHops, trustList, type TrustedProxies } from './trusted-proxies.js';

/**
 * Who may say whose address the payer's is.
 *
 * - `'none'`, the default: nobody. The payer is who connected.
 * - A list of proxies: IP addresses, CIDR ranges (`10.0.0.0/8`, `2001:db8::/32`) and the presets `loopback`
 *   (127.0.0.0/8, ::1), `linklocal` (169.254.0.0/16, fe80::/10), `uniquelocal` (10.0.0.0/8, 172.16.0.0/12,
 *   192.168.0.0/16, fc00::/7), `cgnat` (100.64.0.0/10) and `unix` (whoever connects to a UNIX socket).
 * - `{ hops: n }`: as many proxies, whatever their addresses; 0 is the socket. Weaker: the peer is not checked, so
 *   it holds only while nobody can reach the application around the proxies.
 * - `'express'`: the Express application's own `trust proxy`, unless that trusts everybody.
 */
export type Trust = 'none' | 'express' | readonly string[] | { readonly hops: number };

export interface ClientIpOptions {
  /** Default `'none'`. */
  trust?: Trust;
  /**
   * The one header that is read, and only from a trusted peer. `x-forwarded-for` (default) and RFC 7239's
   * `forwarded` are lists; any other name is taken to hold one address. There is no second choice: a header that
   * the proxies do not set is the visitor's to write.
   */
  header?: 'x-forwarded-for' | 'forwarded' | (string & {});
  /** How many entries of a list are read at most, from the right. 1 to 1000, default 16. */
  maxHops?: number;
  /** An address that is not globally reachable: `'allow'` (default) says so in `public`, `'reject'` throws NOT_PUBLIC. */
  nonPublic?: 'reject' | 'allow';
  /**
   * An IPv6 payer. `'reject'` throws IPV6_NOT_ALLOWED; to the resolver `'warn'` (default) and `'send'` are the same,
   * who places the order does the warning.
   */
  ipv6?: 'warn' | 'send' | 'reject';
  /** Whether an address of 64:ff9b::/96 (NAT64) is given out as the IPv4 address in it. Default true. */
  nat64?: boolean;
}

/** {@link ClientIpOptions} checked and complete. */
export interface ClientIpPolicy {
  readonly trust: Trust;
  /** `undefined`: whomever the Express application trusts. */
  readonly proxies: TrustedProxies | undefined;
  /** In lower case. */
  readonly header: string;
  readonly maxHops: number;
  readonly nonPublic: 'reject' | 'allow';
  readonly ipv6: 'warn' | 'send' | 'reject';
  readonly nat64: boolean;
}

const OPTIONS: Required<{ [name in keyof ClientIpOptions]: true }> = {
  trust: true,
  header: true,
  maxHops: true,
  nonPublic: true,
  ipv6: true,
  nat64: true,
};

/** RFC 9110 §5.6.2 token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/**
 * Checks every option, once.
 * @throws WechatH5Error OPTIONS_INVALID, TRUST_INVALID, TRUST_ALL, HEADER_NAME_INVALID
 */
export function readClientIpOptions(options: ClientIpOptions): ClientIpPolicy {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid('clientIp', 'is not an object', "Write for example { trust: ['127.0.0.1'] }.");
  }
  refuseUnknownNames(options, Object.keys(OPTIONS), 'clientIp');
  const {
    trust = 'none',
    header = 'x-forwarded-for',
    maxHops = 16,
    nonPublic = 'allow',
    ipv6 = 'warn',
    nat64 = true,
  } = options;
  if (!Number.isInteger(maxHops) || maxHops < 1 || maxHops > 1000) {
    throw invalid('clientIp.maxHops', 'is not a whole number from 1 to 1000', 'The default is 16. 默认值为 16。');
  }
  return {
    // The caller's list may change later; what was checked may not.
    trust: Array.isArray(trust) ? [...trust] : trust,
    proxies: readTrust(trust, maxHops),
    header: readHeader(header),
    maxHops,
    nonPublic: oneOf(['allow', 'reject'], nonPublic, 'clientIp.nonPublic'),
    ipv6: oneOf(['warn', 'send', 'reject'], ipv6, 'clientIp.ipv6'),
    nat64: oneOf([true, false], nat64, 'clientIp.nat64'),
  };
}

function readTrust(trust: unknown, maxHops: number): TrustedProxies | undefined {
  if (trust === 'express') return undefined;
  if (trust === 'none') return trustList([]);
  if (Array.isArray(trust)) return trustList(trust);
  if (typeof trust === 'object' && trust !== null) return readHops(trust, maxHops);
  if (trust === true || trust === '*') {
    throw new WechatH5Error(
      'TRUST_ALL',
      "clientIp.trust would trust everybody: anyone could choose the payer's address",
      {
        field: 'clientIp.trust',
        hint: "List your own proxies, for example trust: ['127.0.0.1']. 请列出您自己的代理，例如 trust: ['127.0.0.1']。",
      },
    );
  }
  const seen = typeof trust === 'string' ? quoted(trust) : String(trust);
  throw trustInvalid(
    'clientIp.trust',
    `is ${seen}: neither 'none', 'express', a list nor { hops }`,
    `trust: ${meantTrust(trust)}`,
  );
}

function readHops(trust: object, maxHops: number): TrustedProxies {
  refuseUnknownNames(trust, ['hops'], 'clientIp.trust');
  const { hops } = trust as { hops?: unknown };
  if (typeof hops !== 'number' || !Number.isInteger(hops) || hops < 0) {
    throw trustInvalid('clientIp.trust.hops', 'is not a whole number from 0 on', 'trust: { hops: 1 }');
  }
  if (hops > maxHops) throw trustInvalid('clientIp.trust.hops', `is more than maxHops, ${maxHops}`, `maxHops: ${hops}`);
  return trustHops(hops);
}

/** What somebody meant who wrote a number, a word or one entry. */
function meantTrust(trust: unknown): string {
  if (typeof trust === 'number') return `{ hops: ${trust} }`;
  if (typeof trust !== 'string') return "'none'";
  const keyword = didYouMean(trust, ['none', 'express']);
  if (keyword !== undefined) return `'${keyword}'`;
  const entries = trust.slice(0, 64).split(/[\s,;]+/);
  return `[${entries.map((entry) => `'${entry}'`).join(', ')}]`;
}

function readHeader(name: unknown): string {
  if (typeof name !== 'string' || !HEADER_NAME.test(name)) {
    throw headerInvalid(
      typeof name === 'string' ? `${quoted(name)} is not a header name` : 'is not a string',
      "Name exactly one header, the one that your proxy sets, for example 'x-forwarded-for' or 'x-real-ip'. 只能填写一个请求头名称，即由您的代理设置的那一个。",
    );
  }
  const header = name.toLowerCase();
  // HTTP knows no such spelling: no proxy sets it, so what arrives under it is the visitor's.
  const meant = ['x_forwarded_for', 'x_real_ip'].includes(header) ? header.replaceAll('_', '-') : undefined;
  if (meant)
    throw headerInvalid(
      `${quoted(name)} is another header than ${meant}`,
      `Did you mean '${meant}'? 是否应为 '${meant}'？`,
    );
  return header;
}

function refuseUnknownNames(given: object, known: readonly string[], option: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    throw invalid(
      `${option}.${name.slice(0, 64)}`,
      'is not an option',
      meant ? `Did you mean ${meant}? 是否应为 ${meant}？` : `Known are: ${known.join(', ')}.`,
    );
  }
}

function oneOf<T>(allowed: readonly T[], value: T, option: string): T {
  if (allowed.includes(value)) return value;
  const choices = allowed.map((choice) => (typeof choice === 'string' ? `'${choice}'` : String(choice)));
  throw invalid(option, 'has an unknown value', `Write ${choices.join(' or ')}. 可选值：${choices.join('、')}。`);
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${option} ${problem}`, { field: option, hint });
}

function trustInvalid(option: string, problem: string, line: string): WechatH5Error {
  return new WechatH5Error('TRUST_INVALID', `${option} ${problem}`, {
    field: option,
    hint: `Write ${line}. 请写成 ${line}。`,
  });
}

function headerInvalid(problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('HEADER_NAME_INVALID', `clientIp.header ${problem}`, { field: 'clientIp.header', hint });
}
