const BYTE_ORDER_MARK = '\uFEFF';

/** The form of a CSV file: RFC 4180; `spreadsheet` for one that people open in Excel. */
export interface CsvForm {
  /**
   * A byte order mark, without which Excel misreads Chinese, and `="…"` around what it would turn into something else:
   * long numbers lose digits, `000123` its zeros, `2026-11` becomes a date, and a text such as `=1+1` is calculated.
   */
  readonly spreadsheet: boolean;
}

/** Records as lines of CSV. The first one says which columns there are. */
export async function* csvLines<Item>(
  items: AsyncIterable<Item>,
  cellsOf: (item: Item) => Readonly<Record<string, string>>,
  { spreadsheet }: CsvForm,
): AsyncGenerator<string, void, undefined> {
  let columns: readonly string[] | undefined;
  for await (const item of items) {
    const cells = cellsOf(item);
    if (columns === undefined) {
      columns = Object.keys(cells);
      yield (spreadsheet ? BYTE_ORDER_MARK : '') + line(columns);
    }
    const values = columns.map((name) => cells[name] ?? '');
    yield line(spreadsheet ? values.map(asText) : values);
  }
}

/** What Excel reads as the number it is: amounts, negative ones too, which a sum has to count. */
const AMOUNT = /^-?(?:0|[1-9]\d{0,10})(?:\.\d+)?$/;
/** What it would calculate, or read as another number or as a date. */
const MISREAD = /^(?:[=+\-@\t\r]|\d[\d./:eE-]*$)/;

function asText(value: string): string {
  return MISREAD.test(value) && !AMOUNT.test(value) ? `="${value.replaceAll('"', '""')}"` : value;
}

function line(values: readonly string[]): string {
  return `${values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\r\n`;
}
