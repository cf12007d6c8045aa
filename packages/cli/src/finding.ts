import { isWechatH5Error } from '@wechat-h5/core';
import type { Text } from './language.js';

/** What one check of the doctor found. */
export interface Finding {
  /** Stable, for machines: `notify-url`. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly text: Text;
  readonly cure?: Text;
}

export function ok(check: string, en: string, zh: string): Finding {
  return { check, status: 'ok', text: { en, zh } };
}

export function warn(check: string, text: Text, cure: Text): Finding {
  return { check, status: 'warn', text, cure };
}

export function fail(check: string, text: Text, cure: Text): Finding {
  return { check, status: 'fail', text, cure };
}

/** The finding of a check that ended in an error of the library, whose hint is the cure. */
export function failed(check: string, error: unknown): Finding {
  if (!isWechatH5Error(error)) throw error;
  const { message, hint } = error;
  return fail(check, { en: message, zh: message }, { en: hint, zh: hint });
}
