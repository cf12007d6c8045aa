import { Controller, Get, Res } from '@nestjs/common';
import { newOrderNumber, pageHeaders, PRODUCT, productPage } from '@wechat-h5-examples/shop-pages';
import { RequestWechatH5 } from '@wechat-h5/nestjs';
import type { Response } from 'express';

@Controller()
export class ShopController {
  @Get()
  product(
    @RequestWechatH5() { cashierOrigin }: RequestWechatH5,
    @Res({ passthrough: true }) response: Response,
  ): string {
    response.set(pageHeaders(cashierOrigin));
    return productPage(PRODUCT, newOrderNumber());
  }
}
