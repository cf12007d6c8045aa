import { seededRandom } from '../fault-proxy/seeded-random.js';

/** How the shop's handler behaves for one order. It travels as the order's `attach`: shops keep nothing between runs. */
export interface HandlerPlan {
  /** Milliseconds before the goods are given away, and after. */
  readonly before: number;
  readonly after: number;
  /** So many attempts throw. */
  readonly throws: number;
  /** Milliseconds for which its first run lets nothing else of the process run. */
  readonly blocks: number;
}

/**
 * - `notified`: paid, and WeChat Pay tells, several shops at once, and again until it is heard.
 * - `asked`: the same, and the payer presses the button at two shops meanwhile.
 * - `lost`: no notification ever comes; the reconciler finds it.
 * - `button`: no notification ever comes; the payer presses the button.
 * - `forged`: somebody who knows the key says first that another amount was paid.
 * - `late`: the answer to the order never comes, though it was placed, and the notification comes seconds late.
 * - `refunded`: three refunds are asked for at several shops at once, of which the order pays only two.
 * - `unknown`: it was never placed here; the notification is signed, and comes again and again.
 */
export type Lane = 'notified' | 'asked' | 'lost' | 'button' | 'forged' | 'late' | 'refunded' | 'unknown';

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
  /** SIGTERM, as a deployment sends it: the shop has to end by itself. */
  | { readonly type: 'deploy' }
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
  readonly deployments: number;
  /** Which lanes, in turn; each as often as it is named. */
  readonly lanes: readonly Lane[];
}

const KILL_POINTS = ['start', 'effect', 'any', 'end', 'notification'] as const;

export function planOf({ seed, orders, kills, stops, restarts, deployments, lanes }: PlanSize): Plan {
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
  const deploy = (): Blow => ({ type: 'deploy' });
  const others = shuffled(
    [
      ...Array.from({ length: kills }, kill),
      ...Array.from({ length: restarts }, restart),
      ...Array.from({ length: deployments }, deploy),
    ],
    upTo,
  );
  // While orders still come: a stop waits for a quick handler.
  const early = Array.from({ length: stops }, stop).flatMap((one, n) => [one, ...others.slice(n, n + 1)]);
  return { seed, orders: planned, blows: [...early, ...others.slice(stops)], random };
}

/** Half of them quick, some longer than a lease, one in twenty longer than WeChat Pay waits, some that fail, some that block. */
function handlerOf(kind: number, upTo: (most: number) => number): HandlerPlan {
  const quick = { before: 20 + upTo(60), after: 20 + upTo(60), throws: 0, blocks: 0 };
  if (kind < 0.5) return quick;
  if (kind < 0.75) return { before: 300 + upTo(1000), after: 300 + upTo(900), throws: 0, blocks: 0 };
  if (kind < 0.8) return { before: 4500, after: 100, throws: 0, blocks: 0 };
  if (kind < 0.83) return { ...quick, blocks: 1500 };
  return { ...quick, throws: 1 + upTo(2) };
}

function shuffled<T>(items: readonly T[], upTo: (most: number) => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(upTo(rest.length), 1)[0] as T);
}

export function isQuick({ handler }: PlannedOrder): boolean {
  return handler.before + handler.after < 250 && handler.throws === 0 && handler.blocks === 0;
}

/** What is asked back of a `refunded` order: two fifths of it, three times. */
export function refundsOf({ outTradeNo, totalFee, lane }: PlannedOrder): { outRefundNo: string; refundFee: number }[] {
  if (lane !== 'refunded') return [];
  return [1, 2, 3].map((n) => ({ outRefundNo: `${outTradeNo}-R${n}`, refundFee: Math.floor((totalFee * 2) / 5) }));
}

export function attachOf({ before, after, throws, blocks }: HandlerPlan): string {
  return `${before} ${after} ${throws} ${blocks}`;
}

export function handlerPlanOf(attach: string): HandlerPlan {
  const [before = 0, after = 0, throws = 0, blocks = 0] = attach.split(' ').map(Number);
  return { before, after, throws, blocks };
}
