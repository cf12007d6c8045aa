import type { RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { pageHeaders, type ShopOptions } from '@wechat-h5-examples/shop-pages';
import type { NextFunction, Request, Response } from 'express';
import { ShopModule } from './shop.module.js';

/**
 * The shop as a Nest application.
 *
 * @throws {WechatH5Error} if the configuration is wrong
 */
export async function createApplication(options: ShopOptions): Promise<NestExpressApplication> {
  const headers = pageHeaders(options.cashierOrigin ?? 'https://wx.tenpay.com');
  const application = await NestFactory.create<NestExpressApplication>(ShopModule.forRoot(options), {
    bodyParser: false,
    // Whatever fails is thrown, or told to onError: Nest need neither print it nor end the process.
    abortOnError: false,
    logger: false,
  });
  application.disable('x-powered-by');
  application.use((_request: Request, response: Response, next: NextFunction) => {
    response.set(headers);
    next();
  });
  // WechatH5Module has put itself before it: a notification's signature is over its exact bytes.
  application.useBodyParser('urlencoded', { extended: false, limit: '1kb' });
  return application;
}

/** The shop as a listener, for a server that somebody else starts. */
export async function createShop(options: ShopOptions): Promise<RequestListener> {
  const application = await createApplication(options);
  await application.init();
  return application.getHttpAdapter().getInstance();
}
