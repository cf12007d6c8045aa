import type { WechatH5Options } from '@wechat-h5/core';
import { wechatH5, wechatH5Notify } from '@wechat-h5/express';
import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

/** A shop with one route that orders, and `/metrics`. In production, let only Prometheus reach `/metrics`. */
export function createApp(options: Partial<WechatH5Options>, registry: Registry): Express {
  const app = express();
  app.use(wechatH5Notify(options));
  app.use(wechatH5(options));
  app.post('/pay/:order', async (req, res) => {
    const { mwebUrl } = await req.wechatH5.createOrder({
      outTradeNo: req.params.order,
      body: 'West Lake boat ticket',
      totalFee: 1990,
    });
    res.set('Referrer-Policy', 'strict-origin-when-cross-origin').redirect(303, mwebUrl);
  });
  app.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  return app;
}
