import { channel, type Channel } from 'node:diagnostics_channel';
import type { WechatH5ErrorCode } from './errors.js';
import type { Notification } from './notification.js';

/**
 * What becomes of each notification, for logs and metrics, on node:diagnostics_channel. Nobody listens:
 * nothing is built. No event holds a key, a signature, an openid or a message.
 *
 * | channel | published |
 * | --- | --- |
 * | `wechat-h5:notification:received` | the whole body is here |
 * | `wechat-h5:notification:verified` | signed by one of our keys (refunds: decrypted by one) |
 * | `wechat-h5:notification:refused` | not believed, or not handled; with the error's code |
 * | `wechat-h5:notification:handled` | `onPaid` or `onRefunded` has succeeded, now or before |
 * | `wechat-h5:notification:acknowledged` | SUCCESS is the answer |
 */
export interface NotificationEvent {
  /** Counts notifications of this process: the same number on every event of one. */
  readonly id: number;
  /** Since the request arrived. */
  readonly durationMs: number;
  readonly bytes?: number;
  readonly type?: 'payment' | 'payment-failed' | 'refund-hint';
  readonly mchId?: string;
  readonly outTradeNo?: string;
  readonly transactionId?: string;
  /** Which of the merchant's keys fitted: 0 is the current one. */
  readonly keyIndex?: number;
  readonly code?: WechatH5ErrorCode;
}

export type NotificationStage = 'received' | 'verified' | 'refused' | 'handled' | 'acknowledged';

const channels: Record<NotificationStage, Channel> = {
  received: channel('wechat-h5:notification:received'),
  verified: channel('wechat-h5:notification:verified'),
  refused: channel('wechat-h5:notification:refused'),
  handled: channel('wechat-h5:notification:handled'),
  acknowledged: channel('wechat-h5:notification:acknowledged'),
};

/** Without a listener on any stage, nothing is gathered for a later one. */
function isObserved(): boolean {
  return (
    channels.received.hasSubscribers ||
    channels.verified.hasSubscribers ||
    channels.refused.hasSubscribers ||
    channels.handled.hasSubscribers ||
    channels.acknowledged.hasSubscribers
  );
}

let count = 0;

type Learnt = Omit<NotificationEvent, 'id' | 'durationMs'>;

/** The events of one notification: what one stage has learnt, the later ones say as well. */
export class NotificationTrace {
  readonly #id = ++count;
  readonly #receivedAt: number;
  #isRefused = false;
  #known: Learnt | undefined;

  constructor(receivedAt: number) {
    this.#receivedAt = receivedAt;
  }

  received(bytes: number): void {
    if (isObserved()) this.#publish('received', { bytes });
  }

  verified(notification: Notification, keyIndex: number | undefined): void {
    if (!isObserved()) return;
    const { type, mchId, outTradeNo } = notification;
    this.#publish('verified', {
      type,
      mchId,
      outTradeNo,
      ...('transactionId' in notification ? { transactionId: notification.transactionId } : {}),
      ...(keyIndex === undefined ? {} : { keyIndex }),
    });
  }

  /** A run that goes on past the deadline ends after its FAIL: that is not a second one, and no SUCCESS follows. */
  refused(code: WechatH5ErrorCode): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    if (isObserved()) this.#publish('refused', { code });
  }

  handled(): void {
    if (isObserved()) this.#publish('handled');
  }

  acknowledged(): void {
    if (!this.#isRefused && isObserved()) this.#publish('acknowledged');
  }

  #publish(stage: NotificationStage, learnt?: Learnt): void {
    if (learnt !== undefined) this.#known = { ...this.#known, ...learnt };
    if (!channels[stage].hasSubscribers) return;
    const durationMs = performance.now() - this.#receivedAt;
    channels[stage].publish({ id: this.#id, durationMs, ...this.#known } satisfies NotificationEvent);
  }
}
