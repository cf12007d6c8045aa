import type { History, LedgerEntry, StoredOrder } from './history.js';
import type { BookEntry, HandlerEntry } from './ledger.js';
import { refundsOf, type PlannedOrder } from './plan.js';

/** What must hold. The texts say what is wrong when it does not. */
export const RULES = {
  I1: 'a payment was lost: it is not marked as delivered',
  I2: 'a delivery was completed twice',
  I3: 'what the handler wrote in its transaction is not there exactly once',
  I4: 'SUCCESS was answered before the delivery was committed',
  I5: 'a delivery was taken over inside a lease',
  I6: 'attempts do not grow',
  I7: 'a paid order went back to a lower state',
  I8: 'a delivery is marked as done without a run that came to its end before',
  I9: 'more was to be given back than was paid, or a refund was not told once it was made',
  I11: 'a secret was written down',
  I12: 'a payment that contradicts its order, or has none, was believed',
  I13: 'amounts differ',
  I14: 'a shop ended by itself',
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly outTradeNo: string;
  readonly detail: string;
}

/** Two clocks of one machine: the one that never jumps, and the one that is shown. */
const SLACK_MS = 100;
/** Stores count whole milliseconds. */
const LEAST_MS = 5;
const ENDS: ReadonlySet<string> = new Set(['throw', 'end']);

/** What contradicts the rules, worst first: nothing, if all is well. */
export function check(history: History): Violation[] {
  const violations: Violation[] = [];
  for (const order of history.planned) {
    const found = (rule: Rule, detail: string): void =>
      void violations.push({ rule, outTradeNo: order.outTradeNo, detail });
    const ledger = history.ledgers.filter(({ entry }) => entry.outTradeNo === order.outTradeNo);
    const stored = history.stored.get(order.outTradeNo);
    if (order.lane === 'forged') checkUnbelieved(order, 'QUARANTINED', history, ledger, stored, found);
    else if (order.lane === 'unknown') checkUnbelieved(order, 'ORPHAN', history, ledger, stored, found);
    else checkPaid(order, history, ledger, stored, found);
    if (order.lane === 'refunded') checkRefunds(order, history, ledger, stored, found);
    checkRuns(order, ledger, found);
    checkLeases(history.leaseMs, ledger, found);
    if (stored !== undefined) checkStates(stored, found);
  }
  for (const crash of history.crashes) violations.push({ rule: 'I14', outTradeNo: '', detail: crash });
  if (history.texts.some((text) => text.includes(history.secret)))
    violations.push({ rule: 'I11', outTradeNo: '', detail: "the merchant's key" });
  return violations;
}

type Found = (rule: Rule, detail: string) => void;

function checkPaid(
  order: PlannedOrder,
  history: History,
  ledger: readonly LedgerEntry[],
  stored: StoredOrder | undefined,
  found: Found,
): void {
  const { outTradeNo, totalFee } = order;
  const truth = history.simulator.orders.filter((one) => one.outTradeNo === outTradeNo);
  const [paid] = truth;
  if (truth.length !== 1 || paid === undefined || !isPaid(order, paid.tradeState) || paid.totalFee !== totalFee)
    found('I13', `WeChat Pay has ${JSON.stringify(truth)}, and ${totalFee} was to be paid`);
  if (stored === undefined || stored.state !== 'PAID' || stored.delivery.state !== 'DONE') {
    found('I1', `the store has ${stored === undefined ? 'nothing' : `${stored.state}, ${stored.delivery.state}`}`);
    if (isAcknowledged(history, outTradeNo)) found('I4', 'it is not committed at all');
    return;
  }
  if (stored.totalFee !== totalFee || stored.payment?.totalFee !== totalFee)
    found('I13', `the store has ${stored.totalFee}, paid with ${stored.payment?.totalFee}; the order was ${totalFee}`);
  if (stored.payment?.transactionId !== paid?.transactionId)
    found('I13', `the store has the transaction ${stored.payment?.transactionId}`);
  const completions = completionsOf(stored, 'DONE');
  const completed = completions[0]?.at ?? Infinity;
  if (completions.length !== 1) found('I2', `the store's history has ${completions.length} completions`);
  for (const { outTradeNo: about, verdict, answeredAt, shop } of history.answers) {
    if (about === outTradeNo && verdict === 'success' && answeredAt < completed - 1)
      found('I4', `by ${shop}, ${Math.round(completed - answeredAt)} ms before`);
  }
  const runs = ledger.filter(({ entry }) => entry.what === 'end' && entry.attempt === stored.delivery.attempt);
  if (!runs.some(({ entry }) => entry.at <= completed + SLACK_MS)) found('I8', `attempt ${stored.delivery.attempt}`);
  const effects = history.effects?.get(outTradeNo) ?? 0;
  if (history.effects !== undefined && effects !== 1) found('I3', `it is there ${effects} times`);
}

function isPaid({ lane }: PlannedOrder, tradeState: string | undefined): boolean {
  return tradeState === 'SUCCESS' || (lane === 'refunded' && tradeState === 'REFUND');
}

function completionsOf({ history }: StoredOrder, detail: string): StoredOrder['history'] {
  return history.filter((one) => one.what === 'complete' && one.detail?.startsWith(detail));
}

function checkUnbelieved(
  { outTradeNo }: PlannedOrder,
  state: 'QUARANTINED' | 'ORPHAN',
  history: History,
  ledger: readonly LedgerEntry[],
  stored: StoredOrder | undefined,
  found: Found,
): void {
  if (stored?.state !== state) found('I12', `the store has ${stored?.state ?? 'nothing'}`);
  if (ledger.some(({ entry }) => entry.what === 'start')) found('I12', 'it was delivered');
  if (isAcknowledged(history, outTradeNo)) found('I12', 'it was acknowledged');
  if ((history.effects?.get(outTradeNo) ?? 0) !== 0) found('I3', 'what was not believed has an effect');
}

/**
 * What WeChat Pay was asked for counts, not what it made: it would refuse too much by itself. Of three refunds of two
 * fifths it must be asked for two, and each is told when it is made.
 */
function checkRefunds(
  order: PlannedOrder,
  { simulator }: History,
  ledger: readonly LedgerEntry[],
  stored: StoredOrder | undefined,
  found: Found,
): void {
  const { outTradeNo, totalFee } = order;
  const asked = new Map(
    simulator.refundsAsked
      .filter((refund) => refund.outTradeNo === outTradeNo)
      .map(({ outRefundNo, refundFee }) => [outRefundNo, refundFee]),
  );
  const sum = [...asked.values()].reduce((total, refundFee) => total + refundFee, 0);
  if (sum > totalFee) found('I9', `${[...asked.keys()].join(', ')}: ${sum} of ${totalFee}`);
  const records = Object.values(stored?.refunds ?? {}).filter(({ state }) => state !== 'FAILED');
  const booked = records.reduce((total, { refundFee }) => total + refundFee, 0);
  if (booked > totalFee) found('I9', `the store has refunds of ${booked} of ${totalFee}`);
  for (const { outRefundNo } of refundsOf(order)) {
    const isMade = simulator.refunds.some((one) => one.outRefundNo === outRefundNo && one.status === 'SUCCESS');
    const record = stored?.refunds[outRefundNo];
    const completions = stored === undefined ? [] : completionsOf(stored, `${outRefundNo} DONE`);
    if (completions.length > 1) found('I2', `${outRefundNo} has ${completions.length} completions`);
    const runs = ledger.filter(({ entry }) => entry.what === 'refund' && entry.outRefundNo === outRefundNo);
    if (isMade && (record?.state !== 'REFUNDED' || record.delivery.state !== 'DONE' || runs.length === 0))
      found(
        'I9',
        `${outRefundNo} was made, the store has ${record?.state}, ${record?.delivery.state}, ${runs.length} runs`,
      );
    if (!isMade && runs.length > 0) found('I9', `${outRefundNo} was told and not made`);
  }
}

function checkRuns({ totalFee }: PlannedOrder, ledger: readonly LedgerEntry[], found: Found): void {
  const starts = ledger.map(({ entry }) => entry).filter((entry): entry is HandlerEntry => entry.what === 'start');
  for (const { totalFee: told } of starts) {
    if (told !== totalFee) found('I13', `the handler was told ${told} for an order of ${totalFee}`);
  }
  const attempts = starts.map(({ attempt }) => attempt);
  if (new Set(attempts).size !== attempts.length) found('I6', `the attempts were ${attempts.join(', ')}`);
}

/** A lease lasts at least from when it was asked for; whoever took over did so before the answer was there. */
function checkLeases(leaseMs: number, ledger: readonly LedgerEntry[], found: Found): void {
  const entries = ledger.map(({ entry, shop }) => ({ ...entry, shop }));
  const granted = entries.filter(
    (entry): entry is BookEntry & { shop: string } => 'sentAt' in entry && entry.outcome === 'applied',
  );
  const completed = granted.filter(({ what }) => what === 'complete');
  if (completed.length > 1)
    found('I2', completed.map(({ shop, attempt }) => `${shop} in attempt ${attempt}`).join(', '));
  // A process may have been killed after its release was stored and before it wrote that down.
  const hasEnded = (attempt: number, by: number): boolean =>
    entries.some((one) => 'attempt' in one && one.attempt === attempt && ENDS.has(one.what) && one.at <= by) ||
    // A run is given up before its handler ends when the transaction it writes through has broken.
    granted.some(({ what, attempt: released, sentAt }) => what === 'release' && released === attempt && sentAt <= by);
  for (const taken of granted.filter(({ what }) => what === 'claim')) {
    if (completed.some(({ at }) => at < taken.sentAt)) found('I5', `attempt ${taken.attempt} began after it was done`);
    for (const held of granted) {
      if ((held.what !== 'claim' && held.what !== 'renew') || held.attempt >= taken.attempt) continue;
      if (held.what === 'claim' && held.sentAt > taken.at) found('I6', `${held.attempt} came after ${taken.attempt}`);
      const left = held.sentAt + leaseMs - taken.at;
      if (left > LEAST_MS && !hasEnded(held.attempt, taken.at))
        found('I5', `${taken.shop} took over from ${held.shop} ${Math.round(left)} ms before its lease ended`);
    }
  }
}

function checkStates({ history }: StoredOrder, found: Found): void {
  const paid = history.findIndex(({ state }) => state === 'PAID');
  const after = paid < 0 ? [] : history.slice(paid).map(({ state }) => state);
  const lower = after.find((state) => state !== 'PAID' && state !== 'QUARANTINED');
  if (lower !== undefined) found('I7', lower);
}

function isAcknowledged({ answers }: History, outTradeNo: string): boolean {
  return answers.some((answer) => answer.outTradeNo === outTradeNo && answer.verdict === 'success');
}

/** What all witnesses say about one order, in the order of time: to be read by a person. */
export function storyOf(history: History, outTradeNo: string): string {
  const lines: [number, string][] = [];
  for (const { shop, process, entry } of history.ledgers) {
    if (entry.outTradeNo !== outTradeNo) continue;
    const { at, outTradeNo: _number, ...rest } = entry;
    const details = Object.entries(rest).filter(([name]) => name !== 'transactionId' && name !== 'sentAt');
    lines.push([at, `${shop}.${process} ${details.map(([name, value]) => `${name} ${String(value)}`).join(', ')}`]);
  }
  for (const { outTradeNo: number, shop, sentAt, answeredAt, verdict, totalFee } of history.answers) {
    if (number === outTradeNo)
      lines.push([
        sentAt,
        `notification of ${totalFee} → ${shop}: ${verdict} after ${Math.round(answeredAt - sentAt)} ms`,
      ]);
  }
  for (const { at, source, what, state, detail } of history.stored.get(outTradeNo)?.history ?? [])
    lines.push([at, `stored: ${what} by ${source} → ${state} ${detail ?? ''}`]);
  lines.sort(([a], [b]) => a - b);
  const start = lines[0]?.[0] ?? 0;
  const plan = history.planned.find((order) => order.outTradeNo === outTradeNo);
  return [
    `${outTradeNo} ${JSON.stringify(plan)}`,
    ...lines.map(([at, line]) => `${String(Math.round(at - start)).padStart(7)} ms  ${line}`),
  ].join('\n');
}
