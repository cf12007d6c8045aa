import { randomBytes, randomInt } from 'node:crypto';
import { CURRENCIES } from './exchange-rates.js';
import type { PemPair, Pkcs12File } from './identities.js';

/** The one merchant that the simulated WeChat Pay knows. */
export interface SimulatedMerchant {
  /** `appid`: `wx` and 16 hexadecimal digits. */
  readonly appId: string;
  /** `mch_id`: ten digits. */
  readonly mchId: string;
  /** The API v2 key: 32 ASCII letters or digits. Made anew for each run unless given. */
  readonly apiKey: string;
  /**
   * The merchant's H5 payment domains: the hosts whose pages may open a payment link and be returned to.
   * `host` admits every port of that host, `host:port` only that one. Default: the loopback names.
   */
  readonly h5Domains: readonly string[];
  /**
   * What it may be paid in, as `fee_type` says it. Default every currency that WeChat Pay Global knows; a mainland
   * merchant has `CNY` alone, and one without it has to send `fee_type` with every order.
   */
  readonly currencies: readonly string[];
  /** The merchant's name on the cashier page. */
  readonly name: string;
  /** The API certificate, which refunds over TLS need, made anew for each run. As PEM… */
  readonly certificate: PemPair;
  /** … and as the one file that the merchant platform hands out, locked with the `mch_id`. */
  readonly p12: Pkcs12File;
}

/** What a merchant is apart from its certificate. */
export type MerchantAccount = Omit<SimulatedMerchant, 'certificate' | 'p12'>;

const KEY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `length` characters of `[A-Za-z0-9]` from the system's random source. */
export function randomToken(length: number): string {
  return Array.from({ length }, () => KEY_ALPHABET[randomInt(KEY_ALPHABET.length)]).join('');
}

/**
 * Completes a merchant with made-up ids and a fresh key.
 *
 * @throws {TypeError} when a given value has the wrong shape.
 */
export function createAccount(given: Partial<MerchantAccount> = {}): MerchantAccount {
  const merchant: MerchantAccount = {
    appId: given.appId ?? `wx${randomBytes(8).toString('hex')}`,
    mchId: given.mchId ?? String(randomInt(1_900_000_000, 1_999_999_999)),
    apiKey: given.apiKey ?? randomToken(32),
    h5Domains: given.h5Domains ?? ['localhost', '127.0.0.1', '[::1]'],
    currencies: given.currencies ?? CURRENCIES,
    name: given.name ?? '模拟商户 Simulated Shop',
  };
  if (!/^[0-9A-Za-z_-]{1,32}$/.test(merchant.appId))
    throw new TypeError('merchant.appId must be 1 to 32 letters or digits');
  if (!/^[0-9A-Za-z]{1,32}$/.test(merchant.mchId))
    throw new TypeError('merchant.mchId must be 1 to 32 letters or digits');
  if (!/^[\x21-\x7e]{32}$/.test(merchant.apiKey)) throw new TypeError('merchant.apiKey must be 32 ASCII characters');
  const { currencies } = merchant;
  if (currencies.length === 0 || !currencies.every((currency) => CURRENCIES.includes(currency))) {
    throw new TypeError('merchant.currencies must be one or more that WeChat Pay Global knows');
  }
  return Object.freeze({
    ...merchant,
    currencies: Object.freeze([...currencies]),
    h5Domains: Object.freeze(merchant.h5Domains.map(canonicalDomain)),
  });
}

/** As `URL` spells the host of a page, so that the two can be compared. */
function canonicalDomain(domain: string): string {
  const url = URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`) : undefined;
  if (url && url.href === `http://${url.host}/` && !domain.includes('/')) return url.host;
  throw new TypeError('merchant.h5Domains must be hosts, with or without a port, and nothing else');
}
