import { orderId, type Delivery, type OrderKey, type OrderRecord } from './order-book.js';
import { orderKeyOf, type Payment } from './payment.js';
import type { Refund } from './refunds.js';

/** What is handed over: the payment of an order, or one refund of it. */
export interface Target {
  readonly key: OrderKey;
  readonly transactionId: string;
  readonly outRefundNo?: string;
}

export function targetOf(about: Payment | Refund): Target {
  return { key: orderKeyOf(about), transactionId: about.transactionId };
}

export function idOf({ key, outRefundNo = '' }: Target): string {
  return `${orderId(key)} ${outRefundNo}`;
}

export function deliveryOf(order: OrderRecord, { outRefundNo }: Target): Delivery {
  return outRefundNo === undefined ? order.delivery : (order.refunds[outRefundNo]?.delivery ?? order.delivery);
}

/** For a change that is about it. */
export function refundOf({ outRefundNo }: Target): { outRefundNo?: string } {
  return outRefundNo === undefined ? {} : { outRefundNo };
}

/** The same for every run of it. */
export function idempotencyKeyOf({ key, transactionId, outRefundNo }: Target): string {
  return `${key.mchId}:${transactionId}:${outRefundNo === undefined ? 'paid' : `refunded:${outRefundNo}`}`;
}
