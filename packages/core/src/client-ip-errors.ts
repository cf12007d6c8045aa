import {
  hintOf,
  overwriteHeader,
  sendHeader,
  serveOverIpv4,
  lookingFurther,
  trusting,
  type Advice,
  type Configured,
} from './client-ip-advice.js';
import { quoted, WechatH5Error, type WechatH5ErrorCode } from './errors.js';
import { UNIX_ITEM } from './forwarding-header.js';
import { displayName } from './known-headers.js';

/** Thrown when a request has no usable payer's address: the deployment is wrong, not the visitor. */
export class PayerAddressError extends WechatH5Error {
  readonly advice: Advice;

  /** @param field the option or the official field */
  constructor(code: WechatH5ErrorCode, field: string, message: string, advice: Advice, cause?: unknown) {
    super(code, message, { field, hint: hintOf(advice), cause });
    this.advice = advice;
  }
}

export function noPeer(configured: Configured, remoteAddress: '' | undefined): PayerAddressError {
  if (remoteAddress === '') {
    return new PayerAddressError(
      'NO_PEER',
      'remoteAddress',
      'The socket no longer knows its peer: the visitor hung up before the address was read',
      {
        line: 'const { remoteAddress } = req.socket;',
        en: 'Nobody waits for this answer. If it happens often, read the address in the first line of the middleware, before any await.',
        zh: '访客已断开，无需应答。若经常出现，请在中间件第一行、任何 await 之前读取地址。',
      },
    );
  }
  return new PayerAddressError(
    'NO_PEER',
    'clientIp.trust',
    'The connection came over a UNIX socket, whose other end is not trusted',
    {
      line: trusting('unix', configured),
      en: 'If only your own proxy can open the socket, trust it.',
      zh: '若只有您自己的代理能打开该套接字，请信任它。',
    },
  );
}

export function peerInvalid(remoteAddress: unknown): PayerAddressError {
  const seen = typeof remoteAddress === 'string' ? quoted(remoteAddress) : String(remoteAddress);
  return new PayerAddressError('PEER_INVALID', 'remoteAddress', `The peer's address ${seen} is not an IP address`, {
    line: 'remoteAddress: req.socket.remoteAddress',
    en: "Pass the socket's own address, without a port.",
    zh: '请传入套接字自身的地址，不带端口。',
  });
}

/** @param sender the trusted proxy that the request came from */
export function headerMissing(configured: Configured, sender: string): PayerAddressError {
  const message = `The request came from ${sender}, which is trusted, with no address in ${displayName(configured.header)}`;
  return new PayerAddressError('HEADER_MISSING', 'clientIp.header', message, sendHeader(configured, sender));
}

export function headerRepeated(configured: Configured, lines: number): PayerAddressError {
  const message = `${displayName(configured.header)} came ${lines} times; it has to hold one address, once`;
  return new PayerAddressError('HEADER_REPEATED', 'clientIp.header', message, overwriteHeader(configured));
}

export function headerInvalid(configured: Configured, value: string): PayerAddressError {
  const message = `${displayName(configured.header)} is ${quoted(value)}, not one IP address`;
  return new PayerAddressError('HEADER_INVALID', 'clientIp.header', message, overwriteHeader(configured));
}

/**
 * @param node the address part of the item: in `forwarded` the value of `for=`
 * @param hop counted from the right, from 1
 */
export function itemInvalid(
  configured: Configured,
  item: string,
  node: string | undefined,
  hop: number,
): PayerAddressError {
  const message = `${displayName(configured.header)}: entry ${hop} from the right is ${quoted(item)}, not an IP address`;
  return new PayerAddressError('ITEM_INVALID', 'clientIp.header', message, itemAdvice(configured, node));
}

function itemAdvice(configured: Configured, node: string | undefined): Advice {
  if (node === UNIX_ITEM) {
    return {
      line: trusting('unix', configured),
      en: 'A proxy was itself reached over a UNIX socket. If that was another proxy of yours, trust it.',
      zh: '某个代理自身是经 UNIX 套接字被访问的。若对端是您的另一个代理，请信任它。',
    };
  }
  if (node === 'unknown') {
    return {
      line: 'forwarded_for on',
      en: 'A proxy hides whom it serves. The line is for Squid; another proxy has a switch of the same meaning.',
      zh: '某个代理隐藏了访客地址。下面是 Squid 的配置；其他代理有类似的开关。',
    };
  }
  if (configured.header === 'forwarded') {
    return {
      line: 'option forwarded',
      en: 'The proxy that wrote this element has to write for= with an address, IPv6 as for="[2001:db8::1]". The line is HAProxy\'s.',
      zh: '写入该元素的代理必须写 for= 加地址，IPv6 写成 for="[2001:db8::1]"。下面是 HAProxy 的写法。',
    };
  }
  return {
    line: 'proxy_set_header X-Forwarded-For $remote_addr;',
    en: 'The proxy passes on what the visitor wrote. The outermost proxy has to write the header itself; for nginx the line below. Apache: RequestHeader unset X-Forwarded-For.',
    zh: '代理原样转发了访客写的内容。最外层代理必须自己写入该请求头，nginx 用下面一行。Apache：RequestHeader unset X-Forwarded-For。',
  };
}

/** @param found how many entries there are */
export function chainTooShort(configured: Configured, found: number): PayerAddressError {
  const entries = found === 1 ? 'entry' : 'entries';
  const message = `${displayName(configured.header)} has ${found} ${entries}, fewer than clientIp.trust counts proxies`;
  return new PayerAddressError('CHAIN_TOO_SHORT', 'clientIp.trust', message, {
    line: `clientIp: { trust: { hops: ${found} } }`,
    en: `Fewer proxies stand in front than clientIp.trust says, or somebody came around one of them. If there are ${found}, write so.`,
    zh: `前面的代理少于 clientIp.trust 所写，或有人绕过了其中之一。若实为 ${found} 个，请如实填写。`,
  });
}

export function tooManyHops(configured: Configured, maxHops: number): PayerAddressError {
  const message = `${displayName(configured.header)}: the last ${maxHops} entries are all trusted proxies`;
  return new PayerAddressError('TOO_MANY_HOPS', 'clientIp.maxHops', message, {
    line: `clientIp: { maxHops: ${Math.min(maxHops * 2, 1000)} }`,
    en: 'Proxies that forward to each other in a circle do this; so does a trusted range with visitors in it. If the chain really is so long, raise the limit.',
    zh: '代理互相转发成环，或信任的网段包含了访客，都会如此。若代理链确实这么长，请提高上限。',
  });
}

export function tooManyEmptyItems(configured: Configured, limit: number): PayerAddressError {
  const message = `${displayName(configured.header)} has more than ${limit} empty entries on its right, where your proxies write`;
  return new PayerAddressError('TOO_MANY_HOPS', 'clientIp.header', message, itemAdvice(configured, undefined));
}

export function allTrusted(configured: Configured, leftmost: string): PayerAddressError {
  const message = `${displayName(configured.header)}: every entry is a trusted proxy, the first one being ${leftmost}; no payer is left`;
  return new PayerAddressError('ALL_TRUSTED', 'clientIp.trust', message, {
    line: trusting('<each proxy, and nothing else>', {
      ...configured,
      trust: configured.trust === 'express' ? 'express' : 'none',
    }),
    en: "The visitor's own address is in a trusted range. Visiting from inside the network of the proxies does this; otherwise narrow clientIp.trust to the proxies.",
    zh: '访客地址落在了信任网段内。从代理所在的内网访问会如此；否则请把 clientIp.trust 收窄到代理本身。',
  });
}

/** @param kind what the address is, as special-purpose.ts names it */
export function notPublic(configured: Configured, ip: string, kind: string, source: string): PayerAddressError {
  const message = `The payer's address ${ip} (from ${source === 'socket' ? 'the socket' : displayName(source)}) is not public: ${kind}`;
  return new PayerAddressError('NOT_PUBLIC', 'spbill_create_ip', message, {
    line: lookingFurther(ip, source, configured),
    en:
      'WeChat Pay would refuse it (由于商家传入的H5交易参数有误). It is either a proxy of yours, then trust it and let it say who is behind it; ' +
      'or a visitor inside your own network, who cannot pay.',
    zh:
      '微信支付会拒绝（由于商家传入的H5交易参数有误，请联系商家处理）。它若是您的代理，请信任它并让它转发访客地址；' +
      '若是内网访客，则无法支付，请用公网访问测试。',
  });
}

export function ipv6NotAllowed(ip: string): PayerAddressError {
  return new PayerAddressError(
    'IPV6_NOT_ALLOWED',
    'spbill_create_ip',
    `The payer's address ${ip} is IPv6, and clientIp.ipv6 is 'reject'`,
    serveOverIpv4(),
  );
}

export function expressTrustMissing(): PayerAddressError {
  return new PayerAddressError(
    'OPTIONS_INVALID',
    'clientIp.trust',
    "clientIp.trust is 'express', and this request came without an Express application",
    {
      line: "clientIp: { trust: ['127.0.0.1'] }",
      en: 'Only the Express adapter knows that setting. Name the proxies.',
      zh: '只有 Express 适配器能读取该设置。请直接列出代理。',
    },
  );
}

export function expressTrustsAll(): PayerAddressError {
  return new PayerAddressError(
    'TRUST_ALL',
    'clientIp.trust',
    "Express's trust proxy trusts everybody: anyone could choose the payer's address",
    {
      line: "app.set('trust proxy', ['127.0.0.1'])",
      en: 'List your own proxies instead of true.',
      zh: '请列出您自己的代理，不要使用 true。',
    },
  );
}

export function expressTrustThrew(cause: unknown): PayerAddressError {
  const advice = {
    line: "app.set('trust proxy', ['127.0.0.1'])",
    en: 'Repair it, or list the proxies.',
    zh: '请修复该函数，或改为列出代理。',
  };
  return new PayerAddressError(
    'TRUST_INVALID',
    'clientIp.trust',
    "Express's trust proxy function threw",
    advice,
    cause,
  );
}
