/** One delivery of one notification. */
export interface NotificationAttempt {
  /** The notification it belongs to: the same for every repetition. */
  readonly notificationId: string;
  readonly outTradeNo: string;
  /** `forged` ones carry a signature that no key of the merchant made. */
  readonly kind: 'payment' | 'forged';
  /** 1 for the first delivery, up to 16; concurrent copies share their number. */
  readonly attempt: number;
  readonly url: string;
  /** The XML exactly as it was sent. */
  readonly requestBody: string;
  readonly sentAt: Date;
  /** When the reply was complete, or the failure was known. */
  readonly endedAt: Date;
  /** Absent when no HTTP reply came. */
  readonly replyStatus?: number;
  readonly replyBody?: string;
  /** `acknowledged` only for HTTP 200 with the exact success XML within five seconds. */
  readonly verdict: 'acknowledged' | 'refused';
  /** Why it was refused, or `OK`. */
  readonly reason: string;
}

/** Every delivery attempt so far. */
export interface SimulatedNotifications {
  /** All attempts, or those of one order, in the order in which they ended. */
  list(outTradeNo?: string): readonly NotificationAttempt[];
  /** When the next repetition for this order is due, if one is. */
  nextAttemptAt(outTradeNo: string): Date | undefined;
  /**
   * Sends the payment notification of a paid order again, as `copies` messages at the same moment over as many sockets.
   *
   * @throws {SimulatorError} `ORDER_NOT_PAID`, `ORDER_UNKNOWN`
   */
  send(outTradeNo: string, options?: { readonly copies?: number }): Promise<readonly NotificationAttempt[]>;
}
