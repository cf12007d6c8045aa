import { quoted, type WechatH5Error } from './errors.js';
import { isLoopback } from './gateway-hosts.js';

/**
 * Where WeChat Pay posts notifications.
 * @param simulated allows http and this machine
 * @param refuse makes the error to be thrown
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011937248
 */
export function checkedNotifyUrl(
  value: unknown,
  simulated: boolean,
  refuse: (problem: string, hint: string) => WechatH5Error,
): URL {
  const hint =
    'Give an absolute https URL that WeChat Pay can reach, without a query: https://pay.example.com/wechat/notify. ' +
    '通知地址须为公网可访问的 https 绝对地址，不能携带参数。';
  if (typeof value !== 'string' || value === '') throw refuse('is missing', hint);
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw refuse(`${quoted(value)} is not an absolute URL`, hint);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse(`has the scheme ${quoted(url.protocol)}`, hint);
  if (url.protocol === 'http:' && !simulated)
    throw refuse('is http', `${hint} Plain http is for a simulator on this machine.`);
  if (value.includes('?') || value.includes('#')) throw refuse('has a query or a fragment', hint);
  if (url.username !== '' || url.password !== '') throw refuse('carries credentials', hint);
  if (!simulated && isLoopback(url)) throw refuse('is on this machine, where WeChat Pay cannot reach it', hint);
  if ([...value].length > 256) throw refuse('is longer than 256 characters', hint);
  // It is sent as it is written, and WeChat Pay does not repair it.
  if (!/^[\x21-\x7e]+$/.test(value)) throw refuse('has blanks or characters that are not ASCII', 'Percent-encode it.');
  return url;
}
