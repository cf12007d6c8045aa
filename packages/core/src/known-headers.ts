/** Headers that one vendor's network sets, with the address that connected to its edge. */
const VENDORS: Readonly<Record<string, string>> = {
  'ali-cdn-real-ip': 'Aliyun CDN',
  'ali-real-client-ip': 'Aliyun ESA',
  'eo-connecting-ip': 'Tencent EdgeOne',
  'eo-client-ip': 'Tencent EdgeOne',
  'cf-connecting-ip': 'Cloudflare',
  'true-client-ip': 'Akamai',
  'fastly-client-ip': 'Fastly',
};

const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  ...Object.keys(VENDORS),
  'x-client-ip',
  'client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-azure-clientip',
  'x-appengine-user-ip',
  'x-forwarded',
  'forwarded-for',
  'proxy_forwarded_for',
  'x_forwarded_for',
]);

/** Who sets this header; `undefined` when it is not one vendor's. `header` in lower case. */
export function vendorOf(header: string): string | undefined {
  return VENDORS[header];
}

/** Whether a header of this name, in any case, is known to carry somebody's address, rightly or wrongly. */
export function isForwardingHeader(name: string): boolean {
  return FORWARDING_HEADERS.has(name.toLowerCase());
}

/** As people write it: `x-real-ip` → `X-Real-IP`. */
export function displayName(header: string): string {
  return header.replace(/[a-z]+/gi, (word) =>
    word.length <= 2 || word === 'cdn' ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1),
  );
}
