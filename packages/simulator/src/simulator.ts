import type { SimulatorEvents } from './events.js';
import type { Faults } from './faults.js';
import type { NotificationAttempt, SimulatedNotifications } from './notifier.js';
import type { PaymentChoice, SimulatedOrder, SimulatedOrders } from './orders.js';
import type { SimulatedMerchant } from './simulated-merchant.js';

export interface SimulatorOptions {
  /** A loopback address to listen on. Default `127.0.0.1`; anything that is not loopback is refused. */
  readonly host?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** What is not given is made up: ids, and a random key for each run. */
  readonly merchant?: Partial<SimulatedMerchant>;
  /**
   * Factor on the waits between repeated notifications (15 s, 15 s, 30 s, 3 min, … 6 h). 1 is WeChat's pace,
   * 0.001 a thousand times faster. Default 1. It changes nothing else.
   */
  readonly timeScale?: number;
  /** The clock by which links and orders expire and times are written. Default the system's. */
  readonly now?: () => Date;
  /** Notifications may leave this machine: a `notify_url` whose host is not loopback is accepted. Default false. */
  readonly allowRemoteNotifyUrl?: boolean;
}

/** A running simulated WeChat Pay. */
export interface Simulator {
  /** `http://127.0.0.1:PORT`, without a slash at the end: what the merchant's gateway option takes. */
  readonly url: string;
  readonly merchant: SimulatedMerchant;
  readonly orders: SimulatedOrders;
  readonly notifications: SimulatedNotifications;
  readonly events: SimulatorEvents;
  readonly faults: Faults;
  /**
   * The payer pays, as if on the cashier page. Resolves when the order is paid and the first delivery of its
   * notification has been answered or has failed; at once when a fault loses or delays the notification.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_PAID`, `ORDER_CLOSED`
   */
  pay(
    outTradeNo: string,
    choice?: PaymentChoice,
  ): Promise<{
    readonly order: SimulatedOrder;
    readonly attempts: readonly NotificationAttempt[];
  }>;
  /**
   * The payer gives up on the cashier page. The order stays unpaid and payable; WeChat tells the merchant nothing.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_PAID`, `ORDER_CLOSED`
   */
  cancel(outTradeNo: string): Promise<SimulatedOrder>;
  /** Closes the server, every connection and every timer. Safe to call twice. */
  stop(): Promise<void>;
}
