import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { BillColumns } from './bill.js';
import { Cashier, MIDDLE_PAGE_PATH } from './cashier.js';
import { Control } from './control.js';
import { EventLog, type SimulatorEvents } from './events.js';
import { FaultScript, type Faults } from './faults.js';
import { Gateway } from './gateway.js';
import { isLoopbackHost } from './http-url.js';
import { createIdentities } from './identities.js';
import { checkedCopies, Notifier, type NotificationAttempt, type SimulatedNotifications } from './notifier.js';
import { notifyOutOfOrder, type Desks } from './out-of-order.js';
import { OrderLedger, type PaymentChoice, type SimulatedOrder, type SimulatedOrders } from './orders.js';
import { PaymentDesk } from './payment-desk.js';
import { RefundDesk, type Refunded } from './refund-desk.js';
import {
  checkedStatus,
  RefundLedger,
  type RefundChoice,
  type RefundStatus,
  type SimulatedRefund,
  type SimulatedRefunds,
} from './refunds.js';
import { answering, close, listen } from './server.js';
import { createAccount, type MerchantAccount, type SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';

export interface SimulatorOptions {
  /** A loopback address to listen on. Default `127.0.0.1`; anything that is not loopback is refused. */
  readonly host?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /** For the same over TLS. Default 0: a free port. */
  readonly tlsPort?: number;
  /** What is not given is made up: ids, and a random key for each run. */
  readonly merchant?: Partial<MerchantAccount>;
  /**
   * Factor on the waits between repeated notifications (15 s, 15 s, 30 s, 3 min, … 6 h). 1 is WeChat's pace,
   * 0.001 a thousand times faster; above 0, at most 10. Default 1. It changes nothing else.
   */
  readonly timeScale?: number;
  /**
   * Seconds that a refund asked for by the merchant's server stays `PROCESSING`, by `now` or in real time, whichever is
   * sooner; `Infinity` leaves all of them to `settleRefund()`. Default 10.
   */
  readonly refundSeconds?: number;
  /** Which columns its bills have: those since November 2018, or the ones before. Default `current`. */
  readonly billColumns?: BillColumns;
  /** The clock by which links and orders expire and times are written. Default the system's. */
  readonly now?: () => Date;
  /** Notifications may leave this machine: a `notify_url` whose host is not loopback is accepted. Default false. */
  readonly allowRemoteNotifyUrl?: boolean;
}

/** A running simulated WeChat Pay. */
export interface Simulator {
  /** `http://127.0.0.1:PORT`, without a slash at the end: what the merchant's gateway option takes. */
  readonly url: string;
  /**
   * The same over TLS, as `https://127.0.0.1:PORT`, with mutual TLS where WeChat Pay has it: it takes
   * `merchant.certificate` for a refund. `ca` is PEM and is what the client has to trust; it is made anew for each run.
   */
  readonly tls: { readonly url: string; readonly ca: string };
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
  /**
   * Moves the clock ahead: links and orders expire, refunds that are due end, yesterday's bill is there. The waits
   * between repeated notifications are real time and stay what they are.
   *
   * @throws {RangeError} unless 0 or more, and at most a hundred years
   */
  advance(milliseconds: number): void;
  /** Closes the servers, every connection and every timer. Safe to call twice. */
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
const LONGEST_ADVANCE = 100 * 366 * LONGEST_DELAY;

/**
 * Starts a simulated WeChat Pay on a loopback address: the V2 gateway, the payer's middle page and the notifier.
 *
 * @throws {SimulatorError} `IN_PRODUCTION` when NODE_ENV is production, `NOT_LOOPBACK` for another `host`
 * @throws {TypeError} for an option of the wrong shape
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, tlsPort = 0, timeScale = 1, refundSeconds = 10 } = options;
  const { billColumns = 'current', now: givenNow = () => new Date() } = options;
  let advanced = 0;
  const now = (): Date => new Date(givenNow().getTime() + advanced);
  refuseProduction();
  if (!isLoopbackHost(host)) {
    throw new SimulatorError('NOT_LOOPBACK', 'host is not a loopback address', 'leave it out, or use 127.0.0.1 or ::1');
  }
  // Node's timers end at 2³¹ ms: beyond that they would fire at once.
  if (!(timeScale > 0 && timeScale <= 10)) throw new TypeError('timeScale must be a number above 0, at most 10');
  if (!['current', 'legacy'].includes(billColumns)) throw new TypeError('billColumns must be current or legacy');
  if (!(refundSeconds >= 0)) throw new TypeError('refundSeconds must be a number, 0 or above');
  const account = createAccount(options.merchant);
  const { ca, server: identity, certificate, p12 } = createIdentities(host, account.mchId);
  const merchant: SimulatedMerchant = Object.freeze({
    ...account,
    certificate,
    get p12() {
      return p12();
    },
  });
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
    refundMilliseconds: refundSeconds * 1000,
  });
  const gateway = new Gateway({
    merchant,
    orders,
    refunds,
    refundDesk,
    events,
    faults: script,
    now,
    allowRemoteNotifyUrl,
    billColumns,
  });
  const cashier = new Cashier({ merchant, orders, desk, events, now });
  const advance = (milliseconds: number): void => {
    if (!(milliseconds >= 0 && milliseconds <= LONGEST_ADVANCE)) {
      throw new RangeError('the clock only goes ahead, by at most a hundred years');
    }
    advanced += milliseconds;
    refundDesk.settleDue();
  };
  const desks: Desks = { orders, desk, refundDesk };
  const faults = createFaults(script, desks);
  const control = new Control({ ...desks, merchant, refunds, notifier, events, faults, advance, timeScale });
  const answer = answering(
    (request, response) => control.stream(request, response),
    [(request) => gateway.handle(request), (request) => cashier.handle(request), (request) => control.handle(request)],
  );
  const plain = createServer(answer);
  // Whoever comes without the certificate is let in and told so, as WeChat Pay's web server does.
  const asksForCertificate = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' } as const;
  const secure = createTlsServer({ key: identity.key, cert: identity.cert, ca, ...asksForCertificate }, answer);
  url = `http://${await listen(plain, { host, port })}`;
  const tls = Object.freeze({ url: `https://${await orClose(plain, listen(secure, { host, port: tlsPort }))}`, ca });

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
    tls,
    merchant,
    orders,
    refunds: {
      list(outTradeNo) {
        refundDesk.settleDue();
        return refunds.list(outTradeNo);
      },
      get(outRefundNo) {
        refundDesk.settleDue();
        return refunds.get(outRefundNo);
      },
    },
    events,
    faults,
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
    advance,
    stop() {
      stopping ??= (async () => {
        refundDesk.stop();
        notifier.stop();
        await Promise.all([close(plain), close(secure)]);
      })();
      return stopping;
    },
  };
}

/** Nothing may stay open when the second server cannot start. */
async function orClose<Value>(server: Server, value: Promise<Value>): Promise<Value> {
  try {
    return await value;
  } catch (error) {
    await close(server);
    throw error;
  }
}

function refuseProduction(): void {
  if (process.env['NODE_ENV'] !== 'production') return;
  throw new SimulatorError(
    'IN_PRODUCTION',
    'a simulated WeChat Pay takes no money and must not run in production',
    'use the real gateway, or unset NODE_ENV=production for a test',
  );
}

function createFaults(script: FaultScript, desks: Desks): Faults {
  const { desk, refundDesk } = desks;
  return {
    nextCall(operation, fault, target) {
      if ('status' in fault && !(Number.isInteger(fault.status) && fault.status >= 200 && fault.status <= 599)) {
        throw new RangeError('status must be an HTTP status from 200 to 599');
      }
      script.addCall(operation, fault, target);
    },
    nextRefund: (status, target) => script.addRefund(checkedStatus(status), target),
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
    notifyOutOfOrder: (outTradeNo) => notifyOutOfOrder(outTradeNo, desks),
    clear: () => script.clear(),
  };
}
