import type { Trust } from './client-ip-options.js';
import { displayName, vendorOf } from './known-headers.js';

/** What to change so that the payer's address is found. */
export interface Advice {
  /** The one line to write: an option of this library, or a line of the proxy's configuration. */
  readonly line: string;
  readonly en: string;
  readonly zh: string;
}

/** What advice is about: the configuration as it is. */
export interface Configured {
  readonly trust: Trust;
  /** In lower case. */
  readonly header: string;
}

/** An error's `hint`: both languages, and the line last. */
export function hintOf({ line, en, zh }: Advice): string {
  return `${en} ${zh} → ${line}`;
}

/** The configuration with one more trusted proxy, or preset, in it. */
export function trusting(entry: string, { trust, header }: Configured): string {
  if (trust === 'express') return `app.set('trust proxy', ['${entry}'])`;
  const listed = Array.isArray(trust) ? trust.map((given) => `'${given}'`) : [];
  const entries = [...(listed.length > 4 ? ['/* … */'] : listed), `'${entry}'`];
  return `clientIp: { trust: [${entries.join(', ')}]${header === 'x-forwarded-for' ? '' : `, header: '${header}'`} }`;
}

/** The configuration that looks one proxy further, past `ip`, which was found in `source` and cannot be a payer. */
export function lookingFurther(ip: string, source: string, configured: Configured): string {
  const { trust, header } = configured;
  if (typeof trust === 'object' && 'hops' in trust) return `clientIp: { trust: { hops: ${trust.hops + 1} } }`;
  // A header of one address is not walked: whoever writes it has to look further.
  if (source !== 'socket' && header !== 'x-forwarded-for' && header !== 'forwarded') {
    return `set_real_ip_from ${ip}; real_ip_header X-Forwarded-For; real_ip_recursive on;`;
  }
  if (trust === 'express') return `app.set('trust proxy', [/* what is listed now, */ '${ip}'])`;
  return trusting(ip, configured);
}

/** For a trusted proxy that sends no header. */
export function sendHeader({ header }: Configured, peer: string): Advice {
  const vendor = vendorOf(header);
  if (vendor !== undefined) {
    return {
      line: vendorLine(vendor, header),
      en: `${vendor} sets it on every request: ${peer} is not ${vendor}, or the header is switched off in its console. Trust its ranges only.`,
      zh: `${vendor} 会在每个请求中设置它：${peer} 不是 ${vendor}，或其控制台未开启该请求头。只应信任其回源网段。`,
    };
  }
  switch (header) {
    case 'x-forwarded-for':
      return {
        line: 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
        en:
          `${peer} has to say who is behind it. nginx: the line below, in the block that has proxy_pass (a block with a proxy_set_header of its own inherits none). ` +
          'Apache: ProxyPass adds the header unless ProxyAddHeaders is Off. HAProxy: option forwardfor.',
        zh:
          `${peer} 须说明其后的访客是谁。nginx：将下面一行加入 proxy_pass 所在的块（块内已有 proxy_set_header 时不继承上层）。` +
          'Apache：ProxyPass 会自动添加，除非 ProxyAddHeaders 为 Off。HAProxy：option forwardfor。',
      };
    case 'forwarded':
      return {
        line: 'option forwarded',
        en: `${peer} has to say who is behind it. The line is HAProxy's; nginx and Apache write X-Forwarded-For, then leave clientIp.header out.`,
        zh: `${peer} 须说明其后的访客是谁。下面是 HAProxy 的写法；nginx 与 Apache 使用 X-Forwarded-For，此时请去掉 clientIp.header。`,
      };
    default:
      return {
        line: nginxLine(header),
        en: `${peer} has to set it. nginx: the line below, in the block that has proxy_pass. Apache: ${apacheLine(header)}.`,
        zh: `${peer} 须设置它。nginx：将下面一行加入 proxy_pass 所在的块。Apache：${apacheLine(header)}。`,
      };
  }
}

/** For a header of one address that holds something else: somebody's text was kept. */
export function overwriteHeader({ header }: Configured): Advice {
  const vendor = vendorOf(header);
  if (vendor !== undefined) {
    return {
      line: vendorLine(vendor, header),
      en: `${vendor} writes one address. Whatever stands between ${vendor} and this server must leave it alone, and nobody else may be trusted.`,
      zh: `${vendor} 只写入一个地址。${vendor} 与本服务器之间的环节不得改动它，且不得信任其他来源。`,
    };
  }
  return {
    line: nginxLine(header),
    en: `Your proxy has to replace what the visitor sent, not add to it. nginx: the line below. Apache: ${apacheLine(header)}. HAProxy: http-request set-header ${displayName(header)} %[src].`,
    zh: `代理必须覆盖访客发来的值，而不是追加。nginx：下面一行。Apache：${apacheLine(header)}。HAProxy：http-request set-header ${displayName(header)} %[src]。`,
  };
}

/** For a forwarding header from a peer that is not trusted: a forgery, or a proxy missing from the list. */
export function trustThePeer(configured: Configured, peer: string, seen: string, isPublic: boolean): Advice {
  const name = displayName(seen);
  // A header that only other proxies set says nothing about which one is right; the configured one stays.
  const line = trusting(peer, configured);
  if (isPublic) {
    return {
      line,
      en: `${peer} sent ${name} and is not trusted, so it counts as the visitor itself. Right, if it is one. If it is your CDN or load balancer, trust the ranges that its vendor publishes.`,
      zh: `${peer} 发来了 ${name} 但不受信任，因此按访客处理。若确为访客则无误；若它是您的 CDN 或负载均衡，请信任其厂商公布的网段。`,
    };
  }
  return {
    line,
    en: `${peer} sent ${name} and is not trusted, so its own address is taken for the payer's. If it is your proxy, trust it.`,
    zh: `${peer} 发来了 ${name} 但不受信任，因此把它自身的地址当作付款人地址。若它是您的代理，请信任它。`,
  };
}

/** For an IPv6 payer: WeChat Pay's cashier may see the same phone under an IPv4 address. */
export function serveOverIpv4(): Advice {
  return {
    line: "clientIp: { ipv6: 'send' }",
    en: 'The cashier may see the same phone under an IPv4 address and refuse. Serve the order endpoint on a host name without an AAAA record; to send IPv6 addresses all the same, write the line below.',
    zh: '收银台可能以 IPv4 看到同一部手机而拒绝（网络环境未能通过安全验证）。请让下单接口使用没有 AAAA 记录的域名；若仍要发送 IPv6 地址，请写下面一行。',
  };
}

function vendorLine(vendor: string, header: string): string {
  return `clientIp: { trust: ['<back-to-origin range of ${vendor}>'], header: '${header}' }`;
}

/** Makes nginx write the header itself, whatever the visitor sent. */
function nginxLine(header: string): string {
  return `proxy_set_header ${displayName(header)} $remote_addr;`;
}

function apacheLine(header: string): string {
  return `RequestHeader set ${displayName(header)} "expr=%{REMOTE_ADDR}"`;
}
