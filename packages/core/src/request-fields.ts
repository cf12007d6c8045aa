import { quoted, WechatH5Error } from './errors.js';
import { recutName } from './signed-fields.js';

// Each check returns the field as it is sent, and throws ORDER_FIELD_INVALID with the official name and the rule.

/** A name that a request does not have is a misspelling, and what it was to say would be lost. */
export function refuseUnknown(given: object, known: Readonly<Record<string, true>>, what: string): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    const meant = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    throw refused(
      name,
      `is not a field of ${what}`,
      Object.hasOwn(known, meant) ? `Did you mean ${meant}?` : 'Remove it.',
    );
  }
}

/**
 * An amount in the smallest unit, as text.
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`
 */
export function amount(field: string, value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 2_147_483_647)
    return String(value);
  throw refused(
    field,
    `is ${shown(value)}`,
    "Give an integer number of the smallest unit (fen), 1 to 2147483647; yuan('19.90') converts exactly. 金额须为整数，单位为分。",
  );
}

export function text(field: string, value: unknown, max: number): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw refused(field, `is ${shown(value)}`, `Give 1 to ${max} characters of text.`);
  // A character may be a pair of them in UTF-16, never less than one.
  if (value.length > max && [...value].length > max)
    throw refused(
      field,
      `has ${[...value].length} characters`,
      `Shorten it to ${max} characters. ${field} 不得超过 ${max} 个字符。`,
    );
  if (!value.isWellFormed())
    throw refused(field, 'holds half of a surrogate pair', 'Cut text between characters, not within one.');
  // Nothing that a payer reads or that comes back in a notification needs a control character.
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(value))
    throw refused(field, 'holds a control character', 'Remove line breaks, tabs and other control characters.');
  if (/[\ufffe\uffff]/.test(value))
    throw refused(field, 'holds U+FFFE or U+FFFF', 'XML cannot carry these: remove them.');
  const name = recutName(value);
  if (name !== undefined) {
    throw refused(
      field,
      `contains "&${name}="`,
      'The signature of WeChat Pay does not separate this from a field of that name: write it another way.',
    );
  }
  return value;
}

export function json(field: string, value: unknown, max: number): string {
  const checked = text(field, value, max);
  try {
    JSON.parse(checked);
  } catch (cause) {
    throw refused(field, 'is not JSON', 'Pass JSON.stringify(…) of the documented structure.', cause);
  }
  return checked;
}

export function oneOf(field: string, value: unknown, allowed: readonly string[]): string {
  if (typeof value === 'string' && allowed.includes(value)) return value;
  throw refused(field, `is ${shown(value)}`, `Use one of: ${allowed.join(', ')}.`);
}

export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'number' ? String(value) : `of type ${value === null ? 'null' : typeof value}`;
}

export function refused(field: string, problem: string, hint: string, cause?: unknown): WechatH5Error {
  return new WechatH5Error('ORDER_FIELD_INVALID', `${field} ${problem}`, { field, hint, cause });
}
