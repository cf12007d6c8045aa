import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a POST comes from one of the shop's own pages. A form on another site could otherwise make its visitors
 * place orders here; WeChat Pay withdraws H5 payment from shops that allow it.
 *
 * @param origin the shop's own, such as `https://pay.example.com`
 */
export function isSameOrigin(headers: IncomingHttpHeaders, origin: string): boolean {
  const site = headers['sec-fetch-site'];
  // Browsers from before 2023 do not send it; every browser sends Origin with a POST.
  return site === undefined ? headers.origin === origin : site === 'same-origin';
}
