import type { NotificationAttempt } from './notifier.js';
import type { SignType } from './orders.js';
import type { RefundStatus } from './refunds.js';

export type GatewayOperation =
  | 'unifiedorder'
  | 'orderquery'
  | 'closeorder'
  | 'refund'
  | 'refundquery'
  | 'downloadbill'
  | 'downloadfundflow'
  | 'settlementquery'
  | 'queryexchagerate';

/** What happens to a scripted call of the gateway instead of the plain answer. */
export type GatewayFault =
  /**
   * A signed reply with `result_code=FAIL` and this code (`SYSTEMERROR`, `FREQUENCY_LIMITED`, …), with the official words
   * for it unless others are given. (The downloads tell it in their own unsigned way; the codes of downloadbill are
   * numbers.) Nothing is applied, unless `apply` says that it was all the same.
   */
  | { readonly errCode: string; readonly errCodeDes?: string; readonly apply?: boolean }
  /**
   * The plain answer with these fields in place of its own, correctly signed; an empty value leaves a field out. A
   * `sign` among them is sent as it is: an empty one makes an unsigned reply.
   */
  | { readonly fields: Readonly<Record<string, string>> }
  /** The plain answer, signed with this type, whatever the request was signed with. */
  | { readonly signType: SignType }
  /** Not WeChat Pay's own answer, but one of the machines before it: this HTTP status and page. Nothing is applied. */
  | { readonly status: number; readonly body?: string }
  /** An unsigned reply with `return_code=FAIL` and this text. Nothing is applied. */
  | { readonly returnMsg: string }
  /** The connection is cut before a byte of the reply: `apply` after the operation took effect, `ignore` before. */
  | { readonly drop: 'apply' | 'ignore' };

/** The order that a fault waits for; any order when it names none. */
export interface FaultTarget {
  readonly outTradeNo?: string;
}

/** What a forged payment notification says and how it is signed. */
export interface Forgery {
  /** Fields that differ from the genuine ones. A `sign` among them is sent as it is. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The key to sign with. Default a random one; the merchant's own key makes the case of a leaked key. */
  readonly apiKey?: string;
}

/** Where the `req_info` of a forged refund notification comes from. Nothing around it is signed in any of them. */
export type RefundForgery =
  /**
   * Enciphered anew, and it claims `SUCCESS` unless `fields` (those within `req_info`) say otherwise. Default with a
   * random key; the merchant's own makes the case of a leaked key.
   */
  | { readonly fields?: Readonly<Record<string, string>>; readonly apiKey?: string }
  /**
   * Pieced together without any key: this refund's own numbers and amount, then from the newest notification of the
   * refund named here the status, the total and the transaction. ECB does not notice. It fits when the numbers and
   * amounts of both are equally long.
   */
  | { readonly spliceWith: string }
  /** The genuine one of the refund's first notification, in a new envelope. */
  | { readonly replay: true };

/** Behaviours that the next messages will show. Each is used up by what it strikes. */
export interface Faults {
  /**
   * The next correctly signed call of `operation` meets `fault`.
   *
   * @throws {RangeError} for an HTTP status that is not 200 to 599
   */
  nextCall(operation: GatewayOperation, fault: GatewayFault, target?: FaultTarget): void;
  /**
   * How the next refund that the merchant's server asks for ends by itself; `PROCESSING` leaves it open for
   * `settleRefund()`.
   *
   * @throws {RangeError} for another status
   */
  nextRefund(status: RefundStatus, target?: FaultTarget): void;
  /** The notification of the next payment, or refund that ends, is never sent, nor repeated. */
  loseNotification(target?: FaultTarget): void;
  /** The notification of the next payment or refund leaves `milliseconds` late: real time, not scaled; at most a day. */
  delayNotification(milliseconds: number, target?: FaultTarget): void;
  /** Each delivery of the next payment's or refund's notification leaves as `copies` (2 to 100) concurrent messages. */
  duplicateNotification(copies: number, target?: FaultTarget): void;
  /**
   * Sends at once a notification that claims success for an existing order, paid or not, but is not signed with the
   * merchant's key. It is never repeated.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`
   */
  forgeNotification(outTradeNo: string, forgery?: Forgery): Promise<NotificationAttempt>;
  /**
   * Sends at once a refund notification that WeChat Pay never sent. It is never repeated.
   *
   * @throws {SimulatorError} `REFUND_UNKNOWN`; `REFUND_PROCESSING` to splice or replay what was never told
   * @throws {RangeError} when the two do not fit together
   */
  forgeRefundNotification(outRefundNo: string, forgery?: RefundForgery): Promise<NotificationAttempt>;
  /**
   * Refunds what is left of an order, paying it first if nobody has, and tells the merchant of the refund before the
   * payment. Resolves when the first delivery of each has been answered or has failed.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_CLOSED`; `REFUND_EXCEEDS` when nothing is left
   */
  notifyOutOfOrder(outTradeNo: string): Promise<readonly NotificationAttempt[]>;
  /** Forgets everything scripted and not yet used. */
  clear(): void;
}

export type NotificationFault = { readonly lose: true } | { readonly delay: number } | { readonly copies: number };

interface Scripted<Fault> {
  readonly fault: Fault;
  readonly outTradeNo: string | undefined;
}

/** What has been scripted and waits for its message, first in first out. */
export class FaultScript {
  readonly #calls: (Scripted<GatewayFault> & { readonly operation: GatewayOperation })[] = [];
  readonly #notifications: Scripted<NotificationFault>[] = [];
  readonly #refunds: Scripted<RefundStatus>[] = [];

  addCall(operation: GatewayOperation, fault: GatewayFault, target: FaultTarget = {}): void {
    this.#calls.push({ operation, fault, outTradeNo: target.outTradeNo });
  }

  addRefund(status: RefundStatus, target: FaultTarget = {}): void {
    this.#refunds.push({ fault: status, outTradeNo: target.outTradeNo });
  }

  addNotification(fault: NotificationFault, target: FaultTarget = {}): void {
    this.#notifications.push({ fault, outTradeNo: target.outTradeNo });
  }

  /** Takes the fault that this call meets, if one is scripted. */
  takeCall(operation: GatewayOperation, outTradeNo: string | undefined): GatewayFault | undefined {
    return take(this.#calls, (call) => call.operation === operation && concerns(call, outTradeNo));
  }

  /** Takes how this order's new refund will end, if that is scripted. */
  takeRefund(outTradeNo: string): RefundStatus | undefined {
    return take(this.#refunds, (scripted) => concerns(scripted, outTradeNo));
  }

  /** Takes one fault of each kind: a notification can be late and doubled. */
  takeNotification(outTradeNo: string): { lose: boolean; delay: number; copies: number } {
    const found = { lose: false, delay: 0, copies: 1 };
    for (const kind of ['lose', 'delay', 'copies'] as const) {
      Object.assign(
        found,
        take(this.#notifications, (scripted) => kind in scripted.fault && concerns(scripted, outTradeNo)),
      );
    }
    return found;
  }

  clear(): void {
    this.#calls.length = 0;
    this.#notifications.length = 0;
    this.#refunds.length = 0;
  }
}

function concerns(scripted: { readonly outTradeNo: string | undefined }, outTradeNo: string | undefined): boolean {
  return scripted.outTradeNo === undefined || scripted.outTradeNo === outTradeNo;
}

function take<Fault, Item extends Scripted<Fault>>(list: Item[], wanted: (item: Item) => boolean): Fault | undefined {
  const index = list.findIndex(wanted);
  return index < 0 ? undefined : list.splice(index, 1)[0]?.fault;
}
