import assert from 'node:assert/strict';
import type { OrderBook } from '@wechat-h5/core/order-book';
import { MCH_ID } from './scenario.js';

/**
 * Four attempts of one purchase are listed, on two pages, without reading a hundred other orders.
 * @param reads how often the book has read so far, in whatever way it can be counted
 * @param fewerThan what the two pages may take
 */
export async function assertAttemptsFound(book: OrderBook, reads: () => number, fewerThan: number): Promise<void> {
  const place = async (outTradeNo: string, orderRef: string | undefined): Promise<void> => {
    const intent = {
      appId: 'wx',
      totalFee: 1,
      feeType: 'CNY',
      attach: '',
      params: {},
      clientIp: '127.0.0.1',
      orderRef,
    };
    await book.apply({ mchId: MCH_ID, outTradeNo }, { type: 'intend', intent });
  };
  await place('CART-7', 'cart/7');
  await Promise.all(Array.from({ length: 100 }, (_, n) => place(`OTHER-${n}`, n % 2 === 0 ? `cart/7${n}` : undefined)));
  for (const n of [2, 3, 4]) await place(`CART-7-${n}`, 'cart/7');

  const before = reads();
  const first = await book.list({ mchId: MCH_ID, orderRef: 'cart/7' }, { limit: 3 });
  const rest = await book.list({ mchId: MCH_ID, orderRef: 'cart/7' }, { limit: 3, after: first.next ?? '' });
  const count = reads() - before;
  assert.ok(count < fewerThan, `the book was read ${count} times`);
  const found = [...first.orders, ...rest.orders].map(({ key }) => key.outTradeNo);
  assert.deepEqual(found.sort(), ['CART-7', 'CART-7-2', 'CART-7-3', 'CART-7-4']);
  assert.equal(rest.next, undefined);
  assert.deepEqual((await book.list({ orderRef: 'cart/' })).orders, []);
  assert.equal((await book.list({}, { limit: 200 })).orders.length, 104);
}
