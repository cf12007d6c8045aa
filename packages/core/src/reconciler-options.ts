import { WechatH5Error } from './errors.js';

/** How orders are looked after that no notification has settled. */
export interface ReconcilerOptions {
  /** An order that nobody pays is closed after so long: 5 minutes to 24 hours, in ms. Default 50 minutes. */
  closeAfterMs?: number;
  /** At how many orders it looks at the same time: 1 to 100. Default 8. */
  concurrency?: number;
  /** How long it waits when nothing is due: 100 to 60000 ms. Default 5000. */
  idleMs?: number;
}

const RANGES = {
  closeAfterMs: [5 * 60_000, 24 * 60 * 60_000],
  concurrency: [1, 100],
  idleMs: [100, 60_000],
} as const;
const DEFAULTS = { closeAfterMs: 50 * 60_000, concurrency: 8, idleMs: 5000 } as const;

/** The `reconcile` option, checked and filled in. */
export interface Reconcile extends Required<ReconcilerOptions> {
  /** Adapters start it by themselves. */
  readonly automatic: boolean;
}

/** @throws {WechatH5Error} `OPTIONS_INVALID` */
export function reconcilerOptionsOf(given: boolean | ReconcilerOptions | undefined): Reconcile {
  if (given === undefined || typeof given === 'boolean') return { ...DEFAULTS, automatic: given ?? true };
  if (typeof given !== 'object' || given === null)
    throw invalid('reconcile', 'is neither true, false nor an object', 'Pass { closeAfterMs: 1800000 }.');
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(RANGES, name))
      throw invalid(`reconcile.${name}`, 'is not an option', `Known: ${Object.keys(RANGES).join(', ')}.`);
  }
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = given[name as keyof typeof RANGES];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) continue;
    throw invalid(`reconcile.${name}`, `is ${String(value)}`, `Give an integer from ${least} to ${most}.`);
  }
  return {
    closeAfterMs: given.closeAfterMs ?? DEFAULTS.closeAfterMs,
    concurrency: given.concurrency ?? DEFAULTS.concurrency,
    idleMs: given.idleMs ?? DEFAULTS.idleMs,
    automatic: true,
  };
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${option} ${problem}`, { field: option, hint });
}
