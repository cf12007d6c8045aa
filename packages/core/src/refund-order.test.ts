import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { P12_PASSPHRASE } from './certificate.fixture.js';
import { openHttpsGateway, type HttpsGateway } from './https-gateway.fixture.js';
import { createWechatH5, type Certificate, type NewRefund, type Refund, type WechatH5 } from './index.js';
import { eventually } from './refunds.fixture.js';
import { partsOf } from './wechat-h5.js';

const REFUND = {
  outTradeNo: 'ORDER-0001',
  outRefundNo: 'REFUND-0001',
  totalFee: 1990,
  refundFee: 990,
} satisfies NewRefund;

/** What WeChat Pay says of a refund it accepted. */
const ACCEPTED = {
  transaction_id: '4200000001',
  out_trade_no: 'ORDER-0001',
  out_refund_no: 'REFUND-0001',
  refund_id: '50000000382019052709732678859',
  refund_fee: '990',
  total_fee: '1990',
  cash_fee: '1990',
};

let gateway: HttpsGateway;
let wechatH5: WechatH5;
beforeAll(async () => {
  gateway = await openHttpsGateway();
});
beforeEach(() => {
  gateway.requests.length = 0;
  gateway.answer = () => ACCEPTED;
  const { cert, key } = gateway.files;
  wechatH5 = createWechatH5(gateway.options({ certificate: { cert, key } }));
});
afterAll(() => gateway.stop());

test('a refund, over mutual TLS', async () => {
  expect(await wechatH5.refund(REFUND)).toEqual({
    outRefundNo: 'REFUND-0001',
    refundId: '50000000382019052709732678859',
    outTradeNo: 'ORDER-0001',
    transactionId: '4200000001',
    refundFee: 990,
    totalFee: 1990,
    feeType: 'CNY',
    cashFee: 1990,
    coupons: [],
    raw: expect.objectContaining(ACCEPTED),
  });
  expect(gateway.requests).toEqual([
    {
      path: '/secapi/pay/refund',
      certificate: '10000100',
      fields: {
        appid: 'wx2421b1c4370ec43b',
        mch_id: '10000100',
        out_trade_no: 'ORDER-0001',
        out_refund_no: 'REFUND-0001',
        total_fee: '1990',
        refund_fee: '990',
        notify_url: 'https://pay.example.com/notify',
        nonce_str: expect.stringMatching(/^[0-9a-f]{32}$/),
        sign: expect.stringMatching(/^[0-9A-F]{32}$/),
      },
    },
  ]);
});

test('with a p12', async () => {
  const certificate = { pfx: gateway.files.p12, passphrase: P12_PASSPHRASE };
  await createWechatH5(gateway.options({ certificate })).refund(REFUND);
  expect(gateway.requests).toMatchObject([{ certificate: '10000100' }]);
});

test('everything a refund may have, and all of a reply', async () => {
  gateway.answer = () => ({
    ...ACCEPTED,
    fee_type: 'HKD',
    settlement_refund_fee: '980',
    settlement_total_fee: '1980',
    cash_fee_type: 'CNY',
    cash_refund_fee: '900',
    coupon_refund_fee: '90',
    coupon_refund_count: '2',
    coupon_refund_id_1: 'C1',
    coupon_refund_fee_1: '40',
    coupon_type_1: 'NO_CASH',
    coupon_refund_id_0: 'C0',
    coupon_refund_fee_0: '50',
    coupon_type_0: 'CASH',
  });
  const { outTradeNo: _, ...refund } = REFUND;
  expect(
    await wechatH5.refund({
      ...refund,
      transactionId: '4200000001',
      refundFeeType: 'HKD',
      refundDesc: '商品已售完',
      refundAccount: 'REFUND_SOURCE_RECHARGE_FUNDS',
      notifyUrl: 'https://pay.example.com/refunded',
      detail: '{"goods_detail":[]}',
    }),
  ).toMatchObject({
    feeType: 'HKD',
    settlementRefundFee: 980,
    settlementTotalFee: 1980,
    cashFeeType: 'CNY',
    cashRefundFee: 900,
    couponRefundFee: 90,
    coupons: [
      { couponRefundId: 'C0', couponType: 'CASH', couponRefundFee: 50 },
      { couponRefundId: 'C1', couponType: 'NO_CASH', couponRefundFee: 40 },
    ],
  });
  const [{ fields } = { fields: {} }] = gateway.requests;
  expect(fields).toMatchObject({
    transaction_id: '4200000001',
    refund_fee_type: 'HKD',
    refund_desc: '商品已售完',
    refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
    notify_url: 'https://pay.example.com/refunded',
    detail: '{"goods_detail":[]}',
  });
  expect(fields).not.toHaveProperty('out_trade_no');
});

test('without a certificate nothing is sent', async () => {
  await expect(createWechatH5(gateway.options()).refund(REFUND)).rejects.toMatchObject({
    code: 'CERTIFICATE_MISSING',
    field: 'merchant.certificate',
    hint: expect.stringContaining('WECHAT_PAY_CERTIFICATE_FILE'),
  });
  expect(gateway.requests).toEqual([]);
});

test.each<[field: string, wrong: Record<string, unknown>]>([
  ['out_trade_no', { outTradeNo: undefined }],
  ['out_trade_no', { outTradeNo: '订单' }],
  ['out_trade_no', { outTradeNo: '1'.repeat(33) }],
  ['transaction_id', { transactionId: '4200000001' }],
  ['transaction_id', { outTradeNo: undefined, transactionId: '42 00' }],
  ['out_refund_no', { outRefundNo: undefined }],
  ['out_refund_no', { outRefundNo: '' }],
  ['out_refund_no', { outRefundNo: 'R'.repeat(65) }],
  ['out_refund_no', { outRefundNo: 'REFUND\n1' }],
  ['total_fee', { totalFee: 19.9 }],
  ['total_fee', { totalFee: undefined }],
  ['refund_fee', { refundFee: 0 }],
  ['refund_fee', { refundFee: 9.9 }],
  ['refund_fee', { refundFee: '990' }],
  ['refund_fee', { refundFee: 1991 }],
  ['refund_fee_type', { refundFeeType: 'cny' }],
  ['refund_desc', { refundDesc: '售'.repeat(81) }],
  ['refund_desc', { refundDesc: 'sold\nout' }],
  ['refund_desc', { refundDesc: 'sold&total_fee=1' }],
  ['refund_account', { refundAccount: 'RECHARGE' }],
  ['notify_url', { notifyUrl: '/refunded' }],
  ['notify_url', { notifyUrl: 'https://pay.example.com/refunded?id=1' }],
  ['detail', { detail: '{' }],
  ['refund_fee', { refund_fee: 1 }],
  ['reason', { reason: 'sold out' }],
])('D23, D24, D25: %s is refused by name: %j', async (field, wrong) => {
  await expect(wechatH5.refund({ ...REFUND, ...wrong } as NewRefund)).rejects.toMatchObject({
    code: 'ORDER_FIELD_INVALID',
    field,
    hint: expect.stringMatching(/./),
  });
  expect(gateway.requests).toEqual([]);
});

test('on the mainland a refund is in CNY, and the error says which gateway takes others', async () => {
  const { gateway: _, ...mainland } = gateway.options();
  const shop = createWechatH5(mainland);
  await expect(shop.refund({ ...REFUND, refundFeeType: 'HKD' })).rejects.toMatchObject({
    code: 'ORDER_FIELD_INVALID',
    field: 'refund_fee_type',
    hint: expect.stringContaining("'global'"),
  });
  // There is no certificate: that is looked at next, and nothing is sent.
  await expect(shop.refund({ ...REFUND, refundFeeType: 'CNY' })).rejects.toMatchObject({ code: 'CERTIFICATE_MISSING' });
});

test('80 characters of any script are a description', async () => {
  await wechatH5.refund({ ...REFUND, refundDesc: '🎁'.repeat(80) });
  expect(gateway.requests).toHaveLength(1);
});

test.each(['SYSTEMERROR', 'BIZERR_NEED_RETRY'])('N20: %s: asked again with the same number', async (errCode) => {
  const answers = [{ result_code: 'FAIL', err_code: errCode }, ACCEPTED];
  gateway.answer = () => answers.shift() ?? {};
  await wechatH5.refund(REFUND);
  const [first, second] = gateway.requests.map(({ fields: { nonce_str: _nonce, sign: _sign, ...fields } }) => fields);
  expect(second).toEqual(first);
});

test.each([
  ['NOTENOUGH', 'GATEWAY_REFUSED', '余额不足'],
  ['TRADE_OVERDUE', 'GATEWAY_REFUSED', '一年'],
  ['ORDERNOTEXIST', 'ORDER_UNKNOWN', '订单不存在'],
  ['INVALID_REQ_TOO_MUCH', 'GATEWAY_REFUSED', 'same out_refund_no'],
  ['SOMETHING_NEW', 'GATEWAY_REFUSED', 'query'],
])('%s is refused once: %s', async (errCode, code, hint) => {
  gateway.answer = () => ({ result_code: 'FAIL', err_code: errCode, err_code_des: 'why' });
  await expect(wechatH5.refund(REFUND)).rejects.toMatchObject({
    code,
    errCode,
    errCodeDes: 'why',
    hint: expect.stringContaining(hint),
  });
  expect(gateway.requests).toHaveLength(1);
});

test.each([
  ['out_refund_no', 'REFUND-0002'],
  ['out_trade_no', 'ORDER-0002'],
  ['refund_fee', '1990'],
  ['total_fee', '990'],
  ['transaction_id', ''],
  ['refund_id', ''],
])('a signed reply with %s %j is not believed', async (field, value) => {
  gateway.answer = () => {
    const { [field as 'refund_id']: _, ...rest } = ACCEPTED;
    return value === '' ? rest : { ...rest, [field]: value };
  };
  await expect(wechatH5.refund(REFUND)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID', field });
});

test('X11: neither passphrase nor key shows in what goes wrong on the way', async () => {
  const { p12, cert, key } = gateway.files;
  const line = key.split('\n')[5] ?? '';
  expect(line).toHaveLength(64);
  gateway.answer = () => 'not XML';
  for (const certificate of [
    { cert, key },
    { pfx: p12, passphrase: P12_PASSPHRASE },
  ]) {
    const options = gateway.options({ certificate });
    for (const shop of [
      createWechatH5(options),
      // Does not trust the server.
      createWechatH5({ ...options, http: {} }),
      createWechatH5({ ...options, gateway: 'https://127.0.0.1:9', http: { timeoutMs: 1000 } }),
    ]) {
      const error: unknown = await shop.refund(REFUND).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
      const sink =
        inspect([error, shop], { depth: 20, showHidden: true, maxStringLength: null }) + JSON.stringify(error);
      expect(sink).not.toContain(line);
      expect(sink).not.toContain(P12_PASSPHRASE);
      partsOf(shop)?.close();
    }
  }
});

describe('at the simulated WeChat Pay, over TLS', () => {
  let simulator: Simulator;
  let agent: Agent;
  const refunded: Refund[] = [];
  let shop: Server;
  let notifyUrl: string;
  beforeAll(async () => {
    simulator = await createSimulator({ timeScale: 0.001 });
    agent = new Agent({ ca: simulator.tls.ca, keepAlive: true });
    shop = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void wechatH5.handleNotification({ method: 'POST', body: Buffer.concat(chunks) }).then((reply) => {
          response.writeHead(reply.status, reply.headers).end(reply.body);
        });
      });
    });
    shop.listen(0, '127.0.0.1');
    await once(shop, 'listening');
    notifyUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/notify`;
  });
  afterAll(async () => {
    agent.destroy();
    await simulator.stop();
    shop.closeAllConnections();
    shop.close();
  });

  const openShop = (certificate: Certificate | undefined): WechatH5 => {
    const { appId, mchId, apiKey } = simulator.merchant;
    return createWechatH5({
      merchant: { appId, mchId, apiKey, ...(certificate && { certificate }) },
      gateway: simulator.tls.url,
      http: { agent },
      notifyUrl,
      onPaid: () => {},
      onRefunded: (refund) => void refunded.push(refund),
      onProblem: () => {},
    });
  };

  test.each<[string, () => Certificate]>([
    ['PEM', () => simulator.merchant.certificate],
    ['p12', () => simulator.merchant.p12],
  ])('%s: accepted, settled, told', async (kind, certificate) => {
    wechatH5 = openShop(certificate());
    const outTradeNo = `ORDER-${kind}`;
    await wechatH5.createOrder({ outTradeNo, body: 'Shop - tea', totalFee: 1990, clientIp: '127.0.0.5' });
    await simulator.pay(outTradeNo);
    const refund = { outTradeNo, outRefundNo: `REFUND-${kind}`, totalFee: 1990, refundFee: 990 };
    const accepted = await wechatH5.refund(refund);
    expect(accepted).toMatchObject(refund);
    // The same number is the same refund.
    expect(await wechatH5.refund(refund)).toMatchObject({ refundId: accepted.refundId });
    expect(simulator.refunds.list(outTradeNo)).toHaveLength(1);
    await expect(wechatH5.refund({ ...refund, outRefundNo: 'TOO-MUCH', refundFee: 1990 })).rejects.toMatchObject({
      code: 'REFUND_EXCEEDED',
    });
    if (simulator.refunds.get(refund.outRefundNo)?.status === 'PROCESSING')
      await simulator.settleRefund(refund.outRefundNo, 'SUCCESS');
    await eventually(() => refunded.some(({ outRefundNo }) => outRefundNo === refund.outRefundNo));
  });

  test('N22: a reply lost after the refund was accepted; asked again, it is the same refund', async () => {
    wechatH5 = openShop(simulator.merchant.certificate);
    await wechatH5.createOrder({ outTradeNo: 'ORDER-LOST', body: 'Tea', totalFee: 1990, clientIp: '127.0.0.5' });
    await simulator.pay('ORDER-LOST');
    const refund = { outTradeNo: 'ORDER-LOST', outRefundNo: 'REFUND-LOST', totalFee: 1990, refundFee: 1990 };
    // The first one may meet a kept connection, which is worth another try at once.
    simulator.faults.nextCall('refund', { drop: 'apply' });
    simulator.faults.nextCall('refund', { drop: 'apply' });
    await expect(wechatH5.refund(refund)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    simulator.faults.clear();
    expect(await wechatH5.refund(refund)).toMatchObject({ outRefundNo: 'REFUND-LOST' });
    expect(simulator.refunds.list('ORDER-LOST')).toHaveLength(1);
  });
});
