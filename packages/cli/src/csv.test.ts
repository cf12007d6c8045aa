import { csvLines } from './csv.js';

async function spreadsheetCell(value: string): Promise<string> {
  const rows = (async function* () {
    yield { column: value };
  })();
  const lines: string[] = [];
  for await (const line of csvLines(rows, (cells) => cells, { spreadsheet: true })) lines.push(line);
  return (lines[1] as string).trimEnd();
}

describe('a cell for Excel', () => {
  test.each(['0', '0.00', '19.90', '0.12000', '-0.06', '-9.90', '45.0', '1900000109', '99999999999.99'])(
    'the amount %s stays a number, which sums count',
    async (value) => expect(await spreadsheetCell(value)).toBe(value),
  );

  test.each(['Tea, green', '2026-11-21 23:59:59', 'TEA-1', '0.60%', 'SUCCESS', '10 bags', '优惠费率', ''])(
    '%j is as it was',
    async (value) => expect((await spreadsheetCell(value)).replace(/^"(.*)"$/, '$1')).toBe(value),
  );

  test.each([
    ['4200000001202608010000000001', 'more digits than Excel keeps'],
    ['100000000000', 'shown with an exponent'],
    ['000123', 'zeros in front'],
    ['12345E10', 'an exponent'],
    ['123456-1', 'a hyphen'],
    ['2026-11', 'a month'],
    ['1-2-2026', 'a date'],
    ['12/2026', 'a date'],
    ['-1-2', 'a sum'],
    ['=1+1', 'a formula'],
    ['+1', 'a formula'],
    ['@SUM(A1)', 'a formula'],
    ['-cmd', 'a formula'],
  ])('%s is a text: %s', async (value) => {
    expect(await spreadsheetCell(value)).toBe(`"=""${value}"""`);
  });
});
