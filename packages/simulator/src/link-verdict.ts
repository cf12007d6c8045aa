import type { HttpRequest } from './http-exchange.js';
import { parseHttpUrl } from './http-url.js';
import type { PaymentLink, SimulatedOrder } from './orders.js';
import { addressScope, canonicalAddress } from './payer-address.js';

/** Why the middle page refuses. The text is what WeChat shows the payer; `seen` says what it was computed from. */
export interface LinkRefusal {
  readonly code:
    | 'IN_WECHAT'
    | 'LINK_INVALID'
    | 'REDIRECT_NOT_ENCODED'
    | 'REFERER_MISSING'
    | 'REFERER_NOT_CONFIGURED'
    | 'REDIRECT_NOT_CONFIGURED'
    | 'LINK_EXPIRED'
    | 'ORDER_CLOSED'
    | 'ORDER_PAID'
    | 'ADDRESS_INVALID'
    | 'ADDRESS_DIFFERS'
    | 'ACCOUNT_DIFFERS';
  readonly text: string;
  readonly english: string;
  readonly seen: string;
}

export type LinkVerdict =
  | { readonly ok: false; readonly refusal: LinkRefusal; readonly order?: SimulatedOrder }
  | { readonly ok: true; readonly order: SimulatedOrder; readonly prepayId: string; readonly returnUrl: string };

export interface LinkContext {
  readonly findLink: (prepayId: string) => { readonly order: SimulatedOrder; readonly link: PaymentLink } | undefined;
  readonly h5Domains: readonly string[];
  readonly now: Date;
}

/** Judges one opening of a payment link from the browser's own request and the stored order, and nothing else. */
export function judgeLink(request: HttpRequest, { findLink, h5Domains, now }: LinkContext): LinkVerdict {
  const query = request.url.searchParams;
  const found = findLink(query.get('prepay_id') ?? '');
  const order = found?.order;
  const refuse = (refusal: LinkRefusal): LinkVerdict => ({ ok: false, refusal, ...(order && { order }) });

  const userAgent = request.headers['user-agent'] ?? '';
  if (/MicroMessenger/i.test(userAgent)) return refuse(inWechat());
  if (!found || !order || found.link.package !== query.get('package')) return refuse(invalidLink(userAgent));
  if (/[?&]redirect_url=https?:\/\//i.test(request.target)) return refuse(redirectNotEncoded(userAgent));

  const referer = parseHttpUrl(request.headers.referer ?? '');
  if (!referer) return refuse(refererMissing());
  if (!isConfigured(referer, h5Domains)) return refuse(refererNotConfigured(referer, h5Domains));
  const redirect = query.get('redirect_url');
  const redirectUrl = redirect === null ? undefined : parseHttpUrl(redirect);
  if (redirect !== null && !(redirectUrl && isConfigured(redirectUrl, h5Domains))) {
    return refuse(redirectNotConfigured(redirectUrl, h5Domains));
  }

  if (now >= found.link.expiresAt) return refuse(expired(found.link, now));
  if (order.tradeState === 'CLOSED') return refuse(closed());
  if (order.tradeState !== 'NOTPAY') return refuse(paid());
  const address = judgeAddress(order.spbillCreateIp, request.remoteAddress);
  if (address) return refuse(address);
  return { ok: true, order, prepayId: found.link.prepayId, returnUrl: (redirectUrl ?? referer).href };
}

/** One link, one WeChat account: `owner` opened it first. */
export function judgeAccount(
  request: HttpRequest,
  { owner, visitor }: { readonly owner: string; readonly visitor: string },
): LinkRefusal | undefined {
  if (owner === visitor) return undefined;
  const seen = `openid ${owner} opened this link first; this phone's WeChat is ${visitor}`;
  return { code: 'ACCOUNT_DIFFERS', ...brokenLinkText(request.headers['user-agent'] ?? ''), seen };
}

/** `host` admits every port, `host:port` only that one; nothing admits a sub-domain. */
function isConfigured(url: URL, domains: readonly string[]): boolean {
  return domains.some((domain) => domain === url.hostname || domain === url.host);
}

function judgeAddress(orderAddress: string, browserAddress: string): LinkRefusal | undefined {
  const ordered = canonicalAddress(orderAddress);
  const browser = canonicalAddress(browserAddress);
  if (ordered === browser) return undefined;
  const seen = `spbill_create_ip ${ordered}; this browser's address ${browser}`;
  const scope = addressScope(ordered);
  // An inner address of the merchant's own network has a text of its own. On one machine everything is loopback: there
  // two different loopback addresses stand for two different networks.
  if (scope !== 'public' && scope !== addressScope(browser)) {
    return {
      code: 'ADDRESS_INVALID',
      text: '由于商家传入的H5交易参数有误，该笔交易暂时无法完成，请联系商家解决',
      english: 'The merchant sent a wrong H5 parameter; this payment cannot be completed.',
      seen,
    };
  }
  return {
    code: 'ADDRESS_DIFFERS',
    text: '网络环境未能通过安全验证，请稍后再试',
    english: 'The network environment did not pass the security check. Please try again later.',
    seen,
  };
}

function inWechat(): LinkRefusal {
  return {
    code: 'IN_WECHAT',
    text: '请在微信外打开订单，进行支付',
    english: 'Open the order outside WeChat to pay.',
    seen: 'MicroMessenger in the User-Agent',
  };
}

/** Whether the phone is one that runs iOS; everything else counts as Android. */
export function isApple(userAgent: string): boolean {
  return /iPhone|iPad|iPod/.test(userAgent);
}

/** The same trouble has two texts: iOS and Android name different steps of it. */
function brokenLinkText(userAgent: string): Pick<LinkRefusal, 'text' | 'english'> {
  return isApple(userAgent)
    ? { text: '签名验证失败', english: 'The signature could not be verified.' }
    : { text: '系统繁忙，请稍后再试', english: 'The system is busy. Please try again later.' };
}

function invalidLink(userAgent: string): LinkRefusal {
  const seen = 'prepay_id and package belong to no link: it was cut off or changed';
  return { code: 'LINK_INVALID', ...brokenLinkText(userAgent), seen };
}

function redirectNotEncoded(userAgent: string): LinkRefusal {
  const seen = 'redirect_url was appended without URL encoding';
  return { code: 'REDIRECT_NOT_ENCODED', ...brokenLinkText(userAgent), seen };
}

function refererMissing(): LinkRefusal {
  return {
    code: 'REFERER_MISSING',
    text: '商家参数格式有误，请联系商家解决',
    english: 'A merchant parameter has the wrong format. Please contact the merchant.',
    seen: 'no Referer: the link was typed, or the page that opened it sent Referrer-Policy no-referrer',
  };
}

const NOT_CONFIGURED = {
  text: '商家存在未配置的参数，请联系商家解决',
  english: 'A merchant parameter is not configured. Please contact the merchant.',
};

function refererNotConfigured(referer: URL, domains: readonly string[]): LinkRefusal {
  const seen = `Referer host ${referer.host}; H5 payment domains: ${domains.join(', ')}`;
  return { code: 'REFERER_NOT_CONFIGURED', ...NOT_CONFIGURED, seen };
}

function redirectNotConfigured(redirectUrl: URL | undefined, domains: readonly string[]): LinkRefusal {
  const host = redirectUrl ? `host ${redirectUrl.host}` : 'is not an absolute http(s) URL';
  const seen = `redirect_url ${host}; H5 payment domains: ${domains.join(', ')}`;
  return { code: 'REDIRECT_NOT_CONFIGURED', ...NOT_CONFIGURED, seen };
}

function expired(link: PaymentLink, now: Date): LinkRefusal {
  return {
    code: 'LINK_EXPIRED',
    text: '支付请求已失效，请重新发起支付',
    english: 'This payment request has expired. Please start again.',
    seen: `a link lives five minutes; this one ended ${link.expiresAt.toISOString()}, now is ${now.toISOString()}`,
  };
}

function closed(): LinkRefusal {
  return {
    code: 'ORDER_CLOSED',
    text: '订单已关闭',
    english: 'The order is closed.',
    seen: 'trade_state CLOSED',
  };
}

function paid(): LinkRefusal {
  return {
    code: 'ORDER_PAID',
    text: '该订单已支付',
    english: 'The order is already paid.',
    seen: 'trade_state SUCCESS',
  };
}
