import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { fakeDate } from './fake-date.fixture.js';
import { openHttpsGateway } from './https-gateway.fixture.js';
import { createWechatH5, parseXml, type Bill, type BillRow, type WechatH5 } from './index.js';
import { partsOf } from './wechat-h5.js';

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };

/** The columns of 2014. */
const OLD = `交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率
\`2014-11-10 16:33:45,\`wx2421b1c4370ec43b,\`10000100,\`0,\`1000,\`1001690740201411100005734289,\`1415640626,\`085e9858e3ba5186aafcbaed1,\`MWEB,\`SUCCESS,\`CFT,\`CNY,\`0.01,\`0.0,\`0,\`0,\`0,\`0,\`,\`,\`被扫支付测试,\`订单额外描述,\`0,\`0.60%
\`2014-11-10 16:46:14,\`wx2421b1c4370ec43b,\`10000100,\`0,\`1000,\`1002780740201411100005729794,\`1415635270,\`085e9858e90ca40c0b5aee463,\`MWEB,\`REFUND,\`CFT,\`CNY,\`19.90,\`0.0,\`2002780740,\`R1,\`9.90,\`0,\`ORIGINAL,\`SUCCESS,\`Tea, green, 100 g,\`a,b,\`-0.06000,\`0.60%
总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额
\`2,\`19.91,\`9.90,\`0.0,\`-0.06
`;

/** The columns since 2018. */
const NEW_HEADER =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';
const NEW_SUMMARY = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额';
const cells = (values: readonly string[]): string => values.map((value) => `\`${value}`).join(',');
const newRow = (
  texts: string[] = ['Tea', ''],
  money: Partial<Record<'fee' | 'currency' | 'total', string>> = {},
): string => {
  const { fee = '0.12000', currency = 'CNY', total = '19.90' } = money;
  const head = ['2026-11-21 23:59:59', MERCHANT.appId, MERCHANT.mchId, '1900000109', 'WEB', '4200000001', 'ORDER-0001'];
  const refund = ['5030000001', 'R1', '9.80', '0.10', 'ORIGINAL', 'SUCCESS'];
  const tail = [...texts, fee, '0.60%', total, '9.90', '优惠费率'];
  return cells([...head, 'oUpF8', 'MWEB', 'REFUND', 'OTHERS', currency, '19.80', '0.10', ...refund, ...tail]);
};
const newBill = (rows: string[], summary = `${rows.length}.0,19.80,9.80,0.10,0.12,19.90,9.90`): string =>
  [NEW_HEADER, ...rows, NEW_SUMMARY, cells(summary.split(',')), ''].join('\r\n');

const withByte = (byte: number): Buffer => {
  const bytes = Buffer.from(OLD);
  bytes[bytes.indexOf('MWEB')] = byte;
  return bytes;
};

let server: Server;
let wechatH5: WechatH5;
let answer: RequestListener;
let asked: Record<string, string>[];

beforeEach(async () => {
  fakeDate(new Date('2026-11-23T04:00:00Z'));
  asked = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(parseXml(Buffer.concat(chunks)));
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  wechatH5 = createWechatH5({
    merchant: MERCHANT,
    notifyUrl: 'http://127.0.0.1:9/notify',
    gateway: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
});
afterEach(async () => {
  jest.useRealTimers();
  partsOf(wechatH5)?.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const says = (body: string | Buffer): void => {
  answer = (_request, response) => response.end(body);
};
async function all<Row>(bill: AsyncIterable<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of bill) rows.push(row);
  return rows;
}
const read = (body: string | Buffer): Promise<BillRow[]> => {
  says(body);
  return all(wechatH5.downloadBill('20261121'));
};

test('the request', async () => {
  says(OLD);
  await all(wechatH5.downloadBill('20261121'));
  await all(wechatH5.downloadBill('20261122', { billType: 'REFUND', gzip: false }));
  expect(asked).toMatchObject([
    { mch_id: '10000100', bill_date: '20261121', bill_type: 'ALL', tar_type: 'GZIP', nonce_str: expect.any(String) },
    { bill_date: '20261122', bill_type: 'REFUND', sign: expect.stringMatching(/^[0-9A-F]{32}$/) },
  ]);
  expect(asked[1]).not.toHaveProperty('tar_type');
});

test.each([
  ['plain', Buffer.from(OLD)],
  ['with a byte order mark', Buffer.from(`\uFEFF${OLD}`)],
  ['as GZIP', gzipSync(`\uFEFF${OLD}`)],
  ['with CR LF', Buffer.from(OLD.replaceAll('\n', '\r\n'))],
  ['without a last line break', Buffer.from(OLD.trimEnd())],
  ['with backticks before the names, too', Buffer.from(OLD.replace(/^[交总].*$/gm, (line) => cells(line.split(','))))],
])('columns of 2014, %s', async (_how, body) => {
  says(body);
  const bill = wechatH5.downloadBill('20261121');
  const rows = await all(bill);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toEqual({
    tradeTime: new Date('2014-11-10T08:33:45Z'),
    appId: 'wx2421b1c4370ec43b',
    mchId: '10000100',
    deviceInfo: '1000',
    transactionId: '1001690740201411100005734289',
    outTradeNo: '1415640626',
    openId: '085e9858e3ba5186aafcbaed1',
    tradeType: 'MWEB',
    tradeState: 'SUCCESS',
    bankType: 'CFT',
    feeType: 'CNY',
    totalFee: 1,
    couponFee: 0,
    refundFee: 0,
    couponRefundFee: 0,
    body: '被扫支付测试',
    attach: '订单额外描述',
    poundageFee: 0,
    rate: '0.60%',
    raw: expect.objectContaining({ 交易状态: 'SUCCESS', 子商户号: '0', 退款类型: '' }),
  });
  expect(rows[1]).toMatchObject({
    totalFee: 1990,
    refundId: '2002780740',
    outRefundNo: 'R1',
    refundFee: 990,
    refundChannel: 'ORIGINAL',
    refundStatus: 'SUCCESS',
    body: 'Tea, green, 100 g',
    attach: 'a,b',
    poundageFee: -6,
  });
  expect(await bill.summary).toEqual({
    totalCount: 2,
    totalFee: 1991,
    refundFee: 990,
    couponRefundFee: 0,
    poundageFee: -6,
    raw: expect.objectContaining({ 总交易额: '19.91' }),
  });
});

test('columns since 2018', async () => {
  says(newBill([newRow(['Tea', 'attached'])]));
  const bill = wechatH5.downloadBill('20261121');
  expect(await all(bill)).toMatchObject([
    {
      tradeTime: new Date('2026-11-21T15:59:59Z'),
      subMchId: '1900000109',
      totalFee: 1990,
      settlementTotalFee: 1980,
      couponFee: 10,
      refundFee: 990,
      settlementRefundFee: 980,
      couponRefundFee: 10,
      poundageFee: 12,
      rateDesc: '优惠费率',
    },
  ]);
  expect(await bill.summary).toMatchObject({
    totalCount: 1,
    totalFee: 1990,
    settlementTotalFee: 1980,
    refundFee: 990,
    settlementRefundFee: 980,
    couponRefundFee: 10,
    poundageFee: 12,
  });
});

test('columns are found by name: moved, left out and new ones', async () => {
  const body = `订单金额,新的一列,交易时间\n\`19.90,\`x,\`2026-11-21 00:00:00\n总交易单数,新的合计\n\`1,\`2\n`;
  expect(await read(body)).toEqual([
    {
      totalFee: 1990,
      tradeTime: new Date('2026-11-20T16:00:00Z'),
      raw: { 订单金额: '19.90', 新的一列: 'x', 交易时间: '2026-11-21 00:00:00' },
    },
  ]);
});

test('a day without rows', async () => {
  says(newBill([], '0,0.00,0.00,0.00,0.00,0.00,0.00'));
  const bill = wechatH5.downloadBill('20261121');
  expect(await all(bill)).toEqual([]);
  expect(await bill.summary).toMatchObject({ totalCount: 0, totalFee: 0 });
});

test('a comma with a backtick within a text moves no other column', async () => {
  const [row] = await read(newBill([newRow(['Tea,`green', 'a,`b,`c'])]));
  expect(row).toMatchObject({ totalFee: 1990, refundFee: 990, poundageFee: 12, outTradeNo: 'ORDER-0001' });
  expect(row?.body).toBe('Tea,`green,`a,`b,`c');
  expect(row).not.toHaveProperty('attach');
});

test('amounts are exact', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }),
      fc.constantFrom('', '000'),
      async (fen, zeros) => {
        const digits = String(Math.abs(fen)).padStart(3, '0');
        const total = `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}${zeros}`;
        expect((await read(newBill([newRow(undefined, { total })])))[0]?.totalFee).toBe(fen);
      },
    ),
    { numRuns: 50 },
  );
});

test('a part of a fen is not rounded: it stays in raw', async () => {
  const [row] = await read(newBill([newRow(undefined, { fee: '0.11940' })]));
  expect(row).not.toHaveProperty('poundageFee');
  expect(row?.raw).toMatchObject({ 手续费: '0.11940' });
});

test('a currency whose smallest unit is not certain is not converted, nor is a summary with it', async () => {
  says(newBill([newRow(undefined, { currency: 'JPY' }), newRow(undefined, { currency: 'HKD' })]));
  const bill = wechatH5.downloadBill('20261121');
  const [yen, dollar] = await all(bill);
  expect(yen).not.toHaveProperty('totalFee');
  expect(yen?.raw).toMatchObject({ 订单金额: '19.90' });
  expect(dollar).toMatchObject({ totalFee: 1990 });
  const summary = await bill.summary;
  expect(summary).toMatchObject({ totalCount: 2 });
  expect(summary).not.toHaveProperty('totalFee');
});

test.each([
  ['a row with a cell too few', newBill([newRow().replace(',`9.90', '')])],
  ['a row in two lines', newBill([newRow(['Tea\r\nbag', ''])])],
  ['a row without backticks', OLD.replaceAll(/`(?=2014)/g, '')],
  ['an amount that is none', newBill([newRow(undefined, { total: 'free' })])],
  ['an amount in scientific notation', newBill([newRow(undefined, { total: '1e3' })])],
  ['a count that is none', newBill([newRow()], 'one,19.80,9.80,0.10,0.12,19.90,9.90')],
  ['a summary with a value too few', newBill([newRow()], '1,19.80')],
  ['something behind the summary', `${OLD}${OLD.trim().split('\n').at(-1)}\n`],
  ['a header with a column twice', OLD.replace('设备号', '商户号')],
  ['a header of one word', 'Busy\n'],
  ['another encoding', Buffer.from(OLD, 'utf16le')],
  ['a byte that is not UTF-8', withByte(0xff)],
])('%s: BILL_INVALID, with nothing of it in the message', async (_what, body) => {
  const error: Error = await read(body).then(
    () => new Error('it was read'),
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: 'BILL_INVALID', hint: expect.stringMatching(/./) });
  expect(error.message).not.toContain('ORDER-0001');
});

describe('the number of rows that the summary counts', () => {
  const counts = (count: number): string => `${count},19.80,9.80,0.10,0.12,19.90,9.90`;
  const refund = newRow();
  const payment = refund.replace('`REFUND', '`SUCCESS');
  const revoked = refund.replace('`REFUND', '`REVOKED');
  const outcome = async (bill: Bill): Promise<{ rows: number; ended: string; summary: string }> => {
    let rows = 0;
    const codeOf = (error: unknown): string => (error as { code: string }).code;
    const read = async (): Promise<void> => {
      for await (const _ of bill) rows++;
    };
    const ended = await read().then(() => 'well', codeOf);
    return { rows, ended, summary: await bill.summary.then(() => 'well', codeOf) };
  };

  test.each([
    ['all of them', [payment, payment], 2, 'well'],
    ['all of them, refunds too', [payment, refund], 2, 'well'],
    ['all but refunds', [payment, refund, refund], 1, 'well'],
    ['one that is not there', [payment, payment], 3, 'BILL_INCOMPLETE'],
    ['one that is not there, beside a refund', [payment, refund], 3, 'BILL_INCOMPLETE'],
    ['none, of two', [payment, payment], 0, 'BILL_INVALID'],
    ['one less', [payment, payment], 1, 'BILL_INVALID'],
    ['less than the payments', [payment, payment, refund], 1, 'BILL_INVALID'],
    ['all but what was revoked', [payment, revoked], 1, 'BILL_INVALID'],
  ])('%s: every row comes, then it ends as it should', async (_what, rows, count, ends) => {
    says(newBill(rows, counts(count)));
    const expected = { rows: rows.length, ended: ends, summary: ends };
    expect(await outcome(wechatH5.downloadBill('20261121'))).toEqual(expected);
  });

  test('under a name that is not known, it is checked against nothing', async () => {
    says(newBill([payment, refund], counts(7)).replace('总交易单数', 'Transactions'));
    expect(await outcome(wechatH5.downloadBill('20261121'))).toEqual({ rows: 2, ended: 'well', summary: 'well' });
  });
});

test('a line without end is given up, and the connection closed', async () => {
  let closed: Promise<unknown> | undefined;
  answer = (_request, response) => {
    closed = once(response, 'close');
    response.write(`${NEW_HEADER}\n`);
    const more = (): void => {
      while (!response.destroyed && response.write('`'.repeat(10_000))) continue;
      response.once('drain', more);
    };
    more();
  };
  await expect(all(wechatH5.downloadBill('20261121'))).rejects.toMatchObject({ code: 'BILL_INVALID' });
  await closed;
});

test.each([
  ['in the header', OLD.slice(0, 20)],
  ['after the header', OLD.split('\n').slice(0, 1).join('\n')],
  ['after a row', OLD.split('\n').slice(0, 2).join('\n')],
  ['after the header of the summary', OLD.split('\n').slice(0, 4).join('\n')],
])('cut off %s, however well the connection ended: BILL_INCOMPLETE', async (_where, body) => {
  says(body);
  const bill = wechatH5.downloadBill('20261121');
  await expect(all(bill)).rejects.toMatchObject({ code: 'BILL_INCOMPLETE' });
  await expect(bill.summary).rejects.toMatchObject({ code: 'BILL_INCOMPLETE' });
});

describe('the summary', () => {
  const unhandled: unknown[] = [];
  const take = (error: unknown): void => void unhandled.push(error);
  beforeAll(() => process.on('unhandledRejection', take));
  afterAll(() => void process.off('unhandledRejection', take));
  afterEach(() => {
    if (unhandled.length > 0) throw new Error('a rejection was handled by nobody');
  });

  test('asked for alone, it reads the rows', async () => {
    says(OLD);
    expect(await wechatH5.downloadBill('20261121').summary).toMatchObject({ totalCount: 2 });
  });

  test('taken before the loop, it waits for the loop', async () => {
    says(OLD);
    const bill = wechatH5.downloadBill('20261121');
    const { summary } = bill;
    expect(await all(bill)).toHaveLength(2);
    expect(await summary).toMatchObject({ totalCount: 2 });
    expect(asked).toHaveLength(1);
  });

  test('breaking off closes the connection, and there is none', async () => {
    let sent = 0;
    let closed: Promise<unknown> | undefined;
    answer = (_request, response) => {
      closed = once(response, 'close');
      response.write(`${NEW_HEADER}\n`);
      const more = (): void => {
        while (!response.destroyed && response.write(`${newRow()}\n`)) sent++;
        response.once('drain', more);
      };
      more();
    };
    const bill = wechatH5.downloadBill('20261121');
    let rows = 0;
    for await (const { totalFee } of bill) {
      expect(totalFee).toBe(1990);
      if (++rows === 3) break;
    }
    await closed;
    expect(sent).toBeGreaterThan(0);
    await expect(bill.summary).rejects.toMatchObject({ code: 'BILL_INCOMPLETE' });
  });

  test('rejects with what the rows throw', async () => {
    says(
      '<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>20002</error_code></xml>',
    );
    const bill = wechatH5.downloadBill('20261121');
    await expect(all(bill)).rejects.toMatchObject({ code: 'BILL_NOT_FOUND' });
    await expect(bill.summary).rejects.toMatchObject({ code: 'BILL_NOT_FOUND' });
    await expect(wechatH5.downloadBill('20261121').summary).rejects.toMatchObject({ code: 'BILL_NOT_FOUND' });
  });

  test('a bill is read once', async () => {
    says(OLD);
    const bill = wechatH5.downloadBill('20261121');
    await all(bill);
    await expect(all(bill)).rejects.toMatchObject({ code: 'BILL_INCOMPLETE' });
  });
});

test('rows come before the bill has arrived', async () => {
  let finish = (): void => {};
  answer = (_request, response) => {
    response.write(`${NEW_HEADER}\n${newRow()}\n`);
    finish = () => response.end(`${newRow()}\n${NEW_SUMMARY}\n${cells(['2', '0', '0', '0', '0', '0', '0'])}\n`);
  };
  let rows = 0;
  for await (const _ of wechatH5.downloadBill('20261121')) if (++rows === 1) finish();
  expect(rows).toBe(2);
});

describe('refusals on the same endpoint', () => {
  const refusal = (code: string, text: string): string =>
    `<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[${text}]]></return_msg>${code && `<error_code><![CDATA[${code}]]></error_code>`}</xml>`;
  const fundFlowRefusal = (code: string, text: string): string =>
    `<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code><err_code>${code}</err_code><err_code_des>${text}</err_code_des></xml>`;

  test.each([
    ['20002', 'No Bill Exist', refusal, 'BILL_NOT_FOUND', '没有账单'],
    ['20002', 'NO Bill Exist', refusal, 'BILL_NOT_FOUND', '没有账单'],
    ['', 'No Bill Exist', refusal, 'BILL_NOT_FOUND', '没有账单'],
    ['NO_BILL_EXIST', '', fundFlowRefusal, 'BILL_NOT_FOUND', '没有账单'],
    ['20003', 'Bill Creating', refusal, 'BILL_NOT_READY', '生成中'],
    ['', 'Bill Creating', refusal, 'BILL_NOT_READY', '生成中'],
    ['20001', 'invalid bill_type', refusal, 'RETURN_CODE_FAIL', '参数错误'],
    ['20001', 'SIGN ERROR', refusal, 'RETURN_CODE_FAIL', 'APIv2 密钥'],
    ['20007', 'CompressGZip Error', refusal, 'RETURN_CODE_FAIL', 'gzip'],
    ['29999', 'something new', refusal, 'RETURN_CODE_FAIL', 'Look at the text'],
    ['PARAM_ERROR', 'bill_date', fundFlowRefusal, 'GATEWAY_REFUSED', '参数错误'],
  ])('%s %s', async (code, text, make, errorCode, hint) => {
    await expect(read(make(code, text))).rejects.toMatchObject({
      code: errorCode,
      ...(code !== '' && { errCode: code }),
      errCodeDes: text,
      hint: expect.stringContaining(hint),
    });
    expect(asked).toHaveLength(1);
  });

  test('before ten o’clock on the next day, no bill may only be none yet', async () => {
    jest.setSystemTime(new Date('2026-11-23T01:59:59Z'));
    says(refusal('20002', 'No Bill Exist'));
    await expect(all(wechatH5.downloadBill('20261122'))).rejects.toMatchObject({
      code: 'BILL_NOT_READY',
      errCode: '20002',
    });
    await expect(all(wechatH5.downloadBill('20261121'))).rejects.toMatchObject({ code: 'BILL_NOT_FOUND' });
    jest.setSystemTime(new Date('2026-11-23T02:00:00Z'));
    await expect(all(wechatH5.downloadBill('20261122'))).rejects.toMatchObject({ code: 'BILL_NOT_FOUND' });
  });

  test('N20: 20100 is asked again, three times at most', async () => {
    const answers = [refusal('20100', 'system error'), OLD];
    answer = (_request, response) => response.end(answers.shift() ?? '');
    expect(await all(wechatH5.downloadBill('20261121'))).toHaveLength(2);
    asked.length = 0;
    says(refusal('20100', 'system error'));
    await expect(all(wechatH5.downloadBill('20261121'))).rejects.toMatchObject({ errCode: '20100' });
    expect(asked).toHaveLength(3);
  });
});

describe('the day, in UTC+8', () => {
  test.each([
    ['20261123', '2026-11-23T04:00:00Z'],
    ['20261124', '2026-11-23T04:00:00Z'],
    // Still the 22nd in London, but the 23rd in Beijing.
    ['20261123', '2026-11-22T16:00:00Z'],
    ['20260801', '2026-11-23T04:00:00Z'],
    // A second more than 93 days.
    ['20260801', '2026-11-01T16:00:01Z'],
    ['2026-11-22', '2026-11-23T04:00:00Z'],
    ['20260230', '2026-11-23T04:00:00Z'],
    ['20261301', '2026-11-23T04:00:00Z'],
    ['', '2026-11-23T04:00:00Z'],
  ])('T03, T06: %j at %s is refused at once', (day, now) => {
    jest.setSystemTime(new Date(now));
    expect(() => wechatH5.downloadBill(day)).toThrow(
      expect.objectContaining({ code: 'ORDER_FIELD_INVALID', field: 'bill_date', hint: expect.stringMatching(/./) }),
    );
  });

  test.each([
    ['20261122', '2026-11-22T16:00:00Z'],
    ['20260823', '2026-11-23T04:00:00Z'],
    ['20260801', '2026-11-01T16:00:00Z'],
    ['20280229', '2028-03-01T02:00:00Z'],
    ['20261231', '2026-12-31T16:00:00Z'],
    ['20380119', '2038-01-20T02:00:00Z'],
  ])('T03, T06: %j at %s is asked for', async (day, now) => {
    jest.setSystemTime(new Date(now));
    says(OLD);
    await all(wechatH5.downloadBill(day));
    expect(asked).toMatchObject([{ bill_date: day }]);
  });

  test.each([
    [{ billType: 'REVOKED' }, 'bill_type'],
    [{ bill_type: 'ALL' }, 'bill_type'],
    [{ type: 'ALL' }, 'type'],
  ])('options %j are refused at once', (options, field) => {
    expect(() => wechatH5.downloadBill('20261121', options as object)).toThrow(
      expect.objectContaining({ code: 'ORDER_FIELD_INVALID', field }),
    );
  });
});

test.each([null, 'ALL', 5])('options that are %j are refused by name', async (options) => {
  const refusal = expect.objectContaining({
    code: 'ORDER_FIELD_INVALID',
    field: 'options',
    message: expect.stringContaining('options'),
  });
  expect(() => wechatH5.downloadBill('20261121', options as never)).toThrow(refusal);
  expect(() => wechatH5.downloadFundFlow('20261121', options as never)).toThrow(refusal);
  await expect(wechatH5.compareBill('20261121', options as never)).rejects.toEqual(refusal);
  expect(asked).toEqual([]);
});

describe('downloadFundFlow', () => {
  const FLOW = `记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号
\`2026-11-21 13:54:01,\`50300806962021020105978994968,\`4200000920202101197964319284,\`退款,\`退款,\`支出,\`0.01,\`0.22,\`10000100API,\`退款总金额0.01元;含手续费0.00元,\`S20210201135356381941
\`2026-11-21 14:00:45,\`4200000001,\`4200000846202101197461830397,\`交易,\`交易,\`收入,\`19.90,\`20.12,\`system,\`,\`S1
资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额
\`2,\`1,\`19.90,\`1,\`0.01
`;

  test('HMAC-SHA256 and the certificate, whatever orders are signed with', async () => {
    jest.useRealTimers();
    const gateway = await openHttpsGateway();
    try {
      const { cert, key } = gateway.files;
      gateway.answer = () => gzipSync(FLOW);
      const shop = createWechatH5(gateway.options({ certificate: { cert, key } }));
      const yesterday = new Date(Date.now() - 16 * 3600_000).toISOString().slice(0, 10).replaceAll('-', '');
      const bill = shop.downloadFundFlow(yesterday, { accountType: 'Operation' });
      expect(await all(bill)).toEqual([
        {
          bookedAt: new Date('2026-11-21T05:54:01Z'),
          businessNo: '50300806962021020105978994968',
          fundFlowNo: '4200000920202101197964319284',
          businessName: '退款',
          businessType: '退款',
          direction: 'expenditure',
          amount: 1,
          balance: 22,
          applicant: '10000100API',
          remark: '退款总金额0.01元;含手续费0.00元',
          voucherNo: 'S20210201135356381941',
          raw: expect.objectContaining({ 收支金额: '0.01' }),
        },
        expect.objectContaining({ direction: 'income', amount: 1990, balance: 2012 }),
      ]);
      expect(await bill.summary).toMatchObject({
        totalCount: 2,
        incomeCount: 1,
        incomeFee: 1990,
        expenditureCount: 1,
        expenditureFee: 1,
      });
      expect(gateway.requests).toMatchObject([
        {
          path: '/pay/downloadfundflow',
          certificate: '10000100',
          fields: {
            account_type: 'Operation',
            bill_date: yesterday,
            sign_type: 'HMAC-SHA256',
            sign: expect.stringMatching(/^[0-9A-F]{64}$/),
          },
        },
      ]);
      for (const [count, code] of [
        [1, 'BILL_INVALID'],
        [0, 'BILL_INVALID'],
        [3, 'BILL_INCOMPLETE'],
      ] as const) {
        gateway.answer = () => FLOW.replace('\n`2,', `\n\`${count},`);
        await expect(all(shop.downloadFundFlow(yesterday))).rejects.toMatchObject({ code });
      }
      gateway.requests.length = 1;
      await expect(all(createWechatH5(gateway.options()).downloadFundFlow(yesterday))).rejects.toMatchObject({
        code: 'CERTIFICATE_MISSING',
      });
      expect(gateway.requests).toHaveLength(1);
    } finally {
      await gateway.stop();
    }
  });

  test('an account that is none is refused at once', () => {
    expect(() => wechatH5.downloadFundFlow('20261121', { accountType: 'BASIC' as 'Basic' })).toThrow(
      expect.objectContaining({ code: 'ORDER_FIELD_INVALID', field: 'account_type' }),
    );
  });
});

test('a bill says what its rows are', () => {
  const bill: Bill = wechatH5.downloadBill('20261121');
  expect(Object.keys(bill)).toEqual([]);
});
