import { seededRandom } from '../fault-proxy/seeded-random.js';

/** How the shop's handler behaves for one order. It travels as the order's `attach`: shops keep nothing between runs. */
export interface HandlerPlan {
  /** Milliseconds before the goods are given away, and after. */
  readonly before: number;
  readonly after: number;
  /** So many attempts throw. */
  readonly throws: number;
}

/**
 * - `notified`: paid, and WeChat Pay tells, several shops at once, and again until it is heard.
 * - `asked`: the same, and the payer presses the button at two shops meanwhile.
 * - `lost`: no notification ever comes; the reconciler finds it.
 * - `button`: no notification ever comes; the payer presses the button.
 * - `forged`: somebody who knows the key says first that another amount was paid.
 */
export type Lane = 'notified' | 'asked' | 'lost' | 'button' | 'forged';

export interface PlannedOrder {
  readonly outTradeNo: string;
  readonly totalFee: number;
  readonly lane: Lane;
  readonly handler: HandlerPlan;
  /** How many shops each delivery reaches at once. */
  readonly copies: number;
  /** It is placed at two shops at the same time. */
  readonly placedTwice: boolean;
}

/** What is done to the processes, in this order, one after the other. */
export type Blow =
  /** kill -9 as soon as a shop gets a notification, or its handler has come that far; or at any time. */
  | { readonly type: 'kill'; readonly at: 'any' | 'notification' | 'start' | 'effect' | 'end' }
  /** SIGSTOP in the handler, before or after it gave the goods away, until another shop has taken over. */
  | { readonly type: 'stop'; readonly at: 'start' | 'effect' }
  | { readonly type: 'restart-store' };

export interface Plan {
  readonly seed: number;
  readonly orders: readonly PlannedOrder[];
  readonly blows: readonly Blow[];
  /** For what the driver decides on its way. */
  readonly random: () => number;
}

export interface PlanSize {
  readonly seed: number;
  readonly orders: number;
  readonly kills: number;
  readonly stops: number;
  readonly restarts: number;
  /** Which lanes, in turn; each as often as it is named. */
  readonly lanes: readonly Lane[];
}

const KILL_POINTS = ['start', 'effect', 'any', 'end', 'notification'] as const;

export function planOf({ seed, orders, kills, stops, restarts, lanes }: PlanSize): Plan {
  const random = seededRandom(seed);
  const upTo = (most: number): number => Math.floor(random() * most);
  const planned = Array.from({ length: orders }, (_, n): PlannedOrder => {
    const lane = lanes[n % lanes.length] ?? 'notified';
    return {
      outTradeNo: `CHAOS-${seed}-${String(n).padStart(4, '0')}`,
      totalFee: 100 + upTo(100_000),
      lane,
      handler: handlerOf(random(), upTo),
      copies: 1 + upTo(3),
      placedTwice: upTo(8) === 0,
    };
  });
  const kill = (_: unknown, n: number): Blow => ({ type: 'kill', at: KILL_POINTS[n % KILL_POINTS.length] ?? 'any' });
  const stop = (_: unknown, n: number): Blow => ({ type: 'stop', at: n % 2 === 0 ? 'effect' : 'start' });
  const restart = (): Blow => ({ type: 'restart-store' });
  const others = shuffled([...Array.from({ length: kills }, kill), ...Array.from({ length: restarts }, restart)], upTo);
  // While orders still come: a stop waits for a quick handler.
  const early = Array.from({ length: stops }, stop).flatMap((one, n) => [one, ...others.slice(n, n + 1)]);
  return { seed, orders: planned, blows: [...early, ...others.slice(stops)], random };
}

/** Half of them quick, some longer than a lease, one in twenty longer than WeChat Pay waits, some that fail. */
function handlerOf(kind: number, upTo: (most: number) => number): HandlerPlan {
  const quick = { before: 20 + upTo(60), after: 20 + upTo(60), throws: 0 };
  if (kind < 0.5) return quick;
  if (kind < 0.75) return { before: 300 + upTo(1000), after: 300 + upTo(900), throws: 0 };
  if (kind < 0.8) return { before: 4500, after: 100, throws: 0 };
  return { ...quick, throws: 1 + upTo(2) };
}

function shuffled<T>(items: readonly T[], upTo: (most: number) => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(upTo(rest.length), 1)[0] as T);
}

export function isQuick({ handler }: PlannedOrder): boolean {
  return handler.before + handler.after < 250 && handler.throws === 0;
}

export function attachOf({ before, after, throws }: HandlerPlan): string {
  return `${before} ${after} ${throws}`;
}

export function handlerPlanOf(attach: string): HandlerPlan {
  const [before = 0, after = 0, throws = 0] = attach.split(' ').map(Number);
  return { before, after, throws };
}
