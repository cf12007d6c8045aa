import { quoted, WechatH5Error } from './errors.js';

/**
 * Yuan as people write them → fen, exactly: `yuan('19.90')` is 1990. Text only: `19.9 * 100` in floating
 * point is 1989.9999999999998.
 * @param text digits, optionally a point and one or two digits; no sign, blank, comma or exponent
 * @returns an integer from 0 to 2147483647
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`
 */
export function yuan(text: string): number {
  const match = typeof text === 'string' ? /^(\d{1,8})(?:\.(\d{1,2}))?$/.exec(text) : null;
  const fen = match === null ? NaN : Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  if (fen <= 2_147_483_647) return fen;
  throw new WechatH5Error(
    'ORDER_FIELD_INVALID',
    `${typeof text === 'string' ? quoted(text) : `A ${typeof text}`} is not an amount in yuan`,
    {
      field: 'total_fee',
      hint: "Write the amount as text with at most two decimals, such as yuan('19.90'). 金额请用字符串，最多两位小数。",
    },
  );
}
