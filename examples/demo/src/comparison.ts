import type { Ticket } from '@wechat-h5-examples/shop-pages';
import type { Problem } from '@wechat-h5/core';
import type { SimulatorEvent } from '@wechat-h5/simulator';
import type { PhoneResponse } from './phone-browser.js';
import type { ShopReply, ShopRequest } from './shop-server.js';
import type { WechatOrder } from './simulator-process.js';

/** Where the shop's return page is, and its button leads. */
export const RETURN_PATH = '/pay-return';

/** How the order stood on each side at one moment. */
export interface Standing {
  readonly tradeState: WechatOrder['tradeState'] | undefined;
  readonly tickets: number;
}

/** What each side wrote down for itself, on its own sockets, about the one order of the demo. */
export interface Records {
  readonly wechat: { readonly events: readonly SimulatorEvent[]; readonly order: WechatOrder | undefined };
  readonly shop: {
    readonly notifyPath: string;
    /** The price list's, in fen. */
    readonly price: number;
    readonly requests: readonly ShopRequest[];
    readonly replies: readonly ShopReply[];
    readonly problems: readonly Problem[];
    readonly tickets: readonly Ticket[];
  };
  readonly phone: readonly PhoneResponse[];
  /** After the forged notification, before the payment. */
  readonly afterForgery: Standing;
}

export type Side = 'wechat' | 'shop' | 'phone';

/** One fact, as each side that knows it has it. */
export interface Comparison {
  /** The official name, or words. */
  readonly fact: string;
  readonly values: readonly (readonly [side: Side, value: string | undefined])[];
  /** All sides have a value, and it is the same one. */
  readonly agree: boolean;
}

/** Holds the records against each other. Nothing in it is known beforehand but the shop's price and what has to be. */
export function compare({ wechat, shop, phone, afterForgery }: Records): readonly Comparison[] {
  const sent = (type: SimulatorEvent['type'], operation: string): readonly SimulatorEvent[] =>
    wechat.events.filter((event) => event.type === type && event.operation === operation);
  const ordered = sent('gateway.request', 'unifiedorder').at(-1)?.fields;
  const opened = sent('cashier.request', 'open').at(-1);
  const verdicts = (kind: string): readonly (string | undefined)[] => {
    const kinds = sent('notification.request', 'notify').map(({ verdict }) => verdict);
    const replies = sent('notification.reply', 'notify').filter((_, index) => kinds[index] === kind);
    return replies.map(({ verdict }) => verdict);
  };
  const asked = (path: string): readonly ShopRequest[] => shop.requests.filter((request) => request.path === path);
  const pay = asked('/pay').at(-1);
  const notified = asked(shop.notifyPath).at(-1)?.fields;
  const [ticket] = shop.tickets;
  const shown = phone.at(-1)?.page;

  return [
    same('out_trade_no', [
      ['phone', shown?.text.match(/订单号 Order ([\w-]+)/)?.[1]],
      ['shop', pay?.fields['order']],
      ['wechat', ordered?.['out_trade_no']],
      ['shop', notified?.['out_trade_no']],
      ['shop', ticket?.outTradeNo],
    ]),
    same('total_fee', [
      ['shop', String(shop.price)],
      ['wechat', ordered?.['total_fee']],
      ['wechat', wechat.order && String(wechat.order.totalFee)],
      ['shop', notified?.['total_fee']],
    ]),
    same('spbill_create_ip', [
      ['shop', pay?.from],
      ['wechat', ordered?.['spbill_create_ip']],
      ['wechat', opened?.peer.replace(/:\d+$/, '')],
    ]),
    same('mweb_url', [
      ['wechat', sent('gateway.reply', 'unifiedorder').at(-1)?.fields?.['mweb_url']],
      ['shop', shop.replies.find(({ path }) => path === '/pay/unifiedorder')?.fields['mweb_url']],
      ['phone', phone.find(({ url }) => url.endsWith('/pay'))?.location?.replace(/&redirect_url=.*$/, '')],
    ]),
    same('redirect_url', [
      ['wechat', opened?.fields?.['redirect_url']],
      ['shop', asked(RETURN_PATH).at(-1)?.url],
    ]),
    same('transaction_id', [
      ['wechat', wechat.order?.payment?.transactionId],
      ['shop', notified?.['transaction_id']],
      ['shop', ticket?.transactionId],
      ['phone', shown?.text.match(/交易单号 Transaction (\d+)/)?.[1]],
    ]),
    same('通知次数 notifications', [
      ['wechat', some(sent('notification.request', 'notify').length)],
      ['shop', some(asked(shop.notifyPath).length)],
    ]),
    same('付款入账 payments delivered', [
      ['wechat', some(verdicts('payment').filter((verdict) => verdict === 'acknowledged').length)],
      ['shop', some(shop.tickets.length)],
    ]),
    same('伪造通知 forged notification', [
      ['wechat', verdicts('forged').join(', ')],
      ['shop', shop.problems.map(({ type }) => type).join(', ')],
    ]),
    same('伪造之后 after the forgery', [
      ['wechat', afterForgery.tradeState === 'NOTPAY' ? 'unpaid' : afterForgery.tradeState],
      ['shop', afterForgery.tickets === 0 ? 'unpaid' : `${afterForgery.tickets} tickets`],
    ]),
    same('下单次数 unifiedorder', [
      ['wechat', some(sent('gateway.request', 'unifiedorder').length)],
      ['shop', some(shop.replies.filter(({ path }) => path === '/pay/unifiedorder').length)],
    ]),
    same('查单次数 orderquery', [
      ['wechat', String(sent('gateway.request', 'orderquery').length)],
      ['shop', String(shop.replies.filter(({ path }) => path === '/pay/orderquery').length)],
    ]),
    same('最终状态 final state', [
      ['wechat', wechat.order?.tradeState === 'SUCCESS' ? 'paid' : wechat.order?.tradeState],
      ['shop', shop.tickets.length === 1 ? 'paid' : `${shop.tickets.length} tickets`],
      ['phone', shown?.state],
    ]),
  ];
}

/** How many, of what there has to be at least one. */
function some(count: number): string | undefined {
  return count === 0 ? undefined : String(count);
}

function same(fact: string, values: Comparison['values']): Comparison {
  const [[, first] = []] = values;
  return { fact, values, agree: values.every(([, value]) => value !== undefined && value !== '' && value === first) };
}
