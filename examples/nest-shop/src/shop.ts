import type { RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { ShopOptions } from '@wechat-h5-examples/shop-pages';
import { ShopModule } from './shop.module.js';

/**
 * The shop as a Nest application.
 *
 * @throws {WechatH5Error} if the configuration is wrong
 */
export async function createApplication(options: ShopOptions): Promise<NestExpressApplication> {
  const application = await NestFactory.create<NestExpressApplication>(ShopModule.forRoot(options), {
    // Whatever fails is thrown, or told to onProblem: Nest need neither print it nor end the process.
    abortOnError: false,
    logger: false,
  });
  application.disable('x-powered-by');
  return application;
}

/** The shop as a listener, for a server that somebody else starts. */
export async function createShop(options: ShopOptions): Promise<RequestListener> {
  const application = await createApplication(options);
  await application.init();
  return application.getHttpAdapter().getInstance();
}
