import { quoted, WechatH5Error } from './errors.js';
import { isLoopback } from './gateway-hosts.js';

/** A link can be opened for five minutes after WeChat Pay made it. */
export const MWEB_URL_LIFE_MS = 5 * 60_000;

/** Handed out again only while the payer still has a minute to press the button. */
export const MWEB_URL_REUSE_MS = 4 * 60_000;

/** WeChat Pay's own host for the middle page. */
export const MIDDLE_PAGE_HOST = 'wx.tenpay.com';

/**
 * Appends `redirect_url` to a link of WeChat Pay: the payer comes back to it five seconds after the cashier
 * opened, or when they press the button there, paid or not. The link itself is not touched.
 *
 * @param mwebUrl `mweb_url` as WeChat Pay gave it
 * @param redirectUrl an absolute http or https URL; it is percent-encoded here, exactly once
 * @param options.h5Domains when given, the only hosts (and their subdomains) that may be returned to
 * @throws {WechatH5Error} `MWEB_URL_INVALID`, `REDIRECT_URL_INVALID`
 * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013636515
 */
export function withRedirectUrl(
  mwebUrl: string,
  redirectUrl: string,
  options: { h5Domains?: readonly string[] } = {},
): string {
  const link = parsed(mwebUrl);
  if (link === undefined || link.search === '') {
    throw new WechatH5Error('MWEB_URL_INVALID', `${quoted(String(mwebUrl))} is not a link of WeChat Pay`, {
      field: 'mweb_url',
      hint: 'Pass mwebUrl exactly as createOrder returned it.',
    });
  }
  if (link.searchParams.has('redirect_url')) {
    throw new WechatH5Error('MWEB_URL_INVALID', 'The link has a redirect_url already', {
      field: 'mweb_url',
      hint: 'Give redirectUrl to createOrder or call withRedirectUrl, not both.',
    });
  }
  const target = redirectTarget(redirectUrl, options.h5Domains);
  // The fragment comes last in a URL: a parameter appended behind it would never reach WeChat Pay.
  const [beforeFragment = '', fragment] = mwebUrl.split('#', 2);
  return `${beforeFragment}&redirect_url=${encodeURIComponent(target)}${fragment === undefined ? '' : `#${fragment}`}`;
}

/**
 * The redirect target as it will be sent: the caller's own text, once it is known to be an absolute http(s)
 * URL without credentials on an allowed host.
 * @throws {WechatH5Error} `REDIRECT_URL_INVALID`
 */
export function redirectTarget(redirectUrl: string, h5Domains: readonly string[] | undefined): string {
  const url = parsed(redirectUrl);
  if (url === undefined) {
    const encoded = /^https?%3A/i.test(String(redirectUrl));
    throw redirectRefused(
      redirectUrl,
      encoded ? 'is percent-encoded already' : 'is not an absolute http or https URL',
      encoded ? 'Pass it plain: it is encoded here, once.' : "Write it out: 'https://pay.example.com/return?…'.",
    );
  }
  // The value is not repeated: it holds a password.
  if (url.username !== '' || url.password !== '')
    throw redirectRefused(url.host, 'carries a user name or password', 'Remove it.');
  if (h5Domains !== undefined && h5Domains.length > 0 && !h5Domains.some((domain) => isOnDomain(url, domain))) {
    throw redirectRefused(
      redirectUrl,
      `is not on an H5 payment domain (${h5Domains.join(', ')})`,
      'WeChat Pay would show 商家存在未配置的参数. Use a registered domain, or register this one and add it to h5Domains. ' +
        '回跳域名须与申请 H5 支付时提交的授权域名一致。',
    );
  }
  return redirectUrl;
}

/**
 * Checks the link before a payer is sent to it: a forged or mixed-up reply must not turn the shop into an
 * open redirect.
 * @param simulatorHost `host:port` of a gateway on a loopback address; its link is on such an address, too, though perhaps
 *   on another port: a simulator has one for https, and a proxy may stand before it
 * @throws {WechatH5Error} `GATEWAY_REPLY_INVALID`
 */
export function assertMwebUrl(mwebUrl: string | undefined, simulatorHost: string | undefined): string {
  // It goes into a Location header as it is, and there is room for visible ASCII alone.
  const url = mwebUrl === undefined || !/^[\x21-\x7e]+$/.test(mwebUrl) ? undefined : parsed(mwebUrl);
  const genuine = url?.protocol === 'https:' && url.host === MIDDLE_PAGE_HOST;
  const simulated = url !== undefined && simulatorHost !== undefined && isLoopback(url);
  if (mwebUrl !== undefined && url !== undefined && url.search !== '' && url.username === '' && (genuine || simulated))
    return mwebUrl;
  throw new WechatH5Error(
    'GATEWAY_REPLY_INVALID',
    `WeChat Pay answered with ${quoted(String(mwebUrl))}, which is no link on ${simulatorHost ?? MIDDLE_PAGE_HOST}`,
    {
      field: 'mweb_url',
      hint: 'No payer is sent there. Check what stands between this server and WeChat Pay.',
    },
  );
}

export function isOnDomain(url: URL, domain: string): boolean {
  const wanted = domain.toLowerCase();
  // A registered host may or may not cover its subdomains (WeChat Pay's own texts disagree): both are the merchant's.
  return url.host === wanted || url.hostname === wanted || url.hostname.endsWith(`.${wanted}`);
}

function parsed(text: string): URL | undefined {
  // URL() would silently drop blanks, tabs and line breaks, and read a backslash as a slash.
  if (typeof text !== 'string' || !text.isWellFormed() || !/^https?:\/\/[^\s\\]+$/i.test(text)) return undefined;
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function redirectRefused(redirectUrl: unknown, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('REDIRECT_URL_INVALID', `redirect_url ${quoted(String(redirectUrl))} ${problem}`, {
    field: 'redirect_url',
    hint,
  });
}
