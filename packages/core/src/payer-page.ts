import { createHash } from 'node:crypto';
import { both, Html, html, type Bilingual } from './html.js';
import { guardedHtmlReply, type PageReply } from './page.js';
import { PAYER_STYLE } from './payer-style.js';

/** One page that a payer sees. */
export interface PayerPage {
  status?: number;
  /** How it stands, for tests and scripts: `paid`, `unpaid`, …, or an error's code. */
  state: string;
  mark: string;
  mood: 'good' | 'wait' | 'bad';
  heading: Bilingual;
  text: readonly Bilingual[];
  /** What was bought, shown large. */
  goods?: readonly PayerDetail[];
  /** Buttons, the main one first. */
  actions: readonly Html[];
  /** The list at the foot. */
  details?: readonly PayerDetail[];
  /** Where the page goes by itself, at once. */
  goesTo?: string;
}

/** One line with its label. */
export interface PayerDetail {
  label: Bilingual;
  value: string;
}

/** What all pages of one shop have in common. */
export interface PayerSite {
  shopName: string;
  shopUrl: string;
}

const STYLE_ELEMENT = new Html(`<style>${PAYER_STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(PAYER_STYLE).digest('base64');

/**
 * The page, with everything that keeps it from being framed, kept or changed by what it shows. It runs no script and
 * loads nothing.
 *
 * @param formTargets origins that its forms may lead to beside its own: Chromium applies `form-action` to the redirect
 *   after a form, too
 */
export function payerPage(page: PayerPage, site: PayerSite, formTargets: readonly string[] = []): PageReply {
  const { status = 200, state, mark, mood, heading, text, goods = [], actions, details = [], goesTo } = page;
  const document = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="robots" content="noindex" />
        ${goesTo === undefined ? undefined : html`<meta http-equiv="refresh" content="0;url=${goesTo}" />`}
        <title>${heading.join(' ')}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <div class="frame">
          <header><a href="${site.shopUrl}">${site.shopName}</a></header>
          <main>
            <section class="card" data-state="${state}">
              <span class="mark ${mood}" aria-hidden="true">${mark}</span>
              <h1>${both(heading)}</h1>
              ${text.map((words) => html`<p>${both(words)}</p>`)}
              ${goods.map(({ label, value }) => html`<div class="goods">${both(label)}<output aria-label="${label.join(' ')}">${value}</output></div>`)}
            </section>
            ${details.length === 0 ? undefined : detailList(details)}
            <div class="actions">${actions}</div>
          </main>
        </div>
      </body>
    </html> `;
  return guardedHtmlReply(status, document.markup, {
    'style-src': `'sha256-${STYLE_HASH}'`,
    'form-action': ["'self'", ...formTargets].join(' '),
  });
}

/** Asks how the payment stands. Only ever sent by the payer's own finger. */
export function checkForm(action: string, label: Bilingual, className = ''): Html {
  return html`<form method="post" action="${action}"><button class="${className}">${both(label)}</button></form>`;
}

export function link(href: string, label: Bilingual, className = ''): Html {
  return html`<a class="button ${className}" href="${href}">${both(label)}</a>`;
}

export const BACK: Bilingual = ['返回商店', 'Back to the shop'];
export const ORDER_NUMBER: Bilingual = ['订单号', 'Order'];

function detailList(details: readonly PayerDetail[]): Html {
  return html`<dl>
    ${details.map(
      ({ label, value }) =>
        html`<div>
          <dt>${both(label)}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
