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
import { wechatH5, wechatH5Notify } from '@wechat-h5/express';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';

/**
 * The shop as an Express application.
 *
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function createShop(options: ShopOptions): Express {
  const { publicUrl, cashierOrigin = 'https://wx.tenpay.com', tickets = new TicketOffice() } = options;
  const { onError = console.error } = options;
  const { origin } = new URL(publicUrl);
  // One object for both middlewares: they share its instance, and with it the order book.
  const payments = {
    ...options.wechatH5,
    onPaid: (payment: Parameters<TicketOffice['issue']>[0]): void => void tickets.issue(payment),
  };

  const ownPagesOnly: RequestHandler = (request, response, next) => {
    if (isSameOrigin(request.headers, origin)) next();
    else send(response, errorPage('NOT_SAME_ORIGIN'));
  };
  const readForm = express.urlencoded({ extended: false, limit: '1kb' });

  const app = express();
  app.disable('x-powered-by');
  // Before every body parser: a notification's signature is over its exact bytes.
  app.use(wechatH5Notify(payments));
  app.use(wechatH5(payments));
  app.use((_request, response, next) => {
    response.set(pageHeaders(cashierOrigin));
    next();
  });

  app.get('/', (_request, response) => send(response, productPage(PRODUCT, newOrderNumber())));

  app.post('/pay', ownPagesOnly, readForm, async (request, response) => {
    const order = readOrderNumber(request.body);
    if (order === undefined) return send(response, errorPage('FORM_INVALID'));
    const { mwebUrl } = await request.wechatH5.createOrder({
      outTradeNo: order,
      body: `西湖游船-${PRODUCT.name}`,
      totalFee: PRODUCT.price,
      redirectUrl: new URL(`/return?order=${order}`, publicUrl).href,
    });
    response.redirect(303, mwebUrl);
  });

  app.get('/return', (request, response) => {
    const order = readOrderNumber(request.query);
    send(response, order === undefined ? errorPage('ORDER_UNKNOWN') : returnPage(order));
  });

  app.post('/check', ownPagesOnly, readForm, async (request, response) => {
    const order = readOrderNumber(request.body);
    if (order === undefined) return send(response, errorPage('FORM_INVALID'));
    const status = await request.wechatH5.confirmPayment({ outTradeNo: order });
    send(response, resultPage(status, tickets.find(order)));
  });

  app.use((_request, response) => send(response, errorPage('NOT_FOUND')));
  app.use(((error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const page = errorPage(errorCode(error), readOrderNumber(request.body));
    if (page.status >= 500) onError(error);
    send(response, page);
  }) satisfies ErrorRequestHandler);
  return app;
}

function send(response: Response, { status, html }: Page): void {
  response.status(status).type('html').send(html);
}
