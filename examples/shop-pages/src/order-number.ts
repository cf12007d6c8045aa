import { randomBytes } from 'node:crypto';

/**
 * A fresh `out_trade_no` of 128 random bits. Whoever shows it to the shop may ask how its payment stands, so it must
 * be impossible to guess.
 */
export function newOrderNumber(): string {
  return randomBytes(16).toString('base64url');
}

/** The number that a form's or link's fields bring back; `undefined` for anything that this shop never made. */
export function readOrderNumber(fields: unknown): string | undefined {
  const { order } = Object(fields) as { order?: unknown };
  return typeof order === 'string' && /^[\w-]{22}$/.test(order) ? order : undefined;
}
