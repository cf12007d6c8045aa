import { bookFailed } from './delivery-refusals.js';
import type { OrderIntent, OrderKey } from './order-book.js';

/** The shop's own table, for orders that are not in the book. `undefined`: no such order. */
export type FindOrder = (ref: {
  mchId: string;
  subMchId?: string;
  outTradeNo: string;
}) => Promise<{ totalFee: number; feeType?: string; attach?: string } | undefined>;

/**
 * What the shop's own table says about an order: the amount is the shop's, never that of a message.
 * @throws {WechatH5Error} `ORDER_BOOK_FAILED`
 */
export async function findInShop(findOrder: FindOrder, key: OrderKey, appId: string): Promise<OrderIntent | undefined> {
  let found: Awaited<ReturnType<FindOrder>>;
  try {
    found = await findOrder({ ...key });
  } catch (thrown) {
    throw bookFailed(thrown, 'findOrder threw');
  }
  if (found === undefined || found === null) return undefined;
  const { totalFee, feeType = 'CNY', attach } = found;
  if (!Number.isSafeInteger(totalFee) || totalFee < 1) {
    const message = `findOrder answered with totalFee ${String(totalFee)}, which is not an integer number of fen`;
    throw bookFailed(undefined, message);
  }
  return foundOrder(appId, { totalFee, feeType, attach });
}

/** An order that was not placed here: nothing is known of its parameters. */
export function foundOrder(
  appId: string,
  { totalFee, feeType, attach }: { totalFee: number; feeType: string; attach: string | undefined },
): OrderIntent {
  return { appId, totalFee, feeType, attach, params: {}, clientIp: '' };
}
