import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import express from 'express';
import { isWechatH5Error, parseXml, yuan, type Payment, type WechatH5Options } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';
import { wechatH5, wechatH5Notify } from '@wechat-h5/express';
import { createSimulator } from '@wechat-h5/simulator';

// What a user's own project looks like to the packages: compiled there with "module": "nodenext" and run there,
// once as CommonJS and once as ESM. Prints what happened as one line of JSON.

async function takePayment() {
  const simulator = await createSimulator();
  const delivered: Payment[] = [];
  const app = express();
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const shop = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options: WechatH5Options = {
    merchant: simulator.merchant,
    notifyUrl: `${shop}/wechat/notify`,
    gateway: simulator.url,
    clientIp: { trust: ['loopback'] },
    onPaid: (payment) => void delivered.push(payment),
  };
  app.use(wechatH5(options));
  app.use(wechatH5Notify(options));
  app.post('/orders', async (req, res) => {
    const { outTradeNo, mwebUrl } = await req.wechatH5.createOrder({
      outTradeNo: 'PACKED-0001',
      body: 'wechat-h5 - tea',
      totalFee: yuan('19.90'),
    });
    res.json({ outTradeNo, mwebUrl });
  });
  app.get('/orders/:outTradeNo', async (req, res) => {
    const { state, delivered: done, source } = await req.wechatH5.confirmPayment({ outTradeNo: req.params.outTradeNo });
    res.json({ state, delivered: done, source });
  });
  app.post('/refused', (req, res, next) => {
    req.wechatH5.createOrder({ outTradeNo: 'x', body: 'tea', totalFee: 1 }).then((order) => res.json(order), next);
  });
  app.use(((error, _req, res, _next) => {
    res.status(500).json({ code: isWechatH5Error(error) ? error.code : String(error) });
  }) satisfies express.ErrorRequestHandler);

  try {
    const ordered = await fetch(`${shop}/orders`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '6.6.6.6, 203.0.113.9' },
    });
    const order = (await ordered.json()) as { outTradeNo: string; mwebUrl: string };
    const { attempts } = await simulator.pay(order.outTradeNo);
    // A second notification of the same payment, made by the merchant's own test helper: nothing is delivered twice.
    const copy = signedNotification(
      { out_trade_no: order.outTradeNo, total_fee: '1990', transaction_id: delivered[0]?.transactionId ?? '' },
      simulator.merchant,
    );
    const repeated = await fetch(`${shop}/wechat/notify`, {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: copy,
    });
    const confirmed = await fetch(`${shop}/orders/${order.outTradeNo}`);
    const refused = await fetch(`${shop}/refused`, { method: 'POST' });
    return {
      mwebUrl: order.mwebUrl,
      spbillCreateIp: simulator.orders.get(order.outTradeNo)?.spbillCreateIp,
      verdicts: attempts.map(({ verdict }) => verdict),
      delivered: delivered.map(({ outTradeNo, totalFee }) => ({ outTradeNo, totalFee })),
      repeated: parseXml(await repeated.text())['return_code'],
      confirmed: await confirmed.json(),
      refused: await refused.json(),
    };
  } finally {
    server.close();
    server.closeAllConnections();
    await simulator.stop();
  }
}

takePayment().then(
  (report) => console.log(JSON.stringify(report)),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
