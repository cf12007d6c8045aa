import type { OrderRecord } from '@wechat-h5/core';
import { dueAt } from '@wechat-h5/core/order-book';
import { deliveryText, keyGiven, orderIn, stateText } from './booked-order.js';
import type { Command, Context } from './command.js';
import { EXIT } from './exit-codes.js';
import { BOOK, BOOK_SOURCES, withOrderBook } from './order-book-source.js';
import { beijing, columns, money, table } from './output.js';

/** Attempts under one orderRef; a payer who changes the network makes a few. */
const MOST_ATTEMPTS = 100;

export const ordersShow: Command = {
  synopsis: '<out_trade_no>',
  summary: { en: 'all that the book knows of an order', zh: '显示订单簿中某订单的全部信息' },
  details: {
    en: `The record, its delivery, its refunds, the other attempts of the same purchase, and what happened, in order. Changes nothing.
${BOOK_SOURCES.en}`,
    zh: `包括记录、交付状态、退款、同一笔购买的其他订单以及完整经过。不做任何修改。
${BOOK_SOURCES.zh}`,
  },
  options: { book: BOOK },
  examples: ['orders show TEA-20260801-0001', 'orders show TEA-20260801-0001 --json'],
  maxPositionals: 1,
  takesNumbers: true,

  async run(args, context) {
    const key = keyGiven(args, context, ordersShow.synopsis);
    const [order, attempts] = await withOrderBook(args, context, async (book) => {
      const found = await orderIn(book, key);
      const { orderRef } = found;
      if (orderRef === undefined) return [found, []] as const;
      const { orders } = await book.list({ mchId: key.mchId, orderRef }, { limit: MOST_ATTEMPTS });
      const isSibling = ({ key: other }: OrderRecord): boolean =>
        other.subMchId === key.subMchId && other.outTradeNo !== key.outTradeNo;
      return [found, orders.filter(isSibling)] as const;
    });
    if (context.json) context.printJson({ order, due: dueAt(order), attempts });
    else show(order, attempts, context);
    return EXIT.OK;
  },
};

function show(order: OrderRecord, attempts: readonly OrderRecord[], { print, say }: Context): void {
  const { key, totalFee, feeType, payment, link, delivery, orderRef, takenUntil, history } = order;
  const due = dueAt(order);
  print(
    table([
      ['out_trade_no', key.outTradeNo],
      ['sub_mch_id', key.subMchId],
      ['state', stateText(order) + (order.superseded ? ', superseded' : '')],
      // Of an orphan all that is known is its payment.
      ['total_fee', order.state === 'ORPHAN' ? undefined : money(totalFee, feeType)],
      ['orderRef', orderRef],
      ['createdAt', beijing(order.createdAt)],
      ['spbill_create_ip', order.clientIp || undefined],
      ['link until', link && beijing(link.expiresAt)],
      ['paid', payment && money(payment.totalFee, payment.feeType)],
      ['transaction_id', payment?.transactionId],
      ['delivery', deliveryText(delivery)],
      ['due', due && beijing(due)],
      ['taken until', takenUntil && beijing(takenUntil)],
    ]),
  );
  section(
    say({ en: 'Refunds', zh: '退款' }),
    Object.entries(order.refunds).map(([outRefundNo, refund]) => [
      outRefundNo,
      money(refund.refundFee, feeType),
      stateText(refund),
      deliveryText(refund.delivery),
    ]),
    print,
  );
  section(
    say({ en: 'Other attempts', zh: '同一笔购买的其他订单' }),
    attempts.map((attempt) => [
      attempt.key.outTradeNo,
      beijing(attempt.createdAt),
      stateText(attempt),
      deliveryText(attempt.delivery),
    ]),
    print,
  );
  section(
    say({ en: 'History', zh: '经过' }),
    history.map(({ at, source, what, state, detail = '' }) => [beijing(at), source, what, state, detail]),
    print,
  );
}

function section(heading: string, rows: readonly (readonly string[])[], print: Context['print']): void {
  if (rows.length > 0) print(`\n${heading}\n${columns(rows)}`);
}
