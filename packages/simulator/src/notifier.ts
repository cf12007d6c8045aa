import { setMaxListeners } from 'node:events';
import { deliver } from './delivery.js';
import type { EventLog } from './events.js';
import { parseXml } from './xml.js';

/** WeChat's waits between repetitions, in seconds: 15 repetitions within 24 h 4 min, then silence. */
export const RETRY_SECONDS: readonly number[] = [
  15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/** One delivery of one notification. */
export interface NotificationAttempt {
  /** The notification it belongs to: the same for every repetition. */
  readonly notificationId: string;
  readonly outTradeNo: string;
  /** For notifications of refunds. */
  readonly outRefundNo?: string;
  /** `forged` ones are signed or enciphered by nobody who may, pieced together, or sent by nobody who may. */
  readonly kind: 'payment' | 'refund' | 'forged';
  /** 1 for the first delivery, up to 16; concurrent copies share their number. */
  readonly attempt: number;
  readonly url: string;
  /** The XML exactly as it was sent. */
  readonly requestBody: string;
  readonly sentAt: Date;
  /** When the reply was complete, or the failure was known. */
  readonly endedAt: Date;
  /** Absent when no complete HTTP reply came. */
  readonly replyStatus?: number;
  readonly replyBody?: string;
  /** `acknowledged` only for HTTP 200 with the documented success XML within five seconds. */
  readonly verdict: 'acknowledged' | 'refused';
  /** Why it was refused, or `OK`. */
  readonly reason: string;
}

/** Every delivery attempt so far. */
export interface SimulatedNotifications {
  /** All attempts, or those of one order and its refunds, in the order in which they ended. */
  list(outTradeNo?: string): readonly NotificationAttempt[];
  /** When the next repetition for this order or one of its refunds is due, if one is. */
  nextAttemptAt(outTradeNo: string): Date | undefined;
  /**
   * Sends the payment notification of a paid order again, or with `outRefundNo` the newest one of that refund, as
   * `copies` (1 to 100) messages at the same moment over as many sockets. It changes nothing in the schedule.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_NOT_PAID`; `REFUND_UNKNOWN`, `REFUND_PROCESSING`
   */
  send(
    outTradeNo: string,
    options?: { readonly copies?: number; readonly outRefundNo?: string },
  ): Promise<readonly NotificationAttempt[]>;
}

/** A delivery that is still to come. */
export interface DueDelivery {
  readonly notification: Notification;
  readonly attempt: number;
  readonly at: Date;
}

/** One message to be told, and to be told again until it is heard. */
export interface Notification {
  readonly id: string;
  readonly outTradeNo: string;
  readonly outRefundNo?: string;
  readonly kind: NotificationAttempt['kind'];
  readonly url: URL;
  readonly body: string;
}

export interface NotifierOptions {
  readonly events: EventLog;
  readonly now: () => Date;
  readonly timeScale: number;
}

/** Delivers notifications and keeps the record of every attempt. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #attempts: NotificationAttempt[] = [];
  /** By notification: an order has one, and each of its refunds as well. */
  readonly #due = new Map<string, DueDelivery & { readonly timer: NodeJS.Timeout }>();
  readonly #stopped = new AbortController();

  constructor(options: NotifierOptions) {
    this.#options = options;
    // Every delivery in flight listens to it: a hundred of them are no leak.
    setMaxListeners(0, this.#stopped.signal);
  }

  list(outTradeNo?: string): readonly NotificationAttempt[] {
    return this.#attempts.filter((attempt) => outTradeNo === undefined || attempt.outTradeNo === outTradeNo);
  }

  nextAttemptAt(outTradeNo: string): Date | undefined {
    return this.due(outTradeNo)[0]?.at;
  }

  /** What is scheduled for this order and its refunds, the next one first. */
  due(outTradeNo: string): readonly DueDelivery[] {
    return [...this.#due.values()]
      .filter(({ notification }) => notification.outTradeNo === outTradeNo)
      .sort((a, b) => a.at.getTime() - b.at.getTime());
  }

  /**
   * Delivers on the official schedule until one reply acknowledges. The promise is that of the first round; when
   * `delay` is given (milliseconds, real time) that round is still to come and the promise resolves empty.
   */
  async notify(
    notification: Notification,
    { copies = 1, delay = 0 }: { copies?: number; delay?: number } = {},
  ): Promise<readonly NotificationAttempt[]> {
    if (delay === 0) return this.#round(notification, copies, 1);
    this.#schedule(notification, copies, 1, delay);
    return [];
  }

  /** Delivers `copies` at the same moment and leaves it at that. */
  deliverOnce(notification: Notification, copies: number, attempt = 1): Promise<readonly NotificationAttempt[]> {
    return Promise.all(Array.from({ length: copies }, () => this.#deliver(notification, attempt)));
  }

  /** Ends timers and cuts deliveries in flight; their attempts are still recorded. */
  stop(): void {
    this.#stopped.abort();
    for (const { timer } of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
  }

  async #round(notification: Notification, copies: number, attempt: number): Promise<readonly NotificationAttempt[]> {
    const attempts = await this.deliverOnce(notification, copies, attempt);
    const wait = RETRY_SECONDS[attempt - 1];
    const heard = attempts.some(({ verdict }) => verdict === 'acknowledged');
    if (!heard && wait !== undefined) {
      this.#schedule(notification, copies, attempt + 1, wait * 1000 * this.#options.timeScale);
    }
    return attempts;
  }

  #schedule(notification: Notification, copies: number, attempt: number, milliseconds: number): void {
    if (this.#stopped.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#due.delete(notification.id);
      void this.#round(notification, copies, attempt);
    }, milliseconds);
    const at = new Date(this.#options.now().getTime() + milliseconds);
    this.#due.set(notification.id, { notification, attempt, at, timer });
  }

  async #deliver(notification: Notification, attempt: number): Promise<NotificationAttempt> {
    const { events, now } = this.#options;
    const { id, outTradeNo, outRefundNo, kind, url, body } = notification;
    const numbers = { outTradeNo, ...(outRefundNo !== undefined && { outRefundNo }) };
    const about = { operation: 'notify', peer: url.href, ...numbers };
    const sentAt = now();
    events.record({ type: 'notification.request', ...about, fields: parseXml(body), verdict: kind });
    const result = await deliver(url, body, this.#stopped.signal);
    const ended: NotificationAttempt = Object.freeze({
      notificationId: id,
      ...numbers,
      kind,
      attempt,
      url: url.href,
      requestBody: body,
      sentAt,
      endedAt: now(),
      ...result,
    });
    this.#attempts.push(ended);
    events.record({
      type: 'notification.reply',
      ...about,
      ...(result.replyStatus !== undefined && { status: result.replyStatus }),
      verdict: result.verdict,
      reason: result.reason,
    });
    return ended;
  }
}

/** @throws {RangeError} unless 1 to 100 */
export function checkedCopies(copies: number): number {
  if (Number.isInteger(copies) && copies >= 1 && copies <= 100) return copies;
  throw new RangeError('copies must be an integer from 1 to 100');
}
