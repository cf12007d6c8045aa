import { bookFailed } from './delivery-refusals.js';
import { quoted, WechatH5Error } from './errors.js';
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
  // A database says null for what is absent.
  const { totalFee } = found;
  const feeType: unknown = found.feeType || 'CNY';
  const attach: unknown = found.attach ?? undefined;
  if (!Number.isSafeInteger(totalFee) || totalFee < 1) throw unusable('totalFee', totalFee);
  if (typeof feeType !== 'string' || !/^[A-Z]{3}$/.test(feeType)) throw unusable('feeType', feeType);
  if (attach !== undefined && typeof attach !== 'string') throw unusable('attach', attach);
  return foundOrder(appId, { totalFee, feeType, attach });
}

/** Were it kept, the order would contradict its payment for ever. */
function unusable(name: string, value: unknown): WechatH5Error {
  const is = typeof value === 'string' ? quoted(value) : typeof value === 'object' ? 'an object' : String(value);
  return new WechatH5Error('ORDER_BOOK_FAILED', `findOrder answered with ${name} ${is}, of type ${typeof value}`, {
    field: `findOrder.${name}`,
    hint:
      'Nothing was acknowledged. Return { totalFee, feeType, attach }: totalFee as a number, an integer of fen; feeType as three capital letters, and attach as text, or leave them out. ' +
      '请返回 { totalFee, feeType, attach }：totalFee 为整数（分，number 类型），feeType 为三位大写字母，attach 为字符串；后两者可省略。',
  });
}

/** An order that was not placed here: nothing is known of its parameters. */
export function foundOrder(
  appId: string,
  { totalFee, feeType, attach }: { totalFee: number; feeType: string; attach: string | undefined },
): OrderIntent {
  return { appId, totalFee, feeType, attach, params: {}, clientIp: '' };
}
