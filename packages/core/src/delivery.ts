import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { OrderBook, OrderKey, OrderRecord } from './order-book.js';
import { evidenceOf, orderKeyOf, type Payment } from './payment.js';
import { asWechatH5Error, type ProblemReporter } from './problems.js';

/** What `onPaid` is told beside the payment. */
export interface HandlerContext<Tx = never> {
  /** 1 on the first run for this payment. More: an earlier run threw, took too long, or its process died. */
  readonly attempt: number;
  /** The same for every run for this payment, for systems of yours that deduplicate. */
  readonly idempotencyKey: string;
  /** Aborts when this run can no longer succeed: it took too long, or another machine has taken over. */
  readonly signal: AbortSignal;
  /** The book's open transaction, with a book that offers one: what is written through it commits with the delivery. */
  readonly tx?: Tx;
}

export type OnPaid<Tx = never> = (payment: Payment, context: HandlerContext<Tx>) => Promise<void> | void;

/** The shop's own table, for orders that are not in the book. `undefined`: no such order. */
export type FindOrder = (ref: {
  mchId: string;
  subMchId?: string;
  outTradeNo: string;
}) => Promise<{ totalFee: number; feeType?: string; attach?: string } | undefined>;

/**
 * Where a payment stands once it is in the book. `due`: to be delivered. `settled`: delivered before, or
 * withheld and reported. `unknown`: no such order. `quarantined`: it contradicts the order.
 */
export type Standing = 'due' | 'settled' | 'unknown' | 'quarantined';

/** `done`: delivered, now or before. `failed`: this run did not succeed. `busy`: another machine holds the lease. */
export type DeliveryResult = 'done' | 'failed' | 'busy';

export interface Lease {
  readonly key: OrderKey;
  readonly attempt: number;
}

const LEASE_MS = 30_000;
const HANDLER_TIMEOUT_MS = 5 * 60_000;

/** Takes a payment from evidence to delivered, exactly once to success. */
export class Deliveries<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #findOrder: FindOrder | undefined;
  readonly #onPaid: OnPaid<Tx> | undefined;
  readonly #report: ProblemReporter;
  readonly #running = new Map<string, Promise<DeliveryResult>>();

  constructor(parts: {
    book: OrderBook<Tx>;
    findOrder: FindOrder | undefined;
    onPaid: OnPaid<Tx> | undefined;
    report: ProblemReporter;
  }) {
    this.#book = parts.book;
    this.#findOrder = parts.findOrder;
    this.#onPaid = parts.onPaid;
    this.#report = parts.report;
  }

  get hasHandler(): boolean {
    return this.#onPaid !== undefined;
  }

  /**
   * Joins a verified payment to its order.
   * @throws {WechatH5Error} `ORDER_BOOK_FAILED`: nothing is known to be stored
   */
  async record(payment: Payment): Promise<Standing> {
    const key = orderKeyOf(payment);
    const subject = { outTradeNo: payment.outTradeNo, transactionId: payment.transactionId };
    const change = { type: 'paid', payment: evidenceOf(payment) } as const;
    let applied = await this.#apply(key, change);
    if (applied.outcome === 'unknown' && (await this.#adopt(key, payment))) applied = await this.#apply(key, change);
    const { outcome, order } = applied;
    if (order === undefined) return 'unknown';
    if (outcome === 'conflict') {
      this.#report('quarantined', mismatch(payment, order), subject);
      return 'quarantined';
    }
    if (order.delivery.state === 'WITHHELD') {
      if (outcome === 'applied') this.#report('paid-after-close', paidAfterClose(payment), subject);
      return 'settled';
    }
    return order.delivery.state === 'DONE' ? 'settled' : 'due';
  }

  /** A payment for an order nobody knows: kept waiting by a FAIL until somebody looks. */
  reportUnknown(payment: Payment): void {
    this.#report(
      'order-unknown',
      new WechatH5Error(
        'ORDER_UNKNOWN',
        `A genuine payment names out_trade_no ${quoted(payment.outTradeNo)}, which is not in the order book`,
        {
          field: 'out_trade_no',
          hint:
            'Was it ordered by another environment, or before the book was emptied? Give findOrder, or a durable order book. ' +
            '收到真实付款,但订单簿中没有该订单:请配置 findOrder 或持久化的订单簿。',
        },
      ),
      { outTradeNo: payment.outTradeNo, transactionId: payment.transactionId },
    );
  }

  /** Runs `onPaid` for a payment that is due; concurrent calls for one order share one run. */
  deliver(payment: Payment): Promise<DeliveryResult> {
    const key = orderKeyOf(payment);
    const id = `${key.mchId} ${key.subMchId ?? ''} ${key.outTradeNo}`;
    const running = this.#running.get(id);
    if (running !== undefined) return running;
    const run = this.#deliverOnce(key, payment).finally(() => this.#running.delete(id));
    this.#running.set(id, run);
    return run;
  }

  /** The lease a route holds while it decides whether to acknowledge. */
  async claim(payment: Payment): Promise<Lease | 'done' | 'busy'> {
    const key = orderKeyOf(payment);
    const { outcome, order } = await this.#apply(key, { type: 'claim', leaseMs: LEASE_MS });
    if (outcome === 'applied' && order !== undefined) return { key, attempt: order.delivery.attempt };
    return outcome === 'done' || outcome === 'withheld' ? 'done' : 'busy';
  }

  /** Takes an order the book does not know from the payment itself: the route has said that it knows it. */
  async adopt(payment: Payment): Promise<void> {
    const key = orderKeyOf(payment);
    await this.#apply(key, {
      type: 'found',
      intent: { ...intentOf(payment), totalFee: payment.totalFee, feeType: payment.feeType, attach: payment.attach },
    });
    await this.#apply(key, { type: 'paid', payment: evidenceOf(payment) });
  }

  /** @returns whether the delivery is committed */
  async complete(lease: Lease): Promise<boolean> {
    const { outcome } = await this.#apply(lease.key, { type: 'complete', attempt: lease.attempt });
    return outcome === 'applied' || outcome === 'done';
  }

  async release(lease: Lease): Promise<void> {
    await this.#apply(lease.key, { type: 'release', attempt: lease.attempt });
  }

  async #deliverOnce(key: OrderKey, payment: Payment): Promise<DeliveryResult> {
    const onPaid = this.#onPaid;
    const lease = await this.claim(payment);
    if (typeof lease === 'string') return lease;
    if (onPaid === undefined) return 'failed';
    try {
      await this.#run(onPaid, payment, lease);
      if (await this.complete(lease)) return 'done';
    } catch (thrown) {
      const error = asWechatH5Error(
        thrown,
        isWechatH5Error(thrown) && thrown.code === 'HANDLER_TIMEOUT' ? 'HANDLER_TIMEOUT' : 'HANDLER_FAILED',
        `onPaid failed on attempt ${lease.attempt}`,
        'The notification was not acknowledged: WeChat Pay repeats it and onPaid runs again. The error is the cause. onPaid 执行失败,微信支付会重发通知。',
      );
      this.#report('handler-failed', error, { outTradeNo: key.outTradeNo, transactionId: payment.transactionId });
      // Whether the release is stored or not, the lease ends by itself.
      await this.release(lease).catch(() => {});
    }
    return 'failed';
  }

  /** Resolves when the handler does; rejects when it throws, takes too long, or the lease is lost meanwhile. */
  async #run(onPaid: OnPaid<Tx>, payment: Payment, lease: Lease): Promise<void> {
    const abort = new AbortController();
    const renewal = setInterval(() => {
      this.#apply(lease.key, { type: 'renew', attempt: lease.attempt, leaseMs: LEASE_MS }).then(
        ({ outcome }) => outcome === 'lost' && abort.abort(new WechatH5Error('HANDLER_FAILED', 'The lease was lost')),
        // A book that is away for a moment: the next renewal decides.
        () => {},
      );
    }, LEASE_MS / 3).unref();
    const timer = setTimeout(() => {
      abort.abort(
        new WechatH5Error('HANDLER_TIMEOUT', `onPaid has not ended after ${HANDLER_TIMEOUT_MS / 60_000} minutes`),
      );
    }, HANDLER_TIMEOUT_MS).unref();
    try {
      await Promise.race([
        (async () =>
          onPaid(payment, {
            attempt: lease.attempt,
            idempotencyKey: `${payment.mchId}:${payment.transactionId}:paid`,
            signal: abort.signal,
          }))(),
        new Promise<never>((_, reject) => {
          abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error), { once: true });
        }),
      ]);
    } finally {
      clearInterval(renewal);
      clearTimeout(timer);
    }
  }

  async #adopt(key: OrderKey, payment: Payment): Promise<boolean> {
    if (this.#findOrder === undefined) return false;
    let found: Awaited<ReturnType<FindOrder>>;
    try {
      found = await this.#findOrder({ ...key });
    } catch (thrown) {
      throw bookFailed(thrown, 'findOrder threw');
    }
    if (found === undefined || found === null) return false;
    if (!Number.isSafeInteger(found.totalFee) || found.totalFee < 1) {
      throw bookFailed(
        undefined,
        `findOrder answered with totalFee ${String(found.totalFee)}, which is not an integer number of fen`,
      );
    }
    await this.#apply(key, {
      type: 'found',
      intent: { ...intentOf(payment), totalFee: found.totalFee, feeType: found.feeType ?? 'CNY', attach: found.attach },
    });
    return true;
  }

  async #apply(...args: Parameters<OrderBook<Tx>['apply']>): ReturnType<OrderBook<Tx>['apply']> {
    try {
      return await this.#book.apply(...args);
    } catch (thrown) {
      throw bookFailed(thrown, 'The order book failed');
    }
  }
}

function intentOf(payment: Payment): { appId: string; params: Record<string, string>; clientIp: string } {
  return { appId: payment.appId, params: {}, clientIp: '' };
}

function bookFailed(thrown: unknown, message: string): WechatH5Error {
  return asWechatH5Error(
    thrown,
    'ORDER_BOOK_FAILED',
    message,
    'Nothing was acknowledged: WeChat Pay repeats the notification. The error is the cause.',
  );
}

function mismatch(payment: Payment, order: OrderRecord): WechatH5Error {
  const field = order.reason ?? 'total_fee';
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `A genuine payment for ${quoted(payment.outTradeNo)} differs from the order in ${field}: ` +
      `paid ${payment.totalFee} ${payment.feeType}, ordered ${order.totalFee} ${order.feeType}`,
    {
      field,
      hint:
        "Nothing was delivered and nothing acknowledged. Query the order at WeChat Pay: if the payment stands, the shop's record is wrong; if not, the API key has leaked. " +
        '付款与订单不一致,未发货:请到商户平台核实。',
    },
  );
}

function paidAfterClose(payment: Payment): WechatH5Error {
  return new WechatH5Error('ORDER_CLOSED', `${quoted(payment.outTradeNo)} was paid after it had been closed`, {
    hint: 'onPaid was not called: the goods may be gone. Refund it, or deliver by hand. 订单关闭后又收到付款:请退款或人工处理。',
  });
}
