import type { NotificationAttempt } from './notifier.js';

export type GatewayOperation = 'unifiedorder' | 'orderquery' | 'closeorder';

/** What happens to a scripted call of the gateway instead of the plain answer. */
export type GatewayFault =
  /** A signed reply with `result_code=FAIL` and this code. `SYSTEMERROR`, `FREQUENCY_LIMITED`, …; nothing is applied. */
  | { readonly errCode: string; readonly errCodeDes?: string }
  /** An unsigned reply with `return_code=FAIL` and this text; nothing is applied. */
  | { readonly returnMsg: string }
  /** `apply`: the operation takes effect and the connection is cut before a byte of the reply. `ignore`: cut, not applied. */
  | { readonly drop: 'apply' | 'ignore' };

/** Behaviours that the next messages will show. Each is used up by what it strikes. */
export interface Faults {
  /** The next call of `operation` (of this order, if named) meets `fault`. */
  nextCall(operation: GatewayOperation, fault: GatewayFault, of?: { readonly outTradeNo?: string }): void;
  /** The next payment's notification (of this order, if named) is never sent, nor repeated. */
  loseNotification(of?: { readonly outTradeNo?: string }): void;
  /** The next payment's notification leaves `milliseconds` late (real time, not scaled). */
  delayNotification(milliseconds: number, of?: { readonly outTradeNo?: string }): void;
  /** Each delivery of the next payment's notification leaves as `copies` (2 to 20) concurrent messages. */
  duplicateNotification(copies: number, of?: { readonly outTradeNo?: string }): void;
  /**
   * Sends at once a notification that claims success for an existing order, paid or not, signed with a key that is
   * not the merchant's. `fields` overrides what it says. It is never repeated.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`
   */
  forgeNotification(outTradeNo: string, fields?: Readonly<Record<string, string>>): Promise<NotificationAttempt>;
  /** Forgets everything scripted and not yet used. */
  clear(): void;
}
