import { Agent } from 'node:https';
import { createWechatH5, type WechatH5 } from '@wechat-h5/core';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';

/** 12:00 in Beijing. */
const NOON = new Date('2026-11-20T04:00:00Z');
const HOUR = 3_600_000;

/*
 * The two sides share no code. Whatever the one writes the other has to understand, operation by operation, over TLS
 * with the merchant's certificate.
 */
describe.each(['current', 'legacy'] as const)('core and the simulator, %s columns', (billColumns) => {
  let simulator: Simulator;
  let wechatH5: WechatH5;
  let agent: Agent;
  beforeAll(async () => {
    simulator = await createSimulator({ now: () => NOON, billColumns });
    agent = new Agent({ ca: simulator.tls.ca, keepAlive: true });
    wechatH5 = createWechatH5({
      merchant: simulator.merchant,
      notifyUrl: 'http://127.0.0.1:9/notify',
      gateway: simulator.tls.url,
      http: { agent },
    });
    const order = { outTradeNo: 'order-1', body: 'tea', totalFee: 1000, clientIp: '127.0.0.1' };
    await wechatH5.createOrder(order);
    await simulator.pay('order-1');
    await wechatH5.refund({ outTradeNo: 'order-1', outRefundNo: 'R1', totalFee: 1000, refundFee: 400 });
    simulator.advance(23 * HOUR);
  });
  afterAll(async () => {
    agent.destroy();
    await simulator.stop();
  });

  test('a refund, accepted and then done', async () => {
    expect((await wechatH5.queryRefund({ outRefundNo: 'R1' })).refunds).toMatchObject([
      { outRefundNo: 'R1', refundFee: 400, refundStatus: 'SUCCESS' },
    ]);
  });

  test('a bill, row by row', async () => {
    const bill = wechatH5.downloadBill('20261120');
    const rows = [];
    for await (const row of bill) rows.push(row);
    expect(rows).toMatchObject([
      { outTradeNo: 'order-1', tradeState: 'SUCCESS' },
      { outTradeNo: 'order-1', tradeState: 'REFUND', outRefundNo: 'R1', refundFee: 400 },
    ]);
    expect(await bill.summary).toMatchObject({ totalCount: 2 });
    await expect(wechatH5.downloadBill('20261119')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'BILL_NOT_FOUND',
    });
  });

  test('a fund flow', async () => {
    const flow = wechatH5.downloadFundFlow('20261120');
    const rows = [];
    for await (const row of flow) rows.push(row);
    expect(rows).toHaveLength(4);
    expect(await flow.summary).toMatchObject({ totalCount: 4, incomeFee: 1002, expenditureFee: 406 });
  });

  test('a rate and a settlement', async () => {
    expect(await wechatH5.queryExchangeRate({ feeType: 'USD', date: '20261120' })).toMatchObject({ rate: 720_000_000 });
    const days = { dateStart: '20261120', dateEnd: '20261120' };
    expect((await wechatH5.querySettlement({ state: 'settled', ...days })).settlements).toMatchObject([
      { settlementFeeType: 'CNY', payFee: 1000, refundFee: 400, payNetFee: 600, poundageFee: 4, settlementFee: 596 },
    ]);
    expect((await wechatH5.querySettlement({ state: 'unsettled', ...days })).settlements).toEqual([]);
  });
});
