import { Cashier, MIDDLE_PAGE_PATH } from './cashier.js';
import { Control } from './control.js';
import { EventLog, type SimulatorEvents } from './events.js';
import { FaultScript, type Faults } from './faults.js';
import { Gateway } from './gateway.js';
import { isLoopbackHost } from './http-url.js';
import { checkedCopies, Notifier, type NotificationAttempt, type SimulatedNotifications } from './notifier.js';
import { OrderLedger, type PaymentChoice, type SimulatedOrder, type SimulatedOrders } from './orders.js';
import { PaymentDesk } from './payment-desk.js';
import { RefundDesk, type Refunded } from './refund-desk.js';
import {
  RefundLedger,
  type RefundChoice,
  type RefundStatus,
  type SimulatedRefund,
  type SimulatedRefunds,
} from './refunds.js';
import { listen, urlOf } from './server.js';
import { createMerchant, type SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';

export interface SimulatorOptions {
  /** A loopback address to listen on. Default `127.0.0.1`; anything that is not loopback is refused. */
  readonly host?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** What is not given is made up: ids, and a random key for each run. */
  readonly merchant?: Partial<SimulatedMerchant>;
  /**
   * Factor on the waits between repeated notifications (15 s, 15 s, 30 s, 3 min, … 6 h). 1 is WeChat's pace,
   * 0.001 a thousand times faster; above 0, at most 10. Default 1. It changes nothing else.
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
  readonly refunds: SimulatedRefunds;
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
  /**
   * Refunds a paid order, or a part of it, as a person does in the merchant platform. Resolves when the refund has
   * ended and the first delivery of its notification has been answered or has failed; at once when it stays
   * `PROCESSING`, or when a fault loses or delays the notification.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_NOT_PAID`, `REFUND_EXISTS`, `REFUND_EXCEEDS`, `REFUND_LIMIT`
   * @throws {RangeError} for a number, amount, status or address of the wrong shape
   */
  refund(outTradeNo: string, choice?: RefundChoice): Promise<RefundResult>;
  /**
   * Ends a refund that is `PROCESSING`, or one that is `CHANGE` differently. Default `SUCCESS`. The merchant is told.
   *
   * @throws {SimulatorError} `REFUND_UNKNOWN`, `REFUND_SETTLED`
   * @throws {RangeError} for another status
   */
  settleRefund(outRefundNo: string, status?: Exclude<RefundStatus, 'PROCESSING'>): Promise<RefundResult>;
  /** Closes the server, every connection and every timer. Safe to call twice. */
  stop(): Promise<void>;
}

/** A refund as it now is, its order, and the first round of deliveries. */
export interface RefundResult {
  readonly order: SimulatedOrder;
  readonly refund: SimulatedRefund;
  readonly attempts: readonly NotificationAttempt[];
}

/** One day. */
const LONGEST_DELAY = 86_400_000;

/**
 * Starts a simulated WeChat Pay on a loopback address: the V2 gateway, the payer's middle page and the notifier.
 *
 * @throws {SimulatorError} `IN_PRODUCTION` when NODE_ENV is production, `NOT_LOOPBACK` for another `host`
 * @throws {TypeError} for an option of the wrong shape
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, timeScale = 1, now = () => new Date() } = options;
  refuseProduction();
  if (!isLoopbackHost(host)) {
    throw new SimulatorError('NOT_LOOPBACK', 'host is not a loopback address', 'leave it out, or use 127.0.0.1 or ::1');
  }
  // Node's timers end at 2³¹ ms: beyond that they would fire at once.
  if (!(timeScale > 0 && timeScale <= 10)) throw new TypeError('timeScale must be a number above 0, at most 10');
  const merchant = createMerchant(options.merchant);
  let url = '';
  const events = new EventLog(now);
  const script = new FaultScript();
  const orders = new OrderLedger(now, () => `${url}${MIDDLE_PAGE_PATH}`);
  const refunds = new RefundLedger(orders, now);
  const notifier = new Notifier({ events, now, timeScale });
  const desk = new PaymentDesk({ merchant, orders, notifier, faults: script, now });
  const allowRemoteNotifyUrl = options.allowRemoteNotifyUrl ?? false;
  const refundDesk = new RefundDesk({
    merchant,
    orders,
    refunds,
    notifier,
    faults: script,
    now,
    allowRemoteNotifyUrl,
  });
  const gateway = new Gateway({ merchant, orders, refunds, events, faults: script, now, allowRemoteNotifyUrl });
  const cashier = new Cashier({ merchant, orders, desk, events, now });
  const control = new Control({ merchant, orders, refunds, notifier, desk, refundDesk, events });
  const server = await listen({ host, port }, (request, response) => control.stream(request, response), [
    (request) => gateway.handle(request),
    (request) => cashier.handle(request),
    (request) => control.handle(request),
  ]);
  url = urlOf(server);

  let stopping: Promise<void> | undefined;
  const requireRunning = (): void => {
    if (stopping) throw new SimulatorError('STOPPED', 'the simulator was stopped', 'create another one');
  };
  const refundResult = async ({ refund, told }: Refunded): Promise<RefundResult> => {
    const order = orders.require(refund.outTradeNo);
    return { order, refund, attempts: await told };
  };
  return {
    url,
    merchant,
    orders,
    refunds,
    events,
    faults: createFaults(script, desk, refundDesk),
    notifications: {
      list: (outTradeNo) => notifier.list(outTradeNo),
      nextAttemptAt: (outTradeNo) => notifier.nextAttemptAt(outTradeNo),
      send: (outTradeNo, { copies, outRefundNo } = {}) =>
        outRefundNo === undefined
          ? desk.sendAgain(outTradeNo, copies)
          : refundDesk.sendAgain(outTradeNo, outRefundNo, copies),
    },
    async pay(outTradeNo, choice) {
      requireRunning();
      const { order, told } = desk.pay(outTradeNo, choice);
      return { order, attempts: await told };
    },
    async cancel(outTradeNo) {
      requireRunning();
      return desk.cancel(outTradeNo);
    },
    async refund(outTradeNo, choice) {
      requireRunning();
      return refundResult(refundDesk.refund(outTradeNo, choice));
    },
    async settleRefund(outRefundNo, status) {
      requireRunning();
      return refundResult(refundDesk.settle(outRefundNo, status));
    },
    stop() {
      stopping ??= new Promise((resolve) => {
        notifier.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return stopping;
    },
  };
}

function refuseProduction(): void {
  if (process.env['NODE_ENV'] !== 'production') return;
  throw new SimulatorError(
    'IN_PRODUCTION',
    'a simulated WeChat Pay takes no money and must not run in production',
    'use the real gateway, or unset NODE_ENV=production for a test',
  );
}

function createFaults(script: FaultScript, desk: PaymentDesk, refundDesk: RefundDesk): Faults {
  return {
    nextCall: (operation, fault, target) => script.addCall(operation, fault, target),
    loseNotification: (target) => script.addNotification({ lose: true }, target),
    delayNotification(milliseconds, target) {
      if (!(milliseconds > 0 && milliseconds <= LONGEST_DELAY)) {
        throw new RangeError(`the delay must be above 0 and at most ${LONGEST_DELAY} milliseconds`);
      }
      script.addNotification({ delay: milliseconds }, target);
    },
    duplicateNotification: (copies, target) => script.addNotification({ copies: checkedCopies(copies) }, target),
    forgeNotification: (outTradeNo, forgery) => desk.forge(outTradeNo, forgery),
    forgeRefundNotification: (outRefundNo, forgery) => refundDesk.forge(outRefundNo, forgery),
    clear: () => script.clear(),
  };
}
