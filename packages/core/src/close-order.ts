import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { outTradeNo as checkedOutTradeNo } from './new-order.js';
import { closableAt, type OrderBook, type OrderKey } from './order-book.js';
import { orderPaid, refusalOf } from './order-refusals.js';
import type { Asker, Settlements } from './order-settlement.js';
import { CLOSED_STATES, type OrderRef } from './orders.js';
import { orderKeyOf } from './payment.js';
import { attemptsWith, ordersOfPurchase } from './purchase.js';
import { callRepeating } from './repeat.js';

const NOT_KNOWN = 'ORDERNOTEXIST';
/** What closeorder answers of an order that is paid or closed: which of them, orderquery says. */
const IS_OVER: ReadonlySet<string> = new Set(['ORDERPAID', 'ORDERCLOSED']);

interface Parts<Tx> {
  readonly book: OrderBook<Tx>;
  readonly merchants: Merchants;
  readonly settlements: Settlements<Tx>;
  readonly asker: Asker;
}

/**
 * Closes an order nobody paid; of one that was placed with `orderRef`, all attempts to pay under its number, whichever of
 * them is named. None is closed while one is too young: its number is the `outTradeNo` of the error. Otherwise all are
 * closed that can be, and what kept one of them open is thrown after that, a payment before anything else.
 *
 * @throws {WechatH5Error} those of {@link closeAttempt}
 */
export async function closeOrder<Tx>(ref: OrderRef, parts: Parts<Tx>): Promise<void> {
  const { book, asker } = parts;
  const { key, merchant } = closable(ref, parts.merchants);
  const orderRef = (await book.get(key))?.orderRef;
  if (orderRef === undefined) return closeAttempt(key, merchant, parts);
  const attempts = attemptsWith(key.outTradeNo, await ordersOfPurchase(book, key, orderRef))
    .filter(({ state }) => state !== 'CLOSED' && state !== 'CREATE_FAILED')
    // The youngest first: if it can be closed, all can.
    .sort((a, b) => closableAt(b).getTime() - closableAt(a).getTime());
  if (attempts.every(({ state }) => state !== 'PAID')) {
    for (const attempt of attempts) {
      const { outcome, order } = await book.apply(attempt.key, { type: 'closing', source: asker.source });
      if (outcome === 'early' && order !== undefined) throw tooEarly(order.key, closableAt(order));
    }
  }
  const failures: unknown[] = [];
  for (const attempt of attempts)
    await closeAttempt(attempt.key, merchant, parts).catch((error: unknown) => failures.push(error));
  const isPaid = (error: unknown): boolean => isWechatH5Error(error) && error.code === 'ORDER_PAID';
  if (failures.length > 0) throw failures.find(isPaid) ?? failures[0];
}

function closable(ref: OrderRef, merchants: Merchants): { key: OrderKey; merchant: KnownMerchant } {
  const merchant = merchants.named(ref);
  if (!('outTradeNo' in ref)) {
    throw new WechatH5Error('ORDER_FIELD_INVALID', 'closeorder takes no transaction_id', {
      field: 'out_trade_no',
      hint: 'An order that has a transaction_id is paid: refund it instead. Pass { outTradeNo } to close an unpaid one.',
    });
  }
  const { mchId, subMchId } = merchant;
  return { key: orderKeyOf({ mchId, subMchId, outTradeNo: checkedOutTradeNo(ref.outTradeNo) }), merchant };
}

/**
 * Closes one number (`closeorder`). A payer may pay at the last moment, and closing a number that
 * does not exist also reports success, so it is asked before and confirmed after. WeChat Pay wants an order to be five
 * minutes old and tells nobody its age: an order that is not in the book is closed at once, so know it to be old enough.
 *
 * @throws {WechatH5Error} `ORDER_PAID` after the payment was settled as any other, `CLOSE_TOO_EARLY`,
 *   `ORDER_IN_PROGRESS`, `ORDER_UNKNOWN`, `GATEWAY_REFUSED`, `GATEWAY_*`, `RETURN_CODE_FAIL`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011987803
 */
export async function closeAttempt<Tx>(
  key: OrderKey,
  merchant: KnownMerchant,
  parts: Omit<Parts<Tx>, 'merchants'>,
): Promise<void> {
  const { outTradeNo } = key;
  const { gateway, source } = parts.asker;
  // The intent first: from here on nobody is given a link, and if this process dies the close goes on elsewhere.
  const { outcome, order } = await parts.book.apply(key, { type: 'closing', source });
  if (order?.state === 'CLOSED') return;
  if (outcome === 'early' && order !== undefined) throw tooEarly(key, closableAt(order));

  const before = await stateOf(key, merchant, parts);
  if (before === 'USERPAYING') {
    throw new WechatH5Error('ORDER_IN_PROGRESS', `The payer of ${quoted(outTradeNo)} is paying right now`, {
      field: 'out_trade_no',
      outTradeNo,
      hint: 'Wait a minute, then ask again. 用户正在支付，请稍后再试。',
    });
  }
  // A number that neither knows cannot be paid.
  if (before === NOT_KNOWN && outcome === 'unknown') throw unknown(outTradeNo);
  if (!CLOSED_STATES.has(before)) {
    const business = { out_trade_no: outTradeNo };
    // An order may be there that orderquery does not know yet: it is closed as any other, and was unknown all along if
    // it still is after that.
    const isStillUnknown = (answer: string): boolean => before === NOT_KNOWN && answer === NOT_KNOWN;
    const { refusal } = await callRepeating(gateway, '/pay/closeorder', merchant, business, outTradeNo);
    if (refusal !== undefined && !IS_OVER.has(refusal.errCode) && !isStillUnknown(refusal.errCode))
      throw refusalOf('closeorder', refusal);
    const after = await stateOf(key, merchant, parts);
    if (!CLOSED_STATES.has(after) && !isStillUnknown(after)) {
      throw new WechatH5Error('ORDER_IN_PROGRESS', `closeorder was answered and the order is ${quoted(after)}`, {
        field: 'out_trade_no',
        outTradeNo,
        hint: 'It is not known to be closed: close it again in a moment. 关单尚未生效，请稍后重试。',
      });
    }
  }
  await parts.book.apply(key, { type: 'closed', source });
}

/**
 * What WeChat Pay says of it now, joined to the order.
 * @throws {WechatH5Error} `ORDER_PAID`, once it has been handed over
 */
async function stateOf<Tx>(
  key: OrderKey,
  merchant: KnownMerchant,
  { settlements, asker }: { settlements: Settlements<Tx>; asker: Asker },
): Promise<string> {
  const { tradeState, payment, standing } = await settlements.settle(key, merchant, asker);
  if (payment === undefined) return tradeState;
  if (!settlements.isUnderWay(payment)) await settlements.handOver(payment, standing);
  throw orderPaid(key);
}

function tooEarly(key: OrderKey, closableAt: Date): WechatH5Error {
  return new WechatH5Error(
    'CLOSE_TOO_EARLY',
    `Order ${quoted(key.outTradeNo)} cannot be closed before ${closableAt.toISOString()}`,
    {
      field: 'out_trade_no',
      outTradeNo: key.outTradeNo,
      hint: 'WeChat Pay closes an order five minutes after it was created at the earliest. 订单创建 5 分钟后才能关闭。',
    },
  );
}

function unknown(outTradeNo: string): WechatH5Error {
  return new WechatH5Error('ORDER_UNKNOWN', `Nobody knows out_trade_no ${quoted(outTradeNo)}`, {
    field: 'out_trade_no',
    hint: 'Check the number and the mchId. 订单不存在。',
  });
}
