import { MemoryOrderBook } from '@wechat-h5/core';
import { dueAt, encodeOrder, namesOf } from '@wechat-h5/core/order-book';
import { orderBookCases, type OrderBookHarness } from './index.js';

/** There is nothing behind a book in memory: it is asked itself. */
const memory: OrderBookHarness = {
  name: 'memory',
  create: async () => {
    const book = new MemoryOrderBook();
    return {
      open: async () => book,
      async stored(key) {
        const order = await book.get(key);
        if (order === undefined) return undefined;
        return { record: encodeOrder(order), dueAt: dueAt(order)?.getTime(), names: namesOf(order).sort() };
      },
      remove: async () => {},
    };
  },
};

test.each(orderBookCases)('memory $id $title', ({ run }) => run(memory));
