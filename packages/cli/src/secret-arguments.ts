import { usage } from './failure.js';

/** Options that somebody may think of for a secret, and there is none of. */
const NAMES_A_SECRET =
  /^-{1,2}(?:(?:mch|api|merchant|partner|v2|v3|app)?[-_]?(?:v[23][-_]?)?key|app[-_]?secret|secret|passphrase|password)$/i;
/** `key=…`, `WECHAT_PAY_API_KEY=…`: given as if the command took assignments. */
const ASSIGNS_A_SECRET = /^(?:-*)(?:WECHAT_PAY_API_KEY|WECHAT_PAY_\w*(?:PASSPHRASE|SECRET)|api[-_]?key|key)=/i;
/** The shape of an API v2 key. */
const KEY_SHAPE = /^[0-9A-Za-z]{32}$/;

/**
 * Refuses a key among the arguments: there, every user of the machine can read it, and the shell writes it down.
 * An order number may have the same shape, so where one is expected only the configured keys are refused.
 *
 * @throws {Failure} which repeats no argument
 */
export function refuseSecrets(
  args: readonly string[],
  { takesNumbers, apiKeys }: { takesNumbers: boolean; apiKeys: readonly string[] },
): void {
  for (const arg of args) {
    const [name = ''] = arg.split('=');
    const value = arg.startsWith('-') ? arg.slice(arg.indexOf('=') + 1).replace(/^-+/, '') : arg;
    const refused =
      NAMES_A_SECRET.test(name) ||
      ASSIGNS_A_SECRET.test(arg) ||
      apiKeys.some((apiKey) => arg.includes(apiKey)) ||
      (!takesNumbers && KEY_SHAPE.test(value));
    if (!refused) continue;
    throw usage(
      { en: 'An argument looks like an API key', zh: '某个参数看起来是 API 密钥' },
      {
        en: 'Give it as WECHAT_PAY_API_KEY in the environment or in a file (--env, WECHAT_PAY_API_KEY_FILE), and delete the line from the history of your shell.',
        zh: '请通过环境变量 WECHAT_PAY_API_KEY 或文件（--env、WECHAT_PAY_API_KEY_FILE）提供，并从 shell 历史中删除该行。',
      },
    );
  }
}
