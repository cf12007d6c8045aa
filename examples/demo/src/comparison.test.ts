import { WechatH5Error } from '@wechat-h5/core';
import { compare, type Records } from './comparison.js';

type Mutable<T> = T extends Date | Error
  ? T
  : T extends readonly (infer Item)[]
    ? Mutable<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
      : T;

const ORDER = 'Zk3_9f-QmW1xAbCdEfGhIj';
const TRANSACTION = '9900000000202601021234567890';
const LINK = 'http://127.0.0.1:2000/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=7';
const RETURN = `http://127.0.0.1:1000/pay-return?order=${ORDER}.mac`;
const NOTICE = { out_trade_no: ORDER, transaction_id: TRANSACTION, total_fee: '1990' };
const at = new Date(0);

/** Three records of one payment that went well. */
function records(): Mutable<Records> {
  const page = { title: '', heading: '', text: '', state: undefined, forms: [], links: [] };
  const event = { at, peer: '127.0.0.1:3000', outTradeNo: ORDER };
  const notified = { ...event, peer: 'http://127.0.0.1:1000/wechat/notify', operation: 'notify' };
  const received = {
    method: 'POST',
    url: 'http://127.0.0.1:1000/wechat/notify',
    path: '/wechat/notify',
    from: '127.0.0.1',
  };
  const pressed = { method: 'POST', url: 'http://127.0.0.1:1000/pay', path: '/pay', from: '127.0.0.5' };
  const ordered = { out_trade_no: ORDER, total_fee: '1990', spbill_create_ip: '127.0.0.5' };
  const opened = { ...event, operation: 'open', peer: '127.0.0.5:3001' };
  const error = new WechatH5Error('SIGN_INVALID', 'The signature fits none of the keys');
  return {
    wechat: {
      events: [
        { ...event, number: 1, type: 'gateway.request', operation: 'unifiedorder', fields: ordered },
        {
          ...event,
          number: 2,
          type: 'gateway.reply',
          operation: 'unifiedorder',
          fields: { mweb_url: LINK },
          verdict: 'SUCCESS',
        },
        { ...opened, number: 3, type: 'cashier.request', fields: { redirect_url: RETURN } },
        { ...opened, number: 4, type: 'cashier.reply', verdict: 'OK' },
        { ...notified, number: 5, type: 'notification.request', verdict: 'forged' },
        { ...notified, number: 6, type: 'notification.reply', verdict: 'refused' },
        { ...notified, number: 7, type: 'notification.request', verdict: 'payment' },
        { ...notified, number: 8, type: 'notification.reply', verdict: 'acknowledged' },
      ],
      order: { outTradeNo: ORDER, totalFee: 1990, tradeState: 'SUCCESS', payment: { transactionId: TRANSACTION } },
    },
    shop: {
      notifyPath: '/wechat/notify',
      price: 1990,
      requests: [
        { ...pressed, fields: { order: ORDER } },
        { ...received, fields: { ...NOTICE, transaction_id: '9900000000202601020000000000' } },
        { ...received, fields: { ...NOTICE } },
        { method: 'GET', url: RETURN, path: '/pay-return', from: '127.0.0.5', fields: {} },
      ],
      replies: [{ path: '/pay/unifiedorder', fields: { mweb_url: LINK } }],
      problems: [{ type: 'refused', code: 'SIGN_INVALID', message: error.message, hint: '', error }],
      tickets: [{ code: '9F31C0DA', outTradeNo: ORDER, transactionId: TRANSACTION }],
    },
    phone: [
      { method: 'POST', url: 'http://127.0.0.1:1000/pay', status: 303, location: `${LINK}&redirect_url=x`, page },
      {
        method: 'POST',
        url: RETURN,
        status: 200,
        page: { ...page, state: 'paid', text: `订单号 Order ${ORDER} 交易单号 Transaction ${TRANSACTION}` },
      },
    ],
    afterForgery: { tradeState: 'NOTPAY', tickets: 0 },
  };
}

function disagreements(given: Records): readonly string[] {
  return compare(given)
    .filter(({ agree }) => !agree)
    .map(({ fact }) => fact);
}

/** The item that has to be there. */
function item<T>(list: readonly T[], index: number): T {
  const found = list.at(index);
  if (found === undefined) throw new RangeError(`no item ${index}`);
  return found;
}

const wechatEvent = (given: Mutable<Records>, number: number) => item(given.wechat.events, number - 1);
const field = (fields: Record<string, string> | undefined, name: string, value: string): void => {
  if (fields) fields[name] = value;
};

test('records of a payment that went well agree', () => {
  expect(disagreements(records())).toEqual([]);
});

test.each<[fact: string, change: string, (given: Mutable<Records>) => void]>([
  ['out_trade_no', 'the form at the shop', ({ shop }) => field(item(shop.requests, 0).fields, 'order', 'another')],
  [
    'out_trade_no',
    'the order at WeChat Pay',
    (given) => field(wechatEvent(given, 1).fields, 'out_trade_no', 'another'),
  ],
  ['out_trade_no', 'the notification', ({ shop }) => field(item(shop.requests, 2).fields, 'out_trade_no', 'another')],
  ['out_trade_no', 'the ticket', ({ shop }) => void (item(shop.tickets, 0).outTradeNo = 'another')],
  [
    'out_trade_no',
    'the page',
    ({ phone }) => void (item(phone, -1).page.text = `订单号 Order another 交易单号 Transaction ${TRANSACTION}`),
  ],
  ['total_fee', 'the price list', ({ shop }) => void (shop.price = 1)],
  ['total_fee', 'the order as sent', (given) => field(wechatEvent(given, 1).fields, 'total_fee', '1')],
  ['total_fee', 'the order as stored', ({ wechat }) => void (wechat.order && (wechat.order.totalFee = 1))],
  ['total_fee', 'the notification', ({ shop }) => field(item(shop.requests, 2).fields, 'total_fee', '1')],
  ['spbill_create_ip', 'the socket at the shop', ({ shop }) => void (item(shop.requests, 0).from = '127.0.0.6')],
  ['spbill_create_ip', 'the order', (given) => field(wechatEvent(given, 1).fields, 'spbill_create_ip', '127.0.0.1')],
  ['spbill_create_ip', 'the socket at WeChat Pay', (given) => void (wechatEvent(given, 3).peer = '127.0.0.6:3001')],
  ['mweb_url', 'what WeChat Pay sent', (given) => field(wechatEvent(given, 2).fields, 'mweb_url', `${LINK}1`)],
  ['mweb_url', 'what the shop got', ({ shop }) => field(item(shop.replies, 0).fields, 'mweb_url', `${LINK}1`)],
  ['mweb_url', 'where the phone was sent', ({ phone }) => void (item(phone, 0).location = 'http://evil.example/')],
  ['redirect_url', 'what WeChat Pay was told', (given) => field(wechatEvent(given, 3).fields, 'redirect_url', 'x')],
  ['redirect_url', 'where the phone arrived', ({ shop }) => void (item(shop.requests, 3).url = `${RETURN}x`)],
  [
    'transaction_id',
    'the payment',
    ({ wechat }) => void (wechat.order?.payment && (wechat.order.payment.transactionId = '1')),
  ],
  ['transaction_id', 'the notification', ({ shop }) => field(item(shop.requests, 2).fields, 'transaction_id', '1')],
  ['transaction_id', 'the ticket', ({ shop }) => void (item(shop.tickets, 0).transactionId = '1')],
  [
    'transaction_id',
    'the page',
    ({ phone }) => void (item(phone, -1).page.text = `订单号 Order ${ORDER} 交易单号 Transaction 1`),
  ],
  ['通知次数 notifications', 'one more at the shop', ({ shop }) => void shop.requests.push(item(shop.requests, 2))],
  ['通知次数 notifications', 'one fewer at the shop', ({ shop }) => void shop.requests.splice(1, 1)],
  ['付款入账 payments delivered', 'the answer', (given) => void (wechatEvent(given, 8).verdict = 'refused')],
  ['伪造通知 forged notification', 'it was believed', (given) => void (wechatEvent(given, 6).verdict = 'acknowledged')],
  ['伪造通知 forged notification', 'nobody was told', ({ shop }) => void shop.problems.pop()],
  [
    '伪造通知 forged notification',
    'another problem',
    ({ shop }) => void shop.problems.push({ ...item(shop.problems, 0), type: 'handler-failed' }),
  ],
  ['伪造之后 after the forgery', 'a ticket was issued', ({ afterForgery }) => void (afterForgery.tickets = 1)],
  ['伪造之后 after the forgery', 'it was paid', ({ afterForgery }) => void (afterForgery.tradeState = 'SUCCESS')],
  ['下单次数 unifiedorder', 'a second call at the shop', ({ shop }) => void shop.replies.push(item(shop.replies, 0))],
  [
    '查单次数 orderquery',
    'a query the shop never saw answered',
    ({ wechat }) => void wechat.events.push({ ...item(wechat.events, 0), operation: 'orderquery' }),
  ],
  [
    '最终状态 final state',
    'at WeChat Pay',
    ({ wechat }) => void (wechat.order && (wechat.order.tradeState = 'NOTPAY')),
  ],
  ['最终状态 final state', 'on the page', ({ phone }) => void (item(phone, -1).page.state = 'unpaid')],
])('%s: a change of %s is found, and nothing else', (fact, _change, alter) => {
  const given = records();
  alter(given);
  expect(disagreements(given)).toEqual([fact]);
});

test('a second ticket is found', () => {
  const given = records();
  given.shop.tickets.push({ ...item(given.shop.tickets, 0), code: 'SECOND' });
  expect(disagreements(given)).toEqual(['付款入账 payments delivered', '最终状态 final state']);
});

test('empty records agree on nothing but that nobody asked', () => {
  const given = records();
  const empty: Records = {
    wechat: { events: [], order: undefined },
    shop: { ...given.shop, requests: [], replies: [], problems: [], tickets: [] },
    phone: [],
    afterForgery: { tradeState: undefined, tickets: 0 },
  };
  expect(compare(empty).filter(({ agree }) => agree)).toEqual([
    {
      fact: '查单次数 orderquery',
      values: [
        ['wechat', '0'],
        ['shop', '0'],
      ],
      agree: true,
    },
  ]);
});
