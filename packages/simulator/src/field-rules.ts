import { isLoopbackHost, parseHttpUrl } from './http-url.js';
import type { Fields } from './wire-fields.js';

/** Why a request's fields are refused: the official code, and the text for `err_code_des`. */
export interface FieldRefusal {
  readonly code: 'LACK_PARAMS' | 'PARAM_ERROR' | 'NOAUTH';
  readonly description: string;
}

export interface FieldContext {
  /** The order number was placed before: its expiry was judged then. */
  readonly placedBefore?: boolean;
  readonly now: Date;
  readonly allowRemoteNotifyUrl: boolean;
  /** What the merchant may ask to be paid in. */
  readonly currencies: readonly string[];
}

export interface FieldRule {
  readonly required?: true;
  /** Longest value, in characters. */
  readonly max: number;
  /** Says what is wrong with a value that is not empty, or nothing. */
  readonly check?: (value: string, fields: Fields, context: FieldContext) => string | undefined;
}

export const MALFORMED = '参数格式错误';

export const matches =
  (pattern: RegExp) =>
  (value: string): string | undefined =>
    pattern.test(value) ? undefined : MALFORMED;

export const oneOf =
  (...allowed: readonly string[]) =>
  (value: string): string | undefined =>
    allowed.includes(value) ? undefined : MALFORMED;

/** Fields of every operation. The signature's own fields are checked where the signature is. */
export const COMMON_FIELDS: Readonly<Record<string, FieldRule>> = {
  sub_appid: { max: 32 },
  sub_mch_id: { max: 32 },
};

/** The first thing wrong with the fields, if anything is: what is missing comes before what is malformed. */
export function checkFields(
  rules: Readonly<Record<string, FieldRule>>,
  fields: Fields,
  context: FieldContext,
): FieldRefusal | undefined {
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.required && !fields[name]) return { code: 'LACK_PARAMS', description: `缺少参数${name}` };
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = fields[name];
    if (!value) continue;
    if ([...value].length > rule.max) return { code: 'PARAM_ERROR', description: `${name}参数长度有误` };
    const wrong = rule.check?.(value, fields, context);
    if (wrong) return { code: 'PARAM_ERROR', description: `${name}${wrong}` };
  }
  return undefined;
}

/** `notify_url` of an order or of a refund. */
export function checkNotifyUrl(
  value: string,
  { allowRemoteNotifyUrl }: Pick<FieldContext, 'allowRemoteNotifyUrl'>,
): string | undefined {
  const url = parseHttpUrl(value);
  if (!url || value.includes('?') || value.includes('#') || url.username !== '') return MALFORMED;
  if (allowRemoteNotifyUrl || isLoopbackHost(url.hostname)) return undefined;
  return ': the simulator notifies this machine only (allowRemoteNotifyUrl lifts that)';
}
