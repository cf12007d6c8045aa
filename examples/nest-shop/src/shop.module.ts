import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TicketOffice, type ShopOptions } from '@wechat-h5-examples/shop-pages';
import { WechatH5Module } from '@wechat-h5/nestjs';
import { ErrorPageFilter } from './error-page.filter.js';
import { OwnPagesGuard } from './own-pages.guard.js';
import { ShopController } from './shop.controller.js';
import { SHOP_OPTIONS } from './shop.tokens.js';
import { TicketService } from './ticket.service.js';

@Module({})
export class ShopModule {
  static forRoot(options: ShopOptions): DynamicModule {
    return {
      module: ShopModule,
      imports: [WechatH5Module.forRoot(options.wechatH5)],
      controllers: [ShopController],
      providers: [
        { provide: SHOP_OPTIONS, useValue: options },
        { provide: TicketOffice, useValue: options.tickets ?? new TicketOffice() },
        { provide: APP_FILTER, useClass: ErrorPageFilter },
        OwnPagesGuard,
        TicketService,
      ],
    };
  }
}
