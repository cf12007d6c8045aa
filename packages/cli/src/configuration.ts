import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { createWechatH5, optionsFromEnv, type OrderBook, type WechatH5 } from '@wechat-h5/core';
import { namingVariables } from '@wechat-h5/core/adapter';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';

const PREFIX = 'WECHAT_PAY_';

/**
 * The variables that the commands read. With a file its `WECHAT_PAY_*` stand alone: half of one merchant from the
 * shell and half of another from the file would be neither.
 *
 * @throws {Failure} of configuration, if a file cannot be read
 */
export function readEnvironment(env: NodeJS.ProcessEnv, file: string | undefined): NodeJS.ProcessEnv {
  let found = env;
  if (file !== undefined) {
    const others = Object.entries(env).filter(([name]) => !name.startsWith(PREFIX));
    const own = Object.entries(parseEnv(readText(file, '--env'))).filter(([name]) => name.startsWith(PREFIX));
    if (own.length === 0) {
      throw new Failure(
        EXIT.CONFIGURATION,
        { en: `${file} sets no ${PREFIX} variable`, zh: `${file} 中没有 ${PREFIX} 变量` },
        { en: `Write lines such as ${PREFIX}MCH_ID=1900000109.`, zh: `请写入形如 ${PREFIX}MCH_ID=1900000109 的行。` },
      );
    }
    found = Object.fromEntries([...others, ...own]);
  }
  const keyFile = found[`${PREFIX}API_KEY_FILE`];
  if (!keyFile) return found;
  if (found[`${PREFIX}API_KEY`]) {
    throw new Failure(
      EXIT.CONFIGURATION,
      {
        en: `${PREFIX}API_KEY_FILE is set beside ${PREFIX}API_KEY`,
        zh: `${PREFIX}API_KEY_FILE 与 ${PREFIX}API_KEY 同时设置`,
      },
      { en: 'Set one of them.', zh: '请只设置其中一个。' },
    );
  }
  return { ...found, [`${PREFIX}API_KEY`]: readText(keyFile, `${PREFIX}API_KEY_FILE`).trim() };
}

function readText(file: string, source: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new Failure(
      EXIT.CONFIGURATION,
      { en: `${source}: ${file} cannot be read (${code})`, zh: `${source}：无法读取 ${file}（${code}）` },
      { en: 'Check the path and who may read the file.', zh: '请检查路径与读取权限。' },
    );
  }
}

/** Whether anybody else on this machine may read a file, if it is there. Windows does not say so in the mode. */
export function isReadableByOthers(file: string): boolean {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  return process.platform !== 'win32' && (mode & 0o044) !== 0;
}

/** The configured API keys, the current one first, without a check. */
export function apiKeysOf(env: NodeJS.ProcessEnv): readonly string[] {
  return (env[`${PREFIX}API_KEY`] ?? '')
    .split(',')
    .map((apiKey) => apiKey.trim())
    .filter((apiKey) => apiKey !== '');
}

/** @throws {WechatH5Error} `ENVIRONMENT_INVALID` if there is none, `OPTIONS_INVALID` if one cannot be a key */
export function requiredApiKeys(env: NodeJS.ProcessEnv): readonly [string, ...string[]] {
  // The ids matter to no signature: made-up ones let everything else of the merchant be checked by core.
  wechatH5Of({ ...env, [`${PREFIX}APP_ID`]: 'wx0000000000000000', [`${PREFIX}MCH_ID`]: '1900000000' });
  return apiKeysOf(env) as readonly [string, ...string[]];
}

/** What most commands never use, and the options want. */
const NEVER_NOTIFIED = 'https://notify-url.invalid/';

/**
 * The operations for the merchant of these variables.
 * @param options.notified whether a call tells WeChat Pay where to send a notification
 * @param options.orderBook the shop's, to be read
 * @throws {WechatH5Error} with the variable in its message
 */
export function wechatH5Of(
  env: NodeJS.ProcessEnv,
  { notified = false, orderBook }: { notified?: boolean; orderBook?: OrderBook } = {},
): WechatH5 {
  const notifyUrl = env[`${PREFIX}NOTIFY_URL`] || (notified ? undefined : NEVER_NOTIFIED);
  const make = (): WechatH5 =>
    createWechatH5({
      ...optionsFromEnv({ ...env, [`${PREFIX}NOTIFY_URL`]: notifyUrl }),
      ...(orderBook !== undefined && { orderBook }),
      // An operator's command delivers nothing, and most know WeChat Pay alone.
      findOrder: () => Promise.resolve(undefined),
      onProblem: () => {},
    });
  return namingVariables({}, make, env);
}
