export interface Palette {
  readonly ground: string;
  readonly card: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly pay: string;
  readonly onPay: string;
}

export const LIGHT: Palette = {
  ground: '#f2f3f7',
  card: '#ffffff',
  ink: '#16182a',
  soft: '#5b6076',
  line: '#7b8097',
  pay: '#067a3d',
  onPay: '#ffffff',
};

export const DARK: Palette = {
  ground: '#0e1020',
  card: '#191c31',
  ink: '#eceef8',
  soft: '#a5abc4',
  line: '#6a7191',
  pay: '#2fbf71',
  onPay: '#04190d',
};

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');
}

/** Everything the pages look like. No font, image or script is loaded: they are small and fast on any network. */
export const STYLE = `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", sans-serif; }
.frame { display: flex; flex-direction: column; width: min(100%, 27rem); min-height: 100vh; min-height: 100dvh; margin: 0 auto; padding: 1rem; }
main { display: contents; }
header { padding: .25rem .25rem 1rem; }
header a { color: inherit; font-weight: 600; text-decoration: none; }
.card { overflow: hidden; border-radius: 1rem; background: var(--card); }
.card > * { margin: 0 1.25rem; }
.card > .scene { display: block; width: 100%; height: auto; margin: 0 0 1.25rem; }
.card > :last-child { margin-bottom: 1.25rem; }
h1 { font-size: 1.375rem; line-height: 1.3; text-wrap: balance; }
.english { display: block; color: var(--soft); font-size: .875rem; font-weight: 400; text-wrap: balance; }
.card > .price { margin-top: .75rem; font-size: 2rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card > p { margin-top: .75rem; }
.actions { display: grid; gap: .75rem; margin-top: auto; padding-top: 1.25rem; }
.actions form { margin: 0; }
button { display: block; width: 100%; min-height: 3.25rem; padding: .6rem 1rem; border: 2px solid transparent; border-radius: .75rem;
  background: var(--pay); color: var(--onPay); font: inherit; font-weight: 600; line-height: 1.3; text-align: center; cursor: pointer; touch-action: manipulation; }
button .english { color: inherit; }
button:active { filter: brightness(.92); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
`;
