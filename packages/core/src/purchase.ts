import type { OrderBook, OrderKey, OrderRecord, OrderState } from './order-book.js';

/** The most attempts to pay under one number of the shop's: the numbers of further ones end in -2 to -99. */
export const MAX_ATTEMPTS = 99;
const FURTHER = /-(?:[2-9]|[1-9][0-9])$/;

/** The number of the n-th attempt. */
export function attemptNumber(first: string, n: number): string {
  return n === 1 ? first : `${first}-${n}`;
}

/** All orders that were placed for a purchase, also under several numbers of the shop's. */
export async function ordersOfPurchase(
  book: Pick<OrderBook, 'list'>,
  { mchId, subMchId }: OrderKey,
  orderRef: string,
  state?: OrderState,
): Promise<OrderRecord[]> {
  const orders: OrderRecord[] = [];
  const filter = { mchId, orderRef, ...(state === undefined ? {} : { state }) };
  let after: string | undefined;
  do {
    const page = await book.list(filter, after === undefined ? {} : { after });
    orders.push(...page.orders.filter(({ key }) => key.subMchId === subMchId));
    after = page.next;
  } while (after !== undefined);
  return orders;
}

/** Those of them that are attempts under the same number of the shop's as the named one. */
export function attemptsWith(outTradeNo: string, orders: readonly OrderRecord[]): OrderRecord[] {
  const before = outTradeNo.replace(FURTHER, '');
  // A number of the shop's may itself end in -2.
  const first = orders.some(({ key }) => key.outTradeNo === before) ? before : outTradeNo;
  return orders.filter(({ key }) => key.outTradeNo === first || key.outTradeNo.replace(FURTHER, '') === first);
}
