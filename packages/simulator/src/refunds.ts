import { randomInt } from 'node:crypto';
import { beijingTime } from './beijing-time.js';
import { named, type OrderLedger, type SimulatedOrder } from './orders.js';
import { REFUND_ACCOUNT } from './refund-message.js';
import { SimulatorError } from './simulator-error.js';

/**
 * `PROCESSING`: accepted, the money is on its way. `SUCCESS`: it has arrived. `CHANGE`: the payer's bank refused it
 * and the merchant has to act. `REFUNDCLOSE`: it will not happen, and its amount can be refunded again.
 */
export type RefundStatus = 'PROCESSING' | 'SUCCESS' | 'CHANGE' | 'REFUNDCLOSE';

/** One refund as WeChat's side holds it: a snapshot. */
export interface SimulatedRefund {
  readonly outRefundNo: string;
  /** 28 digits that begin with 9950000000, which no real refund id does. */
  readonly refundId: string;
  readonly outTradeNo: string;
  readonly transactionId: string;
  /** In the smallest unit of the order's currency. */
  readonly refundFee: number;
  readonly status: RefundStatus;
  /** Who asked for it: the merchant's server, or a person in the merchant platform. */
  readonly source: 'API' | 'VENDOR_PLATFORM';
  /** Whose money it is, `refund_account`. */
  readonly account: string;
  /** Where its notifications go. */
  readonly notifyUrl: string;
  readonly createdAt: Date;
  /** With `SUCCESS` only. */
  readonly succeededAt?: Date;
}

/** What `refund()` may choose. */
export interface RefundChoice {
  /** 1 to 64 characters of `[0-9A-Za-z_|*@-]`, one refund of the merchant each. Made up unless given. */
  readonly outRefundNo?: string;
  /** Default what is left of the order: its amount without the refunds that were not closed. */
  readonly refundFee?: number;
  /** How it ends at once; `PROCESSING` leaves that to `settleRefund()`. Default `SUCCESS`. */
  readonly status?: RefundStatus;
  /** Default the order's, which stands for the address set in the merchant platform. */
  readonly notifyUrl?: string;
}

/** Live, read-only view of every refund. */
export interface SimulatedRefunds {
  /** All refunds, or those of one order, the oldest first. */
  list(outTradeNo?: string): readonly SimulatedRefund[];
  get(outRefundNo: string): SimulatedRefund | undefined;
}

/** WeChat's own limit on the partial refunds of one order. */
const MOST_REFUNDS = 50;
/** From where a refund can still move, and where to. */
const MOVES: Readonly<Record<RefundStatus, readonly RefundStatus[]>> = {
  PROCESSING: ['SUCCESS', 'CHANGE', 'REFUNDCLOSE'],
  // The merchant gives the money another way to the payer, or takes the refund back.
  CHANGE: ['SUCCESS', 'REFUNDCLOSE'],
  SUCCESS: [],
  REFUNDCLOSE: [],
};
const STATUSES: readonly unknown[] = Object.keys(MOVES);

/** What a refund is opened with: what a person may choose, and what only the merchant's server says. */
export type RefundRequest = Omit<RefundChoice, 'status'> & Partial<Pick<SimulatedRefund, 'source' | 'account'>>;

type RefundRecord = { -readonly [Key in keyof SimulatedRefund]: SimulatedRefund[Key] };

/** Every refund, whoever asked for it. */
export class RefundLedger implements SimulatedRefunds {
  readonly #orders: OrderLedger;
  readonly #now: () => Date;
  readonly #refunds = new Map<string, RefundRecord>();
  readonly #byRefundId = new Map<string, RefundRecord>();

  constructor(orders: OrderLedger, now: () => Date) {
    this.#orders = orders;
    this.#now = now;
  }

  list(outTradeNo?: string): readonly SimulatedRefund[] {
    return [...this.#refunds.values()]
      .filter((refund) => outTradeNo === undefined || refund.outTradeNo === outTradeNo)
      .map(snapshot);
  }

  get(outRefundNo: string): SimulatedRefund | undefined {
    const refund = this.#refunds.get(outRefundNo);
    return refund && snapshot(refund);
  }

  findByRefundId(refundId: string): SimulatedRefund | undefined {
    const refund = this.#byRefundId.get(refundId);
    return refund && snapshot(refund);
  }

  /** @throws {SimulatorError} `REFUND_UNKNOWN` */
  require(outRefundNo: string): SimulatedRefund {
    return snapshot(this.#known(outRefundNo));
  }

  /** What can still be refunded of an order: in the currency's smallest unit, and how many times. */
  left({ outTradeNo, totalFee }: SimulatedOrder): { readonly amount: number; readonly times: number } {
    const others = this.list(outTradeNo);
    const taken = sum(others.filter(({ status }) => status !== 'REFUNDCLOSE'));
    return { amount: totalFee - taken, times: MOST_REFUNDS - others.length };
  }

  /**
   * Accepts a refund, which is `PROCESSING` from then on.
   *
   * @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_NOT_PAID`, `REFUND_EXISTS`, `REFUND_EXCEEDS`, `REFUND_LIMIT`
   * @throws {RangeError} for a number or amount of the wrong shape
   */
  open(outTradeNo: string, choice: RefundRequest = {}): SimulatedRefund {
    const order = this.#orders.require(outTradeNo);
    if (!order.payment) {
      throw new SimulatorError('ORDER_NOT_PAID', `order ${named(outTradeNo)} is not paid`, 'pay() it first');
    }
    const createdAt = this.#now();
    const outRefundNo = choice.outRefundNo ?? newRefundNumber(createdAt);
    if (!/^[0-9A-Za-z_\-|*@]{1,64}$/.test(outRefundNo)) {
      throw new RangeError('outRefundNo must be 1 to 64 letters, digits or _-|*@');
    }
    if (this.#refunds.has(outRefundNo)) {
      throw new SimulatorError('REFUND_EXISTS', `refund ${named(outRefundNo)} exists`, 'use another outRefundNo');
    }
    const { amount: left, times } = this.left(order);
    if (times === 0) {
      throw new SimulatorError('REFUND_LIMIT', `${MOST_REFUNDS} refunds of one order`, 'WeChat Pay allows no more');
    }
    const refundFee = choice.refundFee ?? left;
    if (!Number.isSafeInteger(refundFee) || refundFee < 0 || (refundFee === 0 && choice.refundFee !== undefined)) {
      throw new RangeError('refundFee must be an integer above 0');
    }
    if (refundFee > left || refundFee === 0) {
      throw new SimulatorError('REFUND_EXCEEDS', `only ${left} is left to refund`, 'refunds never exceed the order');
    }
    const refund: RefundRecord = {
      outRefundNo,
      refundId: newRefundId(createdAt),
      outTradeNo,
      transactionId: order.payment.transactionId,
      refundFee,
      status: 'PROCESSING',
      source: choice.source ?? 'VENDOR_PLATFORM',
      account: choice.account ?? REFUND_ACCOUNT,
      notifyUrl: choice.notifyUrl ?? order.notifyUrl,
      createdAt,
    };
    this.#refunds.set(outRefundNo, refund);
    this.#byRefundId.set(refund.refundId, refund);
    this.#orders.markRefunded(outTradeNo);
    return snapshot(refund);
  }

  /**
   * Says how a refund ended. One that is `CHANGE` can still succeed or be closed.
   *
   * @throws {SimulatorError} `REFUND_UNKNOWN`, `REFUND_SETTLED`
   */
  settle(outRefundNo: string, status: RefundStatus): SimulatedRefund {
    const refund = this.#known(outRefundNo);
    if (!MOVES[refund.status].includes(status)) {
      throw new SimulatorError(
        'REFUND_SETTLED',
        `refund ${named(outRefundNo)} is ${refund.status} and cannot become ${named(status)}`,
        'only what is PROCESSING or CHANGE can still end otherwise',
      );
    }
    refund.status = status;
    if (status === 'SUCCESS') refund.succeededAt = this.#now();
    return snapshot(refund);
  }

  #known(outRefundNo: string): RefundRecord {
    const refund = this.#refunds.get(outRefundNo);
    if (refund) return refund;
    throw new SimulatorError('REFUND_UNKNOWN', `no refund is called ${named(outRefundNo)}`, 'refund() makes it');
  }
}

/** @throws {RangeError} unless it is one of the four */
export function checkedStatus(status: RefundStatus): RefundStatus {
  if (STATUSES.includes(status)) return status;
  throw new RangeError(`status must be one of ${STATUSES.join(', ')}`);
}

function snapshot(refund: RefundRecord): SimulatedRefund {
  return Object.freeze({ ...refund });
}

function sum(refunds: readonly SimulatedRefund[]): number {
  return refunds.reduce((total, { refundFee }) => total + refundFee, 0);
}

/** Real ids begin 50; none begins 99. */
function newRefundId(at: Date): string {
  return `9950000000${beijingTime(at).slice(0, 8)}${tenDigits()}`;
}

/** As the merchant platform makes one for a refund that a person asked for. */
function newRefundNumber(at: Date): string {
  return `R${beijingTime(at)}${tenDigits()}`;
}

function tenDigits(): string {
  return String(randomInt(10_000_000_000)).padStart(10, '0');
}
