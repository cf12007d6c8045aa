import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SignType } from './orders.js';

/*
 * Written a second time on purpose: had the simulator borrowed the merchant library's signing, a mistake in it would
 * sign and verify itself. Both sides are held to the same published vectors instead.
 */

/** The upper-case signature over all non-empty fields but `sign`: names in ASCII order, values as they are. */
export function sign(fields: Readonly<Record<string, string>>, apiKey: string, signType: SignType): string {
  const pairs = Object.keys(fields)
    .filter((name) => name !== 'sign' && fields[name] !== '')
    .sort()
    .map((name) => `${name}=${fields[name]}`);
  const text = [...pairs, `key=${apiKey}`].join('&');
  const digest =
    signType === 'MD5' ? createHash('md5').update(text, 'utf8') : createHmac('sha256', apiKey).update(text, 'utf8');
  return digest.digest('hex').toUpperCase();
}

/** Whether `fields.sign` is the merchant's, made with the given type. */
export function isSignedBy(fields: Readonly<Record<string, string>>, apiKey: string, signType: SignType): boolean {
  const given = Buffer.from(fields['sign'] ?? '');
  const expected = Buffer.from(sign(fields, apiKey, signType));
  return given.length === expected.length && timingSafeEqual(given, expected);
}
