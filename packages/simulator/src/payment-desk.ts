import { randomUUID } from 'node:crypto';
import type { FaultScript, Forgery } from './faults.js';
import { checkedCopies, type Notification, type NotificationAttempt, type Notifier } from './notifier.js';
import { paymentFields, signedFields } from './notification-message.js';
import { newOpenId, newTransactionId, type OrderLedger, type PaymentChoice, type SimulatedOrder } from './orders.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';
import { buildXml } from './xml.js';

export interface PaymentDeskOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly notifier: Notifier;
  readonly faults: FaultScript;
  readonly now: () => Date;
}

/** Where money arrives: marks the order paid and has the merchant told. */
export class PaymentDesk {
  readonly #options: PaymentDeskOptions;
  /** The genuine notification of each paid order, for repetitions on request. */
  readonly #notifications = new Map<string, Notification>();

  constructor(options: PaymentDeskOptions) {
    this.#options = options;
  }

  /** Pays now; `told` is the first round of deliveries, empty when it was lost or comes later. */
  pay(
    outTradeNo: string,
    choice?: PaymentChoice,
  ): { order: SimulatedOrder; told: Promise<readonly NotificationAttempt[]> } {
    const { order, notification } = this.#receive(outTradeNo, choice);
    const { lose, delay, copies } = this.#options.faults.takeNotification(outTradeNo);
    const told = lose ? Promise.resolve([]) : this.#options.notifier.notify(notification, { copies, delay });
    return { order, told };
  }

  /** Pays and keeps it from the merchant until the function that it returns is called. */
  payUntold(outTradeNo: string): () => Promise<readonly NotificationAttempt[]> {
    const { notification } = this.#receive(outTradeNo);
    return () => this.#options.notifier.notify(notification);
  }

  cancel(outTradeNo: string): SimulatedOrder {
    return this.#options.orders.requirePayable(outTradeNo);
  }

  async sendAgain(outTradeNo: string, copies = 1): Promise<readonly NotificationAttempt[]> {
    const notification = this.#notifications.get(outTradeNo);
    if (notification) return this.#options.notifier.deliverOnce(notification, checkedCopies(copies));
    this.#options.orders.require(outTradeNo);
    throw new SimulatorError('ORDER_NOT_PAID', 'the order is not paid', 'only payments are notified; pay() it first');
  }

  async forge(
    outTradeNo: string,
    { fields = {}, apiKey = randomToken(32) }: Forgery = {},
  ): Promise<NotificationAttempt> {
    const { merchant, orders, notifier, now } = this.#options;
    const order = orders.require(outTradeNo);
    const payment = order.payment ?? {
      transactionId: newTransactionId(now()),
      openId: newOpenId(),
      bankType: 'OTHERS',
      paidAt: now(),
    };
    const forged = signedFields({ ...paymentFields(merchant, order, payment), ...fields }, apiKey, order.signType);
    const [attempt] = await notifier.deliverOnce(toNotification(order, 'forged', forged), 1);
    return attempt as NotificationAttempt;
  }

  #receive(
    outTradeNo: string,
    choice?: PaymentChoice,
  ): { readonly order: SimulatedOrder; readonly notification: Notification } {
    const { merchant, orders } = this.#options;
    const order = orders.pay(outTradeNo, choice);
    const fields = signedFields(paymentFields(merchant, order, order.payment), merchant.apiKey, order.signType);
    const notification = toNotification(order, 'payment', fields);
    this.#notifications.set(outTradeNo, notification);
    return { order, notification };
  }
}

function toNotification(
  order: SimulatedOrder,
  kind: Notification['kind'],
  fields: Readonly<Record<string, string>>,
): Notification {
  const { outTradeNo, notifyUrl } = order;
  return { id: randomUUID(), outTradeNo, kind, url: new URL(notifyUrl), body: buildXml(fields) };
}
