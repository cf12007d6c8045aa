import type { OrderRecord } from '@wechat-h5/core';
import type { Arguments } from './arguments.js';
import { changed, keyGiven, orderIn, refused, stateText } from './booked-order.js';
import type { Command } from './command.js';
import { hasConsent, requireConsentPossible, YES } from './consent.js';
import { EXIT } from './exit-codes.js';
import { usage } from './failure.js';
import type { Text } from './language.js';
import { BOOK, BOOK_SOURCES, withOrderBook } from './order-book-source.js';
import { money } from './output.js';

const LONGEST_REASON = 200;
const ANOTHER_PAYMENT: Text = {
  en: 'Meanwhile another payment has come for this order, and nothing was decided: look at that one',
  zh: '其间该订单收到另一笔付款，未作处理：请查看新的付款',
};

export const ordersResolve: Command = {
  synopsis: '<out_trade_no> (--accept | --reject) --reason <text> [--yes]',
  summary: { en: 'decide about an order in quarantine', zh: '处理被隔离的订单' },
  details: {
    en: `--accept takes the payment as that of the order, as it is: the running shop hands it over, with the amount that was paid.
--reject keeps it from onPaid; giving the money back is another step. Look first whether the payment stands: wechat-h5 query.
${BOOK_SOURCES.en}`,
    zh: `--accept 按实际付款接受：由运行中的商户程序交付，金额为实付金额。
--reject 不交给 onPaid；退款需另行操作。请先用 wechat-h5 query 核实付款。
${BOOK_SOURCES.zh}`,
  },
  options: {
    accept: { type: 'boolean', text: { en: 'the payment is good for the order', zh: '接受该付款' } },
    reject: { type: 'boolean', text: { en: 'it is not, and will be refunded', zh: '拒绝该付款（之后退款）' } },
    reason: {
      type: 'string',
      value: '<text>',
      text: { en: 'why, and who: kept in the history', zh: '原因与经办人，保存在订单经过中' },
    },
    yes: YES,
    book: BOOK,
  },
  examples: [
    'orders resolve TEA-20260801-0001 --accept --reason "price changed at noon, Li"',
    'orders resolve TEA-20260801-0001 --reject --reason "paid too little" --yes',
  ],
  maxPositionals: 1,
  takesNumbers: true,

  async run(args, context) {
    const key = keyGiven(args, context, ordersResolve.synopsis);
    const { as, note } = asked(args);
    requireConsentPossible(args, context);
    const order = await withOrderBook(args, context, async (book) => {
      const found = await orderIn(book, key);
      const question = questionOf(found, as);
      if (!(await hasConsent(args, context, question))) return undefined;
      return changed(book, key, { type: 'resolve', as, note, seen: found }, ANOTHER_PAYMENT);
    });
    if (order === undefined) return EXIT.NO;
    if (context.json) context.printJson({ ...key, resolved: as, state: order.state, delivery: order.delivery.state });
    else context.print(context.say(resultOf(order, as)));
    return EXIT.OK;
  },
};

function asked(args: Arguments): { as: 'deliver' | 'withhold'; note: string } {
  const hint = {
    en: `wechat-h5 orders resolve ${ordersResolve.synopsis}`,
    zh: `wechat-h5 orders resolve ${ordersResolve.synopsis}`,
  };
  const accepts = args.has('accept');
  if (accepts === args.has('reject'))
    throw usage({ en: 'Give either --accept or --reject', zh: '请在 --accept 与 --reject 中选择其一' }, hint);
  const note = args.text('reason')?.trim() ?? '';
  if (note === '') throw usage({ en: 'Why? --reason is missing', zh: '缺少 --reason（原因）' }, hint);
  if (note.length > LONGEST_REASON || /\p{Cc}/u.test(note)) {
    throw usage({
      en: `--reason is longer than a line of ${LONGEST_REASON} characters`,
      zh: `--reason 须为不超过 ${LONGEST_REASON} 个字符的一行文字`,
    });
  }
  return { as: accepts ? 'deliver' : 'withhold', note };
}

/** What the person has to know. @throws {Failure} of refusal if there is nothing to decide */
function questionOf(order: OrderRecord, as: 'deliver' | 'withhold'): Text {
  const { key, state, reason, payment, totalFee, feeType, delivery } = order;
  const { outTradeNo } = key;
  const see = { en: `See: wechat-h5 orders show ${outTradeNo}`, zh: `查看：wechat-h5 orders show ${outTradeNo}` };
  if (state !== 'QUARANTINED') {
    throw refused(
      {
        en: `Order ${outTradeNo} is not in quarantine: ${stateText(order)}`,
        zh: `订单 ${outTradeNo} 未被隔离：${stateText(order)}`,
      },
      see,
    );
  }
  if (payment === undefined && as === 'deliver') {
    throw refused(
      { en: `The payment for ${outTradeNo} belongs to another order`, zh: `${outTradeNo} 的付款属于另一订单` },
      { en: 'It can only be rejected: --reject.', zh: '只能拒绝：--reject。' },
    );
  }
  const ordered = money(totalFee, feeType);
  const paid = payment === undefined ? '–' : `${money(payment.totalFee, payment.feeType)}, ${payment.transactionId}`;
  const isDone = delivery.state === 'DONE';
  const then: Text = isDone
    ? { en: 'it was handed over before and is not again', zh: '此前已交付，不会重复交付' }
    : as === 'deliver'
      ? { en: 'onPaid will run for it', zh: '将执行 onPaid' }
      : { en: 'onPaid will not run for it', zh: '不会执行 onPaid' };
  return {
    en: `Order ${outTradeNo}: ordered ${ordered}, paid ${paid}, not alike in ${reason}. ${as === 'deliver' ? 'Accept' : 'Reject'} the payment (${then.en})?`,
    zh: `订单 ${outTradeNo}：下单 ${ordered}，付款 ${paid}，${reason} 不一致。是否${as === 'deliver' ? '接受' : '拒绝'}该付款（${then.zh}）？`,
  };
}

function resultOf({ key: { outTradeNo }, delivery, reason }: OrderRecord, as: 'deliver' | 'withhold'): Text {
  if (as === 'deliver' && delivery.state === 'READY')
    return {
      en: 'Accepted: the running shop hands it over within seconds.',
      zh: '已接受，运行中的商户程序将在数秒内交付。',
    };
  if (as === 'deliver' && delivery.state === 'WITHHELD') {
    return {
      en: `Accepted, and kept from onPaid (${reason}): another attempt of the purchase was paid. Refund one of them.`,
      zh: `已接受，但未交给 onPaid（${reason}）：同一笔购买已由另一订单支付，请退款其中一笔。`,
    };
  }
  if (as === 'deliver') return { en: 'Accepted; it was handed over before.', zh: '已接受；此前已交付。' };
  const next = `wechat-h5 refund ${outTradeNo} --out-refund-no <number> --all`;
  return { en: `Rejected. To give the money back: ${next}`, zh: `已拒绝。退款：${next}` };
}
