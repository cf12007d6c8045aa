import { billAge, DAY_MS, downloadBill, WHOSE_BILL, type Bill, type BillParts, type WhoseBill } from './bills.js';
import type { BillRow } from './bill-rows.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import type { KnownMerchant } from './merchant.js';
import { orderId, paidOn, type OrderBook, type OrderKey, type OrderRecord } from './order-book.js';
import { orderKeyOf } from './payment.js';
import { refuseUnknown } from './request-fields.js';

/**
 * Where WeChat Pay's bill and the order book do not say the same.
 *
 * `missing-here`: the bill has a payment or refund that the book does not have. `missing-there`: the book has an order as
 * paid on that day, and the bill does not. `differs`: both have it, and not with the same `field`.
 */
export type BillDifference = { outTradeNo: string; outRefundNo?: string } & (
  | { type: 'missing-here'; row: BillRow; order?: OrderRecord }
  | { type: 'missing-there'; order: OrderRecord }
  | {
      type: 'differs';
      field: 'transaction_id' | 'total_fee' | 'fee_type' | 'refund_fee';
      row: BillRow;
      order: OrderRecord;
    }
);

export interface BillComparison {
  /** `yyyyMMdd` in UTC+8. */
  day: string;
  /** Payments and refunds of which both say the same. */
  matched: number;
  /** Rows of other trade types than MWEB: they were not made here. */
  ignored: number;
  differences: BillDifference[];
}

const PAGE = 500;

/** Of a day that is younger WeChat Pay surely has the bill, if there was trade: no three months have fewer days. */
const SURELY_KEPT_MS = 89 * DAY_MS;

/**
 * Reads the whole bill, if the day has one, and all orders of the book that were paid on its day; changes nothing.
 * @throws {WechatH5Error} those of {@link downloadBill}; `BILL_NOT_FOUND` only of a day so old that WeChat Pay may have
 *   dropped its bill
 */
export async function compareBill<Tx>(
  day: string,
  whose: WhoseBill,
  { book, ...parts }: BillParts & { book: OrderBook<Tx> },
): Promise<BillComparison> {
  const bill = downloadBill(day, whose, parts);
  // A bill of payments alone would miss every refund.
  refuseUnknown(whose, WHOSE_BILL, 'the options of a comparison');
  const merchant = parts.merchants.named(whose);
  const { rows, ignored } = await rowsOf(bill).catch((error: unknown) => {
    // A day without trade has no bill; one that is not made yet is BILL_NOT_READY.
    if (!isWechatH5Error(error) || error.code !== 'BILL_NOT_FOUND') throw error;
    if (billAge(day, parts.now()) >= SURELY_KEPT_MS) throw maybeDropped(day, error);
    return { rows: [], ignored: 0 };
  });
  const comparison: BillComparison = { day, matched: 0, ignored, differences: [] };

  const seen = new Set<string>();
  for (const row of rows) {
    const key = keyOf(row, merchant);
    const order = await book.get(key);
    const isRefund = row.tradeState === 'REFUND';
    if (!isRefund) seen.add(orderId(key));
    const difference = isRefund ? refundDifference(row, order) : paymentDifference(row, order);
    if (difference === undefined) comparison.matched++;
    else comparison.differences.push(difference);
  }
  for await (const order of paidOnDay(day, book, merchant)) {
    if (seen.has(orderId(order.key))) continue;
    comparison.differences.push({ type: 'missing-there', outTradeNo: order.key.outTradeNo, order });
  }
  return comparison;
}

async function rowsOf(bill: Bill): Promise<{ rows: BillRow[]; ignored: number }> {
  const rows: BillRow[] = [];
  let ignored = 0;
  for await (const row of bill) {
    if (row.tradeType === 'MWEB') rows.push(row);
    else ignored++;
  }
  // Without it the rows may not be all.
  await bill.summary;
  return { rows, ignored };
}

function maybeDropped(day: string, cause: WechatH5Error): WechatH5Error {
  return new WechatH5Error('BILL_NOT_FOUND', `WeChat Pay has no bill for ${day}, and may have dropped it`, {
    field: 'bill_date',
    hint: 'It keeps bills for three months. Compare a later day. 账单仅保留三个月，该日账单可能已被删除，无法对账。',
    cause,
  });
}

function keyOf({ outTradeNo = '', subMchId }: BillRow, merchant: KnownMerchant): OrderKey {
  return orderKeyOf({
    mchId: merchant.mchId,
    subMchId: merchant.subMchId === undefined ? undefined : (subMchId ?? merchant.subMchId),
    outTradeNo,
  });
}

function paymentDifference(row: BillRow, order: OrderRecord | undefined): BillDifference | undefined {
  const { outTradeNo = '' } = row;
  const payment = order?.payment;
  if (order === undefined || payment === undefined || order.state === 'ORPHAN')
    return { type: 'missing-here', outTradeNo, row, ...(order === undefined ? {} : { order }) };
  const differs = (field: 'transaction_id' | 'total_fee' | 'fee_type'): BillDifference => ({
    type: 'differs',
    field,
    outTradeNo,
    row,
    order,
  });
  if (row.transactionId !== payment.transactionId) return differs('transaction_id');
  // The order's own amount: of an order in quarantine the payment may say another one.
  if (row.totalFee !== undefined && row.totalFee !== order.totalFee) return differs('total_fee');
  if (row.feeType !== undefined && row.feeType !== order.feeType) return differs('fee_type');
  return undefined;
}

function refundDifference(row: BillRow, order: OrderRecord | undefined): BillDifference | undefined {
  const { outTradeNo = '', outRefundNo = '' } = row;
  const refund =
    order !== undefined && Object.hasOwn(order.refunds, outRefundNo) ? order.refunds[outRefundNo] : undefined;
  if (order === undefined || refund === undefined || refund.state === 'FAILED')
    return { type: 'missing-here', outTradeNo, outRefundNo, row, ...(order === undefined ? {} : { order }) };
  // Old bills write it negative.
  return row.refundFee !== undefined && Math.abs(row.refundFee) !== refund.refundFee
    ? { type: 'differs', field: 'refund_fee', outTradeNo, outRefundNo, row, order }
    : undefined;
}

async function* paidOnDay<Tx>(day: string, book: OrderBook<Tx>, merchant: KnownMerchant): AsyncGenerator<OrderRecord> {
  let after: string | undefined;
  do {
    const page = await book.list({ mchId: merchant.mchId, paidOn: day }, { limit: PAGE, ...(after && { after }) });
    for (const order of page.orders) {
      const { state, key } = order;
      if (state !== 'ORPHAN' && key.subMchId === merchant.subMchId && paidOn(order) === day) yield order;
    }
    after = page.next;
  } while (after !== undefined);
}
