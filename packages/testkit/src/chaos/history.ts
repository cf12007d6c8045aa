import type { Answer } from './balancer.js';
import type { Entry } from './ledger.js';
import type { PlannedOrder } from './plan.js';
import type { SimulatorRecord } from './simulator-program.js';

/** As much of a stored record as is checked, read without any code of the book. Times are milliseconds since 1970. */
export interface StoredOrder {
  readonly state: string;
  readonly totalFee: number;
  readonly payment?: { readonly transactionId: string; readonly totalFee: number };
  readonly delivery: { readonly state: string; readonly attempt: number };
  readonly refunds: Readonly<
    Record<
      string,
      { readonly state: string; readonly refundFee: number; readonly delivery: { readonly state: string } }
    >
  >;
  readonly history: readonly {
    readonly at: number;
    readonly source: string;
    readonly what: string;
    readonly state: string;
    readonly detail?: string;
  }[];
}

export interface LedgerEntry {
  readonly shop: string;
  /** The how many-eth process of that shop. */
  readonly process: number;
  readonly entry: Entry;
}

/** Everything that is known after a run, from four witnesses: WeChat Pay, the wire, the shops, the store. */
export interface History {
  readonly planned: readonly PlannedOrder[];
  readonly simulator: SimulatorRecord;
  readonly answers: readonly Answer[];
  readonly ledgers: readonly LedgerEntry[];
  /** By order number; `undefined`: the store has no such order. */
  readonly stored: ReadonlyMap<string, StoredOrder | undefined>;
  readonly effects: ReadonlyMap<string, number> | undefined;
  readonly leaseMs: number;
  readonly crashes: readonly string[];
  /** Where a secret must not be: ledgers, records, what processes printed. */
  readonly texts: readonly string[];
  readonly secret: string;
}
