import { isWechatH5Error, type WechatH5ErrorCode } from '@wechat-h5/core';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Text } from './language.js';

/** Why a command cannot go on: one line, and a second one that says what to do. */
export class Failure extends Error {
  constructor(
    readonly exitCode: ExitCode,
    readonly text: Text,
    readonly hint?: Text,
  ) {
    super(text.en);
  }
}

export function usage(text: Text, hint?: Text): Failure {
  return new Failure(EXIT.USAGE, text, hint);
}

/** A failure as it is shown, and as `--json` prints it. */
export interface Described {
  readonly exitCode: ExitCode;
  readonly text: Text;
  readonly hint: Text;
  /** `USAGE`, `CONFIGURATION`, …, or the code of the library. */
  readonly code: string;
  readonly details: Readonly<Record<string, string>>;
}

const NOTHING: Text = { en: '', zh: '' };

export function describe(error: unknown): Described {
  if (error instanceof Failure) {
    const [name = 'INTERNAL'] = Object.entries(EXIT).find(([, code]) => code === error.exitCode) ?? [];
    return { exitCode: error.exitCode, text: error.text, hint: error.hint ?? NOTHING, code: name, details: {} };
  }
  if (isWechatH5Error(error)) {
    const { code, message, hint, field, errCode, errCodeDes } = error;
    const details = Object.entries({ field, errCode, errCodeDes }).filter(([, value]) => value !== undefined);
    return {
      exitCode: exitCodeOf(code),
      text: { en: message, zh: message },
      hint: { en: hint, zh: hint },
      code,
      details: Object.fromEntries(details) as Record<string, string>,
    };
  }
  // Its message may hold anything. The name of a system error (ENOSPC, EACCES) says enough.
  const { name = 'Error', code = name } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return {
    exitCode: EXIT.INTERNAL,
    text: { en: `Unexpected: ${code}`, zh: `意外错误：${code}` },
    hint: {
      en: 'Please report it, with the command and its version (wechat-h5 --version).',
      zh: '请反馈该问题，并附上命令与版本号（wechat-h5 --version）。',
    },
    code: 'INTERNAL',
    details: {},
  };
}

function exitCodeOf(code: WechatH5ErrorCode): ExitCode {
  switch (code) {
    case 'ORDER_FIELD_INVALID':
      return EXIT.USAGE;
    case 'OPTIONS_INVALID':
    case 'ENVIRONMENT_INVALID':
    case 'SIMULATOR_IN_PRODUCTION':
    case 'TRUST_INVALID':
    case 'TRUST_ALL':
    case 'HEADER_NAME_INVALID':
    case 'CERTIFICATE_INVALID':
    case 'CERTIFICATE_PASSPHRASE':
    case 'CERTIFICATE_LEGACY':
    case 'CERTIFICATE_EXPIRED':
    case 'CERTIFICATE_MISSING':
      return EXIT.CONFIGURATION;
    case 'GATEWAY_UNREACHABLE':
    case 'ORDER_BOOK_FAILED':
      return EXIT.UNREACHABLE;
    case 'GATEWAY_TIMEOUT':
    case 'GATEWAY_REPLY_INVALID':
    case 'RETURN_CODE_FAIL':
    case 'FIELD_MISSING':
    case 'FIELD_INVALID':
    case 'BILL_INVALID':
    case 'BILL_INCOMPLETE':
      return EXIT.UNKNOWN;
    default:
      return EXIT.REFUSED;
  }
}
