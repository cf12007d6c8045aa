/** One column on a phone, two where there is room; rows are stacked, so nothing scrolls sideways. */
export const DASHBOARD_STYLE = `
main { width: min(100%, 80rem); }
.merchant { margin: 0 0 1rem; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.merchant span { display: inline-block; margin-right: 1rem; }
.merchant b { color: var(--ink); }
.cut-off header::after { content: "已断开 cut off"; color: var(--warn); font-size: .8rem; }
#live { display: grid; gap: 0 1.5rem; }
#live > .note { grid-column: 1 / -1; }
#live > * { min-width: 0; }
h3 { margin: 1rem 0 .4rem; color: var(--soft); font-size: .875rem; font-weight: 400; overflow-wrap: anywhere; }
.orders { display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; margin: 0 0 1rem; padding: 0; list-style: none; }
.orders a { display: block; padding: .75rem 1rem; border: 1px solid transparent; border-radius: .75rem; background: var(--card); color: inherit; text-decoration: none; }
.orders a:hover { border-color: var(--edge); }
.orders span { display: block; overflow-wrap: anywhere; }
.top, .orders .top { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.orders .body { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state { padding: .1rem .5rem; border: 1px solid currentcolor; border-radius: 1rem; font-size: .75rem; font-weight: 600; white-space: nowrap; }
.orders .state { display: inline-block; }
.amount-small { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
h1.number { margin-top: .5rem; font-size: 1rem; }
.back { margin: 0 0 .75rem; }
.back a { color: inherit; }
.facts { display: block; font-size: .875rem; }
.facts div { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; padding: .35rem 0; border-top: 1px solid var(--line); }
.facts dd { font-size: .8125rem; text-align: left; }
.buttons { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); gap: .5rem; }
.buttons form { display: grid; margin: 0; }
.buttons button { padding: .4rem .6rem; font-size: .9375rem; line-height: 1.3; }
.buttons span { display: block; font-size: .8125rem; }
.timeline { margin: 0; padding: 0 0 0 1.1rem; border-left: 2px solid var(--line); list-style: none; }
.timeline li { position: relative; margin-bottom: .75rem; overflow-wrap: anywhere; }
.timeline li::before { content: ""; position: absolute; left: -1.6rem; top: .35rem; width: .9rem; height: .9rem; border: 2px solid var(--card); border-radius: 50%; background: var(--edge); }
.timeline .good::before { background: var(--pay); }
.timeline .bad::before { background: var(--warn); }
.timeline .wait::before { border-color: var(--wait); background: var(--card); }
.timeline b { display: block; color: var(--ink); font-weight: 600; }
.timeline li.bad b { color: var(--warn); }
.timeline time, .timeline .who, .timeline .detail { color: var(--soft); font-size: .8125rem; font-variant-numeric: tabular-nums; }
.timeline .detail { display: block; }
.schedule { margin: 0 0 1rem; }
.schedule figcaption { margin-bottom: .5rem; font-size: .875rem; overflow-wrap: anywhere; }
.schedule ol { display: grid; grid-template-columns: repeat(8, 1fr); margin: 0; padding: 0; list-style: none; }
.schedule li { position: relative; padding-bottom: .25rem; text-align: center; font-size: .6875rem; line-height: 1.5; font-variant-numeric: tabular-nums; }
.schedule li > span { display: block; min-height: 1rem; color: var(--soft); }
.schedule b { color: var(--soft); font-weight: 400; }
.schedule i { display: block; position: relative; height: 1rem; }
.schedule i::before { content: ""; position: absolute; top: .45rem; left: 0; right: 0; height: .1rem; background: var(--line); }
.schedule i::after { content: ""; position: absolute; top: 0; left: calc(50% - .5rem); width: 1rem; height: 1rem; border: 2px solid var(--line); border-radius: 50%; background: var(--card); }
.schedule .heard i::after { border-color: var(--pay); background: var(--pay); }
.schedule .refused i::after { border-color: var(--warn); background: var(--warn); }
.schedule .next i::after { border-color: var(--wait); }
.schedule .open i::after { border-color: var(--edge); }
.schedule .heard b, .schedule .refused b, .schedule .next b { color: var(--ink); font-weight: 600; }
.schedule .spoken { position: absolute; width: 1px; min-height: 0; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
details { border-top: 1px solid var(--line); }
summary { padding: .6rem 0; font-size: .875rem; cursor: pointer; }
summary span, summary b { display: inline-block; margin-right: .75rem; overflow-wrap: anywhere; }
summary b { font-weight: 600; }
pre { margin: 0 0 .75rem; padding: .75rem; border-radius: .5rem; background: var(--ground); font-size: .75rem; line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 59.99rem) { .picked nav, .newest .panel { display: none; } }
@media (min-width: 60rem) {
  #live { grid-template-columns: 20rem 1fr; align-items: start; }
  .back { display: none; }
  .orders .current { border-color: var(--pay); }
  .timeline li { display: grid; grid-template-columns: 7.5rem 5.5rem 1fr; gap: 0 1rem; align-items: baseline; }
  .timeline .detail { grid-column: 3; }
  .schedule ol { grid-template-columns: repeat(16, 1fr); }
}
@media (min-width: 75rem) {
  .timeline li { grid-template-columns: 7.5rem 5.5rem 17rem 1fr; margin-bottom: .5rem; }
  .timeline .detail { grid-column: 4; }
}
`;
