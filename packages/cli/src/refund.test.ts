import { json, Shop } from './shop.fixture.js';
import { canLendTerminal, onTerminal } from './pseudo-terminal.fixture.js';

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});

afterAll(() => shop.close());

const refund = (...args: string[]) => shop.run(['refund', ...args], shop.withCertificate);

async function stated(outTradeNo: string): Promise<readonly { outRefundNo: string; refundFee: number }[]> {
  const found = await shop.run(['query', '--refunds-of', outTradeNo, '--json']);
  return found.code === 4 ? [] : (json(found)['refunds'] as { outRefundNo: string; refundFee: number }[]);
}

test('a part, the same again, then the rest, and then there is none', async () => {
  const order = await shop.paidOrder(1990);
  const first = await refund(order, '--out-refund-no', `${order}-R1`, '--refund-fee', '990', '--yes');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^refund_fee +990 CNY \(¥9\.90\)$/m);
  expect(first.stdout).toContain(`wechat-h5 query --out-refund-no ${order}-R1`);

  const again = await refund(order, '--out-refund-no', `${order}-R1`, '--all', '--yes', '--json');
  expect(json(again)).toMatchObject({ outRefundNo: `${order}-R1`, refundFee: 990 });

  const rest = await refund(order, '--out-refund-no', `${order}-R2`, '--all', '--reason', '缺货', '--yes', '--json');
  expect(json(rest)).toMatchObject({ refundFee: 1000, totalFee: 1990 });
  expect(await stated(order)).toMatchObject([
    { outRefundNo: `${order}-R1`, refundFee: 990 },
    { outRefundNo: `${order}-R2`, refundFee: 1000 },
  ]);

  const none = await refund(order, '--out-refund-no', `${order}-R3`, '--all', '--yes');
  expect(none.code).toBe(4);
  expect(none.stderr).toContain('was given back before');
});

test('more than is left: WeChat Pay refuses, and why is said', async () => {
  const order = await shop.paidOrder(100);
  const ran = await refund(order, '--out-refund-no', `${order}-R1`, '--refund-fee', '60', '--yes');
  expect(ran.code).toBe(0);
  expect((await refund(order, '--out-refund-no', `${order}-R2`, '--refund-fee', '60', '--yes')).code).toBe(4);
  expect((await refund(order, '--out-refund-no', `${order}-R2`, '--refund-fee', '101', '--yes')).code).toBe(2);
});

test('an order that nobody paid, and one that never was', async () => {
  const order = await shop.order();
  const unpaid = await refund(order, '--out-refund-no', 'R-1', '--all', '--yes');
  expect(unpaid.code).toBe(4);
  expect(unpaid.stderr).toContain('is not paid (NOTPAY)');
  expect((await refund('NEVER-PLACED', '--out-refund-no', 'R-1', '--all', '--yes')).code).toBe(4);
});

test('without a certificate, without a notify URL: nothing is given back', async () => {
  const order = await shop.paidOrder();
  const args = ['refund', order, '--out-refund-no', 'R-2', '--all', '--yes'];
  const uncertified = { ...shop.withCertificate, WECHAT_PAY_CERTIFICATE_FILE: '', WECHAT_PAY_PRIVATE_KEY_FILE: '' };
  const bare = await shop.run(args, uncertified);
  expect(bare.code).toBe(3);
  expect(bare.stderr).toContain('certificate');
  const silent = await shop.run(args, { ...shop.withCertificate, WECHAT_PAY_NOTIFY_URL: '' });
  expect(silent.code).toBe(3);
  expect(silent.stderr).toContain('WECHAT_PAY_NOTIFY_URL is not set');
  expect(await stated(order)).toEqual([]);
});

test.each([
  [[], 'Which order?'],
  [['A-ORDER-1', '--all', '--yes'], '--out-refund-no is missing'],
  [['A-ORDER-1', '--out-refund-no', 'R-1', '--yes'], 'either --refund-fee or --all'],
  [['A-ORDER-1', '--out-refund-no', 'R-1', '--refund-fee', '1', '--all', '--yes'], 'either --refund-fee or --all'],
  [['A-ORDER-1', '--out-refund-no', 'R-1', '--refund-fee', '19.90', '--yes'], '¥19.90 is 1990.'],
  [['A-ORDER-1', '--out-refund-no', 'R-1', '--refund-fee', '1e3', '--yes'], 'not a whole number'],
  [['A-ORDER-1', '--out-refund-no', 'R-1', '--refund-fee', '-5', '--yes'], '--refund-fee needs <amount>'],
  [['A-ORDER-1', '--out-refund-no', 'R-1', '--all'], 'Add --yes'],
])('%j is wrong usage', async (args, said) => {
  const ran = await refund(...args);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toContain(said);
});

describe('on a terminal', () => {
  if (!canLendTerminal()) return;

  const answered = (order: string, answer: string) => {
    const cli = [process.execPath, shop.programs.program('cli')];
    const [command, args] = onTerminal([...cli, 'refund', order, '--out-refund-no', `${order}-R1`, '--all']);
    const env = { ...shop.env, ...shop.withCertificate, TERM: 'xterm' };
    return shop.programs.runProgram(command, args, { env, input: answer });
  };

  test('yes gives back what the question says', async () => {
    const order = await shop.paidOrder();
    const { code, stdout } = await answered(order, 'y\n');
    expect(stdout).toContain(
      `Give back 1990 CNY (¥19.90) of 1990 CNY (¥19.90) for order ${order}, as refund ${order}-R1;`,
    );
    expect(stdout).toContain('. Go on? [y/N] ');
    expect(code).toBe(0);
    expect(await stated(order)).toMatchObject([{ refundFee: 1990 }]);
  });

  test('anything else gives nothing back', async () => {
    const order = await shop.paidOrder();
    for (const answer of ['n\n', '\n', '']) {
      const { code, stdout } = await answered(order, answer);
      expect(stdout).toContain('Nothing was done.');
      expect(code).toBe(1);
    }
    expect(await stated(order)).toEqual([]);
  });
});
