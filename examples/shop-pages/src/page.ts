import { createHash } from 'node:crypto';
import { Html, html } from './html.js';
import { STYLE } from './style.js';

export interface PageContent {
  readonly title: string;
  readonly card: Html;
  readonly actions: readonly Html[];
}

// A template of `html` would let a formatter move blanks in it, and the policy below names these exact bytes.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * The headers of a page with a Pay button.
 *
 * @param cashierOrigin where payment links lead. Chromium applies `form-action` to the redirect that follows a form as
 *   well, and the Pay button is such a form.
 */
export function pageHeaders(cashierOrigin: string): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self' ${cashierOrigin}; base-uri 'none'; frame-ancestors 'none'`,
    // Asked for anew when it is visited, and not for Back: there the form still has the order's number.
    'Cache-Control': 'private, no-cache',
    // WeChat Pay reads the shop's domain from the Referer. no-referrer, the default of helmet, would empty it.
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

export function page({ title, card, actions }: PageContent): string {
  return html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <div class="frame">
          <header>
            <a href="/">西湖游船 <span lang="en">West Lake Cruises</span></a>
          </header>
          <main>
            ${card}
            <div class="actions">${actions}</div>
          </main>
        </div>
      </body>
    </html>`.markup;
}

export function payForm(order: string, label: Html): Html {
  return html`<form method="post" action="/pay">
    <input type="hidden" name="order" value="${order}" />
    <button>${label}</button>
  </form>`;
}
