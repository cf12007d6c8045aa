import { WechatH5Error } from './errors.js';
import { parseIpAddress } from './ip-address.js';
import { trustList } from './trusted-proxies.js';

// As published for notify_url; lists like this change, which is why it is off by default.
const OFFICIAL_SOURCES =
  '101.226.103.0/25 140.207.54.0/25 121.51.58.128/25 183.3.234.0/25 58.251.80.0/25 121.51.30.128/25 203.205.219.128/25 81.71.199.64 81.71.198.25 81.71.199.59 175.24.214.208 175.24.211.24 175.24.213.135 109.244.180.23 114.132.203.119 43.139.43.69'.split(
    ' ',
  );

/**
 * The `notificationSources` option as a question; `undefined` when it is off.
 * @throws {WechatH5Error} `OPTIONS_INVALID`, `TRUST_INVALID`, `TRUST_ALL`
 */
export function sourcesOf(sources: 'official' | readonly string[] | undefined): ((ip: string) => boolean) | undefined {
  if (sources === undefined) return undefined;
  if (sources !== 'official' && (!Array.isArray(sources) || sources.length === 0)) {
    throw new WechatH5Error('OPTIONS_INVALID', 'notificationSources is neither official nor a list', {
      field: 'notificationSources',
      hint: "Use 'official', or ranges such as ['101.226.103.0/25'].",
    });
  }
  const ranges = trustList(sources === 'official' ? OFFICIAL_SOURCES : sources, 'notificationSources');
  return (ip) => {
    const address = parseIpAddress(ip);
    return address !== undefined && ranges.trusts(address, 0);
  };
}
