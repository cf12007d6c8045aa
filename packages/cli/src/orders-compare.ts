import type { BillComparison, BillDifference } from '@wechat-h5/core';
import { stateText } from './booked-order.js';
import type { Command, Context } from './command.js';
import { wechatH5Of } from './configuration.js';
import { requiredDay } from './day.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { BOOK, BOOK_SOURCES, withOrderBook } from './order-book-source.js';
import { columns, money } from './output.js';

export const ordersCompare: Command = {
  synopsis: '<day>',
  summary: { en: "compare a day's bill with the book", zh: '将某日账单与订单簿核对' },
  details: {
    en: `For every morning from 10:00 (UTC+8). The day is yyyyMMdd, yyyy-MM-dd or yesterday, in UTC+8. Changes nothing.
Exit code 1: they differ. What is missing here was paid and never delivered. ${BOOK_SOURCES.en}`,
    zh: `每天 10:00（北京时间）后执行。日期格式为 yyyyMMdd、yyyy-MM-dd 或 yesterday。不做任何修改。
退出码 1 表示有差异；missing-here 表示已付款但从未交付。${BOOK_SOURCES.zh}`,
  },
  options: { book: BOOK },
  examples: ['orders compare yesterday', 'orders compare 2026-08-01 --json'],
  maxPositionals: 1,
  takesNumbers: false,

  async run(args, context) {
    const day = requiredDay(args.positionals[0], 'orders compare');
    const comparison = await withOrderBook(args, context, (orderBook) =>
      wechatH5Of(context.env, { orderBook }).compareBill(day),
    );
    return report(comparison, context);
  },
};

function report(comparison: BillComparison, { json, print, printJson, say }: Context): ExitCode {
  const { day, matched, ignored, differences } = comparison;
  if (json) printJson(comparison);
  else {
    if (differences.length > 0) print(columns(differences.map(row)));
    const differ = differences.length;
    print(
      say({
        en: `${day}: ${matched} alike, ${differ} not${ignored > 0 ? `; ${ignored} not by MWEB` : ''}`,
        zh: `${day}：${matched} 笔一致，${differ} 笔不一致${ignored > 0 ? `；另有 ${ignored} 笔非 MWEB` : ''}`,
      }),
    );
  }
  return differences.length === 0 ? EXIT.OK : EXIT.NO;
}

function row(difference: BillDifference): string[] {
  const { type, outTradeNo, outRefundNo = '' } = difference;
  return [type, outTradeNo, outRefundNo, told(difference)];
}

/** Both sides' words on it. */
function told(difference: BillDifference): string {
  const there = 'row' in difference ? difference.row : undefined;
  const fee = there?.refundFee ?? there?.totalFee;
  const bill =
    there === undefined ? '–' : `${there.tradeState} ${fee === undefined ? '' : money(fee, there.feeType ?? 'CNY')}`;
  const { order } = difference;
  const book = order === undefined ? '–' : `${stateText(order)} ${money(order.totalFee, order.feeType)}`;
  return `${difference.type === 'differs' ? `${difference.field}: ` : ''}bill ${bill.trim()}, book ${book}`;
}
