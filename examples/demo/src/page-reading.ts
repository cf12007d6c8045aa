/** A form as a person sees it: by what its button says. */
export interface PageForm {
  readonly button: string;
  readonly method: string;
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface PageLink {
  readonly text: string;
  readonly href: string;
}

/** What a page says and offers. */
export interface PageContents {
  readonly title: string;
  readonly heading: string;
  readonly text: string;
  /** The shop's own mark on its result page: how the payment stands. */
  readonly state: string | undefined;
  readonly forms: readonly PageForm[];
  readonly links: readonly PageLink[];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Reads the well-formed HTML of the shop and the simulator: quoted attributes, closed elements. */
export function readPage(html: string): PageContents {
  const visible = html.replaceAll(/<!--[^]*?-->|<(style|script|svg)\b[^]*?<\/\1>/g, ' ');
  return {
    title: textOf(elements(html, 'title')[0]?.inner ?? ''),
    heading: textOf(elements(visible, 'h1')[0]?.inner ?? ''),
    text: textOf(elements(visible, 'body')[0]?.inner ?? ''),
    state: /\sdata-state="([^"]*)"/.exec(visible)?.[1],
    forms: elements(visible, 'form').map(({ attributes, inner }) => ({
      button: textOf(elements(inner, 'button')[0]?.inner ?? ''),
      method: (attributes['method'] ?? 'get').toUpperCase(),
      action: attributes['action'] ?? '',
      fields: Object.fromEntries(
        [...inner.matchAll(/<input\b([^>]*)>/g)]
          .map(([, source = '']) => readAttributes(source))
          .map(({ name = '', value = '' }) => [name, value]),
      ),
    })),
    links: elements(visible, 'a').map(({ attributes, inner }) => ({
      text: textOf(inner),
      href: attributes['href'] ?? '',
    })),
  };
}

function elements(html: string, name: string): { attributes: Record<string, string>; inner: string }[] {
  const pattern = new RegExp(`<${name}\\b([^>]*)>([^]*?)</${name}>`, 'g');
  return [...html.matchAll(pattern)].map(([, attributes = '', inner = '']) => ({
    attributes: readAttributes(attributes),
    inner,
  }));
}

function readAttributes(source: string): Record<string, string> {
  return Object.fromEntries(
    [...source.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decode(value)]),
  );
}

function textOf(html: string): string {
  return decode(html.replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function decode(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      return String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16));
    },
  );
}
