import { readFileSync } from 'node:fs';
import type { Certificate } from './certificate.js';
import { quoted, WechatH5Error } from './errors.js';

type Variable = (name: string) => string | undefined;

/**
 * The merchant API certificate from the environment, as contents or by the name of a file: `WECHAT_PAY_CERTIFICATE` and
 * `WECHAT_PAY_PRIVATE_KEY` (PEM, where `\n` may stand for a line break), or `WECHAT_PAY_P12` (base64), each also as
 * `…_FILE`, and `WECHAT_PAY_P12_PASSPHRASE`.
 *
 * @param optional reads a variable, without its prefix
 * @throws {WechatH5Error} `ENVIRONMENT_INVALID`
 */
export function certificateFromEnv(optional: Variable): Certificate | undefined {
  const cert = pemOf('CERTIFICATE', optional);
  const key = pemOf('PRIVATE_KEY', optional);
  const pfx = p12Of(optional);
  if (pfx !== undefined) {
    if (cert !== undefined || key !== undefined) {
      throw bad(cert === undefined ? 'PRIVATE_KEY' : 'CERTIFICATE', 'is set beside a p12', 'Set one or the other.');
    }
    const passphrase = optional('P12_PASSPHRASE');
    return passphrase === undefined ? { pfx } : { pfx, passphrase };
  }
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw bad('CERTIFICATE', 'is not set', 'WECHAT_PAY_PRIVATE_KEY is: both are needed.');
  if (key === undefined) throw bad('PRIVATE_KEY', 'is not set', 'WECHAT_PAY_CERTIFICATE is: both are needed.');
  return { cert, key };
}

function pemOf(name: string, optional: Variable): string | undefined {
  return fileOf(name, optional)?.toString('latin1') ?? optional(name)?.replaceAll('\\n', '\n');
}

function p12Of(optional: Variable): Buffer | undefined {
  const file = fileOf('P12', optional);
  if (file !== undefined) return file;
  const text = optional('P12');
  if (text === undefined) return undefined;
  if (!/^[A-Za-z0-9+/\s]+={0,2}$/.test(text))
    throw bad('P12', 'is not base64', 'base64 -w0 apiclient_cert.p12 writes it.');
  return Buffer.from(text, 'base64');
}

function fileOf(name: string, optional: Variable): Buffer | undefined {
  const variable = `${name}_FILE`;
  const path = optional(variable);
  if (path === undefined) return undefined;
  if (optional(name) !== undefined) throw bad(variable, `is set beside WECHAT_PAY_${name}`, 'Set one of them.');
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw bad(
      variable,
      `names ${quoted(path, 256)}, which cannot be read (${code})`,
      'Correct the path or its permissions.',
      cause,
    );
  }
}

function bad(name: string, problem: string, hint: string, cause?: unknown): WechatH5Error {
  const field = `WECHAT_PAY_${name}`;
  return new WechatH5Error('ENVIRONMENT_INVALID', `${field} ${problem}`, { field, hint, cause });
}
