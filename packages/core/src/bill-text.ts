import type { Readable } from 'node:stream';
import { WechatH5Error } from './errors.js';

/** Cells by the text of their column's header. */
export type Cells = Readonly<Record<string, string>>;

/** A line of a bill, once it is known what it is. */
export type BillLine =
  { readonly type: 'row'; readonly cells: Cells } | { readonly type: 'summary'; readonly cells: Cells };

/** The columns whose text a payer or a shop may have written. They stand side by side in every bill. */
const FREE_TEXT = ['商品名称', '商户数据包'] as const;

/** What the header of the summary begins with. Those of today's bills have no backtick before it, some newer ones do. */
const SUMMARY_BEGINS = new Set(['总交易单数', '资金流水总笔数']);

/** Longer than any row can be. */
const MAX_LINE = 64 * 1024;

/**
 * The lines of a bill, one at a time: rows under the header, and last of all the summary under its own.
 *
 * Cells begin with a backtick and are separated by a comma; since every cell has its backtick, a comma within one
 * separates nothing.
 *
 * @throws {WechatH5Error} `BILL_INVALID`; `BILL_INCOMPLETE` if the text ends before the summary
 */
export async function* readBill(body: Readable): AsyncGenerator<BillLine, void, undefined> {
  let header: readonly string[] | undefined;
  let summaryHeader: readonly string[] | undefined;
  let summary: Cells | undefined;
  let number = 0;
  for await (const line of linesOf(body)) {
    number++;
    if (line === '') continue;
    if (summary !== undefined) throw billInvalid(`line ${number} stands behind the summary`);
    if (header === undefined) header = headerOf(line, number);
    else if (summaryHeader !== undefined) summary = cellsOf(summaryHeader, line, number);
    else if (!line.startsWith('`') || SUMMARY_BEGINS.has(line.slice(1, line.indexOf(','))))
      summaryHeader = headerOf(line, number);
    else yield { type: 'row', cells: cellsOf(header, line, number) };
  }
  if (summary === undefined) {
    throw new WechatH5Error('BILL_INCOMPLETE', `The bill ended after ${number} lines, before its summary`, {
      hint: 'It was cut off on the way: drop what was read and download it again. 账单不完整，请重新下载。',
    });
  }
  yield { type: 'summary', cells: summary };
}

/** Names of columns. Never quoted in errors: a line may hold what payers wrote. */
function headerOf(line: string, number: number): string[] {
  const names = (line.startsWith('`') ? line.slice(1).split(',`') : line.split(',')).map((name) =>
    name.replace(/[(（]元[)）]$/, '').trim(),
  );
  if (names.length > 1 && new Set(names).size === names.length && !names.includes('')) return names;
  throw billInvalid(`line ${number} is no header`);
}

function cellsOf(header: readonly string[], line: string, number: number): Cells {
  const values = line.startsWith('`') ? line.slice(1).split(',`') : [];
  const extra = values.length - header.length;
  const free = header.indexOf(FREE_TEXT[0]);
  if (extra > 0 && free !== -1) {
    // What the columns around them hold is certain, counted from both ends; where between the two texts one ends and
    // the other begins is not, so all of it is the first one's.
    const both = header[free + 1] === FREE_TEXT[1] ? 2 : 1;
    const joined = values.splice(free, extra + both).join(',`');
    values.splice(free, 0, joined, ...(both === 2 ? [''] : []));
  }
  if (values.length !== header.length) {
    throw billInvalid(`line ${number} has ${values.length} cells under ${header.length} columns`);
  }
  const cells: Record<string, string> = Object.create(null) as Record<string, string>;
  header.forEach((name, index) => {
    cells[name] = values[index] ?? '';
  });
  return cells;
}

async function* linesOf(body: Readable): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoded(decoder, chunk as Uint8Array)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw billInvalid('a line has no end');
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  rest += decoded(decoder);
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw billInvalid('it is not UTF-8');
  }
}

export function billInvalid(problem: string): WechatH5Error {
  return new WechatH5Error('BILL_INVALID', `This is not a bill of WeChat Pay: ${problem}`, {
    hint: 'Drop what was read and download the bill again; if it lasts, this bill has a form that is not known here. 请重新下载账单。',
  });
}
