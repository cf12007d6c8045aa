import { createHash } from 'node:crypto';
import type { HttpReply } from './http-exchange.js';
import { PAGE_STYLE } from './page-style.js';

/** Markup that may stand in a page as it is. Only `html` makes it. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = string | number | Html | readonly Html[];

/** A template whose every inserted text is escaped, for element content and quoted attributes. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    pieces.map((piece, index) => piece + (index < parts.length ? render(parts[index] ?? '') : '')).join(''),
  );
}

function render(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(({ markup }) => markup).join('\n');
  return String(part).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface Page {
  readonly title: string;
  /** The line at the top, Chinese and English. */
  readonly heading: readonly [chinese: string, english: string];
  readonly main: Html;
  /** What this page looks like beyond what all pages share. */
  readonly style: string;
  /** The one script that may run. */
  readonly script?: string;
  /** The class of the body. */
  readonly shape?: string;
  /** Goes to `url` (this page when absent) after `seconds`; `scriptless`: only where no script can. */
  readonly refresh?: { readonly seconds: number; readonly url?: string; readonly scriptless?: boolean };
  readonly status?: number;
}

/** A whole page as a reply, with the headers that keep it from running or loading anything else. */
export function pageReply(page: Page): HttpReply {
  const { title, heading, main, script, shape = '', status = 200 } = page;
  const style = PAGE_STYLE + page.style;
  const document = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${refreshElement(page.refresh)}
        <title>${title}</title>
        ${element('style', style)}
      </head>
      <body class="${shape}">
        <main>
          <header>
            <b>${heading[0]} <span lang="en">${heading[1]}</span></b>
            <span class="mark">模拟 <span lang="en">simulated</span></span>
          </header>
          ${main}
        </main>
        ${script === undefined ? html`` : element('script', script)}
      </body>
    </html> `;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyFor(style, script),
      // Forms here post to this origin and need their Origin; the merchant's page need not learn where we were.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
    body: document.markup,
  };
}

function refreshElement(refresh: Page['refresh']): Html {
  if (!refresh) return html``;
  const target = refresh.url === undefined ? '' : `;url=${refresh.url}`;
  const meta = html`<meta http-equiv="refresh" content="${refresh.seconds}${target}" />`;
  return refresh.scriptless ? html`<noscript>${meta}</noscript>` : meta;
}

/** Not a template of `html`: a formatter may move blanks in those, and the policy names these exact bytes. */
function element(name: 'style' | 'script', content: string): Html {
  return new Html(`<${name}>${content}</${name}>`);
}

function policyFor(style: string, script: string | undefined): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    // The script reads this page again, and the stream of events.
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`, "connect-src 'self'"]),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
