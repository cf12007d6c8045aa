import { createSimulator, type Simulator, type SimulatorOptions } from '@wechat-h5/simulator';
import { Agent } from 'node:https';
import { fakeDate } from './fake-date.fixture.js';
import { createWechatH5, type BillRow, type WechatH5 } from './index.js';
import { partsOf } from './wechat-h5.js';

let simulator: Simulator;
let wechatH5: WechatH5;
let agent: Agent;

/** A shop that sold and refunded on 22 November 2026, in Beijing; it is noon of the day after. */
async function openDay(options: SimulatorOptions = {}): Promise<void> {
  fakeDate(new Date('2026-11-22T04:00:00Z'));
  simulator = await createSimulator({ timeScale: 0.001, ...options });
  agent = new Agent({ ca: simulator.tls.ca, keepAlive: true });
  const { appId, mchId, apiKey, certificate } = simulator.merchant;
  wechatH5 = createWechatH5({
    merchant: { appId, mchId, apiKey, certificate },
    gateway: simulator.tls.url,
    http: { agent },
    notifyUrl: 'http://127.0.0.1:9/notify',
    onProblem: () => {},
  });
  const payer = { clientIp: '127.0.0.5' };
  await sell({ outTradeNo: 'TEA-01', body: 'Tea, green', totalFee: 1990, attach: 'a,b', ...payer });
  await sell({ outTradeNo: 'TEA-02', body: 'Tea,`black', totalFee: 1, ...payer });
  simulator.faults.loseNotification();
  await wechatH5.refund({ outTradeNo: 'TEA-01', outRefundNo: 'R-01', totalFee: 1990, refundFee: 990 });
}

async function sell(order: Parameters<WechatH5['createOrder']>[0]): Promise<void> {
  await wechatH5.createOrder(order);
  simulator.faults.loseNotification();
  await simulator.pay(order.outTradeNo);
}

const tomorrow = (): void => void jest.setSystemTime(new Date('2026-11-23T04:00:00Z'));

async function all<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const list: Row[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

afterEach(async () => {
  jest.useRealTimers();
  partsOf(wechatH5)?.close();
  agent.destroy();
  await simulator.stop();
});

test.each(['current', 'legacy'] as const)('a bill of %s columns adds up to its summary', async (billColumns) => {
  await openDay({ billColumns });
  tomorrow();
  for (const gzip of [true, false]) {
    const bill = wechatH5.downloadBill('20261122', { gzip });
    const rows = await all(bill);
    const { totalCount, totalFee, refundFee } = await bill.summary;
    const sum = (name: 'totalFee' | 'refundFee', state: string): number =>
      rows.filter(({ tradeState }) => tradeState === state).reduce((total, row) => total + (row[name] ?? NaN), 0);
    expect({ totalCount, totalFee, refundFee }).toEqual({
      totalCount: rows.length,
      totalFee: sum('totalFee', 'SUCCESS'),
      refundFee: sum('refundFee', 'REFUND'),
    });
    expect({ totalFee, refundFee }).toEqual({ totalFee: 1991, refundFee: 990 });
    const paid = rows.find((row) => row.outTradeNo === 'TEA-01' && row.tradeState === 'SUCCESS') as BillRow;
    expect(paid).toMatchObject({
      totalFee: 1990,
      body: 'Tea, green',
      attach: 'a,b',
      feeType: 'CNY',
      tradeType: 'MWEB',
    });
    expect(paid.transactionId).toBe(simulator.orders.get('TEA-01')?.payment?.transactionId);
    expect(rows.find(({ outRefundNo }) => outRefundNo === 'R-01')).toMatchObject({
      outTradeNo: 'TEA-01',
      refundFee: 990,
    });
  }
});

test('a bill of one kind, a day without any, and one that is not made yet', async () => {
  await openDay();
  jest.setSystemTime(new Date('2026-11-23T00:30:00Z'));
  await expect(all(wechatH5.downloadBill('20261122'))).rejects.toMatchObject({ code: 'BILL_NOT_READY' });
  tomorrow();
  expect(await all(wechatH5.downloadBill('20261122', { billType: 'SUCCESS' }))).toHaveLength(2);
  expect(await all(wechatH5.downloadBill('20261122', { billType: 'REFUND' }))).toMatchObject([{ outRefundNo: 'R-01' }]);
  await expect(all(wechatH5.downloadBill('20261101'))).rejects.toMatchObject({ code: 'BILL_NOT_FOUND' });
});

test('a fund flow, over mutual TLS', async () => {
  await openDay();
  tomorrow();
  const flow = wechatH5.downloadFundFlow('20261122');
  const rows = await all(flow);
  const summary = await flow.summary;
  expect(summary).toMatchObject({ totalCount: rows.length });
  for (const direction of ['income', 'expenditure'] as const) {
    const of = rows.filter((row) => row.direction === direction);
    expect(of.length).toBeGreaterThan(0);
    expect(of.reduce((total, { amount = NaN }) => total + amount, 0)).toBe(summary[`${direction}Fee`]);
    expect(of).toHaveLength(summary[`${direction}Count`] ?? NaN);
  }
});

test('Global: another currency, its settlement and its rate', async () => {
  await openDay();
  const payer = { clientIp: '127.0.0.5', body: 'Tea' };
  await sell({ outTradeNo: 'HKD-01', totalFee: 1750, feeType: 'HKD', ...payer });
  await sell({ outTradeNo: 'JPY-01', totalFee: 1750, feeType: 'JPY', ...payer });
  tomorrow();
  const { payment } = await wechatH5.queryOrder({ outTradeNo: 'HKD-01' });
  expect(payment).toMatchObject({ totalFee: 1750, feeType: 'HKD', cashFeeType: 'CNY' });
  const rows = await all(wechatH5.downloadBill('20261122'));
  expect(rows.find(({ outTradeNo }) => outTradeNo === 'HKD-01')).toMatchObject({ totalFee: 1750, feeType: 'HKD' });
  expect(rows.find(({ outTradeNo }) => outTradeNo === 'JPY-01')).not.toHaveProperty('totalFee');

  expect(await wechatH5.queryExchangeRate({ feeType: 'HKD', date: '20261122' })).toMatchObject({
    feeType: 'HKD',
    rate: expect.any(Number),
  });
  const dates = { dateStart: '20261122', dateEnd: '20261122' };
  const { settlements, recordNum } = await wechatH5.querySettlement({ state: 'settled', ...dates });
  expect(settlements).toHaveLength(recordNum);
  expect(settlements.map(({ settlementFeeType }) => settlementFeeType).sort()).toEqual(['CNY', 'HKD', 'JPY']);
  expect(settlements.find(({ settlementFeeType }) => settlementFeeType === 'HKD')).toMatchObject({ payFee: 1750 });
  expect(await wechatH5.querySettlement({ state: 'unsettled', ...dates })).toMatchObject({ settlements: [] });
});
