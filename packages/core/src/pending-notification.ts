import type { Deliveries, Lease } from './delivery.js';
import { WechatH5Error } from './errors.js';
import type { PaymentNotification } from './notification.js';
import type { NotificationTrace } from './notification-events.js';
import { FAIL, SUCCESS, type NotificationReply } from './notification-reply.js';
import type { ProblemReporter } from './problems.js';

/** A verified payment in the hands of a route, when there is no `onPaid`. */
export interface PendingNotification {
  readonly notification: PaymentNotification;
  /** `unknown`: the book has no such order and nothing was compared. Compare amount and currency before acknowledging. */
  readonly order: 'matched' | 'unknown';
  /** Settles with the reply: SUCCESS once acknowledged, FAIL once refused or past the deadline. */
  readonly reply: Promise<NotificationReply>;
  /**
   * Commits the delivery in the order book, then lets SUCCESS go out.
   * @throws {WechatH5Error} `NOTHING_TO_ACKNOWLEDGE` after the deadline or a refusal, `ORDER_BOOK_FAILED`
   */
  acknowledge(): Promise<void>;
  /** The route ended without acknowledging: FAIL goes out and the problem is reported. Later calls do nothing. */
  abandon(why: string): void;
}

/**
 * @param lease of the payment; `undefined` for an order that the book does not know
 * @param until when the reply has to go out, by `performance.now()`
 */
export function pendingNotification<Tx>(
  notification: PaymentNotification,
  lease: Lease | undefined,
  until: number,
  trace: NotificationTrace,
  { deliveries, report }: { deliveries: Deliveries<Tx>; report: ProblemReporter },
): PendingNotification {
  let state: 'open' | 'acknowledging' | 'acknowledged' | 'over' = 'open';
  let answer: (reply: NotificationReply) => void = () => {};
  const reply = new Promise<NotificationReply>((resolve) => {
    answer = resolve;
  });

  async function commit(): Promise<boolean> {
    if (lease !== undefined) return deliveries.complete(lease);
    await deliveries.adopt(notification);
    const claimed = await deliveries.claim(notification);
    return typeof claimed === 'string' ? claimed !== 'busy' : deliveries.complete(claimed);
  }

  function abandon(why: string): void {
    if (state === 'acknowledged' || state === 'over') return;
    const committing = state === 'acknowledging';
    state = 'over';
    clearTimeout(timer);
    answer(FAIL);
    trace.refused('NOT_ACKNOWLEDGED');
    report(
      'not-acknowledged',
      new WechatH5Error('NOT_ACKNOWLEDGED', `A verified payment was not acknowledged: ${why}`, {
        hint: 'Call and await acknowledge() once the goods are safe; WeChat Pay repeats the notification until then. 请在发货记录落库后调用 await acknowledge()。',
      }),
      notification,
    );
    if (lease !== undefined && !committing) void deliveries.release(lease).catch(() => {});
  }

  let acknowledging: Promise<void> | undefined;
  async function acknowledge(): Promise<void> {
    if (state !== 'open') throw nothingToAcknowledge();
    state = 'acknowledging';
    try {
      if (!(await commit())) abandon('another process holds this payment');
    } catch (error) {
      // Nothing is known to be stored: the route may try again while there is time.
      if ((state as string) === 'acknowledging') state = 'open';
      acknowledging = undefined;
      throw error;
    }
    if ((state as string) === 'over') throw nothingToAcknowledge();
    state = 'acknowledged';
    clearTimeout(timer);
    trace.handled();
    trace.acknowledged();
    answer(SUCCESS);
  }

  const timer = setTimeout(
    () => abandon('the deadline of four seconds passed'),
    Math.max(0, until - performance.now()),
  );
  return {
    notification,
    order: lease === undefined ? 'unknown' : 'matched',
    reply,
    abandon,
    acknowledge: () => {
      acknowledging ??= acknowledge();
      // A route that forgets to await is told by the problem; an unhandled rejection would end the process.
      acknowledging.catch(() => {});
      return acknowledging;
    },
  };
}

function nothingToAcknowledge(): WechatH5Error {
  return new WechatH5Error('NOTHING_TO_ACKNOWLEDGE', 'This notification was answered with FAIL already', {
    hint: 'WeChat Pay repeats it: acknowledge the repeat.',
  });
}
