import { randomBytes } from 'node:crypto';

/**
 * A fresh `out_trade_no` of 128 random bits. Whoever shows it to the shop may ask how its payment stands, so it must
 * be impossible to guess.
 */
export function newOrderNumber(): string {
  return randomBytes(16).toString('base64url');
}

/** A number as a form or a link brought it back; `undefined` for anything that this shop never made. */
export function readOrderNumber(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{22}$/.test(value) ? value : undefined;
}
