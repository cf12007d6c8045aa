import { isIP } from 'node:net';

/**
 * What the guide's sample code (GetClientIp, C++) answers, transcribed to the letter: it asks no peer, takes the next
 * header when one is empty, and cuts a list at the first comma so that the comma stays.
 *
 * @param rawHeaders as Node's `request.rawHeaders`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011937139 获取用户IP指引
 */
export function guideSample(remoteAddress: string, rawHeaders: readonly string[]): string {
  const header = (name: string): string => cgiHeader(rawHeaders, name);
  const list = header('X-Forwarded-For') || header('X-Real-IP') || header('PROXY_FORWARDED_FOR');
  const comma = list.indexOf(',');
  const clientIp = comma === -1 ? list : list.slice(comma);
  return isIP(clientIp) === 0 ? remoteAddress : clientIp;
}

/** CGI gives a header's lines as one, and knows no difference between `-` and `_`. */
function cgiHeader(rawHeaders: readonly string[], name: string): string {
  const cgiName = (text: string): string => text.toUpperCase().replaceAll('-', '_');
  const lines: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (cgiName(rawHeaders[i]!) === cgiName(name)) lines.push(rawHeaders[i + 1]!);
  }
  return lines.join(', ');
}
