import { decodeOrder, type OrderRecord } from '@wechat-h5/core/order-book';

/**
 * An order as the server shows its row. What `claimDue` has done to it last is not in the record, but beside it. Times are
 * milliseconds since 1970.
 */
export interface OrderRow {
  readonly record: string;
  readonly version: number;
  readonly due_at: number | null;
  /** When `claimDue` handed it out; `null` if it was changed since, and all is in the record. */
  readonly taken_at: number | null;
}

/** With the server's clock, as of the moment its statement was reached. */
export interface SeenRow extends OrderRow {
  readonly now: number;
}

/** @throws {WechatH5Error} `ORDER_BOOK_FAILED`: it was written by a later version */
export function orderOf({ record, version, due_at: takenUntil, taken_at: takenAt }: OrderRow): OrderRecord {
  const order = decodeOrder(record);
  if (takenAt === null || takenUntil === null) return order;
  return { ...order, takenUntil: new Date(takenUntil), updatedAt: new Date(takenAt), version };
}
