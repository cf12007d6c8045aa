import type { OrderRecord } from '@wechat-h5/core';
import type { OrderFilter, OrderState } from '@wechat-h5/core/order-book';
import type { Arguments } from './arguments.js';
import { deliveryText, merchantOf, stateText } from './booked-order.js';
import type { Command } from './command.js';
import { dayOf } from './day.js';
import { EXIT } from './exit-codes.js';
import { usage } from './failure.js';
import { BOOK, BOOK_SOURCES, withOrderBook } from './order-book-source.js';
import { oneOf } from './one-of.js';
import { beijing, columns, money } from './output.js';

const STATES: readonly OrderState[] = [
  'CREATING',
  'CREATE_UNKNOWN',
  'CREATE_FAILED',
  'PENDING',
  'CLOSING',
  'CLOSED',
  'PAID',
  'QUARANTINED',
  'ORPHAN',
];
const DELIVERIES: readonly NonNullable<OrderFilter['delivery']>[] = [
  'NONE',
  'READY',
  'LEASED',
  'DONE',
  'WITHHELD',
  'DEAD',
];
const DEFAULT_LIMIT = 20;
const MOST = 1000;

export const ordersList: Command = {
  synopsis: '[--quarantined | --orphans | --given-up | --withheld] [--due] [--limit <number>] [--after <cursor>]',
  summary: { en: 'orders of the book, the newest first', zh: '列出订单簿中的订单，最新的在前' },
  details: {
    en: `Changes nothing. Everything that is asked for must hold. ${BOOK_SOURCES.en}`,
    zh: `不做任何修改；多个条件须同时满足。${BOOK_SOURCES.zh}`,
  },
  options: {
    quarantined: {
      type: 'boolean',
      text: { en: 'whose payment contradicts the order', zh: '付款与订单不一致的订单' },
    },
    orphans: { type: 'boolean', text: { en: 'payments of orders that nobody knows', zh: '找不到订单的付款' } },
    'given-up': { type: 'boolean', text: { en: 'whose handler failed too often', zh: '处理程序多次失败后放弃的订单' } },
    withheld: { type: 'boolean', text: { en: 'paid, and kept from onPaid', zh: '已付款但未交给 onPaid 的订单' } },
    due: { type: 'boolean', text: { en: 'to be looked at by now', zh: '当前应处理的订单' } },
    state: { type: 'string', value: '<state>', text: { en: STATES.join(', '), zh: STATES.join('、') } },
    delivery: { type: 'string', value: '<state>', text: { en: DELIVERIES.join(', '), zh: DELIVERIES.join('、') } },
    'order-ref': {
      type: 'string',
      value: '<orderRef>',
      text: { en: 'all attempts of one purchase', zh: '同一笔购买的全部订单' },
    },
    'paid-on': {
      type: 'string',
      value: '<day>',
      text: { en: 'yyyyMMdd or yesterday, in UTC+8', zh: '付款日期（北京时间）' },
    },
    limit: {
      type: 'string',
      value: '<number>',
      text: { en: `1 to ${MOST} (default ${DEFAULT_LIMIT})`, zh: `1 到 ${MOST}（默认 ${DEFAULT_LIMIT}）` },
    },
    after: {
      type: 'string',
      value: '<cursor>',
      text: { en: 'the next page, as the last one said', zh: '下一页的位置' },
    },
    book: BOOK,
  },
  examples: ['orders list --quarantined', 'orders list --state PAID --paid-on yesterday --limit 100 --json'],
  maxPositionals: 0,
  takesNumbers: true,

  async run(args, context) {
    const filter = { mchId: merchantOf(context).mchId, ...filterOf(args) };
    const limit = limitOf(args.text('limit'));
    const after = args.text('after');
    const page = { limit, ...(after !== undefined && { after: cursorFrom(after) }) };
    const { orders, next } = await withOrderBook(args, context, (book) => book.list(filter, page));
    const cursor = next === undefined ? undefined : Buffer.from(next).toString('base64url');
    if (context.json) {
      context.printJson({ orders, ...(cursor !== undefined && { next: cursor }) });
      return EXIT.OK;
    }
    if (orders.length > 0) context.print(columns(orders.map(row)));
    else context.stderr.write(context.say({ en: 'No order.\n', zh: '没有订单。\n' }));
    if (cursor !== undefined)
      context.stderr.write(context.say({ en: `More: --after ${cursor}\n`, zh: `下一页：--after ${cursor}\n` }));
    return EXIT.OK;
  },
};

function row(order: OrderRecord): string[] {
  const { key, totalFee, feeType, delivery, createdAt } = order;
  return [beijing(createdAt), key.outTradeNo, money(totalFee, feeType), stateText(order), deliveryText(delivery)];
}

function filterOf(args: Arguments): OrderFilter {
  const givenState = args.text('state');
  const state = onlyOne<OrderState>([
    args.has('quarantined') && 'QUARANTINED',
    args.has('orphans') && 'ORPHAN',
    givenState !== undefined && oneOf('--state', givenState, STATES),
  ]);
  const givenDelivery = args.text('delivery');
  const delivery = onlyOne<(typeof DELIVERIES)[number]>([
    args.has('given-up') && 'DEAD',
    args.has('withheld') && 'WITHHELD',
    givenDelivery !== undefined && oneOf('--delivery', givenDelivery, DELIVERIES),
  ]);
  const orderRef = args.text('order-ref');
  const paidOn = args.text('paid-on');
  return {
    ...(state !== undefined && { state }),
    ...(delivery !== undefined && { delivery }),
    ...(args.has('due') && { due: true }),
    ...(orderRef !== undefined && { orderRef }),
    ...(paidOn !== undefined && { paidOn: dayOf(paidOn) }),
  };
}

/** Of the ways to say one thing. */
function onlyOne<Value extends string>(ways: readonly (Value | false)[]): Value | undefined {
  const given = ways.filter((way) => way !== false);
  if (given.length < 2) return given[0];
  throw usage({ en: 'No order can be both', zh: '这些条件不可能同时满足' });
}

function limitOf(given: string | undefined): number {
  const limit = given === undefined ? DEFAULT_LIMIT : Number(/^[0-9]{1,4}$/.exec(given)?.[0]);
  if (limit >= 1 && limit <= MOST) return limit;
  throw usage({ en: `--limit is not a whole number from 1 to ${MOST}`, zh: `--limit 必须是 1 到 ${MOST} 的整数` });
}

/** Without blanks and signs that a shell would act on. */
function cursorFrom(given: string): string {
  const text = Buffer.from(given, 'base64url').toString();
  if (/^\d{14} \S+ \S* \S+$/.test(text)) return text;
  throw usage({ en: '--after is nothing that a page ended with', zh: '--after 不是有效的分页位置' });
}
