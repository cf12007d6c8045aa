import { beijingDay } from './statement-day.js';
import type { SimulatedOrder, SimulatedPayment } from './orders.js';
import type { SimulatedRefund } from './refunds.js';

/** What WeChat Pay keeps of every payment, and gives back of every refund. */
export const FEE_PERCENT = '0.60%';
const FEE_FACTOR = 0.006;

export type PaidOrder = SimulatedOrder & { readonly payment: SimulatedPayment };

/** Money that moved: in with a payment, out with a refund. */
export type Movement =
  | { readonly kind: 'payment'; readonly at: Date; readonly order: PaidOrder }
  | { readonly kind: 'refund'; readonly at: Date; readonly order: PaidOrder; readonly refund: SimulatedRefund };

/** Every payment and every refund, the earliest first. A refund counts from when it was asked for. */
export function movementsOf(
  orders: readonly SimulatedOrder[],
  refunds: readonly SimulatedRefund[],
): readonly Movement[] {
  const paid = new Map(orders.filter(isPaid).map((order) => [order.outTradeNo, order]));
  const movements: Movement[] = [...paid.values()].map((order) => ({
    kind: 'payment',
    at: order.payment.paidAt,
    order,
  }));
  for (const refund of refunds) {
    const order = paid.get(refund.outTradeNo);
    if (order) movements.push({ kind: 'refund', at: refund.createdAt, order, refund });
  }
  return movements.sort((one, other) => one.at.getTime() - other.at.getTime());
}

export function isOfDay({ at }: Movement, day: string): boolean {
  return beijingDay(at) === day;
}

/** In the smallest unit, rounded to whole ones. */
export function feeOf(amount: number): number {
  return Math.round(amount * FEE_FACTOR);
}

/** Statements are in yuan, unlike everything else: 1990 → 19.90. */
export function yuan(fen: number, decimals = 2): string {
  return (fen / 100).toFixed(decimals);
}

/** A cell begins with a back-tick, so that spreadsheets leave long numbers alone. It cannot hold a line break. */
export function dataLine(cells: readonly string[]): string {
  return cells.map((cell) => `\`${cell.replaceAll(/[\r\n]+/g, ' ')}`).join(',');
}

/** As the live system writes it: a byte-order mark, and every line ended. */
export function statementText(lines: readonly string[]): string {
  return `\uFEFF${lines.map((line) => `${line}\r\n`).join('')}`;
}

function isPaid(order: SimulatedOrder): order is PaidOrder {
  return order.payment !== undefined;
}
