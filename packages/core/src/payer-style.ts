const LIGHT = {
  ground: '#f2f3f7',
  card: '#ffffff',
  ink: '#16182a',
  soft: '#5b6076',
  line: '#7b8097',
  pay: '#067a3d',
  'on-pay': '#ffffff',
  good: '#067a3d',
  wait: '#8a5200',
  bad: '#b3261e',
};

const DARK: typeof LIGHT = {
  ground: '#0e1020',
  card: '#191c31',
  ink: '#eceef8',
  soft: '#a5abc4',
  line: '#6a7191',
  pay: '#2fbf71',
  'on-pay': '#04190d',
  good: '#4fd08a',
  wait: '#f0b35a',
  bad: '#ff9b8f',
};

/** Light and dark: every text reaches a contrast of 4.5 on its ground, every border 3. */
export const PALETTES = { light: LIGHT, dark: DARK };

function variables(palette: typeof LIGHT): string {
  return Object.entries(palette)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');
}

/** All that the payer's pages look like. No font, image or script is loaded: they are small and fast on any network. */
export const PAYER_STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif}
.frame{display:flex;flex-direction:column;width:min(100%,27rem);min-height:100vh;min-height:100dvh;margin:0 auto;padding:1rem}
header{padding:.25rem .25rem 1rem}header a{color:inherit;font-weight:600;text-decoration:none;overflow-wrap:anywhere}
main{display:contents}
.card{padding:1.5rem 1.25rem;border-radius:1rem;background:var(--card);text-align:center}
h1{margin:0;font-size:1.375rem;line-height:1.3;text-wrap:balance}
p{margin:.75rem 0 0;text-wrap:balance}
.english{display:block;color:var(--soft);font-size:.875rem;font-weight:400;text-wrap:balance}
.mark{display:grid;place-items:center;width:3.5rem;height:3.5rem;margin:0 auto 1rem;border:3px solid currentcolor;border-radius:50%;font-size:1.75rem;font-weight:600;line-height:1}
.good{color:var(--good)}.wait{color:var(--wait)}.bad{color:var(--bad)}
.goods{margin-top:1.25rem;padding:1rem;border:2px dashed var(--line);border-radius:.75rem}
.goods output{display:block;margin-top:.25rem;font:600 1.5rem/1.3 ui-monospace,"SF Mono","Roboto Mono","Noto Sans Mono",monospace;overflow-wrap:anywhere}
.actions{display:grid;gap:.75rem;margin-top:auto;padding-top:1.25rem}.actions form{margin:0}
button,.button{display:block;width:100%;min-height:3.25rem;padding:.6rem 1rem;border:2px solid transparent;border-radius:.75rem;background:var(--pay);color:var(--on-pay);font:inherit;font-weight:600;line-height:1.3;text-align:center;text-decoration:none;cursor:pointer;touch-action:manipulation}
button .english,.button .english{color:inherit}
.quiet{border-color:var(--line);background:transparent;color:var(--ink);font-weight:400}
button:active,.button:active{filter:brightness(.92)}
a:focus-visible,button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
dl{margin:1rem .25rem 0;color:var(--soft);font-size:.8125rem;font-variant-numeric:tabular-nums}
dl>div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.125rem 0}
dd{margin:0 0 0 auto;overflow-wrap:anywhere}dt .english{display:inline;margin-left:.4em;font-size:inherit}
`;
