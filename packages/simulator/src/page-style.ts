/** What every page needs. No image, script, font or frame: everything is in the page itself. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ground: #ededed; --card: #fff; --ink: #1a1a1a; --soft: #636363; --line: #e2e2e2; --edge: #767676;
  --pay: #067a3d; --on-pay: #fff; --warn: #b42318; --wait: #8a5a00; --note: #fff7e0; --on-note: #5c4700; }
@media (prefers-color-scheme: dark) { :root { --ground: #111; --card: #1e1e1e; --ink: #ededed; --soft: #a3a3a3; --line: #333; --edge: #8c8c8c;
  --pay: #2fbf71; --on-pay: #06210f; --warn: #ff9b8f; --wait: #e3b341; --note: #33290a; --on-note: #f3dfa0; } }
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
main { width: min(100%, 26rem); min-height: 100vh; min-height: 100dvh; margin: 0 auto; padding: 1rem 1rem 2rem; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; padding: .5rem 0 1rem; }
header b { font-weight: 600; }
.mark { padding: .05rem .5rem; border: 1px solid currentcolor; border-radius: 1rem; color: var(--warn); font-size: .8rem; white-space: nowrap; }
section { margin-bottom: 1rem; padding: 1.25rem; border-radius: .75rem; background: var(--card); }
h1 { margin: 0; font-size: 1.2rem; font-weight: 600; text-wrap: balance; overflow-wrap: anywhere; }
h2 { margin: 0 0 .75rem; font-size: 1rem; }
.centre { padding: 2rem 1.25rem; text-align: center; }
.amount { margin: .5rem 0 0; font-size: 2.5rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.sign { display: block; font-size: 2.5rem; line-height: 1.4; color: var(--pay); }
.sign.bad { color: var(--warn); }
.sign.wait { color: var(--wait); }
small, .soft { color: var(--soft); font-size: .875rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .5rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { min-width: 0; margin: 0; text-align: right; overflow-wrap: anywhere; }
.number { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono", monospace; font-size: .8125rem; line-height: 1.5rem; overflow-wrap: anywhere; }
form { margin: 0 0 .75rem; }
section > :first-child { margin-top: 0; }
section > :last-child { margin-bottom: 0; }
button, .button { display: block; width: 100%; min-height: 3rem; padding: .7rem 1rem; border: 1px solid transparent; border-radius: .5rem;
  background: var(--pay); color: var(--on-pay); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
button.quiet, .button.quiet { border-color: var(--edge); background: transparent; color: var(--ink); font-weight: 400; }
button:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.note { margin-bottom: 1rem; padding: .75rem 1rem; border-radius: .5rem; background: var(--note); color: var(--on-note); font-size: .875rem; overflow-wrap: anywhere; }
.note p { margin: 0; }
.good { color: var(--pay); }
.bad { color: var(--warn); }
.wait { color: var(--wait); }
`;

/** The cashier looks a little different on either kind of phone, as the payer knows it. */
export const CASHIER_STYLE = `
dl.stacked { grid-template-columns: 1fr; gap: 0; }
dl.stacked dd { text-align: left; }
dl.stacked dd + dt { margin-top: .5rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .75rem; align-items: stretch; }
.pair form { display: grid; }
.pair button { padding: .5rem; font-size: .9375rem; line-height: 1.3; }
.pair span { display: block; }
.android header { margin: -1rem -1rem 1rem; padding: 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
.android header b::before { content: "‹"; margin-right: .75rem; }
.android section, .android button, .android .button, .android .note { border-radius: .25rem; }
.android .amount { font-size: 2.75rem; }
.ios main { display: flex; flex-direction: column; }
.ios section { border-radius: 1rem; }
.ios button, .ios .button { border-radius: 1.5rem; }
.ios .note { border-radius: 1rem; }
@media (max-width: 21rem) { .number { font-size: .75rem; } }
`;
