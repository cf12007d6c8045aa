import { applyCases } from './apply-cases.js';
import type { OrderBookCase, SharedOrderBookHarness } from './harness.js';
import { leaseCases } from './lease-cases.js';
import { modelCases } from './model-cases.js';
import { processCases } from './process-cases.js';

export type {
  BookProgram,
  OrderBookCase,
  OrderBookHarness,
  SharedOrderBookHarness,
  SharedStore,
  Store,
  Stored,
} from './harness.js';
export { assertAttemptsFound } from './attempts.js';
export { BookProcess } from './processes.js';
export { applyAll, claim, dueSince, eventually, intend, newKey, newKeys, paid } from './scenario.js';
export type { Job } from './worker.js';

/** Everything that every order book has to do. There is no way to leave one out. */
export const orderBookCases: readonly OrderBookCase[] = [...applyCases, ...leaseCases, ...modelCases];

/** And everything that one has to do that several processes share. */
export const sharedOrderBookCases: readonly OrderBookCase<SharedOrderBookHarness>[] = [
  ...orderBookCases,
  ...processCases,
];
