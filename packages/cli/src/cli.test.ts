import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json, OTHER_KEY, Shop } from './shop.fixture.js';
import { VERSION } from './version.js';

// The command as its users have it: a process with arguments, streams and an exit code, against the simulator.

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});

afterAll(() => shop.close());

describe('the arguments', () => {
  test('--version is that of the package', async () => {
    const manifest = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as { version: string };
    expect(VERSION).toBe(manifest.version);
    expect(await shop.programs.run(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test.each(['en', 'zh'])(
    '--help in %s names every command and every exit code; each command has its own',
    async (lang) => {
      const general = await shop.programs.run(['--help', '--lang', lang]);
      expect(general.code).toBe(0);
      const names = [...general.stdout.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}/gm)].map(([, name]) => name as string);
      expect(names).toEqual(
        expect.arrayContaining(['doctor', 'query', 'close', 'orders list', 'sign', 'verify', 'explain']),
      );
      for (const code of [0, 1, 2, 3, 4, 5, 6, 70]) expect(general.stdout).toMatch(new RegExp(`^ +${code} `, 'm'));
      for (const name of names) {
        const { code, stdout, stderr } = await shop.programs.run([...name.split(' '), '--help', '--lang', lang]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toContain(`wechat-h5 ${name} `);
        expect(stdout).toContain(`npx @wechat-h5/cli ${name}`);
        expect(stdout.includes('选项')).toBe(lang === 'zh');
      }
    },
  );

  test.each([
    [[], 'Usage: wechat-h5'],
    [['qurey', 'X'], 'Did you mean query?'],
    [['pay'], 'There are: doctor'],
    [['query', '--transaction', 'X'], 'Did you mean --transaction-id?'],
    [['query', 'A-ORDER-1', '--transaction-id'], '--transaction-id needs <id>'],
    [['query', '--transaction-id', '--json-lines'], '--transaction-id needs <id>'],
    [['query', 'A-ORDER-1', '--help=yes'], '--help takes no value'],
    [['query', 'A-ORDER-1', 'A-ORDER-2'], 'One argument too many: "A-ORDER-2"'],
    [['query', 'A-ORDER-1', '--refund-id', '1', '--refund-id', '2'], '--refund-id is given twice'],
    [['query', 'A-ORDER-1', '--refund-id', '1'], 'More than one number'],
    [['query'], 'Which order?'],
    [['explain'], 'Which error?'],
    [['doctor', '--lang', 'fr'], '--lang is neither en nor zh'],
    [['orders'], 'There are: orders list, orders show'],
    [['orders', 'lst'], 'Did you mean orders list?'],
    [['orders', 'show'], 'Which order?'],
    [['orders', 'list', '--quarantined', '--orphans'], 'No order can be both'],
    [['orders', 'list', '--state', 'PAYED'], '--state is one of CREATING'],
    [['orders', 'list', '--limit', '0'], '--limit is not a whole number from 1 to 1000'],
    [['orders', 'list', '--after', 'x'], 'nothing that a page ended with'],
    [['orders', 'resolve', 'A-ORDER-1', '--reason', 'x', '--yes'], 'either --accept or --reject'],
    [['orders', 'resolve', 'A-ORDER-1', '--accept', '--yes'], '--reason is missing'],
    [['orders', 'resolve', 'A-ORDER-1', '--accept', '--reason', 'x'], 'Add --yes'],
    [['orders', 'compare'], 'Which day?'],
    [['orders', 'list', '--book', 'redis://:pass@host'], '--book takes the path of a module'],
  ])('%j is wrong usage', async (args, said) => {
    const { code, stdout, stderr } = await shop.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test.each([
    [['query', '--api-key', OTHER_KEY]],
    [['query', `--key=${OTHER_KEY}`]],
    [['doctor', OTHER_KEY]],
    [['sign', `key=${OTHER_KEY}`]],
    [[OTHER_KEY]],
    [[`--${OTHER_KEY}`]],
    [['explain', OTHER_KEY]],
    [['doctor', '--env', OTHER_KEY]],
    [['doctor', `WECHAT_PAY_API_KEY=${OTHER_KEY}`, '--json']],
  ])('a key among the arguments is refused and not repeated (%#)', async (args) => {
    const { code, stdout, stderr } = await shop.run(args);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain('looks like an API key');
  });

  test('the configured key is refused even where an order number is expected, and another number of that shape is not', async () => {
    expect((await shop.run(['query', shop.env['WECHAT_PAY_API_KEY'] as string])).code).toBe(2);
    const unknown = await shop.run(['query', '0123456789abcdef0123456789abcdef']);
    expect(unknown.code).toBe(4);
  });

  test('Chinese comes by LANG or --lang, errors are JSON with --json, and no colours go into a pipe', async () => {
    expect((await shop.programs.run(['qurey'], { env: { LANG: 'zh_CN.UTF-8' } })).stderr).toContain('是否想用 query？');
    const refused = await shop.programs.run(['qurey', '--json', '--lang', 'zh']);
    expect(refused).toMatchObject({ code: 2, stderr: '' });
    expect(json(refused)).toEqual({ error: { code: 'USAGE', message: '没有命令 "qurey"', hint: '是否想用 query？' } });
  });
});

describe('the merchant', () => {
  test('is missing: the variable is named', async () => {
    const { code, stderr } = await shop.programs.run(['query', 'A-ORDER-1']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^wechat-h5: WECHAT_PAY_\w+ is not set\n/);
  });

  test('comes from a file alone with --env, and its key from a file of its own', async () => {
    const { WECHAT_PAY_API_KEY, ...others } = shop.env;
    const keyFile = join(shop.programs.folder, 'key');
    const envFile = join(shop.programs.folder, 'shop.env');
    writeFileSync(keyFile, `${WECHAT_PAY_API_KEY}\n`, { mode: 0o600 });
    writeFileSync(
      envFile,
      Object.entries(others)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const outTradeNo = await shop.order();
    const withKeyFile = await shop.programs.run(['query', outTradeNo], {
      env: { ...others, WECHAT_PAY_API_KEY_FILE: keyFile },
    });
    expect(withKeyFile).toMatchObject({ code: 0, stderr: '' });
    // The key of the environment is not laid under the file.
    const halved = await shop.run(['query', outTradeNo, '--env', envFile]);
    expect(halved.code).toBe(3);
    expect(halved.stderr).toContain('WECHAT_PAY_API_KEY is not set');
    writeFileSync(envFile, `WECHAT_PAY_API_KEY_FILE=${keyFile}\n`, { flag: 'a' });
    expect(await shop.programs.run(['--env', envFile, 'query', outTradeNo])).toMatchObject({ code: 0 });
    // As some editors write it.
    writeFileSync(envFile, `\uFEFF${readFileSync(envFile, 'utf8')}`);
    expect(await shop.programs.run(['--env', envFile, 'query', outTradeNo])).toMatchObject({ code: 0 });
    const both = await shop.run(['query', outTradeNo], { WECHAT_PAY_API_KEY_FILE: keyFile });
    expect(both).toMatchObject({ code: 3 });
  });

  test('cannot be read: the file is named', async () => {
    const { code, stderr } = await shop.programs.run(['query', 'A-ORDER-1', '--env', 'nowhere.env']);
    expect(code).toBe(3);
    expect(stderr).toContain('nowhere.env cannot be read (ENOENT)');
  });

  test('has a key that is none: the variable is named, the key is not', async () => {
    const short = OTHER_KEY.slice(1);
    shop.programs.keepSecret(short);
    const { code, stderr } = await shop.run(['query', 'A-ORDER-1'], { WECHAT_PAY_API_KEY: short });
    expect(code).toBe(3);
    expect(stderr).toContain('WECHAT_PAY_API_KEY: ');
  });
});

describe('query', () => {
  test('an order, before and after the payment', async () => {
    const outTradeNo = await shop.order();
    expect((await shop.run(['query', outTradeNo])).stdout).toMatch(/^trade_state +NOTPAY/m);
    await shop.control('pay', { outTradeNo });
    const { code, stdout } = await shop.run(['query', outTradeNo]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^trade_state +SUCCESS/m);
    expect(stdout).toMatch(/^total_fee +1990 CNY \(¥19\.90\)$/m);
    const asked = json(await shop.run(['query', outTradeNo, '--json']));
    expect(asked).toMatchObject({ outTradeNo, tradeState: 'SUCCESS', payment: { totalFee: 1990 } });
    const { transactionId } = asked['payment'] as { transactionId: string };
    const byId = await shop.run(['query', '--transaction-id', transactionId, '--json']);
    expect(json(byId)).toMatchObject({ outTradeNo });
  });

  test('an order that WeChat Pay does not know', async () => {
    const { code, stdout, stderr } = await shop.run(['query', 'NEVER-PLACED']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('ORDERNOTEXIST');
    const refused = json(await shop.run(['query', 'NEVER-PLACED', '--json']));
    expect(refused['error']).toMatchObject({ code: 'ORDER_UNKNOWN', errCode: 'ORDERNOTEXIST' });
  });

  test('refunds: one by each of its numbers, and all of an order, more than a page of them', async () => {
    const outTradeNo = await shop.order();
    await shop.control('pay', { outTradeNo });
    for (let n = 1; n <= 12; n++)
      await shop.control('refund', { outTradeNo, outRefundNo: `${outTradeNo}-R${n}`, refundFee: n });
    const all = json(await shop.run(['query', '--refunds-of', outTradeNo, '--json']));
    const fees = (all['refunds'] as { refundFee: number; refundId: string }[]).map(({ refundFee }) => refundFee);
    expect(fees).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const one = await shop.run(['query', '--out-refund-no', `${outTradeNo}-R7`]);
    expect(one.stdout).toMatch(/^refund_fee +7 CNY \(¥0\.07\)$/m);
    const [, refundId = ''] = /^refund_id +(\S+)$/m.exec(one.stdout) ?? [];
    expect((await shop.run(['query', '--refund-id', refundId])).stdout).toBe(one.stdout);
  });

  test('nobody is there: nothing was sent', async () => {
    const gone = { WECHAT_PAY_GATEWAY: 'http://127.0.0.1:9' };
    expect((await shop.run(['query', 'A-ORDER-1'], gone)).code).toBe(5);
  });

  test('the answer is no answer: unknown, and its text stays on its line', async () => {
    const server = createServer((_, response) => {
      response.end('<xml><return_code>FAIL</return_code><return_msg>签名错误&#9;</return_msg></xml>');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const odd = { WECHAT_PAY_GATEWAY: `http://127.0.0.1:${port}` };
    const { code, stderr } = await shop.run(['query', 'A-ORDER-1'], odd);
    server.close();
    expect(code).toBe(6);
    expect(stderr.split('\n')).toHaveLength(3);
    expect(stderr).toContain('签名错误');
    expect(stderr).not.toContain('\t');
  });
});

describe('close', () => {
  test('wants --yes where nobody can be asked, before it asks anything of WeChat Pay', async () => {
    const { code, stderr } = await shop.run(['close', 'A-ORDER-1']);
    expect(code).toBe(2);
    expect(stderr).toContain('Add --yes');
  });

  test('an unpaid order, then it is closed; a paid one is not', async () => {
    const outTradeNo = await shop.order();
    const closed = await shop.run(['close', outTradeNo, '--yes', '--json']);
    expect(json(closed)).toEqual({ outTradeNo, closed: true });
    expect((await shop.run(['query', outTradeNo])).stdout).toMatch(/^trade_state +CLOSED/m);
    const paid = await shop.order();
    await shop.control('pay', { outTradeNo: paid });
    const refused = await shop.run(['close', paid, '--yes']);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('is paid');
  });

  test('a number that WeChat Pay never saw', async () => {
    expect((await shop.run(['close', 'NEVER-PLACED', '--yes'])).code).toBe(4);
  });
});
