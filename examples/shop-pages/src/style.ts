export interface Palette {
  readonly ground: string;
  readonly card: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly pay: string;
  readonly onPay: string;
  readonly good: string;
  readonly wait: string;
  readonly bad: string;
}

export const LIGHT: Palette = {
  ground: '#f2f3f7',
  card: '#ffffff',
  ink: '#16182a',
  soft: '#5b6076',
  line: '#7b8097',
  pay: '#067a3d',
  onPay: '#ffffff',
  good: '#067a3d',
  wait: '#8a5200',
  bad: '#b3261e',
};

export const DARK: Palette = {
  ground: '#0e1020',
  card: '#191c31',
  ink: '#eceef8',
  soft: '#a5abc4',
  line: '#6a7191',
  pay: '#2fbf71',
  onPay: '#04190d',
  good: '#4fd08a',
  wait: '#f0b35a',
  bad: '#ff9b8f',
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
main { display: flex; flex-direction: column; width: min(100%, 27rem); min-height: 100vh; min-height: 100dvh; margin: 0 auto; padding: 1rem; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; padding: .25rem .25rem 1rem; }
header a { color: inherit; font-weight: 600; text-decoration: none; }
.card { overflow: hidden; border-radius: 1rem; background: var(--card); }
.card > * { margin: 0 1.25rem; }
.card > :first-child { margin-top: 1.25rem; }
.card > :last-child { margin-bottom: 1.25rem; }
.card > .scene { display: block; width: 100%; height: auto; margin: 0 0 1.25rem; }
h1 { font-size: 1.375rem; line-height: 1.3; text-wrap: balance; }
.english { display: block; color: var(--soft); font-size: .875rem; font-weight: 400; text-wrap: balance; }
.card > .price { margin-top: .75rem; font-size: 2rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card > p { margin-top: .75rem; }
.card.verdict > p { text-wrap: balance; }
.card > p:not(.price, :last-child) { margin-bottom: 0; }
.card.verdict { padding: 1.25rem 0 .5rem; text-align: center; }
.mark { display: grid; place-items: center; width: 3.5rem; height: 3.5rem; border: 3px solid currentcolor; border-radius: 50%; font-size: 1.75rem; font-weight: 600; line-height: 1; }
.card > .mark { margin: .5rem auto 1rem; }
.good { color: var(--good); } .wait { color: var(--wait); } .bad { color: var(--bad); }
.ticket { padding: 1rem; border: 2px dashed var(--line); border-radius: .75rem; text-align: center; }
.card > .ticket { margin: 1.25rem; }
.ticket output { display: block; margin-top: .25rem; font: 600 1.75rem/1.3 ui-monospace, "SF Mono", "Roboto Mono", "Noto Sans Mono", monospace; letter-spacing: .12em; }
.actions { display: grid; gap: .75rem; margin-top: auto; padding-top: 1.25rem; }
.actions form { margin: 0; }
button, .button { display: block; width: 100%; min-height: 3.25rem; padding: .6rem 1rem; border: 2px solid transparent; border-radius: .75rem;
  background: var(--pay); color: var(--onPay); font: inherit; font-weight: 600; line-height: 1.3; text-align: center; text-decoration: none; cursor: pointer; touch-action: manipulation; }
button .english, .button .english { color: inherit; }
.quiet { border-color: var(--line); background: transparent; color: var(--ink); font-weight: 400; }
button:active, .button:active { filter: brightness(.92); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
dl { margin: 1rem .25rem 0; color: var(--soft); font-size: .8125rem; font-variant-numeric: tabular-nums; }
dl > div { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; padding: .125rem 0; }
dd { margin: 0 0 0 auto; overflow-wrap: anywhere; }
dt .english { display: inline; margin-left: .4em; font-size: inherit; }
`;
