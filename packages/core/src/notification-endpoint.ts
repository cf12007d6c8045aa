import type { Deliveries, DeliveryResult } from './delivery.js';
import { isWechatH5Error, WechatH5Error, type WechatH5ErrorCode } from './errors.js';
import type { Merchants } from './merchant.js';
import { readNotification, type Notification, type PaymentFailure } from './notification.js';
import { NotificationDeadlines } from './notification-deadlines.js';
import { NotificationTrace } from './notification-events.js';
import { NotificationPlaces } from './notification-places.js';
import { FAIL, refusalFor, SUCCESS, type NotificationReply } from './notification-reply.js';
import { pendingNotification, type PendingNotification } from './pending-notification.js';
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

/** WeChat Pay counts an answer after five seconds as none; this leaves the network one of them. */
const DEADLINE_MS = 4000;
/** How long a duplicate waits for the run that another machine has under way. */
const BUSY_WAIT_MS = 1500;
const BUSY_POLL_MS = 100;

export interface NotificationEndpoint {
  readonly places: NotificationPlaces;
  handle(request: NotificationRequest): Promise<NotificationReply>;
  /** {@link handle} for whoever has read the body already: it takes a place and gives it back. */
  handleInPlace(request: NotificationRequest): Promise<NotificationReply>;
  /** Up to the point where a route takes over; or a reply where there is nothing to take over. */
  open(request: NotificationRequest): Promise<NotificationReply | PendingNotification>;
  /** The reply for a request whose body could not be had, or that fails otherwise; reports the problem. */
  refuse(error: unknown, receivedAt: number): NotificationReply;
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
  const deadlines = new NotificationDeadlines();
  const places = new NotificationPlaces(parts.maxConcurrent);

  function refuse(thrown: unknown, trace: NotificationTrace): NotificationReply {
    const error = isWechatH5Error(thrown)
      ? thrown
      : asWechatH5Error(
          thrown,
          'ORDER_BOOK_FAILED',
          'The notification could not be handled',
          'The error is the cause.',
        );
    const deployment = error.code === 'BODY_ALREADY_READ' || error.code === 'NO_HANDLER';
    trace.refused(error.code);
    report(deployment ? 'misconfigured' : 'refused', error);
    return refusalFor(error.code);
  }

  /** FAIL for a reason that was reported where it arose. */
  function failed(trace: NotificationTrace, code: WechatH5ErrorCode): NotificationReply {
    trace.refused(code);
    return FAIL;
  }

  function acknowledged(trace: NotificationTrace): NotificationReply {
    trace.acknowledged();
    return SUCCESS;
  }

  function read(request: NotificationRequest, trace: NotificationTrace): Notification {
    if (request.method !== 'POST') {
      throw new WechatH5Error('METHOD_NOT_ALLOWED', `The method is ${request.method.slice(0, 16)}`, {
        hint: 'WeChat Pay posts notifications. A browser has nothing to see here.',
      });
    }
    parts.checkSource?.(request);
    // Without types anything may stand here; what it is, is said by whoever reads it.
    trace.received((request.body as Uint8Array | undefined)?.byteLength ?? 0);
    const { notification, keyIndex } = readNotification(request.body, merchants);
    trace.verified(notification, keyIndex);
    return notification;
  }

  function handle(request: NotificationRequest): Promise<NotificationReply> {
    const receivedAt = arrivalOf(request);
    const until = receivedAt + DEADLINE_MS;
    const trace = new NotificationTrace(receivedAt);
    // The work goes on under its lease when the reply cannot wait for it; a repeat finds it done.
    return deadlines.limit(settle(request, trace, until), until, {
      failed: (error) => refuse(error, trace),
      late: () => {
        trace.refused('HANDLER_TIMEOUT');
        report('handler-failed', handledTooLong());
        return FAIL;
      },
    });
  }

  async function handleInPlace(request: NotificationRequest): Promise<NotificationReply> {
    try {
      places.enter();
    } catch (error) {
      return refuse(error, new NotificationTrace(arrivalOf(request)));
    }
    const reply = await handle(request);
    places.leave();
    return reply;
  }

  async function settle(
    request: NotificationRequest,
    trace: NotificationTrace,
    until: number,
  ): Promise<NotificationReply> {
    const notification = read(request, trace);
    if (notification.type === 'payment-failed') return settleFailure(notification, trace);
    if (notification.type === 'refund-hint') return settleHint(notification, trace, until);
    const taken = await (deliveries.hasHandler ? deliveries.take(notification) : deliveries.record(notification));
    if (taken === 'settled' || taken === 'withheld') return acknowledged(trace);
    if (taken === 'quarantined') return failed(trace, 'ORDER_MISMATCH');
    if (taken === 'unknown') {
      deliveries.reportUnknown(notification);
      return failed(trace, 'ORDER_UNKNOWN');
    }
    if (!deliveries.hasHandler) throw noHandler();
    const lease = taken === 'due' ? undefined : taken;
    return delivered(() => deliveries.deliver(notification, lease), trace, until);
  }

  async function settleFailure(failure: PaymentFailure, trace: NotificationTrace): Promise<NotificationReply> {
    await deliveries.recordFailure(failure);
    report('payment-failed', paymentFailed(failure), failure);
    return acknowledged(trace);
  }

  async function settleHint(hint: RefundHint, trace: NotificationTrace, until: number): Promise<NotificationReply> {
    const settled = await settleRefund(hint, parts);
    if (typeof settled === 'object') return delivered(() => deliveries.deliverRefund(settled), trace, until);
    if (settled === 'order-unknown') return failed(trace, 'ORDER_UNKNOWN');
    if (settled === 'delivered') trace.handled();
    return acknowledged(trace);
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
    if (result === 'done') trace.handled();
    return acknowledged(trace);
  }

  function open(request: NotificationRequest): Promise<NotificationReply | PendingNotification> {
    const receivedAt = arrivalOf(request);
    const until = receivedAt + DEADLINE_MS;
    const trace = new NotificationTrace(receivedAt);
    let isLate = false;
    const work = openPayment(request, trace, until, () => isLate);
    return deadlines.limit<NotificationReply | PendingNotification>(work, until, {
      failed: (error) => refuse(error, trace),
      late: () => {
        isLate = true;
        trace.refused('HANDLER_TIMEOUT');
        report('handler-failed', bookTooSlow());
        return FAIL;
      },
    });
  }

  async function openPayment(
    request: NotificationRequest,
    trace: NotificationTrace,
    until: number,
    isLate: () => boolean,
  ): Promise<NotificationReply | PendingNotification> {
    const notification = read(request, trace);
    if (notification.type === 'payment-failed') return settleFailure(notification, trace);
    if (notification.type === 'refund-hint') return settleHint(notification, trace, until);
    const taken = await deliveries.take(notification);
    if (taken === 'settled' || taken === 'withheld') return acknowledged(trace);
    if (taken === 'quarantined') return failed(trace, 'ORDER_MISMATCH');
    // Somebody holds it already: a repeat, a little later, finds it settled or free.
    if (taken === 'due') return failed(trace, 'ORDER_IN_PROGRESS');
    const lease = taken === 'unknown' ? undefined : taken;
    if (!isLate()) return pendingNotification(notification, lease, until, trace, parts);
    // FAIL went out meanwhile: the repeat must not find this lease.
    if (lease !== undefined) await deliveries.release(lease);
    return FAIL;
  }

  return {
    places,
    handle,
    handleInPlace,
    open,
    refuse: (error, receivedAt) => refuse(error, new NotificationTrace(receivedAt)),
  };
}

/** No later than now: a time of another clock must not put the deadline off. */
function arrivalOf({ receivedAt }: NotificationRequest): number {
  const now = performance.now();
  return receivedAt !== undefined && receivedAt <= now ? receivedAt : now;
}

function paymentFailed({ errCode, errCodeDes }: PaymentFailure): WechatH5Error {
  return new WechatH5Error('GATEWAY_REFUSED', 'WeChat Pay reports a payment that failed', {
    errCode: errCode.slice(0, 32),
    errCodeDes: errCodeDes.slice(0, 128),
    hint: 'Nothing was paid and there is nothing to do.',
  });
}

function noHandler(): WechatH5Error {
  return new WechatH5Error('NO_HANDLER', 'A payment arrived and there is no onPaid', {
    field: 'onPaid',
    hint: 'Pass onPaid, or acknowledge in a route behind the notify middleware. 请配置 onPaid。',
  });
}

function handledTooLong(): WechatH5Error {
  return new WechatH5Error('HANDLER_TIMEOUT', 'A notification is still being handled after four seconds', {
    hint: 'FAIL was answered and the run of onPaid or onRefunded goes on; WeChat Pay repeats the notification and finds it done. Move slow work behind a queue. 超过 4 秒未处理完成：请把 onPaid、onRefunded 中的耗时操作放入队列。',
  });
}

function bookTooSlow(): WechatH5Error {
  return new WechatH5Error('HANDLER_TIMEOUT', 'The order book or findOrder has not answered after four seconds', {
    hint: 'FAIL was answered; WeChat Pay repeats the notification. 订单簿或 findOrder 超过 4 秒未返回，微信支付会重发通知。',
  });
}
