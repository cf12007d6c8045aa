/**
 * Whether a page is opened inside WeChat, where H5 payment is refused (请在微信外打开订单，进行支付): ask the payer to
 * open it in a browser, or use JSAPI payment there. A browser can send any `User-Agent`; only a payer who
 * wants to fail is fooled.
 * @param userAgent the request's `User-Agent`; absent counts as no
 */
export function isWechatBrowser(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /\bMicroMessenger\//i.test(userAgent);
}
