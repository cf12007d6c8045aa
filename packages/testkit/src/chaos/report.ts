import { RULES, storyOf, type Rule, type Violation } from './checker.js';
import type { History } from './history.js';
import type { PlanSize } from './plan.js';

/** What was done to the processes. */
export interface Counts {
  kills: number;
  stops: number;
  restarts: number;
  deployments: number;
}

const TOLD = 3;

/** One line for each number, and the whole story of the first offenders. */
export function reportOf(
  { store, seed }: PlanSize & { readonly store: { readonly name: string } },
  history: History,
  violations: readonly Violation[],
  { kills, stops, restarts, deployments }: Counts,
  seconds: number,
): string {
  const { planned, ledgers, answers, simulator, stored } = history;
  const offences = (rule: Rule): number => violations.filter((one) => one.rule === rule).length;
  const records = [...stored.values()];
  const foundBy = (source: string): number =>
    records.filter((order) => order?.history.some((one) => one.what === 'paid' && one.source === source)).length;
  const starts = ledgers.filter(({ entry }) => entry.what === 'start');
  const again = starts.filter(({ entry }) => 'attempt' in entry && entry.attempt > 1).length;
  const fenced = ledgers.filter(
    ({ entry }) => entry.what === 'complete' && (entry.outcome === 'lost' || entry.outcome === 'done'),
  ).length;
  const rows: [string, string | number][] = [
    ['orders', planned.length],
    ['delivered', records.filter((order) => order?.delivery.state === 'DONE').length],
    ['in quarantine', records.filter((order) => order?.state === 'QUARANTINED').length],
    ['kill -9 of a shop', kills],
    ['SIGSTOP past the lease', stops],
    ['crashes of the store', restarts],
    ['SIGTERM of a shop', deployments],
    ['notifications sent', simulator.deliveries],
    ['of these repeated after FAIL', simulator.repetitions],
    ['copies that reached shops', answers.length],
    ['answered with SUCCESS', answers.filter(({ verdict }) => verdict === 'success').length],
    ['runs of the handler', starts.length],
    ['of these not the first', again],
    ['completions refused by the fence', fenced],
    ['found by the reconciler', foundBy('reconciler')],
    ['found by the button', foundBy('query')],
    ['kept as unknown', records.filter((order) => order?.state === 'ORPHAN').length],
    ['refunds asked for', new Set(simulator.refundsAsked.map(({ outRefundNo }) => outRefundNo)).size],
    ['refunds made', simulator.refunds.filter(({ status }) => status === 'SUCCESS').length],
    ['refunds of more than the order', offences('I9')],
    ['double success', offences('I2') + offences('I3')],
    ['lost', offences('I1')],
    ['acknowledged before committed', offences('I4')],
    ['other violations', violations.length - offences('I1') - offences('I2') - offences('I3') - offences('I4')],
    ['seconds', seconds.toFixed(1)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${String(value).padStart(6)}`);
  const offenders = [...new Set(violations.map(({ outTradeNo }) => outTradeNo))].slice(0, TOLD);
  const told = offenders.flatMap((outTradeNo) => [
    '',
    ...violations
      .filter((one) => one.outTradeNo === outTradeNo)
      .map(({ rule, detail }) => `  ${rule} ${RULES[rule]}: ${detail}`),
    ...(outTradeNo === '' ? [] : [storyOf(history, outTradeNo)]),
  ]);
  return [`chaos on ${store.name}, seed ${seed}`, ...lines, ...told, ''].join('\n');
}
