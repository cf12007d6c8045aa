import { printable } from './terminal.js';

/** A two-column table: official field names on the left, nothing for what is absent. */
export function table(rows: readonly (readonly [name: string, value: string | undefined])[]): string {
  const present = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const width = Math.max(...present.map(([name]) => widthOf(name)));
  return present.map(([name, value]) => `${name}${' '.repeat(width - widthOf(name))}  ${printable(value)}`).join('\n');
}

/** Rows of as many cells, each column as wide as its widest. */
export function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths = (shown[0] ?? []).map((_, at) => Math.max(...shown.map((row) => widthOf(row[at] ?? ''))));
  return shown
    .map((row) =>
      row
        .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Columns on a terminal: Chinese characters and full-width punctuation take two. */
function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/[\u2E80-\uFFDC]/.test(character) ? 2 : 1), 0);
}

/** An amount in the smallest unit, and for CNY as people write it. How many decimals other currencies have, WeChat Pay does not say. */
export function money(amount: number, feeType: string): string {
  if (feeType !== 'CNY') return `${amount} ${feeType}`;
  const fen = String(amount).padStart(3, '0');
  return `${amount} CNY (¥${fen.slice(0, -2)}.${fen.slice(-2)})`;
}

/** A moment in the time of Beijing, which is that of WeChat Pay's own pages. */
export function beijing(at: Date): string {
  return `${new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')} +08:00`;
}
