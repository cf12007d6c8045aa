import { Controller, Injectable, Module, Post } from '@nestjs/common';
import { InjectWechatH5, OnPaid, RequestWechatH5, WechatH5, WechatH5Module, type Payment } from '@wechat-h5/nestjs';
import { OPTIONS, OTHER_OPTIONS } from '../shop.fixture.js';

@Injectable()
class Settings {
  readonly shops = { books: OTHER_OPTIONS, tea: OPTIONS };
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
export class Warehouse {
  readonly shipped: string[] = [];

  async ship(outTradeNo: string): Promise<void> {
    this.shipped.push(outTradeNo);
  }
}

/** The bookshop has a handler. */
@Injectable()
class Bookshop {
  constructor(
    @InjectWechatH5('books') readonly wechatH5: WechatH5,
    private readonly warehouse: Warehouse,
  ) {}

  @OnPaid('books')
  async deliver(payment: Payment) {
    await this.warehouse.ship(`book ${payment.outTradeNo}`);
  }
}

/** The tea house decides in a route. */
@Controller()
class TeaController {
  constructor(private readonly warehouse: Warehouse) {}

  @Post('wechat/notify')
  async notify(@RequestWechatH5() { notification, acknowledge }: RequestWechatH5) {
    if (notification?.order !== 'matched') return; // compare amount and currency yourself
    await this.warehouse.ship(notification.outTradeNo);
    await acknowledge();
  }
}

@Module({
  imports: [
    WechatH5Module.forRoot(OPTIONS),
    WechatH5Module.forRootAsync({
      name: 'books',
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: (settings: Settings) => settings.shops.books,
    }),
  ],
  providers: [Warehouse, Bookshop],
  controllers: [TeaController],
})
export class MerchantsModule {}
