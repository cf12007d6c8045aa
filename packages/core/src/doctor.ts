import type { WechatH5Error } from './errors.js';
import type { ClientIpExplanation, ClientIpRequest, TrustFunction } from './client-ip.js';
import { escapeHtml, htmlReply, jsonReply, textReply, type PageReply, type PageRequest } from './page.js';
import { headerValue, isAuthorized } from './operator-secret.js';

export interface DoctorReport {
  /** `fine`: the address found is what WeChat Pay will be sent, and nothing looks wrong. */
  verdict: 'fine' | 'look' | 'broken';
  clientIp: ClientIpExplanation;
  /** What the application's headers, or the forms of payers, have shown since this process began. */
  checkout: readonly Pick<WechatH5Error, 'code' | 'message' | 'hint'>[];
  /** What no application can see in a request, and only the proxy's own configuration shows. */
  checklist: readonly ChecklistItem[];
}

export interface ChecklistItem {
  server: string;
  look: string;
  en: string;
  zh: string;
}

/** Each of these makes the proxy itself vouch for what a visitor invented. */
const CHECKLIST: readonly ChecklistItem[] = [
  {
    server: 'nginx',
    look: 'set_real_ip_from 0.0.0.0/0',
    en: 'nginx believes a forwarding header from anybody. Name the ranges of your CDN or load balancer.',
    zh: 'nginx 会相信任何人发来的转发头。请只填写 CDN 或负载均衡的网段。',
  },
  {
    server: 'Apache',
    look: 'RemoteIPHeader without RemoteIPInternalProxy or RemoteIPTrustedProxy',
    en: 'Without a list mod_remoteip trusts everybody. Add RemoteIPInternalProxy with your load balancer.',
    zh: '没有列表时 mod_remoteip 信任所有人。请添加 RemoteIPInternalProxy。',
  },
  {
    server: 'HAProxy',
    look: 'option forwardfor if-none',
    en: "It keeps the visitor's own header. Remove if-none.",
    zh: '它会保留访客自带的请求头。请去掉 if-none。',
  },
  {
    server: 'CDN',
    look: "clientIp: { header: 'ali-cdn-real-ip' } (or another vendor's) behind a load balancer",
    en: 'Whoever reaches the load balancer around the CDN writes this header himself. Let the load balancer take connections from the CDN only.',
    zh: '绕过 CDN 直连负载均衡的人可以自己写这个请求头。请让负载均衡只接受 CDN 的连接。',
  },
  {
    server: 'trust: { hops }',
    look: 'the application can be reached around its proxies',
    en: 'Hops are counted, not checked: a visitor who comes directly chooses the address. Close the direct way, or list the proxies.',
    zh: '跳数只计数而不核对：绕过代理直连的访客可以任意伪造地址。请关闭直连，或改为列出代理。',
  },
  {
    server: 'notifyUrl',
    look: 'a login, a CSRF check or a bot challenge in front of it',
    en: 'WeChat Pay has no session and no token: whatever asks for one loses every notification. Mount the notify middleware before such checks, and except its path at the CDN.',
    zh: '微信支付没有登录态和令牌：通知地址不能做登录态、CSRF 或人机校验，否则会丢失所有通知。请把通知中间件放在这些校验之前，并在 CDN 上放行该路径。',
  },
];

/**
 * The operator's page: how this very request's address is found. Behind the secret, because it names hosts
 * of the deployment. JSON, or a page for browsers.
 */
export function doctorReply(
  request: PageRequest,
  parts: {
    secret: string;
    explain: (request: ClientIpRequest, trust?: TrustFunction) => ClientIpExplanation;
    trust?: TrustFunction | undefined;
    checkout: readonly WechatH5Error[];
  },
): PageReply {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return textReply(405, 'Only GET. 仅支持 GET。\n', { allow: 'GET, HEAD' });
  }
  if (!isAuthorized(request.rawHeaders, parts.secret)) {
    return textReply(401, 'The doctor wants the secret. 请输入密钥。\n', {
      'www-authenticate': 'Basic realm="wechat-h5 doctor", charset="UTF-8"',
    });
  }
  const clientIp = parts.explain(request, parts.trust);
  const checkout = parts.checkout.map(({ code, message, hint }) => ({ code, message, hint }));
  const isFine = clientIp.suggestion === undefined && checkout.length === 0;
  const verdict = clientIp.error !== undefined ? 'broken' : isFine ? 'fine' : 'look';
  const report: DoctorReport = { verdict, clientIp, checkout, checklist: CHECKLIST };
  const wantsPage = (headerValue(request.rawHeaders, 'accept') ?? '').includes('text/html');
  return wantsPage ? htmlReply(200, doctorPage(report)) : jsonReply(200, report);
}

const VERDICTS = {
  fine: ['✓ 正常', 'The address found is the one to send.'],
  look: ['! 请检查', 'An address was found, but something looks wrong.'],
  broken: ['✗ 有误', 'No address: orders of this visitor are refused.'],
} as const;

function doctorPage({ verdict, clientIp, checkout, checklist }: DoctorReport): string {
  const { peer, lines, hops, suggestion, error, header } = clientIp;
  const [zh, en] = VERDICTS[verdict];
  const found = clientIp.clientIp;
  return `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>wechat-h5 doctor</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>spbill_create_ip <small>wechat-h5 doctor</small></h1>
<p class="verdict ${verdict}"><strong>${zh}</strong> <span lang="en">${en}</span></p>
<p class="ip">${found === undefined ? '—' : escapeHtml(found.ip)}</p>
${found === undefined ? '' : `<p class="note">IPv${found.family}, ${found.public ? '公网 public' : '非公网 not public'}, ${escapeHtml(found.source)}</p>`}
${error === undefined ? '' : `<section><h2>${escapeHtml(error.code)}</h2><p>${escapeHtml(error.message)}</p><p>${escapeHtml(error.hint)}</p></section>`}
${suggestion === undefined ? '' : `<section><h2>改这一行 <small lang="en">Change this line</small></h2><pre>${escapeHtml(suggestion.line)}</pre><p>${escapeHtml(suggestion.zh)}</p><p lang="en">${escapeHtml(suggestion.en)}</p></section>`}
${checkout.map((found) => `<section><h2>${escapeHtml(found.code)}</h2><p>${escapeHtml(found.message)}</p><p>${escapeHtml(found.hint)}</p></section>`).join('\n')}
<section><h2>路径 <small lang="en">The way here</small></h2>
<ol>
<li><code>${escapeHtml(peer.address ?? 'UNIX socket')}</code> <em>${escapeHtml(peer.verdict)}</em> <small>对端 peer</small></li>
${hops.map((hop) => `<li><code>${escapeHtml(hop.text)}</code> <em>${escapeHtml(hop.verdict)}</em></li>`).join('\n')}
</ol></section>
<section><h2>请求头 <small lang="en">Headers</small></h2>
${lines.length === 0 ? '<p>无 None</p>' : `<ul>${lines.map((line) => `<li><code>${escapeHtml(line.name)}: ${escapeHtml(line.value)}</code> <em>${line.read ? '读取 read' : '忽略 ignored'}</em></li>`).join('\n')}</ul>`}
<p class="note">clientIp.header: <code>${escapeHtml(header)}</code></p></section>
<section><h2>程序看不见的错误 <small lang="en">What no application can see</small></h2>
<ul>${checklist.map((item) => `<li>${escapeHtml(item.server)}: <code>${escapeHtml(item.look)}</code><br>${escapeHtml(item.zh)} <span lang="en">${escapeHtml(item.en)}</span></li>`).join('\n')}</ul></section>
</main>
</body>
</html>
`;
}

const STYLE = `:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}
body{margin:0;background:Canvas;color:CanvasText}main{max-width:44rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.25rem;margin:0 0 1rem}h2{font-size:1rem;margin:2rem 0 .5rem}small{font-weight:400;opacity:.7}
.verdict{padding:.5rem .75rem;border-radius:.5rem;border-left:.35rem solid}
.fine{border-color:#1a7f37;background:#1a7f3722}.look{border-color:#9a6700;background:#9a670022}.broken{border-color:#cf222e;background:#cf222e22}
.ip{font:600 1.75rem/1.2 ui-monospace,monospace;margin:.5rem 0;overflow-wrap:anywhere}.note{opacity:.75;margin:.25rem 0}
code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere;white-space:pre-wrap}
pre{padding:.75rem;border-radius:.5rem;background:#8882;margin:.5rem 0}li{margin:.35rem 0}em{font-style:normal;opacity:.75}`;
