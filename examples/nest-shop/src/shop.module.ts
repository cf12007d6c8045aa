import { Module, type DynamicModule } from '@nestjs/common';
import { PRODUCT, readOrderNumber, SHOP_NAME, TicketOffice, type ShopOptions } from '@wechat-h5-examples/shop-pages';
import { WechatH5Module } from '@wechat-h5/nestjs';
import { ShopController } from './shop.controller.js';
import { TicketService } from './ticket.service.js';

@Module({})
export class ShopModule {
  static forRoot({ wechatH5, tickets = new TicketOffice() }: ShopOptions): DynamicModule {
    return {
      module: ShopModule,
      imports: [
        WechatH5Module.forRoot({
          ...wechatH5,
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
        }),
      ],
      controllers: [ShopController],
      providers: [{ provide: TicketOffice, useValue: tickets }, TicketService],
    };
  }
}
