import { createHash } from 'node:crypto';
import type { HttpReply } from './http-exchange.js';

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

/** No image, script, font or frame: everything that these pages need is in them. */
const STYLE = `
:root { color-scheme: light dark; --ground: #ededed; --card: #fff; --ink: #1a1a1a; --soft: #6b6b6b; --line: #e2e2e2;
  --pay: #067a3d; --on-pay: #fff; --warn: #b42318; --note: #fff7e0; --on-note: #5c4700; }
@media (prefers-color-scheme: dark) { :root { --ground: #111; --card: #1e1e1e; --ink: #ededed; --soft: #a3a3a3;
  --line: #333; --pay: #2fbf71; --on-pay: #06210f; --warn: #ff9b8f; --note: #33290a; --on-note: #f3dfa0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
main { width: min(100%, 26rem); min-height: 100vh; margin: 0 auto; padding: 1rem 1rem 2rem; }
main.wide { width: min(100%, 68rem); }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; padding: .5rem 0 1rem; }
header b { font-weight: 600; }
.mark { padding: .05rem .5rem; border: 1px solid currentcolor; border-radius: 1rem; color: var(--warn); font-size: .8rem; white-space: nowrap; }
section { margin-bottom: 1rem; padding: 1.25rem; border-radius: .75rem; background: var(--card); }
h1 { margin: 0; font-size: 1.2rem; font-weight: 600; text-wrap: balance; }
h2 { margin: 0 0 .75rem; font-size: 1rem; }
.centre { padding: 2rem 1.25rem; text-align: center; }
.amount { margin: .5rem 0 0; font-size: 2.5rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.sign { display: block; font-size: 2.5rem; line-height: 1.4; color: var(--pay); }
.sign.bad { color: var(--warn); }
small, .soft { color: var(--soft); font-size: .875rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .5rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
form { margin: 0 0 .75rem; }
button, .button { display: block; width: 100%; min-height: 3rem; padding: .7rem 1rem; border: 1px solid transparent; border-radius: .5rem;
  background: var(--pay); color: var(--on-pay); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
button.quiet { border-color: var(--line); background: transparent; color: var(--ink); font-weight: 400; }
button:focus-visible, a:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.note { padding: .75rem 1rem; border-radius: .5rem; background: var(--note); color: var(--on-note); font-size: .875rem; overflow-wrap: anywhere; }
.note p { margin: 0; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; white-space: nowrap; }
th { border-top: 0; color: var(--soft); font-weight: 400; }
td.words { white-space: normal; min-width: 12rem; overflow-wrap: anywhere; }
.good { color: var(--pay); }
.bad { color: var(--warn); }
`;

/** Not a template of `html`: a formatter may move blanks in those, and the policy below names these exact bytes. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

const CASHIER = ['收银台', 'Cashier'] as const;

export interface Page {
  readonly title: string;
  /** The line at the top, Chinese and English. Default: the cashier's. */
  readonly heading?: readonly [chinese: string, english: string];
  readonly main: Html;
  /** Room for tables instead of the width of a phone. */
  readonly wide?: boolean;
  /** Goes to `url` (this page when absent) after `seconds`, without a script. */
  readonly refresh?: { readonly seconds: number; readonly url?: string };
  readonly status?: number;
}

/** A whole page as a reply, with the headers that keep it from running or loading anything. */
export function pageReply({ title, heading = CASHIER, main, wide = false, refresh, status = 200 }: Page): HttpReply {
  const target = refresh?.url === undefined ? '' : `;url=${refresh.url}`;
  const meta = refresh ? html`<meta http-equiv="refresh" content="${refresh.seconds}${target}" />` : html``;
  const document = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${meta}
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main class="${wide ? 'wide' : 'phone'}">
          <header>
            <b>${heading[0]} <span lang="en">${heading[1]}</span></b>
            <span class="mark">模拟 <span lang="en">simulated</span></span>
          </header>
          ${main}
        </main>
      </body>
    </html> `;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      // Forms here post to this origin and need their Origin; the merchant's page need not learn where we were.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
    body: document.markup,
  };
}
