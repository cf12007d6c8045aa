import type { OrderChange } from './order-changes.js';
import type { HistoryEntry, HistorySource } from './order-record.js';

const KEPT_FIRST = 8;
const KEPT_LATEST = 32;

/** They would fill the history and say nothing of the order. */
const NOT_HISTORY: ReadonlySet<string> = new Set(['renew', 'take']);

/** What happened, in a line. */
export function entry(change: OrderChange, at: Date, state: HistoryEntry['state'], detail?: string): HistoryEntry {
  const line: HistoryEntry = { at, source: change.source ?? SOURCE[change.type] ?? 'shop', what: change.type, state };
  return detail === undefined ? line : { ...line, detail };
}

const SOURCE: Partial<Record<OrderChange['type'], HistorySource>> = {
  paid: 'notification',
  'payment-failed': 'notification',
  looked: 'reconciler',
  redrive: 'operator',
  resolve: 'operator',
};

/** The beginning explains an order and the end its present state: what is left out is in between. */
export function withEntry(history: readonly HistoryEntry[], line: HistoryEntry): HistoryEntry[] {
  return history.length < KEPT_FIRST + KEPT_LATEST
    ? [...history, line]
    : [...history.slice(0, KEPT_FIRST), ...history.slice(KEPT_FIRST + 1), line];
}

/** Whether a change is worth a line. */
export function isHistory({ type }: OrderChange): boolean {
  return !NOT_HISTORY.has(type);
}
