import { quoted, WechatH5Error } from './errors.js';

type Fields = Readonly<Record<string, string>>;

/** Which characters a value may have: by character code, 1. */
type Alphabet = Uint8Array;

function alphabet(pattern: RegExp): Alphabet {
  return Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}

const DIGITS = alphabet(/[0-9]/);
const CAPITALS = alphabet(/[A-Z]/);
const IDENTIFIER = alphabet(/[0-9A-Za-z_-]/);
const ORDER_NUMBER = alphabet(/[0-9A-Za-z_\-|*@]/);

/**
 * The fields something is decided by have the shape that WeChat Pay gives them. That is part of the authentication:
 * the signed string is not injective, so a value of another shape is a sign of fields cut in another place. Dates are
 * not among them: money is never refused for a date.
 *
 * Named one by one, and read without regular expressions, because every notification passes here.
 *
 * @param fields of a payment notification, or of an `orderquery` reply whose order is paid
 * @throws {WechatH5Error} `FIELD_MISSING`, `FIELD_INVALID`
 */
export function requirePaymentFields(fields: Fields): void {
  requireOutTradeNo(fields);
  required('transaction_id', fields['transaction_id'], IDENTIFIER, 32);
  requireFee('total_fee', required('total_fee', fields['total_fee'], DIGITS, 10));
  required('trade_type', fields['trade_type'], IDENTIFIER, 16);
  requireNonce(fields['nonce_str']);
  requireCurrency('fee_type', optional('fee_type', fields['fee_type'], CAPITALS, 3));
  optional('cash_fee', fields['cash_fee'], DIGITS, 10);
  requireCurrency('cash_fee_type', optional('cash_fee_type', fields['cash_fee_type'], CAPITALS, 3));
  optional('settlement_total_fee', fields['settlement_total_fee'], DIGITS, 10);
  optional('coupon_fee', fields['coupon_fee'], DIGITS, 10);
  optional('bank_type', fields['bank_type'], IDENTIFIER, 32);
  optional('openid', fields['openid'], IDENTIFIER, 128);
}

/** @throws {WechatH5Error} `FIELD_MISSING`, `FIELD_INVALID` */
export function requireOutTradeNo(fields: Fields): void {
  required('out_trade_no', fields['out_trade_no'], ORDER_NUMBER, 32);
}

/** What tells of the payer: errors are logged, so they name these fields and do not quote them. */
const PERSONAL: ReadonlySet<string> = new Set(['openid', 'bank_type']);

export function fieldError(name: string, value: string | undefined): WechatH5Error {
  const hint = 'WeChat Pay does not send this. Nothing was changed.';
  if (value === undefined) return new WechatH5Error('FIELD_MISSING', `${name} is missing`, { field: name, hint });
  const is = PERSONAL.has(name) ? 'of another form' : quoted(value);
  return new WechatH5Error('FIELD_INVALID', `${name} is ${is}`, { field: name, hint });
}

function required(name: string, value: string | undefined, characters: Alphabet, maxLength: number): string {
  if (value === undefined || value === '') throw fieldError(name, undefined);
  return optional(name, value, characters, maxLength) as string;
}

function optional(
  name: string,
  value: string | undefined,
  characters: Alphabet,
  maxLength: number,
): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (value.length > maxLength) throw fieldError(name, value);
  // Beyond the table there is `undefined`.
  for (let i = 0; i < value.length; i++) if (characters[value.charCodeAt(i)] !== 1) throw fieldError(name, value);
  return value;
}

function requireFee(name: string, value: string): void {
  if (value.startsWith('0')) throw fieldError(name, value);
}

function requireCurrency(name: string, value: string | undefined): void {
  if (value !== undefined && value.length !== 3) throw fieldError(name, value);
}

/** Up to 32 characters, whatever they are; one may take two units of a JavaScript string. */
function requireNonce(value: string | undefined): void {
  if (value === undefined || value === '') throw fieldError('nonce_str', undefined);
  if (value.length > 32 && (value.length > 64 || [...value].length > 32)) throw fieldError('nonce_str', value);
}
