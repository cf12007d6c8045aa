import type { OutgoingHttpHeaders } from 'node:http';
import { quoted, WechatH5Error } from './errors.js';

/** What the application had set on a response before it came to this library. */
export type ApplicationHeaders = Readonly<OutgoingHttpHeaders>;

/** Policies under which a page on one host shows another host nothing. */
const SILENT = new Set(['no-referrer', 'same-origin']);

/** The application's Referrer-Policy, if it hides the shop from WeChat Pay. */
export function silentPolicy(headers: ApplicationHeaders): string | undefined {
  // Of several policies the last one that a browser knows holds.
  const policy = textOf(headers['referrer-policy']).split(',').at(-1)?.trim().toLowerCase() ?? '';
  return SILENT.has(policy) ? policy : undefined;
}

/** Whether the application's Content-Security-Policy lets no form lead to the cashier. */
export function blocksCashier(headers: ApplicationHeaders, cashierOrigin: string): boolean {
  const policies = textOf(headers['content-security-policy']).split(',');
  return policies.some((policy) => {
    const directive = policy.split(';').find((text) => /^\s*form-action(\s|$)/i.test(text));
    return directive !== undefined && !admits(directive.trim().toLowerCase().split(/\s+/).slice(1), cashierOrigin);
  });
}

function admits(sources: readonly string[], cashierOrigin: string): boolean {
  const { protocol, host, hostname } = new URL(cashierOrigin);
  const parent = hostname.slice(hostname.indexOf('.'));
  const hosts = [host, hostname, `${hostname}:*`, `*${parent}`];
  const admitting = ['*', protocol, ...hosts, ...hosts.map((source) => `${protocol}//${source}`)];
  return sources.some((source) => admitting.includes(source.replace(/\/$/, '')));
}

export function referrerHidden(headers: ApplicationHeaders): WechatH5Error {
  const policy = silentPolicy(headers);
  const seen =
    policy === undefined
      ? 'A page of the shop sent its order without a Referer'
      : `The shop hides where its payers come from: the application sends Referrer-Policy: ${policy}`;
  return new WechatH5Error('REFERRER_POLICY', seen, {
    field: 'Referrer-Policy',
    hint:
      'WeChat Pay would show 商家参数格式有误, so payers are sent on by a page in between, which takes a moment longer. ' +
      "Send Referrer-Policy: strict-origin-when-cross-origin; helmet({ referrerPolicy: { policy: 'strict-origin-when-cross-origin' } }). " +
      '请将页面的 Referrer-Policy 设为 strict-origin-when-cross-origin（helmet 默认的 no-referrer 会清空 Referer）。',
  });
}

export function formActionBlocks(headers: ApplicationHeaders, cashierOrigin: string): WechatH5Error {
  const policy = quoted(textOf(headers['content-security-policy']), 200);
  return new WechatH5Error('FORM_ACTION', `The application's Content-Security-Policy is ${policy}`, {
    field: 'Content-Security-Policy',
    hint:
      `Chromium applies form-action to the redirect after a form: the Pay button would do nothing. Payers are sent on by a page in between. Add ${cashierOrigin} to form-action. ` +
      `Chromium 会对表单提交后的跳转应用 form-action：请在 form-action 中加入 ${cashierOrigin}。`,
  });
}

function textOf(header: OutgoingHttpHeaders[string]): string {
  return Array.isArray(header) ? header.join(',') : String(header ?? '');
}
