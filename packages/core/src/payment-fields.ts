import { quoted, WechatH5Error } from './errors.js';
import { DOCUMENTED_NAMES, indexOfName, type DocumentedName } from './field-name.js';

/** Which characters a value may have: by character code, 1. Beyond ASCII there are none. */
export type Alphabet = Uint8Array;

function alphabet(pattern: RegExp): Alphabet {
  return Uint8Array.from({ length: 256 }, (_, code) => (code < 128 && pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

const DIGITS = alphabet(/[0-9]/);
const DIGITS_BUT_ZERO = alphabet(/[1-9]/);
const CAPITALS = alphabet(/[A-Z]/);
const IDENTIFIER = alphabet(/[0-9A-Za-z_-]/);
const ORDER_NUMBER = alphabet(/[0-9A-Za-z_\-|*@]/);
const ASCII = alphabet(/[^]/);

/** A message whose values can be checked where they stand. */
export interface Values {
  get(name: string): string | undefined;
  /**
   * How many characters the value has. 0 if it is absent or empty, -1 if one of them is not in the alphabet or the first
   * one not in `first`.
   */
  lengthIn(name: DocumentedName, alphabet: Alphabet, first?: Alphabet): number;
}

/** The same of fields that were read before. */
export function valuesOf(fields: Readonly<Record<string, string>>): Values {
  return {
    get: (name) => fields[name],
    lengthIn(name, characters, first = characters) {
      const value = fields[DOCUMENTED_NAMES[name]!] ?? '';
      if (value === '') return 0;
      if (first[value.charCodeAt(0)] !== 1) return -1;
      for (let i = 1; i < value.length; i++) if (characters[value.charCodeAt(i)] !== 1) return -1;
      return value.length;
    },
  };
}

const OUT_TRADE_NO = indexOfName('out_trade_no');
const TRANSACTION_ID = indexOfName('transaction_id');
const TOTAL_FEE = indexOfName('total_fee');
const TRADE_TYPE = indexOfName('trade_type');
const NONCE_STR = indexOfName('nonce_str');
const FEE_TYPE = indexOfName('fee_type');
const CASH_FEE = indexOfName('cash_fee');
const CASH_FEE_TYPE = indexOfName('cash_fee_type');
const SETTLEMENT_TOTAL_FEE = indexOfName('settlement_total_fee');
const COUPON_FEE = indexOfName('coupon_fee');
const BANK_TYPE = indexOfName('bank_type');
const OPENID = indexOfName('openid');

/**
 * The fields something is decided by have the shape that WeChat Pay gives them. That is part of the authentication:
 * the signed string is not injective, so a value of another shape is a sign of fields cut in another place. Dates are
 * not among them: money is never refused for a date.
 *
 * Named one by one, and read without regular expressions, because every notification passes here.
 *
 * @param values of a payment notification, or of an `orderquery` reply whose order is paid
 * @throws {WechatH5Error} `FIELD_MISSING`, `FIELD_INVALID`
 */
export function requirePaymentFields(values: Values): void {
  requireOutTradeNo(values);
  required(values, TRANSACTION_ID, 32, IDENTIFIER);
  required(values, TOTAL_FEE, 10, DIGITS, DIGITS_BUT_ZERO);
  required(values, TRADE_TYPE, 16, IDENTIFIER);
  requireNonce(values);
  optionalCurrency(values, FEE_TYPE);
  optional(values, CASH_FEE, 10, DIGITS);
  optionalCurrency(values, CASH_FEE_TYPE);
  optional(values, SETTLEMENT_TOTAL_FEE, 10, DIGITS);
  optional(values, COUPON_FEE, 10, DIGITS);
  optional(values, BANK_TYPE, 32, IDENTIFIER);
  optional(values, OPENID, 128, IDENTIFIER);
}

/** @throws {WechatH5Error} `FIELD_MISSING`, `FIELD_INVALID` */
export function requireOutTradeNo(values: Values): void {
  required(values, OUT_TRADE_NO, 32, ORDER_NUMBER);
}

/** What tells of the payer: errors are logged, so they name these fields and do not quote them. */
const PERSONAL: ReadonlySet<string> = new Set(['openid', 'bank_type']);

/** The hint for what only somebody else can have sent. */
export const NOT_SENT = 'WeChat Pay does not send this. Nothing was changed.';

export function fieldError(name: string, value: string | undefined): WechatH5Error {
  if (value === undefined)
    return new WechatH5Error('FIELD_MISSING', `${name} is missing`, { field: name, hint: NOT_SENT });
  const is = PERSONAL.has(name) ? 'of another form' : quoted(value);
  return new WechatH5Error('FIELD_INVALID', `${name} is ${is}`, { field: name, hint: NOT_SENT });
}

function required(
  values: Values,
  name: DocumentedName,
  maxLength: number,
  characters: Alphabet,
  first?: Alphabet,
): void {
  const length = values.lengthIn(name, characters, first);
  if (length <= 0 || length > maxLength) throw refusedValue(values, name);
}

function optional(values: Values, name: DocumentedName, maxLength: number, characters: Alphabet): void {
  const length = values.lengthIn(name, characters);
  if (length < 0 || length > maxLength) throw refusedValue(values, name);
}

function optionalCurrency(values: Values, name: DocumentedName): void {
  const length = values.lengthIn(name, CAPITALS);
  if (length !== 0 && length !== 3) throw refusedValue(values, name);
}

/** Up to 32 characters, whatever they are; one may take two units of a JavaScript string. */
function requireNonce(values: Values): void {
  const length = values.lengthIn(NONCE_STR, ASCII);
  if (length > 0 && length <= 32) return;
  const value = values.get('nonce_str') || undefined;
  if (value === undefined || value.length > 64 || [...value].length > 32) throw fieldError('nonce_str', value);
}

function refusedValue(values: Values, name: DocumentedName): WechatH5Error {
  const official = DOCUMENTED_NAMES[name]!;
  return fieldError(official, values.get(official) || undefined);
}
