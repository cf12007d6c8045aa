import { escapeHtml } from './page.js';

/** Markup that may stand in a page as it is. Only `html` and the pages' own constants make it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = string | number | Html | readonly Html[] | undefined;

/** A template whose every inserted text is escaped, for element content and quoted attributes. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(pieces.map((piece, index) => piece + render(parts[index])).join(''));
}

/** Words for a payer, in both languages. */
export type Bilingual = readonly [chinese: string, english: string];

/** Chinese, with English below it. */
export function both([chinese, english]: Bilingual): Html {
  return html`${chinese}<span class="english" lang="en">${english}</span>`;
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(({ markup }) => markup).join('\n');
  return escapeHtml(String(part));
}
