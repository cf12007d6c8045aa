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

function badGateway(problem: string, cause?: unknown): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `gateway ${problem}`, {
    field: 'gateway',
    hint: "Use 'mainland', 'global', or https base URLs such as https://api.mch.weixin.qq.com; http only for a simulator on 127.0.0.1.",
    cause,
  });
}
