const BYTE_ORDER_MARK = '\uFEFF';

/** The form of a CSV file: RFC 4180; `spreadsheet` for one that people open in Excel. */
export interface CsvForm {
  /**
   * A byte order mark, without which Excel misreads Chinese, and `="…"` around what it would turn into something else:
   * long numbers lose digits, and a text such as `=1+1` is calculated.
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

function asText(value: string): string {
  return /^[=+\-@\t\r]/.test(value) || /^[0-9]{12,}$/.test(value) ? `="${value.replaceAll('"', '""')}"` : value;
}

function line(values: readonly string[]): string {
  return `${values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\r\n`;
}
