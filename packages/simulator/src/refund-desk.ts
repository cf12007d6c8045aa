import { randomUUID } from 'node:crypto';
import { checkNotifyUrl } from './field-rules.js';
import type { FaultScript, RefundForgery } from './faults.js';
import { checkedCopies, type Notification, type NotificationAttempt, type Notifier } from './notifier.js';
import type { OrderLedger } from './orders.js';
import { splice, type SealedText } from './refund-forgery.js';
import { refundEnvelope, refundFields } from './refund-message.js';
import {
  checkedStatus,
  type RefundChoice,
  type RefundLedger,
  type RefundRequest,
  type RefundStatus,
  type SimulatedRefund,
} from './refunds.js';
import { RefundSchedule } from './refund-schedule.js';
import { sealReqInfo } from './req-info.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';
import { buildRootXml, buildXml } from './xml.js';
import type { Fields } from './wire-fields.js';

export interface RefundDeskOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly refunds: RefundLedger;
  readonly notifier: Notifier;
  readonly faults: FaultScript;
  readonly now: () => Date;
  readonly allowRemoteNotifyUrl: boolean;
  /** How long a refund that the merchant's server asked for is on its way. */
  readonly refundMilliseconds: number;
}

/** A refund, and the first round of deliveries of its notification: empty when there is none yet. */
export interface Refunded {
  readonly refund: SimulatedRefund;
  readonly told: Promise<readonly NotificationAttempt[]>;
}

interface Told extends SealedText {
  readonly notification: Notification;
}

/** Where money leaves: refunds an order and has the merchant told once the refund has ended. */
export class RefundDesk {
  readonly #options: RefundDeskOptions;
  /** The genuine notifications of each refund, the first one first. */
  readonly #told = new Map<string, Told[]>();
  readonly #schedule: RefundSchedule;

  constructor(options: RefundDeskOptions) {
    this.#options = options;
    this.#schedule = new RefundSchedule(options.now, (outRefundNo, end) => void this.settle(outRefundNo, end).told);
  }

  /** What the merchant's server asked for: it ends by itself later, as the script says. */
  accept(outTradeNo: string, request: RefundRequest): SimulatedRefund {
    const { refunds, faults, refundMilliseconds } = this.#options;
    const refund = refunds.open(outTradeNo, { ...request, source: 'API' });
    const end = faults.takeRefund(outTradeNo) ?? 'SUCCESS';
    if (end !== 'PROCESSING') this.#schedule.add(refund.outRefundNo, end, refundMilliseconds);
    return refund;
  }

  /** Ends what is due by the clock. */
  settleDue(): void {
    this.#schedule.settleDue();
  }

  stop(): void {
    this.#schedule.stop();
  }

  refund(outTradeNo: string, { status = 'SUCCESS', ...choice }: RefundChoice = {}): Refunded {
    const { refunds, allowRemoteNotifyUrl } = this.#options;
    checkedStatus(status);
    if (choice.notifyUrl !== undefined && checkNotifyUrl(choice.notifyUrl, { allowRemoteNotifyUrl })) {
      throw new RangeError('notifyUrl must be an http or https URL of this machine, without query and fragment');
    }
    const refund = refunds.open(outTradeNo, choice);
    return status === 'PROCESSING' ? { refund, told: Promise.resolve([]) } : this.settle(refund.outRefundNo, status);
  }

  settle(outRefundNo: string, status: RefundStatus = 'SUCCESS'): Refunded {
    const { refunds, notifier, faults } = this.#options;
    const refund = refunds.settle(outRefundNo, checkedStatus(status));
    this.#schedule.remove(outRefundNo);
    const notification = this.#compose(refund);
    const { lose, delay, copies } = faults.takeNotification(refund.outTradeNo);
    return { refund, told: lose ? Promise.resolve([]) : notifier.notify(notification, { copies, delay }) };
  }

  /** The newest notification of a refund once more. */
  async sendAgain(outTradeNo: string, outRefundNo: string, copies = 1): Promise<readonly NotificationAttempt[]> {
    if (this.#options.refunds.require(outRefundNo).outTradeNo !== outTradeNo) {
      throw new SimulatorError('REFUND_UNKNOWN', 'the refund is of another order', 'name the order that it is of');
    }
    const { notification } = this.#toldOf(outRefundNo).at(-1) as Told;
    return this.#options.notifier.deliverOnce(notification, checkedCopies(copies));
  }

  async forge(outRefundNo: string, forgery: RefundForgery = {}): Promise<NotificationAttempt> {
    const refund = this.#options.refunds.require(outRefundNo);
    const reqInfo = this.#forgedReqInfo(refund, forgery);
    const [attempt] = await this.#options.notifier.deliverOnce(this.#notification(refund, 'forged', reqInfo), 1);
    return attempt as NotificationAttempt;
  }

  #forgedReqInfo(refund: SimulatedRefund, forgery: RefundForgery): string {
    if ('replay' in forgery) return (this.#toldOf(refund.outRefundNo)[0] as Told).reqInfo;
    if ('spliceWith' in forgery) {
      const back = this.#toldOf(forgery.spliceWith).at(-1) as Told;
      return splice(this.#toldOf(refund.outRefundNo).at(-1) as Told, back);
    }
    const { fields = {}, apiKey = randomToken(32) } = forgery;
    const claimed: SimulatedRefund = {
      ...refund,
      status: 'SUCCESS',
      succeededAt: refund.succeededAt ?? this.#options.now(),
    };
    return sealReqInfo(buildRootXml({ ...this.#fields(claimed), ...fields }), apiKey);
  }

  #compose(refund: SimulatedRefund): Notification {
    const text = buildRootXml(this.#fields(refund));
    const reqInfo = sealReqInfo(text, this.#options.merchant.apiKey);
    const notification = this.#notification(refund, 'refund', reqInfo);
    const earlier = this.#told.get(refund.outRefundNo) ?? [];
    this.#told.set(refund.outRefundNo, [...earlier, { notification, text, reqInfo }]);
    return notification;
  }

  #fields(refund: SimulatedRefund): Fields {
    return refundFields(this.#options.orders.require(refund.outTradeNo), refund);
  }

  #notification(refund: SimulatedRefund, kind: Notification['kind'], reqInfo: string): Notification {
    const { merchant, orders } = this.#options;
    const { outTradeNo, outRefundNo, notifyUrl } = refund;
    const body = buildXml(refundEnvelope(merchant, orders.require(outTradeNo), reqInfo));
    return { id: randomUUID(), outTradeNo, outRefundNo, kind, url: new URL(notifyUrl), body };
  }

  /** At least one. */
  #toldOf(outRefundNo: string): readonly Told[] {
    this.#options.refunds.require(outRefundNo);
    const told = this.#told.get(outRefundNo);
    if (told) return told;
    throw new SimulatorError(
      'REFUND_PROCESSING',
      'the refund has not ended, so there is no notification of it',
      'settleRefund() ends it',
    );
  }
}
