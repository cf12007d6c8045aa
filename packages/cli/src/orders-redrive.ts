import type { OrderRecord } from '@wechat-h5/core';
import { isRefunded, type Delivery } from '@wechat-h5/core/order-book';
import { changed, deliveryText, keyGiven, orderIn, refused } from './booked-order.js';
import type { Command } from './command.js';
import { hasConsent, requireConsentPossible, YES } from './consent.js';
import { EXIT } from './exit-codes.js';
import type { Text } from './language.js';
import { BOOK, BOOK_SOURCES, withOrderBook } from './order-book-source.js';
import { beijing } from './output.js';

const PURCHASE_DELIVERED: Text = {
  en: 'Another attempt of the same purchase was handed over: refund this one',
  zh: '同一笔购买的另一个订单已交付，请退款此单',
};

export const ordersRedrive: Command = {
  synopsis: '<out_trade_no> [--out-refund-no <number>] [--force [--yes]]',
  summary: { en: 'let the shop try a delivery again, now', zh: '让商户程序立即重新交付' },
  details: {
    en: `Makes due at once what was given up or waits for its next try, and the payment of an unknown order that the shop knows by now.
The running shop hands it over within seconds: no handler runs here. ${BOOK_SOURCES.en}`,
    zh: `将已放弃或等待重试的交付、以及商户现已知晓订单的付款设为立即到期。
由运行中的商户程序在数秒内交付：本命令不会执行任何处理程序。${BOOK_SOURCES.zh}`,
  },
  options: {
    'out-refund-no': {
      type: 'string',
      value: '<number>',
      text: { en: 'a refund of the order, for onRefunded', zh: '该订单的退款（交给 onRefunded）' },
    },
    force: {
      type: 'boolean',
      text: {
        en: 'also what was handed over before, or is kept from onPaid: the handler runs (again)',
        zh: '包括已交付或未交给 onPaid 的付款：处理程序会（再次）执行',
      },
    },
    yes: YES,
    book: BOOK,
  },
  examples: ['orders redrive TEA-20260801-0001', 'orders redrive TEA-20260801-0001 --force --yes --json'],
  maxPositionals: 1,
  takesNumbers: true,

  async run(args, context) {
    const key = keyGiven(args, context, ordersRedrive.synopsis);
    const outRefundNo = args.text('out-refund-no');
    const mayForce = args.has('force');
    if (mayForce) requireConsentPossible(args, context);
    const what = outRefundNo === undefined ? {} : { outRefundNo };
    const order = await withOrderBook(args, context, async (book) => {
      const found = await orderIn(book, key);
      const { state, question } = standing(found, outRefundNo);
      // What became done since then is not done again unless a person has been told that it was.
      const force = mayForce && question !== undefined;
      if (question !== undefined && !mayForce) throw needsForce(found, state);
      if (force && !(await hasConsent(args, context, question))) return undefined;
      return changed(book, key, { type: 'redrive', ...what, ...(force && { force }) }, PURCHASE_DELIVERED);
    });
    if (order === undefined) return EXIT.NO;
    if (context.json) context.printJson({ ...key, ...what, redriven: true, state: order.state });
    else {
      context.print(
        context.say({
          en: `Due now: the running shop takes it up within seconds. See: wechat-h5 orders show ${key.outTradeNo}`,
          zh: `已设为立即到期，运行中的商户程序将在数秒内处理。查看：wechat-h5 orders show ${key.outTradeNo}`,
        }),
      );
    }
    return EXIT.OK;
  },
};

/** @throws {Failure} of refusal if there is nothing that could be tried again */
function standing(order: OrderRecord, outRefundNo: string | undefined) {
  const { outTradeNo } = order.key;
  const none = refused(
    {
      en: `There is nothing to hand over of ${outRefundNo ?? outTradeNo}`,
      zh: `${outRefundNo ?? outTradeNo} 没有可交付的内容`,
    },
    { en: `See: wechat-h5 orders show ${outTradeNo}`, zh: `查看：wechat-h5 orders show ${outTradeNo}` },
  );
  if (order.state === 'ORPHAN') return { state: 'NONE' as const };
  if (order.state === 'QUARANTINED') {
    throw refused(
      {
        en: `Order ${outTradeNo} is in quarantine (${order.reason})`,
        zh: `订单 ${outTradeNo} 已被隔离（${order.reason}）`,
      },
      {
        en: `Decide first: wechat-h5 orders resolve ${outTradeNo}`,
        zh: `请先处理：wechat-h5 orders resolve ${outTradeNo}`,
      },
    );
  }
  const isRefund = outRefundNo !== undefined;
  const delivery = isRefund ? refundDelivery(order, outRefundNo) : order.delivery;
  if (delivery === undefined || delivery.state === 'NONE') throw none;
  if (!isRefund && isRefunded(order)) {
    throw refused(
      { en: `All of order ${outTradeNo} was given back`, zh: `订单 ${outTradeNo} 已全额退款` },
      { en: 'onPaid never runs for it.', zh: '不会再执行 onPaid。' },
    );
  }
  const { state, leaseUntil } = delivery;
  if (state === 'LEASED') {
    const until = leaseUntil === undefined ? '' : beijing(leaseUntil);
    throw refused(
      { en: `A handler has it, until ${until} at the latest`, zh: `处理程序正在执行，最迟到 ${until}` },
      { en: 'If it dies, the next one takes over by itself.', zh: '若其中断，系统会自动重试。' },
    );
  }
  if (state !== 'DONE' && state !== 'WITHHELD') return { state };
  const handler = isRefund ? 'onRefunded' : 'onPaid';
  const was = deliveryText(delivery) + (isRefund || order.reason === undefined ? '' : `: ${order.reason}`);
  return {
    state,
    question: {
      en: `${outRefundNo ?? outTradeNo} is ${was}. Run ${handler} for it${state === 'DONE' ? ' once more' : ''}?`,
      zh: `${outRefundNo ?? outTradeNo} 为 ${was}。是否${state === 'DONE' ? '再次' : ''}执行 ${handler}？`,
    },
  };
}

function refundDelivery({ refunds }: OrderRecord, outRefundNo: string): Delivery | undefined {
  return Object.hasOwn(refunds, outRefundNo) ? refunds[outRefundNo]?.delivery : undefined;
}

function needsForce({ key: { outTradeNo }, reason }: OrderRecord, state: Delivery['state']): Error {
  return refused(
    state === 'DONE'
      ? { en: `Order ${outTradeNo} was handed over before`, zh: `订单 ${outTradeNo} 已交付` }
      : {
          en: `Order ${outTradeNo} is kept from onPaid (${reason})`,
          zh: `订单 ${outTradeNo} 未交给 onPaid（${reason}）`,
        },
    {
      en: 'With --force the handler runs all the same; what it did before it does again.',
      zh: '使用 --force 将仍然执行处理程序；已做过的操作会重复执行。',
    },
  );
}
