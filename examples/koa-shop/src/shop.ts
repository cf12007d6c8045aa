import type { RequestListener } from 'node:http';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import {
  errorCode,
  errorPage,
  isSameOrigin,
  newOrderNumber,
  pageHeaders,
  PRODUCT,
  productPage,
  readOrderNumber,
  resultPage,
  returnPage,
  TicketOffice,
  type Page,
  type ShopOptions,
} from '@wechat-h5-examples/shop-pages';
import { wechatH5, wechatH5Notify } from '@wechat-h5/koa';
import Koa, { type Context, type Middleware } from 'koa';

/**
 * The shop as a Koa application's listener.
 *
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function createShop(options: ShopOptions): RequestListener {
  const { publicUrl, cashierOrigin = 'https://wx.tenpay.com', tickets = new TicketOffice() } = options;
  const { onError = console.error } = options;
  const { origin } = new URL(publicUrl);
  // One object for both middlewares: they share its instance, and with it the order book.
  const payments = {
    ...options.wechatH5,
    onPaid: (payment: Parameters<TicketOffice['issue']>[0]): void => void tickets.issue(payment),
  };

  const ownPagesOnly: Middleware = async (ctx, next) => {
    if (isSameOrigin(ctx.headers, origin)) await next();
    else send(ctx, errorPage('NOT_SAME_ORIGIN'));
  };
  const readForm = bodyParser({ enableTypes: ['form'], formLimit: '1kb' });

  const router = new Router();

  router.get('/', (ctx) => send(ctx, productPage(PRODUCT, newOrderNumber())));

  router.post('/pay', ownPagesOnly, readForm, async (ctx) => {
    const order = readOrderNumber(ctx.request.body);
    if (order === undefined) return send(ctx, errorPage('FORM_INVALID'));
    const { mwebUrl } = await ctx.wechatH5.createOrder({
      outTradeNo: order,
      body: `西湖游船-${PRODUCT.name}`,
      totalFee: PRODUCT.price,
      redirectUrl: new URL(`/return?order=${order}`, publicUrl).href,
    });
    ctx.status = 303;
    ctx.redirect(mwebUrl);
  });

  router.get('/return', (ctx) => {
    const order = readOrderNumber(ctx.query);
    send(ctx, order === undefined ? errorPage('ORDER_UNKNOWN') : returnPage(order));
  });

  router.post('/check', ownPagesOnly, readForm, async (ctx) => {
    const order = readOrderNumber(ctx.request.body);
    if (order === undefined) return send(ctx, errorPage('FORM_INVALID'));
    const status = await ctx.wechatH5.confirmPayment({ outTradeNo: order });
    send(ctx, resultPage(status, tickets.find(order)));
  });

  const app = new Koa();
  // Before every body parser: a notification's signature is over its exact bytes.
  app.use(wechatH5Notify(payments));
  app.use(wechatH5(payments));
  app.use(async (ctx, next) => {
    ctx.set(pageHeaders(cashierOrigin));
    try {
      await next();
    } catch (error) {
      const page = errorPage(errorCode(error), readOrderNumber(ctx.request.body));
      if (page.status >= 500) onError(error);
      send(ctx, page);
    }
  });
  app.use(router.routes());
  app.use((ctx) => send(ctx, errorPage('NOT_FOUND')));
  return app.callback();
}

function send(ctx: Context, { status, html }: Page): void {
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = html;
}
