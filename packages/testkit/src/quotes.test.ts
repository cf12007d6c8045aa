import { dirname, join } from 'node:path';
import { readText } from './workspace.js';

const DOCUMENTS = ['docs/trusted-proxies.md', 'docs/trusted-proxies.zh-CN.md'];
const LANGUAGES = ['nginx', 'apache', 'haproxy', 'caddyfile'];

interface Quote {
  readonly document: string;
  /** The last file linked before the block. */
  readonly file: string;
  readonly lines: readonly string[];
}

const quotes = DOCUMENTS.flatMap(quotesIn);

test.each(quotes)('$document quotes $file as it is', ({ file, lines }) => {
  expect(lines.length).toBeGreaterThan(0);
  // Between the lines of a file may be its comments, and nothing else.
  expect(`\n${directives(readText(file)).join('\n')}\n`).toContain(`\n${lines.join('\n')}\n`);
});

test.each(DOCUMENTS)('%s quotes each server', (document) => {
  const folders = quotes.filter((quote) => quote.document === document).map(({ file }) => file.split('/')[2]);
  expect([...new Set(folders)].sort()).toEqual(['apache', 'caddy', 'haproxy', 'nginx']);
});

test('both languages quote the same', () => {
  const [english, chinese] = DOCUMENTS.map((document) =>
    quotesIn(document).map(({ file, lines }) => ({ file, lines })),
  );
  expect(chinese).toEqual(english);
});

test('both languages have the same headings, tables, blocks and links', () => {
  const shape = (document: string): readonly string[] =>
    [...readText(document).matchAll(/^(#+|```\w*|\||>|\d\.)|\]\(([^)#]+)/gm)]
      .map(([, block, link]) => block ?? link ?? '')
      .filter((part) => !part.startsWith('trusted-proxies'));
  expect(shape('docs/trusted-proxies.zh-CN.md')).toEqual(shape('docs/trusted-proxies.md'));
});

function quotesIn(document: string): Quote[] {
  const found: Quote[] = [];
  let file = '';
  for (const [, link, language, text = ''] of readText(document).matchAll(
    /\]\((\.\.\/examples\/proxies\/[^)#]+)\)|^```(\w+)\n(.*?)^```$/gms,
  )) {
    if (link !== undefined) file = join(dirname(document), link);
    else if (LANGUAGES.includes(language ?? '')) found.push({ document, file, lines: directives(text) });
  }
  return found;
}

/** The lines that a server reads, without their indentation. */
function directives(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
