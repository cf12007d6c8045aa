import { WechatH5Error } from './errors.js';
import type { Delivery, OrderRecord, RefundRecord } from './order-record.js';

/** Grows when an older version of this package could no longer read a record. */
const VERSION = 1;
// All text in a message stays text: a number under one of these names is a time.
const TIMES: ReadonlySet<string> = new Set([
  'at',
  'createdAt',
  'expiresAt',
  'leaseUntil',
  'orderedAt',
  'pollAt',
  'retryAt',
  'takenUntil',
  'updatedAt',
]);

/** A record as JSON text, for books that keep text. {@link decodeOrder} gives back exactly the same. */
export function encodeOrder(order: OrderRecord): string {
  return JSON.stringify({ v: VERSION, ...order }, function (this: Record<string, unknown>, name, value: unknown) {
    const own = this[name];
    return own instanceof Date ? own.getTime() : value;
  });
}

/**
 * @throws {WechatH5Error} `ORDER_BOOK_FAILED` for text that is no record, or one of a later version: during a rolling
 *   deployment the older program must not write over what it does not understand
 */
export function decodeOrder(text: string): OrderRecord {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw unreadable('A stored order is not JSON', error);
  }
  if (typeof parsed !== 'object' || parsed === null || parsed['v'] !== VERSION)
    throw unreadable(`A stored order is not of version ${VERSION}`);
  restoreTimes(parsed);
  const { v: _version, ...fields } = parsed;
  // JSON has no `undefined`.
  const order = { ...ABSENT, ...(fields as unknown as OrderRecord) };
  const refunds = Object.fromEntries(
    Object.entries(order.refunds).map(([outRefundNo, refund]): [string, RefundRecord] => [
      outRefundNo,
      { ...ABSENT_OF_REFUND, ...refund, delivery: withTimes(refund.delivery) },
    ]),
  );
  return { ...order, delivery: withTimes(order.delivery), refunds };
}

/** What a reviver of `JSON.parse` would do, which is called for each of the texts as well, at several times the cost. */
function restoreTimes(values: Record<string, unknown>): void {
  for (const name of Object.keys(values)) {
    const value = values[name];
    if (typeof value === 'number' && TIMES.has(name)) values[name] = new Date(value);
    else if (typeof value === 'object' && value !== null) restoreTimes(value as Record<string, unknown>);
  }
}

const ABSENT = {
  attach: undefined,
  orderRef: undefined,
  link: undefined,
  payment: undefined,
  reason: undefined,
  pollAt: undefined,
  takenUntil: undefined,
};
const ABSENT_OF_REFUND: Pick<RefundRecord, 'reason' | 'pollAt'> = { reason: undefined, pollAt: undefined };

function withTimes(delivery: Delivery): Delivery {
  const { state, attempt, failures, leaseUntil, retryAt } = delivery;
  return { state, attempt, failures, leaseUntil, retryAt };
}

function unreadable(message: string, cause?: unknown): WechatH5Error {
  return new WechatH5Error('ORDER_BOOK_FAILED', message, {
    hint: 'Run the same version of @wechat-h5/core on every machine that shares the book. 请在所有机器上使用相同版本。',
    cause,
  });
}
