import type { Deliveries, DeliveryResult, Lease } from './delivery.js';
import { isWechatH5Error, WechatH5Error, type WechatH5ErrorCode } from './errors.js';
import type { Merchants } from './merchant.js';
import { readNotification, type PaymentNotification } from './notification.js';
import { NotificationTrace } from './notification-events.js';
import type { Payment } from './payment.js';
import { asWechatH5Error, type ProblemReporter } from './problems.js';
import type { RefundHint } from './refund-notification.js';
import { settleRefund } from './refund-settlement.js';
import type { Refund } from './refunds.js';

/** A request as an adapter hands it over: plain data, the body as the exact bytes received. */
export interface NotificationRequest {
  method: string;
  body: Uint8Array;
  /** The peer and the headers as for `clientIp`: needed only with `notificationSources`. */
  remoteAddress?: string | undefined;
  rawHeaders?: readonly string[];
  /** `performance.now()` at arrival; the deadline counts from it. Default: now. */
  receivedAt?: number;
}

/** What to send back, to the byte. */
export interface NotificationReply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** WeChat Pay counts an answer after five seconds as none; this leaves the network one of them. */
const DEADLINE_MS = 4000;
/** A body takes milliseconds to read, a notification up to seconds to handle. */
const BODIES_PER_PLACE = 10;
/** How long a duplicate waits for the run that another machine has under way. */
const BUSY_WAIT_MS = 1500;
const BUSY_POLL_MS = 100;

/** The acknowledgement, to the byte: any other text makes WeChat Pay repeat the notification. */
const SUCCESS_XML = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
/** One text for every failure: a forger must not learn how far a message got. The reason goes to `onProblem`. */
const FAIL_XML = '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

const SUCCESS = replyOf(200, SUCCESS_XML);
const FAIL = replyOf(200, FAIL_XML);

// Only what never was a notification, or what the deployment gets wrong, has a status of its own.
const STATUS: Partial<Record<WechatH5ErrorCode, number>> = {
  METHOD_NOT_ALLOWED: 405,
  BODY_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  BODY_ENCODED: 415,
  BODY_ALREADY_READ: 500,
  NO_HANDLER: 500,
  ORDER_BOOK_FAILED: 500,
  OVERLOADED: 503,
};

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

export interface NotificationEndpoint {
  /**
   * A place among the bodies that are being read. Strangers can hold these without a signature, so nobody is
   * refused one: when there are too many, `giveUp` of the one that has been read the longest is called.
   */
  enterReading(giveUp: (error: WechatH5Error) => void): () => void;
  /**
   * A place among the notifications that are worked on at the same time, or a refusal. To be taken once the
   * body is there, and given back.
   * @throws {WechatH5Error} `OVERLOADED`
   */
  enter(): () => void;
  handle(request: NotificationRequest): Promise<NotificationReply>;
  /** Up to the point where a route takes over; or a reply where there is nothing to take over. */
  open(request: NotificationRequest): Promise<NotificationReply | PendingNotification>;
  /** The reply for a request whose body could not be had, or that fails otherwise; reports the problem. */
  refuse(error: unknown): NotificationReply;
}

interface Received {
  readonly payment: Payment;
  /** The book has the order. */
  readonly known: boolean;
  readonly lease: Lease | undefined;
}

export function createNotificationEndpoint<Tx>(parts: {
  merchants: Merchants;
  deliveries: Deliveries<Tx>;
  report: ProblemReporter;
  /** Asks `refundquery` whether a hint is true. */
  confirmRefund: (hint: RefundHint) => Promise<Refund>;
  /** Throws for a sender that is not on the list. */
  checkSource: ((request: NotificationRequest) => void) | undefined;
  maxConcurrent: number;
}): NotificationEndpoint {
  const { merchants, deliveries, report } = parts;
  let inside = 0;
  const reading = new Set<(error: WechatH5Error) => void>();

  function enterReading(giveUp: (error: WechatH5Error) => void): () => void {
    reading.add(giveUp);
    if (reading.size > parts.maxConcurrent * BODIES_PER_PLACE) {
      const [oldest] = reading;
      if (oldest !== undefined) {
        reading.delete(oldest);
        oldest(
          new WechatH5Error(
            'OVERLOADED',
            `${reading.size} bodies are being read already, and this one came the longest ago`,
            {
              field: 'maxConcurrentNotifications',
              hint: 'Somebody opens notifications and does not send them. Limit connections per address in the proxy in front. 有大量未发送完的请求：请在前置代理中限制单个地址的连接数。',
            },
          ),
        );
      }
    }
    return () => void reading.delete(giveUp);
  }

  function enter(): () => void {
    if (inside >= parts.maxConcurrent) {
      throw new WechatH5Error('OVERLOADED', `${inside} notifications are being handled already`, {
        field: 'maxConcurrentNotifications',
        hint: 'FAIL was answered at once; WeChat Pay repeats. If they are genuine, onPaid is too slow: put slow work behind a queue.',
      });
    }
    inside++;
    let left = false;
    return () => {
      if (!left) inside--;
      left = true;
    };
  }

  function refuse(thrown: unknown, trace?: NotificationTrace): NotificationReply {
    const error = isWechatH5Error(thrown)
      ? thrown
      : asWechatH5Error(
          thrown,
          'ORDER_BOOK_FAILED',
          'The notification could not be handled',
          'The error is the cause.',
        );
    const deployment = error.code === 'BODY_ALREADY_READ' || error.code === 'NO_HANDLER';
    (trace ?? new NotificationTrace(performance.now())).publish('refused', { code: error.code });
    report(deployment ? 'misconfigured' : 'refused', error);
    const status = STATUS[error.code];
    return status === undefined ? FAIL : replyOf(status, FAIL_XML);
  }

  /**
   * A payment that is due, or the reply that ends the exchange here.
   * @param claims whether a payment that is due shall be claimed with the same write
   */
  async function receive(
    request: NotificationRequest,
    trace: NotificationTrace,
    until: number,
    claims: boolean,
  ): Promise<Received | NotificationReply> {
    if (request.method !== 'POST') {
      throw new WechatH5Error('METHOD_NOT_ALLOWED', `The method is ${request.method.slice(0, 16)}`, {
        hint: 'WeChat Pay posts notifications. A browser has nothing to see here.',
      });
    }
    parts.checkSource?.(request);
    trace.publish('received', { bytes: request.body.byteLength });
    const { notification, keyIndex } = readNotification(request.body, merchants);
    trace.publish('verified', {
      type: notification.type,
      mchId: notification.mchId,
      outTradeNo: notification.outTradeNo,
      ...('transactionId' in notification ? { transactionId: notification.transactionId } : {}),
      ...(keyIndex === undefined ? {} : { keyIndex }),
    });
    if (notification.type === 'payment-failed') {
      await deliveries.recordFailure(notification);
      report(
        'payment-failed',
        new WechatH5Error('GATEWAY_REFUSED', 'WeChat Pay reports a payment that failed', {
          errCode: notification.errCode.slice(0, 32),
          errCodeDes: notification.errCodeDes.slice(0, 128),
          hint: 'Nothing was paid and there is nothing to do.',
        }),
        notification,
      );
      return SUCCESS;
    }
    if (notification.type === 'refund-hint') return settle(notification, trace, until);
    const standing = await (claims ? deliveries.take(notification) : deliveries.record(notification));
    if (standing === 'settled' || standing === 'withheld') return SUCCESS;
    if (standing === 'quarantined') return failed(trace, 'ORDER_MISMATCH');
    const lease = typeof standing === 'object' ? standing : undefined;
    return { payment: notification, known: standing !== 'unknown', lease };
  }

  /** FAIL for a reason that was reported where it arose. */
  function failed(trace: NotificationTrace, code: WechatH5ErrorCode): NotificationReply {
    trace.publish('refused', { code });
    return FAIL;
  }

  function answered(reply: NotificationReply, trace: NotificationTrace): NotificationReply {
    if (reply === SUCCESS) trace.publish('acknowledged');
    return reply;
  }

  async function handle(request: NotificationRequest): Promise<NotificationReply> {
    const receivedAt = request.receivedAt ?? performance.now();
    const until = receivedAt + DEADLINE_MS;
    const trace = new NotificationTrace(receivedAt);
    const work = settlePayment(request, trace, until).catch((error: unknown) => refuse(error, trace));
    const reply = await withinDeadline(work, until);
    if (reply !== undefined) return answered(reply, trace);
    // The work goes on under its lease when the reply cannot wait for it; a repeat finds it done.
    trace.publish('refused', { code: 'HANDLER_TIMEOUT' });
    report(
      'handler-failed',
      new WechatH5Error('HANDLER_TIMEOUT', 'A notification is still being handled after four seconds', {
        hint: 'FAIL was answered and the run of onPaid or onRefunded goes on; WeChat Pay repeats the notification and finds it done. Move slow work behind a queue. 超过 4 秒未处理完成：请把 onPaid、onRefunded 中的耗时操作放入队列。',
      }),
    );
    return FAIL;
  }

  async function settlePayment(
    request: NotificationRequest,
    trace: NotificationTrace,
    until: number,
  ): Promise<NotificationReply> {
    const received = await receive(request, trace, until, deliveries.hasHandler);
    if (isReply(received)) return received;
    const { payment, known, lease } = received;
    if (!known) {
      deliveries.reportUnknown(payment);
      return failed(trace, 'ORDER_UNKNOWN');
    }
    if (!deliveries.hasHandler) {
      throw new WechatH5Error('NO_HANDLER', 'A payment arrived and there is no onPaid', {
        field: 'onPaid',
        hint: 'Pass onPaid, or acknowledge in a route behind the notify middleware. 请配置 onPaid。',
      });
    }
    return delivered(() => deliveries.deliver(payment, lease), trace, until);
  }

  async function settle(hint: RefundHint, trace: NotificationTrace, until: number): Promise<NotificationReply> {
    const settled = await settleRefund(hint, parts);
    if (typeof settled === 'object') return delivered(() => deliveries.deliverRefund(settled), trace, until);
    if (settled === 'order-unknown') return failed(trace, 'ORDER_UNKNOWN');
    if (settled === 'delivered') trace.publish('handled');
    return SUCCESS;
  }

  /** While another machine holds the lease, a duplicate waits a little for it. */
  async function delivered(
    deliver: () => Promise<DeliveryResult>,
    trace: NotificationTrace,
    until: number,
  ): Promise<NotificationReply> {
    const busyUntil = Math.min(until, performance.now() + BUSY_WAIT_MS);
    let result = await deliver();
    while (result === 'busy' && performance.now() < busyUntil) {
      await new Promise((resolve) => setTimeout(resolve, BUSY_POLL_MS));
      result = await deliver();
    }
    if (result === 'busy') return failed(trace, 'ORDER_IN_PROGRESS');
    if (result === 'failed') return failed(trace, 'HANDLER_FAILED');
    if (result === 'done') trace.publish('handled');
    return SUCCESS;
  }

  async function open(request: NotificationRequest): Promise<NotificationReply | PendingNotification> {
    const receivedAt = request.receivedAt ?? performance.now();
    const until = receivedAt + DEADLINE_MS;
    const trace = new NotificationTrace(receivedAt);
    let late = false;
    const work = (async (): Promise<NotificationReply | PendingNotification> => {
      const received = await receive(request, trace, until, true);
      if (isReply(received)) return answered(received, trace);
      const { payment, known, lease } = received;
      // Somebody holds it already: a repeat, a little later, finds it settled or free.
      if (known && lease === undefined) return failed(trace, 'ORDER_IN_PROGRESS');
      if (late) {
        // FAIL went out meanwhile: the repeat must not find this lease.
        if (lease !== undefined) await deliveries.release(lease);
        return FAIL;
      }
      return pending(payment, known, lease, until, trace);
    })().catch((error: unknown) => refuse(error, trace));
    const opened = await withinDeadline(work, until);
    if (opened !== undefined) return opened;
    late = true;
    trace.publish('refused', { code: 'HANDLER_TIMEOUT' });
    report(
      'handler-failed',
      new WechatH5Error('HANDLER_TIMEOUT', 'The order book or findOrder has not answered after four seconds', {
        hint: 'FAIL was answered; WeChat Pay repeats the notification. 订单簿或 findOrder 超过 4 秒未返回，微信支付会重发通知。',
      }),
    );
    return FAIL;
  }

  async function commit(payment: Payment, lease: Lease | undefined): Promise<boolean> {
    if (lease !== undefined) return deliveries.complete(lease);
    await deliveries.adopt(payment);
    const claimed = await deliveries.claim(payment);
    return typeof claimed === 'string' ? claimed !== 'busy' : deliveries.complete(claimed);
  }

  function pending(
    payment: Payment,
    known: boolean,
    lease: Lease | undefined,
    until: number,
    trace: NotificationTrace,
  ): PendingNotification {
    let state: 'open' | 'acknowledging' | 'acknowledged' | 'over' = 'open';
    let answer: (reply: NotificationReply) => void = () => {};
    const reply = new Promise<NotificationReply>((resolve) => {
      answer = resolve;
    });
    const abandon = (why: string): void => {
      if (state === 'acknowledged' || state === 'over') return;
      const committing = state === 'acknowledging';
      state = 'over';
      clearTimeout(timer);
      answer(FAIL);
      trace.publish('refused', { code: 'NOT_ACKNOWLEDGED' });
      report(
        'not-acknowledged',
        new WechatH5Error('NOT_ACKNOWLEDGED', `A verified payment was not acknowledged: ${why}`, {
          hint: 'Call and await acknowledge() once the goods are safe; WeChat Pay repeats the notification until then. 请在发货记录落库后调用 await acknowledge()。',
        }),
        payment,
      );
      if (lease !== undefined && !committing) void deliveries.release(lease).catch(() => {});
    };
    let acknowledging: Promise<void> | undefined;
    const acknowledge = async (): Promise<void> => {
      if (state !== 'open') throw nothingToAcknowledge();
      state = 'acknowledging';
      try {
        if (!(await commit(payment, lease))) abandon('another process holds this payment');
      } catch (error) {
        // Nothing is known to be stored: the route may try again while there is time.
        if ((state as string) === 'acknowledging') state = 'open';
        acknowledging = undefined;
        throw error;
      }
      if ((state as string) === 'over') throw nothingToAcknowledge();
      state = 'acknowledged';
      clearTimeout(timer);
      trace.publish('handled');
      answer(answered(SUCCESS, trace));
    };
    const timer = setTimeout(
      () => abandon('the deadline of four seconds passed'),
      Math.max(0, until - performance.now()),
    );
    return {
      notification: { type: 'payment', ...payment },
      order: known ? 'matched' : 'unknown',
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

  return { enterReading, enter, handle, open, refuse };
}

function nothingToAcknowledge(): WechatH5Error {
  return new WechatH5Error('NOTHING_TO_ACKNOWLEDGE', 'This notification was answered with FAIL already', {
    hint: 'WeChat Pay repeats it: acknowledge the repeat.',
  });
}

/** The work's result, or `undefined` when there is none in time. The work must not reject. */
function withinDeadline<T>(work: Promise<T>, until: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    // Most work is done in the turns of the event loop that are due anyway: only then is a timer worth its cost.
    let done = false;
    let timer: NodeJS.Timeout | undefined;
    void work.then((result) => {
      done = true;
      clearTimeout(timer);
      resolve(result);
    });
    setImmediate(() => {
      if (!done) timer = setTimeout(() => resolve(undefined), Math.max(0, until - performance.now()));
    });
  });
}

function isReply(value: object): value is NotificationReply {
  return 'status' in value;
}

function replyOf(status: number, body: string): NotificationReply {
  const headers: Record<string, string> = {
    'content-type': 'text/xml; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    // Nobody on the way may compress, rewrite or keep it.
    'cache-control': 'no-store, no-transform',
  };
  if (status === 405) headers['allow'] = 'POST';
  // What is left of such a body is not read: the connection cannot be used again.
  if (status === 408 || status === 413) headers['connection'] = 'close';
  return Object.freeze({ status, headers: Object.freeze(headers), body });
}
