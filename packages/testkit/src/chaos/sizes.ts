import type { Lane, PlanSize } from './plan.js';

type Size = PlanSize & { readonly settleMs: number };

/** One in ten is lost, one forged, one unknown; the payer's button and the notification race for others. */
const LANES: readonly Lane[] = [
  'notified',
  'lost',
  'asked',
  'refunded',
  'button',
  'notified',
  'forged',
  'late',
  'unknown',
  'notified',
];

export function ordinaryRun(seed: number): Size {
  return { seed, orders: 40, kills: 5, stops: 2, restarts: 2, deployments: 1, lanes: LANES, settleMs: 120_000 };
}

/** Nobody waits half a minute for the reconciler's first question. */
export function quickRun(seed: number): Size {
  const lanes = LANES.filter((lane) => lane !== 'lost');
  return { seed, orders: 20, kills: 3, stops: 1, restarts: 1, deployments: 1, lanes, settleMs: 120_000 };
}

export function nightlyRun(seed: number): Size {
  return { seed, orders: 200, kills: 20, stops: 6, restarts: 4, deployments: 4, lanes: LANES, settleMs: 240_000 };
}

/** For a bug that is there on purpose: it shows at once or not at all, and never settles. */
export function briefRun(seed: number): Size {
  const lanes: readonly Lane[] = ['notified', 'forged', 'notified', 'asked', 'notified'];
  return { seed, orders: 20, kills: 0, stops: 4, restarts: 0, deployments: 0, lanes, settleMs: 12_000 };
}
