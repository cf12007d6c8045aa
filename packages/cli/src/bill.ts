import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Bill, BillOptions, FundFlowOptions, WechatH5 } from '@wechat-h5/core';
import type { Arguments } from './arguments.js';
import type { Command, Context } from './command.js';
import { wechatH5Of } from './configuration.js';
import { csvLines } from './csv.js';
import { requiredDay } from './day.js';
import { EXIT } from './exit-codes.js';
import { usage } from './failure.js';
import { refuseExisting, writeNewFile } from './new-file.js';
import { oneOf } from './one-of.js';
import { table } from './output.js';
import { Progress } from './progress.js';

type BillType = NonNullable<BillOptions['billType']>;
type AccountType = NonNullable<FundFlowOptions['accountType']>;

const BILL_TYPES: readonly BillType[] = ['ALL', 'SUCCESS', 'REFUND', 'RECHARGE_REFUND'];
const ACCOUNTS: readonly AccountType[] = ['Basic', 'Operation', 'Fees'];

export const bill: Command = {
  synopsis: '<day> [--csv | --spreadsheet] [--out <file>] [--fund-flow]',
  summary: { en: "download a day's bill or fund flow", zh: '下载交易账单或资金账单' },
  details: {
    en: `The day is yyyyMMdd, yyyy-MM-dd or yesterday, in UTC+8; yesterday's bill is there from about 10:00, and bills go back three months.
Without a form only the totals are shown. --json writes a line for each row and a last one with the totals.
A file is there when it is complete, and not before; a bill without rows makes no CSV. --fund-flow needs the merchant API certificate.`,
    zh: `日期格式为 yyyyMMdd、yyyy-MM-dd 或 yesterday（北京时间）；前一天的账单约 10:00 后可下载，最多追溯三个月。
不指定格式时仅显示汇总。--json 每行输出一条明细，最后一行为汇总。
文件只在下载完整后才会出现；没有明细的账单不会生成 CSV 文件。--fund-flow 需要商户API证书。`,
  },
  options: {
    csv: { type: 'boolean', text: { en: 'CSV with the official columns', zh: '按官方列名输出 CSV' } },
    spreadsheet: {
      type: 'boolean',
      text: {
        en: 'CSV for Excel: long numbers and formulas stay texts',
        zh: '供 Excel 打开的 CSV：长数字与公式按文本保存',
      },
    },
    out: {
      type: 'string',
      value: '<file>',
      text: { en: 'write there instead of stdout', zh: '写入文件而不是标准输出' },
    },
    force: { type: 'boolean', text: { en: 'replace the file if it exists', zh: '覆盖已存在的文件' } },
    type: {
      type: 'string',
      value: '<type>',
      text: { en: `${BILL_TYPES.join(', ')} (default ALL)`, zh: `${BILL_TYPES.join('、')}（默认 ALL）` },
    },
    'fund-flow': { type: 'boolean', text: { en: 'the movements of an account instead', zh: '下载资金账单' } },
    account: {
      type: 'string',
      value: '<account>',
      text: {
        en: `of --fund-flow: ${ACCOUNTS.join(', ')} (default Basic)`,
        zh: `资金账户：${ACCOUNTS.join('、')}（默认 Basic）`,
      },
    },
  },
  examples: ['bill yesterday', 'bill 2026-08-01 --csv --out 20260801.csv', 'bill 20260801 --fund-flow --json'],
  maxPositionals: 1,
  takesNumbers: false,

  async run(args, context) {
    const { form, out } = formOf(args, context);
    const download = asked(args);
    if (out !== undefined && !args.has('force')) refuseExisting(out);
    const downloaded = download(wechatH5Of(context.env));
    // A bar among the rows would be neither.
    const rowsOnTerminal = form !== 'totals' && out === undefined && context.stdout.isTTY === true;
    const progress = new Progress(context, context.language, !rowsOnTerminal);
    let summary: Totals;
    let hasLines: boolean;
    try {
      const lines = linesOf(downloaded, form, progress);
      const first = await lines.next();
      hasLines = first.done !== true;
      if (first.done !== true) {
        const all = following(first.value, lines);
        if (out !== undefined) await writeNewFile(out, all);
        else await pipeline(Readable.from(all), context.stdout, { end: false });
      }
      summary = await downloaded.summary;
    } finally {
      progress.end();
    }
    if (!hasLines && form !== 'totals') showNoRows(summary, out, context);
    else showTotals(summary, { rows: progress.rows, form, out }, context);
    return EXIT.OK;
  },
};

type Form = 'csv' | 'spreadsheet' | 'json' | 'totals';

interface Totals {
  readonly raw: Readonly<Record<string, string>>;
}

/** What a row of either kind has. */
type AnyBill = Bill<{ readonly raw: Readonly<Record<string, string>> }, Totals>;

function formOf(args: Arguments, { json }: Context): { form: Form; out: string | undefined } {
  const out = args.text('out');
  const given = [args.has('csv') && 'csv', args.has('spreadsheet') && 'spreadsheet'].filter((form) => form !== false);
  if (given.length > 1)
    throw usage({ en: '--csv and --spreadsheet exclude each other', zh: '--csv 与 --spreadsheet 不能同时使用' });
  const [form = json ? 'json' : 'totals'] = given as Form[];
  if (json && given.length > 0 && out === undefined) {
    throw usage(
      { en: 'CSV and JSON cannot both go to stdout', zh: 'CSV 与 JSON 不能同时输出到标准输出' },
      { en: 'Give the CSV a file with --out.', zh: '请用 --out 指定 CSV 文件。' },
    );
  }
  if (form === 'totals' && out !== undefined) {
    throw usage({
      en: '--out needs a form: --csv, --spreadsheet or --json',
      zh: '--out 需要指定格式：--csv、--spreadsheet 或 --json',
    });
  }
  return { form, out };
}

function asked(args: Arguments): (wechatH5: WechatH5) => AnyBill {
  const day = requiredDay(args.positionals[0], 'bill');
  const type = args.text('type');
  const account = args.text('account');
  if (args.has('fund-flow')) {
    if (type !== undefined) throw usage({ en: '--type is not for --fund-flow', zh: '--type 不适用于 --fund-flow' });
    const accountType = account === undefined ? 'Basic' : oneOf('--account', account, ACCOUNTS);
    return (wechatH5) => wechatH5.downloadFundFlow(day, { accountType });
  }
  if (account !== undefined) throw usage({ en: '--account is for --fund-flow', zh: '--account 仅适用于 --fund-flow' });
  const billType = type === undefined ? 'ALL' : oneOf('--type', type, BILL_TYPES);
  return (wechatH5) => wechatH5.downloadBill(day, { billType });
}

/** Ends with an error unless the bill is complete: half a bill must not look like a whole one. */
async function* linesOf(downloaded: AnyBill, form: Form, progress: Progress): AsyncGenerator<string, void, undefined> {
  const rows = progress.over(downloaded);
  if (form === 'totals') for await (const _ of rows) continue;
  else if (form === 'json') for await (const row of rows) yield `${JSON.stringify(row)}\n`;
  else yield* csvLines(rows, ({ raw }) => raw, { spreadsheet: form === 'spreadsheet' });
  const summary = await downloaded.summary;
  if (form === 'json') yield `${JSON.stringify({ summary })}\n`;
}

async function* following<Item>(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
  yield first;
  yield* rest;
}

/** Columns are known by the rows: without any there is no CSV, and a file of nothing would look like a failed download. */
function showNoRows(summary: Totals, out: string | undefined, { json, say, printJson, stderr }: Context): void {
  if (json) printJson({ rows: 0, summary });
  else if (out === undefined) stderr.write(say({ en: 'The bill has no rows.\n', zh: '账单没有明细。\n' }));
  else
    stderr.write(say({ en: `The bill has no rows: ${out} was not written.\n`, zh: `账单没有明细，未写入 ${out}。\n` }));
}

function showTotals(
  summary: Totals,
  { rows, form, out }: { rows: number; form: Form; out: string | undefined },
  { json, say, print, printJson, stderr }: Context,
): void {
  if (out !== undefined) {
    if (json) printJson({ file: out, rows, summary });
    else stderr.write(say({ en: `${rows} rows in ${out}\n`, zh: `${rows} 行，已写入 ${out}\n` }));
  } else if (form === 'totals') {
    print(table(Object.entries(summary.raw)));
  }
}
