import { gunzipSync } from 'node:zlib';
import { openScene, type Scene } from './merchant.fixture.js';
import type { SignType, SimulatorOptions } from './index.js';
import { sign } from './signing.js';
import { buildXml, parseXml } from './xml.js';

/** 2026-11-23, 12:00 in Beijing. */
const NOON = new Date('2026-11-23T04:00:00Z');
const HOUR = 3_600_000;

let scene: Scene;
afterEach(() => scene.stop());

async function open(options: SimulatorOptions = {}): Promise<void> {
  scene = await openScene({ now: () => NOON, refundSeconds: Infinity, ...options });
  const { simulator } = scene;
  await scene.place('order-1', { total_fee: '1990', body: '茶,\n绿茶', attach: 'a,b', device_info: 'WEB' });
  await simulator.pay('order-1', { openId: 'oSIM1' });
  await scene.place('order-2', { total_fee: '5' });
  await simulator.pay('order-2', { openId: 'oSIM2', bankType: 'CFT' });
  await scene.place('unpaid-order');
  await simulator.refund('order-1', { outRefundNo: 'R1', refundFee: 500 });
  await simulator.refund('order-1', { outRefundNo: 'R2', refundFee: 90, status: 'REFUNDCLOSE' });
}

async function download(operation: string, fields: Record<string, string>, signType: SignType = 'MD5') {
  const { url, merchant } = scene.simulator;
  const message: Record<string, string> = {
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: 'n',
    sign_type: signType,
    ...fields,
  };
  const body = buildXml({ ...message, sign: sign(message, merchant.apiKey, signType) });
  const reply = await fetch(`${url}/pay/${operation}`, { method: 'POST', body });
  return { type: reply.headers.get('content-type'), bytes: Buffer.from(await reply.arrayBuffer()) };
}

async function lines(operation: string, fields: Record<string, string>, signType?: SignType): Promise<string[]> {
  const { bytes } = await download(operation, fields, signType);
  const text = bytes.toString('utf8');
  expect(text.slice(0, 1)).toBe('\uFEFF');
  expect(text.slice(-2)).toBe('\r\n');
  return text.slice(1, -2).split('\r\n');
}

async function refusal(operation: string, fields: Record<string, string>, signType?: SignType) {
  return { ...parseXml((await download(operation, fields, signType)).bytes.toString('utf8')) };
}

const transactionOf = (number: string): string => scene.simulator.orders.get(number)?.payment?.transactionId ?? '';
const refundOf = (number: string): string => scene.simulator.refunds.get(number)?.refundId ?? '';
const row = (...cells: string[]): string => cells.map((cell) => `\`${cell}`).join(',');

describe('downloadbill', () => {
  test('everything of a day, with the columns since 2018', async () => {
    await open();
    const { appId, mchId } = scene.simulator.merchant;
    scene.simulator.advance(22 * HOUR);
    const one = [appId, mchId, '0', 'WEB', transactionOf('order-1'), 'order-1', 'oSIM1', 'MWEB'];
    const two = [appId, mchId, '0', '', transactionOf('order-2'), 'order-2', 'oSIM2', 'MWEB'];
    const at = '2026-11-23 12:00:00';
    expect(await lines('downloadbill', { bill_date: '20261123', bill_type: 'ALL' })).toEqual([
      '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注',
      row(
        at,
        ...one,
        'SUCCESS',
        'OTHERS',
        'CNY',
        '19.90',
        '0.00',
        '0',
        '0',
        '0.00',
        '0.00',
        '',
        '',
        '茶, 绿茶',
        'a,b',
        '0.12000',
        '0.60%',
        '19.90',
        '0.00',
        '',
      ),
      row(
        at,
        ...two,
        'SUCCESS',
        'CFT',
        'CNY',
        '0.05',
        '0.00',
        '0',
        '0',
        '0.00',
        '0.00',
        '',
        '',
        '手工咖啡豆 – 250 g',
        '',
        '0.00000',
        '0.60%',
        '0.05',
        '0.00',
        '',
      ),
      row(
        at,
        ...one,
        'REFUND',
        'OTHERS',
        'CNY',
        '0.00',
        '0.00',
        refundOf('R1'),
        'R1',
        '5.00',
        '0.00',
        'ORIGINAL',
        'SUCCESS',
        '茶, 绿茶',
        'a,b',
        '-0.03000',
        '0.60%',
        '0.00',
        '5.00',
        '',
      ),
      row(
        at,
        ...one,
        'REFUND',
        'OTHERS',
        'CNY',
        '0.00',
        '0.00',
        refundOf('R2'),
        'R2',
        '0.90',
        '0.00',
        'ORIGINAL',
        'FAIL',
        '茶, 绿茶',
        'a,b',
        '-0.01000',
        '0.60%',
        '0.00',
        '0.90',
        '',
      ),
      '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额',
      row('4.0', '19.95', '5.90', '0.00', '0.08000', '19.95', '5.90'),
    ]);
  });

  test.each([
    ['current', 'ALL', 27, 7],
    ['current', 'SUCCESS', 20, 7],
    ['current', 'REFUND', 29, 7],
    ['legacy', 'ALL', 24, 5],
    ['legacy', 'SUCCESS', 18, 5],
    ['legacy', 'REFUND', 26, 5],
  ] as const)('%s columns of %s: %i, and %i in the summary', async (billColumns, type, columns, totals) => {
    await open({ billColumns });
    scene.simulator.advance(22 * HOUR);
    const bill = await lines('downloadbill', { bill_date: '20261123', bill_type: type });
    // The comma within a cell is not told apart: only the back-tick after it is.
    const widths = bill.map((line) => (line.startsWith('`') ? line.split(',`') : line.split(',')).length);
    expect(widths).toEqual([...Array<number>(bill.length - 2).fill(columns), totals, totals]);
    expect(bill[0]?.includes(billColumns === 'legacy' ? '总金额' : '应结订单金额')).toBe(true);
    expect(bill.at(-1)).toMatch(billColumns === 'legacy' ? /^`\d+,/ : /^`\d+\.0,/);
  });

  // As the documentation printed them until 2018.
  test.each([
    [
      'ALL',
      '交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率',
    ],
    [
      'SUCCESS',
      '交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,商品名称,商户数据包,手续费,费率',
    ],
    [
      'REFUND',
      '交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,代金券或立减优惠金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率',
    ],
  ])('the published header of %s, and of its summary', async (type, header) => {
    await open({ billColumns: 'legacy' });
    scene.simulator.advance(22 * HOUR);
    const bill = await lines('downloadbill', { bill_date: '20261123', bill_type: type });
    expect(bill[0]).toBe(header);
    expect(bill.at(-2)).toBe('总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额');
  });

  test('a bill of refunds tells when the order was paid, when it was asked for and when it succeeded', async () => {
    await open();
    scene.simulator.advance(24 * HOUR);
    await scene.simulator.refund('order-2', { outRefundNo: 'next-day' });
    scene.simulator.advance(24 * HOUR);
    const [header = '', first = '', , totals = ''] = await lines('downloadbill', {
      bill_date: '20261124',
      bill_type: 'REFUND',
    });
    const cells = first.slice(1).split(',`');
    expect(header.split(',').slice(14, 16)).toEqual(['退款申请时间', '退款成功时间']);
    expect([cells[0], cells[14], cells[15]]).toEqual([
      '2026-11-23 12:00:00',
      '2026-11-24 12:00:00',
      '2026-11-24 12:00:00',
    ]);
    expect(totals).toMatch(/^`1\.0,`0\.00,`0\.05,/);
  });

  test('GZIP gives the same bytes, packed', async () => {
    await open();
    scene.simulator.advance(22 * HOUR);
    const plain = await download('downloadbill', { bill_date: '20261123' });
    const packed = await download('downloadbill', { bill_date: '20261123', tar_type: 'GZIP' });
    expect(plain.type).toBe('text/plain; charset=utf-8');
    expect(packed.type).toBe('application/x-gzip');
    expect(packed.bytes.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    expect(gunzipSync(packed.bytes)).toEqual(plain.bytes);
  });

  test('the day is that of Beijing: an order at 23:59 and one at 00:00 are of two', async () => {
    scene = await openScene({ now: () => new Date('2026-11-23T15:59:59Z') });
    await scene.place('before-midnight');
    await scene.simulator.pay('before-midnight');
    scene.simulator.advance(1000);
    await scene.place('after-midnight');
    await scene.simulator.pay('after-midnight');
    scene.simulator.advance(48 * HOUR);
    expect((await lines('downloadbill', { bill_date: '20261123' }))[1]).toContain('`before-midnight,');
    expect((await lines('downloadbill', { bill_date: '20261124' }))[1]).toContain('`after-midnight,');
  });

  test('is made in the morning of the next day, and kept for three months', async () => {
    await open();
    const code = async () => (await refusal('downloadbill', { bill_date: '20261123' }))['return_msg'];
    expect(await code()).toBe('invalid bill_date');
    scene.simulator.advance(21.9 * HOUR);
    expect(await code()).toBe('Bill Creating');
    scene.simulator.advance(0.1 * HOUR);
    expect(await lines('downloadbill', { bill_date: '20261123' })).toHaveLength(7);
    scene.simulator.advance(93 * 24 * HOUR);
    expect(await code()).toBe('invalid bill_date');
  });

  test.each<[string, Record<string, string>, string, string]>([
    ['a day without payments', { bill_date: '20261122' }, '20002', 'No Bill Exist'],
    ['a type without rows', { bill_date: '20261123', bill_type: 'RECHARGE_REFUND' }, '20002', 'No Bill Exist'],
    ['no day', {}, '20001', 'missing parameter'],
    ['no real day', { bill_date: '20260231' }, '20001', 'invalid bill_date'],
    ['a day with dashes', { bill_date: '2026-11-23' }, '20001', 'invalid bill_date'],
    ['another type', { bill_date: '20261123', bill_type: 'CSV' }, '20001', 'invalid bill_type'],
    ['another archive', { bill_date: '20261123', tar_type: 'ZIP' }, '20001', 'invalid tar_type: Only GZIP supported'],
    ['another appid', { bill_date: '20261123', appid: 'wx0000000000000000' }, '20001', 'invalid appid'],
  ])('refuses %s, unsigned, with its own field for the code', async (_, fields, code, text) => {
    await open();
    scene.simulator.advance(22 * HOUR);
    expect(await refusal('downloadbill', fields)).toEqual({ return_code: 'FAIL', return_msg: text, error_code: code });
  });

  test('a wrong signature is told in its own words too', async () => {
    await open();
    const { appId, mchId } = scene.simulator.merchant;
    const body = buildXml({ appid: appId, mch_id: mchId, nonce_str: 'n', bill_date: '20261123', sign: 'X' });
    const reply = await fetch(`${scene.simulator.url}/pay/downloadbill`, { method: 'POST', body });
    expect({ ...parseXml(await reply.text()) }).toEqual({
      return_code: 'FAIL',
      return_msg: 'sign error',
      error_code: '20001',
    });
  });

  test.each([
    ['20003', 'Bill Creating', '20003'],
    ['20100', 'system error', '20100'],
    ['SYSTEMERROR', 'system error', '20100'],
  ])('a script makes it answer %s', async (errCode, text, code) => {
    await open();
    scene.simulator.advance(22 * HOUR);
    scene.simulator.faults.nextCall('downloadbill', { errCode });
    expect(await refusal('downloadbill', { bill_date: '20261123' })).toEqual({
      return_code: 'FAIL',
      return_msg: text,
      error_code: code,
    });
    expect(await lines('downloadbill', { bill_date: '20261123' })).toHaveLength(7);
  });
});

describe('downloadfundflow', () => {
  const flow = { bill_date: '20261123', account_type: 'Basic' };

  test('each payment, refund and fee with the balance after it', async () => {
    await open();
    scene.simulator.advance(22 * HOUR);
    const text = await lines('downloadfundflow', flow, 'HMAC-SHA256');
    expect(text[0]).toBe(
      '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号',
    );
    expect(text.slice(1, -2).map((line) => line.slice(1).split(',`').slice(3, 8))).toEqual([
      ['交易', '交易', '收入', '19.90', '19.90'],
      ['扣除交易手续费', '扣除交易手续费', '支出', '0.12', '19.78'],
      ['交易', '交易', '收入', '0.05', '19.83'],
      ['退款', '退款', '支出', '5.00', '14.83'],
      ['退还交易手续费', '退还交易手续费', '收入', '0.03', '14.86'],
      ['退款', '退款', '支出', '0.90', '13.96'],
      ['退还交易手续费', '退还交易手续费', '收入', '0.01', '13.97'],
    ]);
    expect(text[1]?.startsWith(row('2026-11-23 12:00:00', transactionOf('order-1')))).toBe(true);
    expect(text.at(-2)).toBe('资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额');
    expect(text.at(-1)).toBe(row('7.0', '4.0', '19.99', '3.0', '6.02'));
  });

  test('the balance goes on over the days', async () => {
    await open();
    scene.simulator.advance(24 * HOUR);
    await scene.place('order-3', { total_fee: '100' });
    await scene.simulator.pay('order-3');
    scene.simulator.advance(24 * HOUR);
    const text = await lines('downloadfundflow', { ...flow, bill_date: '20261124' }, 'HMAC-SHA256');
    expect(text[1]?.split(',`').slice(6, 8)).toEqual(['1.00', '14.97']);
  });

  test('GZIP', async () => {
    await open();
    scene.simulator.advance(22 * HOUR);
    const { bytes } = await download('downloadfundflow', { ...flow, tar_type: 'GZIP' }, 'HMAC-SHA256');
    expect(gunzipSync(bytes).toString('utf8')).toContain('资金流水总笔数');
  });

  test.each<[string, Record<string, string>, SignType, string, string]>([
    ['MD5', {}, 'MD5', 'PARAM_ERROR', 'sign_type参数格式错误'],
    ['no account', { account_type: '' }, 'HMAC-SHA256', 'PARAM_ERROR', '缺少参数account_type'],
    ['another account', { account_type: 'Mine' }, 'HMAC-SHA256', 'PARAM_ERROR', 'account_type参数格式错误'],
    ['today', { bill_date: '20261124' }, 'HMAC-SHA256', 'PARAM_ERROR', 'bill_date参数格式错误'],
    ['an account where nothing moves', { account_type: 'Fees' }, 'HMAC-SHA256', 'NO_BILL_EXIST', '账单不存在'],
    ['a day without movement', { bill_date: '20261121' }, 'HMAC-SHA256', 'NO_BILL_EXIST', '账单不存在'],
  ])('refuses %s, unsigned, in both layers', async (_, fields, signType, code, description) => {
    await open();
    scene.simulator.advance(22 * HOUR);
    expect(await refusal('downloadfundflow', { ...flow, ...fields }, signType)).toEqual({
      return_code: 'SUCCESS',
      return_msg: 'OK',
      result_code: 'FAIL',
      err_code: code,
      err_code_des: description,
    });
  });

  test('is not there before ten in the morning', async () => {
    await open();
    scene.simulator.advance(20 * HOUR);
    expect(await refusal('downloadfundflow', flow, 'HMAC-SHA256')).toMatchObject({ err_code: 'BILL_CREATING' });
  });
});

test.each([-1, NaN, Infinity])('the clock does not go by %p', async (milliseconds) => {
  await open();
  expect(() => scene.simulator.advance(milliseconds)).toThrow(RangeError);
});

test('advance lets links expire and refunds end', async () => {
  scene = await openScene({ now: () => NOON, refundSeconds: 60 });
  await scene.place('order-1', { total_fee: '100' });
  await scene.simulator.pay('order-1');
  await scene.call('refund', { out_trade_no: 'order-1', out_refund_no: 'R1', total_fee: '100', refund_fee: '100' });
  scene.simulator.advance(60_000);
  expect(scene.simulator.refunds.get('R1')).toMatchObject({ status: 'SUCCESS' });
  expect(scene.simulator.refunds.get('R1')?.succeededAt).toEqual(new Date(NOON.getTime() + 60_000));
});

test('other columns are refused', async () => {
  await open();
  await expect(openScene({ billColumns: '2014' as 'legacy' })).rejects.toThrow('billColumns');
});
