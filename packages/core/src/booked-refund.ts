import type { Deliveries } from './delivery.js';
import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { Caller } from './gateway.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { refundFields, type NewRefund, type RefundSettings } from './new-refund.js';
import type { OrderBook, OrderKey, OrderRecord } from './order-book.js';
import { orderKeyOf } from './payment.js';
import { refundOrder, type RefundAccepted } from './refund-order.js';
import { rowOf, type ResultCodeType } from './result-codes.js';

/** Codes of these types mean that WeChat Pay looked at the refund and refused it: no money can have moved. */
const NOTHING_REFUNDED: ReadonlySet<ResultCodeType> = new Set([
  'credentials',
  'permission',
  'request',
  'funds',
  'not-found',
]);

/**
 * {@link refundOrder} under the lock of its order: the intent is stored before the call, and all refunds together, those
 * under way among them, are never more than the order. An order that the book does not know is refunded all the same:
 * WeChat Pay keeps its own count.
 *
 * @throws {WechatH5Error} those of {@link refundOrder}; nothing was sent with `REFUND_CONFLICT`, `REFUND_EXCEEDED`,
 *   `ORDER_MISMATCH`, `ORDER_BOOK_FAILED`
 */
export async function refundThroughBook<Tx>(
  refund: NewRefund,
  parts: RefundSettings & {
    book: OrderBook<Tx>;
    deliveries: Deliveries<Tx>;
    gateway: Caller;
    merchants: Merchants;
  },
): Promise<RefundAccepted> {
  const { book, deliveries } = parts;
  const params = refundFields(refund, parts);
  const merchant = parts.merchants.named(refund);
  const key = await keyOf(refund, merchant, book);
  const order = key && (await deliveries.find(key, merchant.appId));
  if (key === undefined || order === undefined) return refundOrder(refund, parts);

  const { outRefundNo, refundFee, refundFeeType = order.feeType } = refund;
  if (order.totalFee !== refund.totalFee) throw anotherTotal(refund, order);
  if (order.feeType !== refundFeeType) throw anotherCurrency(refundFeeType, order);
  const { outcome } = await book.apply(key, { type: 'refund-intend', outRefundNo, refundFee, params });
  if (outcome === 'conflict') throw conflict(outRefundNo);
  if (outcome === 'exceeds') throw exceeded(refund);
  try {
    const accepted = await refundOrder(refund, parts);
    await book.apply(key, { type: 'refund-accepted', outRefundNo, refundFee });
    return accepted;
  } catch (error) {
    // Anything else is unknown, never failed: it counts until refundquery says how it stands. So does one that was called
    // for before: that this call was refused says nothing of the other.
    const reason = outcome === 'applied' ? certainRefusal(error) : undefined;
    if (reason !== undefined) await book.apply(key, { type: 'refund-refused', outRefundNo, reason });
    throw error;
  }
}

async function keyOf<Tx>(
  refund: NewRefund,
  { mchId, subMchId }: KnownMerchant,
  book: OrderBook<Tx>,
): Promise<OrderKey | undefined> {
  if ('outTradeNo' in refund) return orderKeyOf({ mchId, subMchId, outTradeNo: refund.outTradeNo });
  return (await book.findByTransactionId(mchId, refund.transactionId))?.key;
}

function certainRefusal(error: unknown): string | undefined {
  if (!isWechatH5Error(error)) return undefined;
  if (error.code === 'CERTIFICATE_MISSING') return error.code;
  if (error.errCode === undefined) return undefined;
  const { type } = rowOf(error.errCode, { operation: 'refund', text: error.errCodeDes ?? '' });
  return NOTHING_REFUNDED.has(type) ? error.errCode : undefined;
}

function conflict(outRefundNo: string): WechatH5Error {
  return new WechatH5Error('REFUND_CONFLICT', `out_refund_no ${quoted(outRefundNo)} stands for another refund`, {
    field: 'out_refund_no',
    hint: 'Nothing was sent. Repeat a refund with exactly the same parameters; a further refund needs a number of its own. 退款单号重复：重试须参数一致，新的退款请换用新的退款单号。',
  });
}

function exceeded({ refundFee, totalFee, outRefundNo }: NewRefund): WechatH5Error {
  return new WechatH5Error(
    'REFUND_EXCEEDED',
    `${refundFee} more for ${quoted(outRefundNo)} would be more than the ${totalFee} of the order, or its fifty-first refund`,
    {
      field: 'refund_fee',
      hint: 'Nothing was sent. Refunds whose outcome is unknown count as well, until refundquery says how they ended. 累计退款金额超过订单金额（处理中的退款也计入），或退款次数已达 50 次。',
    },
  );
}

function anotherTotal(refund: NewRefund, order: OrderRecord): WechatH5Error {
  return new WechatH5Error('ORDER_MISMATCH', `total_fee is ${refund.totalFee}, and the order cost ${order.totalFee}`, {
    field: 'total_fee',
    hint: 'Nothing was sent. Pass what the order cost, in fen. 订单金额与本地订单不一致，退款未发出。',
  });
}

function anotherCurrency(refundFeeType: string, order: OrderRecord): WechatH5Error {
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `refund_fee_type is ${refundFeeType}, and the order is in ${order.feeType}`,
    {
      field: 'refund_fee_type',
      hint: 'Nothing was sent. Leave it out, or pass the currency of the order. 退款币种须与订单币种一致，退款未发出。',
    },
  );
}
