import { fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What a shop wrote down of its own doing. Times are milliseconds since 1970 by the machine's clock. */
export type Entry = HandlerEntry | RefundEntry | BookEntry | ProblemEntry;

/** A run of `onPaid`: it started, gave the goods away, came to its end, or threw. */
export interface HandlerEntry {
  readonly what: 'start' | 'effect' | 'end' | 'throw';
  readonly at: number;
  readonly outTradeNo: string;
  readonly attempt: number;
  readonly transactionId: string;
  readonly totalFee: number;
}

/** A run of `onRefunded` came to its end. */
export interface RefundEntry {
  readonly what: 'refund';
  readonly at: number;
  readonly outTradeNo: string;
  readonly outRefundNo: string;
}

/** What the book answered about the hand-over of a payment, after it had answered. A completion in a transaction is written when that is committed. */
export interface BookEntry {
  readonly what: 'claim' | 'renew' | 'complete' | 'release';
  /** When the answer was there. */
  readonly at: number;
  readonly sentAt: number;
  readonly outTradeNo: string;
  readonly attempt: number;
  readonly outcome: string;
}

export interface ProblemEntry {
  readonly what: 'problem';
  readonly at: number;
  readonly type: string;
  readonly code: string;
  readonly outTradeNo?: string | undefined;
}

/** The machine's clock, which no fake `Date` reaches. */
export function machineTime(): number {
  return performance.timeOrigin + performance.now();
}

/** A file that only grows, one JSON a line. */
export class Ledger {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
    fdatasyncSync(this.#file);
  }
}

/** What was written whole: a process that was killed may have left half a line. */
export function readLedger(path: string): { readonly text: string; readonly entries: readonly Entry[] } {
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line !== '');
  return { text, entries: lines.map((line) => JSON.parse(line) as Entry) };
}
