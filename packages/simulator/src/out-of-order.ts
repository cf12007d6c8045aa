import type { NotificationAttempt } from './notifier.js';
import type { OrderLedger } from './orders.js';
import type { PaymentDesk } from './payment-desk.js';
import type { RefundDesk } from './refund-desk.js';

/** Where money arrives and leaves. */
export interface Desks {
  readonly orders: OrderLedger;
  readonly desk: PaymentDesk;
  readonly refundDesk: RefundDesk;
}

/** Refunds what is left of an order, paying it first if nobody has, and tells the refund before the payment. */
export async function notifyOutOfOrder(
  outTradeNo: string,
  { orders, desk, refundDesk }: Desks,
): Promise<readonly NotificationAttempt[]> {
  const isPaid = orders.require(outTradeNo).payment !== undefined;
  const tellPayment = isPaid ? () => desk.sendAgain(outTradeNo) : desk.payUntold(outTradeNo);
  const refundTold = await refundDesk.refund(outTradeNo).told;
  return [...refundTold, ...(await tellPayment())];
}
