import { isWechatH5Error, type OrderBook, type OrderChange, type OrderKey, type OrderRecord } from '@wechat-h5/core';
import type { Delivery } from '@wechat-h5/core/order-book';
import type { Arguments } from './arguments.js';
import type { Context } from './command.js';
import { EXIT } from './exit-codes.js';
import { Failure, usage } from './failure.js';
import type { Text } from './language.js';
import { beijing } from './output.js';

/** The merchant whose orders are meant; a book may keep those of several. */
export function merchantOf({ env }: Context): { mchId: string; subMchId?: string } {
  const mchId = env['WECHAT_PAY_MCH_ID']?.trim();
  const subMchId = env['WECHAT_PAY_SUB_MCH_ID']?.trim();
  if (!mchId) {
    throw new Failure(
      EXIT.CONFIGURATION,
      { en: 'WECHAT_PAY_MCH_ID is not set', zh: 'WECHAT_PAY_MCH_ID 未设置' },
      { en: 'An order is known by its merchant and its number.', zh: '订单由商户号与商户订单号共同确定。' },
    );
  }
  return subMchId ? { mchId, subMchId } : { mchId };
}

/** @throws {Failure} of usage if no number is given */
export function keyGiven(args: Arguments, context: Context, synopsis: string): OrderKey {
  const [outTradeNo] = args.positionals;
  if (outTradeNo === undefined) throw usage({ en: 'Which order?', zh: '请指定订单' }, { en: synopsis, zh: synopsis });
  return { ...merchantOf(context), outTradeNo };
}

/** @throws {Failure} of refusal if the book does not have it */
export async function orderIn(book: OrderBook, key: OrderKey): Promise<OrderRecord> {
  const order = await book.get(key);
  if (order !== undefined) return order;
  const { outTradeNo } = key;
  throw refused(
    { en: `Order ${outTradeNo} is not in the book`, zh: `订单簿中没有订单 ${outTradeNo}` },
    { en: `What WeChat Pay has: wechat-h5 query ${outTradeNo}`, zh: `微信支付侧查询：wechat-h5 query ${outTradeNo}` },
  );
}

/**
 * Applies a person's change.
 * @param contradicted what it means that the change contradicts the order
 * @returns the order after it
 * @throws {Failure} of refusal if it was not applied; unknown, if the book failed on the way
 */
export async function changed(
  book: OrderBook,
  key: OrderKey,
  change: OrderChange,
  contradicted: Text,
): Promise<OrderRecord> {
  const show = `wechat-h5 orders show ${key.outTradeNo}`;
  const applied = await book.apply(key, change).catch((error: unknown) => {
    if (!isWechatH5Error(error)) throw error;
    const { message } = error;
    throw new Failure(
      EXIT.UNKNOWN,
      { en: message, zh: message },
      { en: `It may have been stored: ${show}`, zh: `可能已写入，请查看：${show}` },
    );
  });
  if (applied.outcome === 'applied' && applied.order !== undefined) return applied.order;
  if (applied.outcome === 'conflict') {
    throw refused(contradicted, { en: `See: ${show}`, zh: `查看：${show}` });
  }
  throw refused(
    {
      en: `Nothing to do (${applied.outcome}): the order has changed`,
      zh: `无需处理（${applied.outcome}）：订单已变化`,
    },
    { en: show, zh: show },
  );
}

export function refused(text: Text, hint: Text): Failure {
  return new Failure(EXIT.REFUSED, text, hint);
}

/** `READY, attempt 3, 2 failures, again at …`. */
export function deliveryText({ state, attempt, failures, leaseUntil, retryAt }: Delivery): string {
  return [
    state,
    attempt > 0 && `attempt ${attempt}`,
    failures > 0 && `${failures} failed`,
    state === 'LEASED' && leaseUntil && `until ${beijing(leaseUntil)}`,
    state === 'READY' && retryAt && `again at ${beijing(retryAt)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** `QUARANTINED (total_fee)`. */
export function stateText({ state, reason }: { state: string; reason: string | undefined }): string {
  return reason === undefined ? state : `${state} (${reason})`;
}
