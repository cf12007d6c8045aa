import {
  explainPayerError,
  explainResultCode,
  type Explained,
  type Operation,
  type ResultCode,
  type RetryClass,
  type Troubleshooting,
} from '@wechat-h5/core';
import type { Command, Context } from './command.js';
import { EXIT } from './exit-codes.js';
import { usage } from './failure.js';
import type { Text } from './language.js';
import { nearest } from './nearest.js';
import { painter } from './terminal.js';

const OPERATIONS: readonly Operation[] = [
  'unifiedorder',
  'orderquery',
  'closeorder',
  'refund',
  'refundquery',
  'downloadbill',
  'downloadfundflow',
  'settlementquery',
  'queryexchagerate',
];

export const explain: Command = {
  synopsis: '"<text>" [--operation <name>]',
  summary: {
    en: 'why a payer saw an error, or what an err_code means, and the cure',
    zh: '解释付款人看到的报错或接口错误码，并给出处理办法',
  },
  details: {
    en: `Paste what the payer saw, or a sentence around it: punctuation, blanks and case do not matter.
Error codes of the API (NOTENOUGH, 20002) are found in the text as well.`,
    zh: '粘贴付款人看到的文字即可，标点、空格与大小写均不影响；文字中的接口错误码（如 NOTENOUGH、20002）也会解释。',
  },
  options: {
    operation: {
      type: 'string',
      value: '<name>',
      text: {
        en: `what was called: some codes mean another thing for a refund (${OPERATIONS.slice(0, 4).join(', ')}, …)`,
        zh: `调用的接口，个别错误码含义因接口而异（${OPERATIONS.slice(0, 4).join('、')} 等）`,
      },
    },
  },
  examples: [
    'explain "网络环境未能通过安全验证，请稍后再试"',
    'explain "WeChat Pay refused refund: NOTENOUGH" --operation refund',
  ],
  maxPositionals: 1,
  takesNumbers: false,

  run(args, context) {
    const [text] = args.positionals;
    if (text === undefined) {
      const hint = `wechat-h5 explain ${explain.synopsis}`;
      throw usage({ en: 'Which error?', zh: '请给出报错文字' }, { en: hint, zh: hint });
    }
    const operation = operationOf(args.text('operation'));
    const payerErrors = explainPayerError(text);
    const resultCodes = codesIn(text, operation);
    const found = payerErrors.length + resultCodes.length > 0;
    if (context.json) context.printJson({ payerErrors, resultCodes });
    else if (found) {
      const shown = [
        ...payerErrors.map((row) => payerError(row, context)),
        ...resultCodes.map((row) => resultCode(row, context)),
      ];
      context.print(shown.join('\n\n'));
    } else context.print(context.say(UNKNOWN));
    return Promise.resolve(found ? EXIT.OK : EXIT.NO);
  },
};

const UNKNOWN: Text = {
  en: "Neither words of WeChat Pay's cashier nor an error code that is known here. Quote the text as it was seen, in Chinese.",
  zh: '未收录该报错或错误码。请按原文输入。',
};

function operationOf(given: string | undefined): Operation | undefined {
  const operation = OPERATIONS.find((name) => name === given);
  if (given === undefined || operation !== undefined) return operation;
  const meant = nearest(given, OPERATIONS);
  throw usage(
    { en: 'The operation is unknown', zh: '未知的接口' },
    meant === undefined
      ? { en: `There are: ${OPERATIONS.join(', ')}.`, zh: `可选：${OPERATIONS.join('、')}。` }
      : { en: `Did you mean ${meant}?`, zh: `是否想用 ${meant}？` },
  );
}

/** The words of the text that the table of error codes knows. */
function codesIn(text: string, operation: Operation | undefined): ResultCode[] {
  const words = new Set(text.match(/[0-9A-Za-z_]+/g));
  return [...words]
    .map((word) => explainResultCode(word, { text, ...(operation && { operation }) }))
    .filter(({ type }) => type !== 'unknown');
}

const RETRY: Readonly<Record<RetryClass, Text>> = {
  'same-parameters': { en: 'Repeat the call at once, unchanged.', zh: '可立即用相同参数重试。' },
  later: { en: 'Repeat the call after a pause, unchanged.', zh: '请稍后用相同参数重试。' },
  'new-number': { en: 'Place the order again under a new number.', zh: '请更换商户订单号重新下单。' },
  query: { en: 'Do not repeat it: query how things stand.', zh: '请勿重试，先查询当前状态。' },
  never: { en: 'It fails again until something is changed.', zh: '未更正之前重试无效。' },
};

function resultCode({ code, meaning, action, retry }: ResultCode, { stdout, env, say }: Context): string {
  return [painter(stdout, env)('bold', code), `  ${say(meaning)}`, `  ${say(action)}`, `  ${say(RETRY[retry])}`].join(
    '\n',
  );
}

function payerError(row: Troubleshooting, { stdout, env, say }: Context): string {
  const paint = painter(stdout, env);
  const list = (items: readonly Explained[]): string[] => items.map((item) => `  - ${say(item)}`);
  return [
    paint('bold', row.message) + (row.platform === undefined ? '' : ` (${row.platform})`),
    say({ en: 'Why', zh: '原因' }),
    ...list(row.causes),
    say({ en: 'What to do', zh: '处理' }),
    ...list(row.cures),
    row.orderAgain
      ? say({ en: 'The order has to be placed again.', zh: '需要重新下单。' })
      : say({ en: 'The same link works once the cause is gone.', zh: '原因消除后，原链接仍可使用。' }),
  ].join('\n');
}
