import type { RequestListener } from 'node:http';
import Router from '@koa/router';
import {
  newOrderNumber,
  pageHeaders,
  PRODUCT,
  productPage,
  readOrderNumber,
  SHOP_NAME,
  TicketOffice,
  type ShopOptions,
} from '@wechat-h5-examples/shop-pages';
import type { WechatH5Options } from '@wechat-h5/core';
import { wechatH5, wechatH5Notify, wechatH5Pay, wechatH5Return } from '@wechat-h5/koa';
import Koa from 'koa';

/**
 * The shop as a Koa application's listener.
 *
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function createShop({ wechatH5: given, tickets = new TicketOffice() }: ShopOptions): RequestListener {
  // One object for all middlewares: they share its instance, and with it the order book.
  const payments: Partial<WechatH5Options> = {
    ...given,
    checkout: {
      shopName: SHOP_NAME,
      // The form says which order. What is sold, and what it costs, is the shop's own.
      order: (form) => {
        const outTradeNo = readOrderNumber(form);
        if (outTradeNo === undefined) return undefined;
        return { outTradeNo, body: `西湖游船-${PRODUCT.name}`, totalFee: PRODUCT.price };
      },
      receipt: ({ outTradeNo }) => tickets.receipt(outTradeNo),
    },
    onPaid: (payment) => void tickets.issue(payment),
  };

  const router = new Router();
  router.get('/', (ctx) => {
    ctx.set(pageHeaders(ctx.wechatH5.cashierOrigin));
    ctx.body = productPage(PRODUCT, newOrderNumber());
  });

  const app = new Koa();
  app.use(wechatH5Notify(payments));
  app.use(wechatH5(payments));
  app.use(wechatH5Pay(payments));
  app.use(wechatH5Return(payments));
  app.use(router.routes());
  return app.callback();
}
