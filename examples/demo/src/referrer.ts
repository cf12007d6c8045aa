/**
 * The `Referer` a browser sends, by the `Referrer-Policy` of the page that leads on; `undefined`: none.
 * Policies beyond those that the shop, the simulator and helmet send count as the browser's default.
 */
export function refererFor(page: URL, target: URL, policy: string): string | undefined {
  const sameOrigin = page.origin === target.origin;
  if (policy === 'no-referrer' || (policy === 'same-origin' && !sameOrigin)) return undefined;
  if (page.protocol === 'https:' && target.protocol === 'http:') return undefined;
  if (!sameOrigin) return `${page.origin}/`;
  const whole = new URL(page);
  whole.hash = '';
  return whole.href;
}
