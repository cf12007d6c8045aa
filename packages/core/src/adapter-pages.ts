import type { ServerResponse } from 'node:http';
import { partsFor } from './adapter-instance.js';
import { bindToRequest } from './bound-request.js';
import type { CapturedRequest } from './captured-request.js';
import type { TrustFunction } from './client-ip.js';
import { WechatH5Error } from './errors.js';
import { readForm } from './form-body.js';
import { IP_PROBE_FIELD } from './ip-probe.js';
import type { PageReply } from './page.js';
import type { ParsedBody, ParsedIncomingMessage } from './raw-body.js';
import type { ApplicationHeaders } from './referrer-diagnosis.js';
import type { WechatH5 } from './wechat-h5.js';

/** The pages of the operator and of the shop's own pages. */
export type Page = 'doctor' | 'ip-probe';

/** Where a bare doctor middleware answers. */
const DOCTOR_PATH = '/wechat-h5/doctor';

/**
 * The reply of a page, or `undefined`: not its path, or not configured.
 * @param options.mounted inside a route or under a mount path, where every request is the page's
 */
export function pageReply(
  page: Page,
  instance: WechatH5,
  request: CapturedRequest,
  options: {
    mounted: boolean;
    trust?: TrustFunction | undefined;
    /** What the application had set on the response. */
    applicationHeaders?: ApplicationHeaders;
  },
): PageReply | undefined {
  const { doctor, ipProbe } = partsFor(instance);
  const path = page === 'doctor' ? DOCTOR_PATH : ipProbe?.path;
  if (!options.mounted && request.path !== path) return undefined;
  if (page === 'ip-probe') return ipProbe?.reply(request, options.trust);
  return doctor(request, options.trust, options.applicationHeaders);
}

/** The pages of the payer. */
export type PayerPageName = 'pay' | 'return';

/** One payer's request, as an adapter has it. */
export interface PayerRequest {
  readonly request: ParsedIncomingMessage;
  readonly response: ServerResponse;
  readonly captured: CapturedRequest;
  /** Where the framework's parsers leave their result, if that is not the request itself. */
  readonly parsed?: ParsedBody | undefined;
  readonly trust?: TrustFunction | undefined;
}

/** Whether a bare middleware of this page answers this request; `false` where the instance has no such page. */
export function isForPayer(page: PayerPageName, instance: WechatH5, path: string): boolean {
  const { isGiven, settings, returnPath } = partsFor(instance).checkout;
  if (page === 'return') return isGiven && path === returnPath;
  return settings.order !== undefined && path === settings.payPath;
}

/**
 * For middlewares that serve this page and nothing else.
 * @throws {WechatH5Error} `OPTIONS_INVALID`: the instance does not have it
 */
export function requirePayerPage(page: PayerPageName, instance: WechatH5): void {
  const { isGiven, settings } = partsFor(instance).checkout;
  if (page === 'return' && !isGiven) throw checkoutMissing('checkout', 'wechatH5Return');
  if (page === 'pay' && settings.order === undefined) throw checkoutMissing('checkout.order', 'wechatH5Pay');
}

/** The page's answer: a redirect, or a page that says what went wrong. Never rejects. */
export function payerReply(page: PayerPageName, instance: WechatH5, payer: PayerRequest): Promise<PageReply> {
  const { checkout } = partsFor(instance);
  const { request, response, captured, parsed, trust } = payer;
  const visit = bindToRequest(instance, captured, trust).visit(response.getHeaders());
  if (page === 'return') return checkout.return(visit);
  return checkout.pay(visit, async () => {
    const form = await readForm(request, parsed);
    const order = await checkout.settings.order?.(form, request);
    const token = form[IP_PROBE_FIELD];
    return order && token !== undefined ? { ipProbe: token, ...order } : order;
  });
}

function checkoutMissing(option: string, middleware: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${middleware}() is mounted and ${option} is not given`, {
    field: option,
    hint: 'Give checkout: { order: (form) => ({ outTradeNo, body, totalFee }) }. 请配置 checkout.order。',
  });
}
