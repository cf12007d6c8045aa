import type { OptionSpec } from './arguments.js';
import type { Command } from './command.js';
import type { Language, Text } from './language.js';

/** Those that go with every command. */
export const GLOBAL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  // Not --env-file: Node 20 takes that for itself, wherever it stands.
  env: {
    type: 'string',
    value: '<file>',
    text: {
      en: 'take every WECHAT_PAY_* variable from this file, and none from the environment',
      zh: '所有 WECHAT_PAY_* 变量都取自该文件，忽略环境变量',
    },
  },
  json: { type: 'boolean', text: { en: 'JSON on stdout, errors too', zh: '以 JSON 输出（包括错误）' } },
  lang: {
    type: 'string',
    value: '<en|zh>',
    text: { en: 'language (default: LC_ALL, LC_MESSAGES, LANG)', zh: '语言（默认取 LC_ALL、LC_MESSAGES、LANG）' },
  },
  help: { type: 'boolean', text: { en: 'this text', zh: '显示帮助' } },
  version: { type: 'boolean', text: { en: 'the version', zh: '显示版本号' } },
};

const HEADINGS = {
  usage: { en: 'Usage', zh: '用法' },
  commands: { en: 'Commands', zh: '命令' },
  options: { en: 'Options', zh: '选项' },
  examples: { en: 'Examples', zh: '示例' },
} satisfies Record<string, Text>;

const SECRETS: Text = {
  en: `The merchant comes from the environment or from --env, never from arguments:
  WECHAT_PAY_APP_ID, WECHAT_PAY_MCH_ID, WECHAT_PAY_API_KEY (or WECHAT_PAY_API_KEY_FILE, the path of a file
  with the key), and for some commands WECHAT_PAY_SIGN_TYPE, WECHAT_PAY_GATEWAY and their like.`,
  zh: `商户信息取自环境变量或 --env，绝不通过参数传入：
  WECHAT_PAY_APP_ID、WECHAT_PAY_MCH_ID、WECHAT_PAY_API_KEY（或 WECHAT_PAY_API_KEY_FILE，即密钥文件的路径），
  以及 WECHAT_PAY_SIGN_TYPE、WECHAT_PAY_GATEWAY 等。`,
};

const EXIT_CODES: Text = {
  en: `Exit codes
  0  done
  1  the answer is no: doctor found a failure, bill and book differ, verify refuses, explain knows nothing, not confirmed
  2  wrong arguments; nothing was done
  3  the environment, a key or a certificate is missing or wrong; nothing was sent
  4  WeChat Pay refused, or the state of the order forbids it
  5  WeChat Pay or the order book could not be reached; nothing was done
  6  sent, and no answer can be believed: run the same command again, or look
  70 a mistake of this program`,
  zh: `退出码
  0  成功
  1  结果为否：doctor 发现错误、账单与订单簿不一致、verify 拒绝、explain 无法解释、未确认
  2  参数错误，未执行任何操作
  3  环境变量、密钥或证书缺失或有误，未发送任何请求
  4  微信支付拒绝，或订单状态不允许
  5  无法连接微信支付或订单簿，未执行任何操作
  6  请求已发送，但没有可信的应答：请原样重试或查询
  70 程序内部错误`,
};

export function generalHelp(commands: Readonly<Record<string, Command>>, language: Language): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary[language]] as const);
  return [
    `${HEADINGS.usage[language]}: wechat-h5 <command> [options]`,
    section(HEADINGS.commands[language], rows),
    section(HEADINGS.options[language], optionRows(GLOBAL_OPTIONS, language)),
    SECRETS[language],
    EXIT_CODES[language],
    `wechat-h5 <command> --help`,
  ]
    .join('\n\n')
    .concat('\n');
}

export function commandHelp(name: string, command: Command, language: Language): string {
  const { synopsis, summary, details, options, examples } = command;
  const { version: _, ...globals } = GLOBAL_OPTIONS;
  return [
    `${HEADINGS.usage[language]}: wechat-h5 ${name} ${synopsis}`.trimEnd(),
    summary[language] + (details === undefined ? '' : `\n${details[language]}`),
    section(HEADINGS.options[language], optionRows({ ...options, ...globals }, language)),
    `${HEADINGS.examples[language]}\n${examples.map((example) => `  npx @wechat-h5/cli ${example}`).join('\n')}`,
  ]
    .join('\n\n')
    .concat('\n');
}

type Row = readonly [left: string, right: string];

function optionRows(options: Readonly<Record<string, OptionSpec>>, language: Language): Row[] {
  return Object.entries(options).map(([name, { value, text }]) => [
    `--${name}${value === undefined ? '' : ` ${value}`}`,
    text[language],
  ]);
}

function section(heading: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [heading, ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`)].join('\n');
}
