import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createApp } from './app.js';
import { observe } from './observe.js';

const port = Number(process.env['PORT'] ?? 3000);
const publicUrl = process.env['PUBLIC_URL'] ?? `http://127.0.0.1:${port}`;

const logger = pino();
const registry = new Registry();
collectDefaultMetrics({ register: registry });
observe(logger, registry);

const options = {
  notifyUrl: process.env['WECHAT_PAY_NOTIFY_URL'] ?? new URL('/wechat/notify', publicUrl).href,
  onPaid: ({ outTradeNo }: { outTradeNo: string }) => logger.info({ outTradeNo }, 'paid: hand over the ticket'),
};
createApp(options, registry).listen(port, () => logger.info(`${publicUrl}/metrics`));
