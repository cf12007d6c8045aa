import { Body, Controller, Get, HttpCode, Inject, Post, Query, Redirect, UseGuards } from '@nestjs/common';
import {
  newOrderNumber,
  PRODUCT,
  productPage,
  resultPage,
  returnPage,
  TicketOffice,
  type ShopOptions,
} from '@wechat-h5-examples/shop-pages';
import { RequestWechatH5 } from '@wechat-h5/nestjs';
import { OrderNumberPipe } from './order-number.pipe.js';
import { OwnPagesGuard } from './own-pages.guard.js';
import { SHOP_OPTIONS } from './shop.tokens.js';

/** A string that a method returns is sent as the page; pages of another status are thrown. */
@Controller()
export class ShopController {
  readonly #publicUrl: string;
  readonly #tickets: TicketOffice;

  constructor(@Inject(SHOP_OPTIONS) { publicUrl }: ShopOptions, @Inject(TicketOffice) tickets: TicketOffice) {
    this.#publicUrl = publicUrl;
    this.#tickets = tickets;
  }

  @Get()
  product(): string {
    return productPage(PRODUCT, newOrderNumber()).html;
  }

  @Post('pay')
  @UseGuards(OwnPagesGuard)
  @Redirect(undefined, 303)
  async pay(
    @Body(new OrderNumberPipe('FORM_INVALID')) order: string,
    @RequestWechatH5() wechatH5: RequestWechatH5,
  ): Promise<{ url: string }> {
    const { mwebUrl } = await wechatH5.createOrder({
      outTradeNo: order,
      body: `西湖游船-${PRODUCT.name}`,
      totalFee: PRODUCT.price,
      redirectUrl: new URL(`/return?order=${order}`, this.#publicUrl).href,
    });
    return { url: mwebUrl };
  }

  @Get('return')
  return(@Query(new OrderNumberPipe('ORDER_UNKNOWN')) order: string): string {
    return returnPage(order).html;
  }

  @Post('check')
  @UseGuards(OwnPagesGuard)
  @HttpCode(200)
  async check(
    @Body(new OrderNumberPipe('FORM_INVALID')) order: string,
    @RequestWechatH5() wechatH5: RequestWechatH5,
  ): Promise<string> {
    const status = await wechatH5.confirmPayment({ outTradeNo: order });
    return resultPage(status, this.#tickets.find(order)).html;
  }
}
