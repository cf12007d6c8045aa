/** How one call of a merchant asks for its turn among those of all machines. */
export interface TurnOptions {
  /** The most calls a second of all machines together, and as many at once; at least one. More than 0. */
  readonly perSecond: number;
  /** The longest that the call can wait: at most 60 000 milliseconds. */
  readonly withinMs: number;
}

/** What a book computes with, in milliseconds. */
export interface TurnPlan {
  /** From one call to the next. */
  readonly intervalMs: number;
  /** How far ahead of an even pace calls may be: what makes a second's worth at once. */
  readonly aheadMs: number;
  /** Nobody waits until then: what is stored was, if it says so, before the store's clock was set back. */
  readonly furthestMs: number;
}

/** No call may last longer: the most that `http.timeoutMs` can be. */
const LONGEST_CALL_MS = 60_000;

export function turnPlan({ perSecond }: TurnOptions): TurnPlan {
  const intervalMs = 1000 / perSecond;
  const aheadMs = Math.max(0, 1000 - intervalMs);
  return { intervalMs, aheadMs, furthestMs: LONGEST_CALL_MS + aheadMs + intervalMs };
}

export interface Turn {
  /** Milliseconds until the call may be made. */
  readonly waitMs: number;
  /** What is stored: when an even pace would have room again. */
  readonly freeAt: number;
}

/**
 * A token bucket as one point in time, so that a store keeps a single value for each merchant and changes it in one step.
 * @param freeAt what is stored; `undefined`: nothing
 * @param now by the store's clock, milliseconds since 1970, as `freeAt`
 * @returns `undefined`: too late for the call, and nothing is to be stored
 * @see ITU-T I.371, the generic cell rate algorithm in its form of virtual scheduling
 */
export function nextTurn(freeAt: number | undefined, now: number, options: TurnOptions): Turn | undefined {
  const { intervalMs, aheadMs, furthestMs } = turnPlan(options);
  const from = freeAt === undefined || freeAt - now > furthestMs ? now : Math.max(freeAt, now);
  const waitMs = Math.max(0, from - now - aheadMs);
  return waitMs > options.withinMs ? undefined : { waitMs, freeAt: from + intervalMs };
}
