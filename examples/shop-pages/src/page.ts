import { createHash } from 'node:crypto';
import { both, Html, html } from './html.js';
import { STYLE } from './style.js';

/** What a framework has to send, with the headers of {@link pageHeaders}. */
export interface Page {
  readonly status: number;
  readonly html: string;
}

/** One line of the list at a page's foot. */
export type Detail = readonly [chinese: string, english: string, value: string];

export interface PageContent {
  readonly status?: number;
  readonly title: string;
  readonly card: Html;
  /** Buttons, the main one first. */
  readonly actions: readonly Html[];
  readonly details?: readonly Detail[];
}

// A template of `html` would let a formatter move blanks in it, and the policy below names these exact bytes.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * The headers of every answer of the shop, redirects included.
 *
 * @param cashierOrigin where payment links lead: WeChat Pay's `https://wx.tenpay.com` unless a simulator runs. Chromium
 *   applies `form-action` to the redirect that follows a form as well, and the Pay button is such a form.
 */
export function pageHeaders(cashierOrigin: string): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self' ${cashierOrigin}; base-uri 'none'; frame-ancestors 'none'`,
    'Cache-Control': 'no-store',
    // WeChat Pay reads the shop's domain from the Referer. no-referrer, the default of helmet, would empty it.
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

export function page({ status = 200, title, card, actions, details = [] }: PageContent): Page {
  const document = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>
          <header>
            <a href="/">西湖游船 <span lang="en">West Lake Cruises</span></a>
          </header>
          ${card} ${details.length === 0 ? undefined : detailList(details)}
          <div class="actions">${actions}</div>
        </main>
      </body>
    </html>`;
  return { status, html: document.markup };
}

function detailList(details: readonly Detail[]): Html {
  const rows = details.map(
    ([chinese, english, value]) =>
      html`<div>
        <dt>${both(chinese, english)}</dt>
        <dd>${value}</dd>
      </div>`,
  );
  return html`<dl>${rows}</dl>`;
}

/** Asks WeChat Pay, through the shop, how the payment stands. Only ever sent by the payer's own finger. */
export function checkForm(order: string, label: Html, className = ''): Html {
  return html`<form method="post" action="/check">
    <input type="hidden" name="order" value="${order}" />
    <button class="${className}">${label}</button>
  </form>`;
}

export function payForm(order: string, label: Html, className = ''): Html {
  return html`<form method="post" action="/pay">
    <input type="hidden" name="order" value="${order}" />
    <button class="${className}">${label}</button>
  </form>`;
}

export function startLink(label: Html, className = ''): Html {
  return html`<a class="button ${className}" href="/">${label}</a>`;
}
