import { quoted, WechatH5Error } from './errors.js';
import type { Merchants } from './merchant.js';
import { isOnDomain } from './mweb-url.js';
import { headerValue } from './operator-secret.js';
import type { PageRequest } from './page.js';

/** The page that a form was sent from. */
export interface Launch {
  /** Its scheme and host, when the browser said so. */
  origin: string | undefined;
  /** Whether the browser showed where it came from: what it hides from us it hides from WeChat Pay, too. */
  sentReferer: boolean;
}

/**
 * Whether a POST comes from a page of the shop: one of the H5 domains, or the host that it was sent to. A form on
 * another site could otherwise make its visitors place orders here; WeChat Pay withdraws H5 payment from shops that
 * allow it. Every browser sends `Origin` with a POST, and all since 2023 `Sec-Fetch-Site`.
 *
 * @throws {WechatH5Error} `ORIGIN_REFUSED`
 */
export function launchOf({ rawHeaders }: PageRequest, merchants: Merchants): Launch {
  const origin = headerValue(rawHeaders, 'origin');
  const site = headerValue(rawHeaders, 'sec-fetch-site');
  const host = headerValue(rawHeaders, 'host');
  const url = originUrl(origin);
  // A page with Referrer-Policy: no-referrer sends `Origin: null`, even to its own host.
  const own =
    url === undefined
      ? site === 'same-origin'
      : isShopHost(url, merchants) || site === 'same-origin' || (url.host === host?.toLowerCase() && !isForeign(site));
  if (!own) throw originRefused(origin, site);
  return { origin: url?.origin, sentReferer: (headerValue(rawHeaders, 'referer') ?? '') !== '' };
}

/**
 * Whether WeChat Pay will take payments from there, as far as the configuration says.
 * @throws {WechatH5Error} `ORIGIN_NOT_REGISTERED`
 */
export function checkRegistered(origin: string | undefined, merchants: Merchants): void {
  if (origin === undefined || !isUnregistered(new URL(origin), merchants)) return;
  throw notRegistered(
    `The payer's page is on ${quoted(origin)}, and`,
    merchants,
    'WeChat Pay would show 商家存在未配置的参数. Send payers to a page on a registered domain, or register this one and add it to h5Domains. ' +
      '请让用户从已授权的 H5 支付域名下单，或申请该域名并写入 h5Domains。',
  );
}

/**
 * What is wrong, most likely, when a page hides its origin and this server was asked under a host that is not registered.
 * Not refused: a proxy may have rewritten `Host`.
 */
export function unregisteredHost({ rawHeaders }: PageRequest, merchants: Merchants): WechatH5Error | undefined {
  const host = headerValue(rawHeaders, 'host') ?? '';
  const url = originUrl(`https://${host}`);
  if (url === undefined || !isUnregistered(url, merchants)) return undefined;
  return notRegistered(
    `The payer's page hides its origin, and the order came in for ${quoted(host)};`,
    merchants,
    'Unless a proxy rewrites Host, WeChat Pay will show 商家存在未配置的参数. Send Referrer-Policy: strict-origin-when-cross-origin with the page, so that its origin is seen. ' +
      '若非代理改写了 Host，微信支付会提示“商家存在未配置的参数”；请为页面设置 Referrer-Policy: strict-origin-when-cross-origin。',
  );
}

/** Not where no domain is configured: then nobody here knows. */
function isUnregistered(url: URL, merchants: Merchants): boolean {
  return domainsOf(merchants).length > 0 && !isShopHost(url, merchants);
}

function notRegistered(seen: string, merchants: Merchants, hint: string): WechatH5Error {
  return new WechatH5Error('ORIGIN_NOT_REGISTERED', `${seen} the H5 domains are ${domainsOf(merchants).join(', ')}`, {
    field: 'merchant.h5Domains',
    hint,
  });
}

export function isShopHost(url: URL, merchants: Merchants): boolean {
  return domainsOf(merchants).some((domain) => isOnDomain(url, domain));
}

function domainsOf(merchants: Merchants): readonly string[] {
  return merchants.all.flatMap(({ h5Domains }) => h5Domains);
}

function isForeign(site: string | undefined): boolean {
  return site !== undefined && site !== 'same-origin';
}

/** `undefined` for `null`, which sandboxed frames and pages without a referrer send, and for what no browser sends. */
function originUrl(origin: string | undefined): URL | undefined {
  if (origin === undefined || !/^https?:\/\/[^\s/?#@\\]+$/i.test(origin)) return undefined;
  try {
    return new URL(origin);
  } catch {
    return undefined;
  }
}

function originRefused(origin: string | undefined, site: string | undefined): WechatH5Error {
  const seen = `Origin ${origin === undefined ? 'missing' : quoted(origin)}, Sec-Fetch-Site ${site === undefined ? 'missing' : quoted(site)}`;
  return new WechatH5Error('ORIGIN_REFUSED', `A form did not come from a page of the shop: ${seen}`, {
    field: 'merchant.h5Domains',
    hint:
      "If the page is the shop's own, add its host to h5Domains; a page with Referrer-Policy: no-referrer (helmet's default) hides where it is: send strict-origin-when-cross-origin. " +
      '若确为本店页面，请把其域名写入 h5Domains，并将 Referrer-Policy 设为 strict-origin-when-cross-origin。',
  });
}
