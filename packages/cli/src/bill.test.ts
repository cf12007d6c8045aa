import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BillGateway, FUND_FLOW, HEADER, ROWS, SUMMARY } from './bill-gateway.fixture.js';
import { canLendTerminal, onTerminal } from './pseudo-terminal.fixture.js';
import { json, Shop } from './shop.fixture.js';

let shop: Shop;
let gateway: BillGateway;

beforeAll(async () => {
  shop = await Shop.open();
  gateway = await BillGateway.open();
});

beforeEach(() => {
  gateway.answer = BillGateway.bill;
});

afterAll(async () => {
  gateway.close();
  await shop.close();
});

/** The day before yesterday in Beijing: its bill is there at any time of the day. */
const DAY = new Date(Date.now() + 8 * 3_600_000 - 48 * 3_600_000).toISOString().slice(0, 10);

function env(): Record<string, string> {
  return {
    ...shop.env,
    ...shop.withCertificate,
    WECHAT_PAY_GATEWAY: gateway.url,
  };
}

const bill = (...args: string[]) => shop.programs.run(['bill', ...args], { env: env() });
const file = (name: string): string => join(shop.programs.folder, name);

test('totals alone', async () => {
  const { code, stdout, stderr } = await bill(DAY);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^总交易单数 +2$/m);
  expect(stdout).toMatch(/^订单总金额 +19\.91$/m);
});

test('CSV with the official columns, quoted where it has to be, and nothing else in the pipe', async () => {
  const { code, stdout, stderr } = await bill(DAY, '--csv');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.split('\r\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe(HEADER);
  expect(lines[1]).toBe(
    '2026-08-01 10:00:00,wx2421b1c4370ec43b,10000100,4200000001202608010000000001,TEA-1,SUCCESS,CNY,19.90,"茶 ""绿"", 100 g",,0.12000,0.60%,19.90',
  );
});

test('for Excel: numbers keep their digits, formulas are not calculated', async () => {
  const { stdout } = await bill(DAY, '--spreadsheet');
  expect(stdout.startsWith('\uFEFF交易时间,')).toBe(true);
  expect(stdout).toContain(',"=""4200000001202608010000000001""",');
  expect(stdout).toContain(',"=""=1+1""","=""@a""",');
});

test('a file: there when it is complete, for its owner alone, never replaced unasked', async () => {
  const out = file('bill.csv');
  const written = await bill(DAY, '--csv', '--out', out);
  expect(written).toEqual({ code: 0, stdout: '', stderr: `2 rows in ${out}\n` });
  expect(readFileSync(out, 'utf8')).toBe((await bill(DAY, '--csv')).stdout);
  expect(statSync(out).mode & 0o077).toBe(0);
  expect(existsSync(`${out}.part`)).toBe(false);

  writeFileSync(out, 'mine');
  const refused = await bill(DAY, '--csv', '--out', out);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--force');
  expect(readFileSync(out, 'utf8')).toBe('mine');
  const forced = json(await bill(DAY, '--csv', '--out', out, '--force', '--json'));
  expect(forced).toMatchObject({ file: out, rows: 2, summary: { totalCount: 2, totalFee: 1991 } });
  expect((await bill(DAY, '--csv', '--out', file('nowhere/bill.csv'))).stderr).toContain('(ENOENT)');
});

test('JSON: a line for each row, the totals last', async () => {
  const { code, stdout } = await bill(DAY, '--json');
  expect(code).toBe(0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([
    { outTradeNo: 'TEA-1', totalFee: 1990 },
    { outTradeNo: 'TEA-2', totalFee: 1 },
    { summary: { totalCount: 2 } },
  ]);
});

test('the day and the type are passed on, in each form of the day', async () => {
  const seen: Record<string, string>[] = [];
  gateway.answer = (response, fields) => {
    seen.push(fields);
    BillGateway.bill(response, fields, '');
  };
  await bill(DAY, '--type', 'refund');
  await bill(DAY.replaceAll('-', ''));
  await bill('yesterday');
  expect(seen).toMatchObject([
    { bill_date: DAY.replaceAll('-', ''), bill_type: 'REFUND' },
    { bill_date: DAY.replaceAll('-', ''), bill_type: 'ALL' },
    { bill_date: expect.stringMatching(/^\d{8}$/) },
  ]);
  expect(Number(seen[2]?.['bill_date'])).toBeGreaterThan(Number(seen[1]?.['bill_date']));
});

test('a fund flow', async () => {
  gateway.answer = (response, { account_type, sign_type }, path) => {
    expect({ path, account_type, sign_type }).toEqual({
      path: '/pay/downloadfundflow',
      account_type: 'Operation',
      sign_type: 'HMAC-SHA256',
    });
    response.end(gzipSync(FUND_FLOW));
  };
  const { code, stdout } = await bill(DAY, '--fund-flow', '--account', 'operation', '--csv');
  expect(code).toBe(0);
  expect(stdout.split('\r\n')[1]).toContain(',收入,19.90,100.00,');
});

test('half a bill is none: no file, and an exit code that says so', async () => {
  gateway.answer = (response) => response.end([HEADER, ...ROWS].join('\r\n'));
  const out = file('half.csv');
  const written = await bill(DAY, '--csv', '--out', out);
  expect(written).toMatchObject({ code: 6, stdout: '' });
  expect(existsSync(out)).toBe(false);
  expect(existsSync(`${out}.part`)).toBe(false);
  expect((await bill(DAY, '--csv')).code).toBe(6);
});

test('a bill without rows makes no CSV, and says so', async () => {
  gateway.answer = (response) => response.end([HEADER, SUMMARY[0], '`0,`0.00,`0.00000,`0.00'].join('\r\n'));
  const out = file('empty.csv');
  const said = `The bill has no rows: ${out} was not written.\n`;
  expect(await bill(DAY, '--csv', '--out', out)).toEqual({ code: 0, stdout: '', stderr: said });
  expect(existsSync(out)).toBe(false);
  writeFileSync(out, 'mine');
  expect(await bill(DAY, '--spreadsheet', '--out', out, '--force')).toMatchObject({ code: 0, stderr: said });
  expect(readFileSync(out, 'utf8')).toBe('mine');
  expect(await bill(DAY, '--csv')).toEqual({ code: 0, stdout: '', stderr: 'The bill has no rows.\n' });
  expect(json(await bill(DAY, '--csv', '--out', out, '--force', '--json'))).toMatchObject({
    rows: 0,
    summary: { totalCount: 0 },
  });
  expect((await bill(DAY)).stdout).toMatch(/^总交易单数 +0$/m);
  expect(json(await bill(DAY, '--json'))).toMatchObject({ summary: { totalCount: 0 } });
});

test('a bill with fewer rows than it counts is half a bill', async () => {
  gateway.answer = (response) => response.end([HEADER, ROWS[0], ...SUMMARY].join('\r\n'));
  const out = file('fewer.csv');
  expect(await bill(DAY, '--csv', '--out', out)).toMatchObject({ code: 6, stderr: expect.stringContaining('2 rows') });
  expect(existsSync(out)).toBe(false);
});

test('no bill for the day', async () => {
  gateway.answer = (response) =>
    response.end(
      '<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>20002</error_code></xml>',
    );
  const { code, stderr } = await bill(DAY, '--csv');
  expect(code).toBe(4);
  expect(stderr).toContain('No Bill Exist');
});

test.each([
  [[], 'Which day?'],
  [['20261399'], 'bill_date'],
  [[DAY, '--csv', '--spreadsheet'], 'exclude each other'],
  [[DAY, '--csv', '--json'], '--out'],
  [[DAY, '--out', 'x.csv'], '--out needs a form'],
  [[DAY, '--type', 'SOME'], '--type is one of ALL'],
  [[DAY, '--account', 'Fees'], '--account is for --fund-flow'],
  [[DAY, '--fund-flow', '--type', 'ALL'], '--type is not for'],
])('%j is wrong usage', async (args, said) => {
  const ran = await bill(...args);
  expect(ran.code).toBe(2);
  expect(ran.stdout + ran.stderr).toContain(said);
});

test('a reader that has seen enough ends it quietly', async () => {
  const many = Array.from({ length: 50_000 }, () => ROWS[0]);
  gateway.answer = (response) => response.end([HEADER, ...many, ...SUMMARY].join('\r\n'));
  const line = `"${process.execPath}" "${shop.programs.program('cli')}" bill ${DAY} --csv | head -n 1`;
  const { code, stdout, stderr } = await shop.programs.runProgram('sh', ['-c', line], { env: env() });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${HEADER}\r\n`, stderr: '' });
});

describe('the progress bar', () => {
  if (!canLendTerminal()) return;

  const run = (args: readonly string[], extra: NodeJS.ProcessEnv, onOutput?: (output: string) => void) => {
    const [command, words] = onTerminal([process.execPath, shop.programs.program('cli'), 'bill', DAY, ...args]);
    return shop.programs.runProgram(command, words, { env: { ...env(), ...extra }, ...(onOutput && { onOutput }) });
  };

  test('moves on a terminal while the bill comes, and is gone at the end', async () => {
    let finish = (): void => {};
    gateway.answer = (response) => {
      response.write(`${[HEADER, ...ROWS].join('\r\n')}\r\n`);
      finish = () => response.end(SUMMARY.join('\r\n'));
    };
    const { code, stdout } = await run([], { TERM: 'xterm' }, (output) => {
      if (/ 2 rows /.test(output) && new Set(output.match(/\[ *█+ *\]/g)).size > 2) finish();
    });
    expect(code).toBe(0);
    // It leaves one terminal line, cleared.
    const [bars, rest] = [
      stdout.slice(0, stdout.lastIndexOf('\r\x1b[K')),
      stdout.slice(stdout.lastIndexOf('\r\x1b[K')),
    ];
    expect(bars).not.toContain('\n');
    expect(rest.startsWith('\r\x1b[K总交易单数')).toBe(true);
  });

  test('is not drawn on a dumb terminal, nor among rows that go to the terminal', async () => {
    expect((await run([], { TERM: 'dumb' })).stdout).not.toContain('█');
    expect((await run(['--csv'], { TERM: 'xterm' })).stdout).not.toContain('█');
  });

  test('colours come on a terminal, and not with NO_COLOR', async () => {
    const coloured = (extra: NodeJS.ProcessEnv) => run(['--type', 'SOME'], { TERM: 'xterm', ...extra });
    expect((await coloured({})).stdout).toContain('\x1b[31mwechat-h5:\x1b[39m');
    expect((await coloured({ NO_COLOR: '1' })).stdout).not.toContain('\x1b[');
  });
});
