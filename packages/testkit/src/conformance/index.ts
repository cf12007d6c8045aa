import type { ConformanceCase } from './harness.js';
import { mountCases } from './mount-cases.js';
import { notificationCases } from './notification-cases.js';
import { parserCases } from './parser-cases.js';
import { replyCases } from './reply-cases.js';
import { routeCases } from './route-cases.js';
import { visitorCases } from './visitor-cases.js';
import { wireCases } from './wire-cases.js';

export type {
  AdapterHarness,
  ConformanceCase,
  NotifyMount,
  ParserKind,
  RunningScene,
  Scene,
  Surrounding,
} from './harness.js';

/** Everything that every adapter has to do. There is no way to leave one out. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...notificationCases,
  ...wireCases,
  ...parserCases,
  ...mountCases,
  ...replyCases,
  ...routeCases,
  ...visitorCases,
];
