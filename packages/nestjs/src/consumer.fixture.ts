import { Controller, Get, Injectable, Module, Post } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import {
  ClientIp,
  getWechatH5Token,
  InjectWechatH5,
  OnPaid,
  OnRefunded,
  RequestWechatH5,
  WechatH5,
  WechatH5ExceptionFilter,
  WechatH5Module,
  type HandlerContext,
  type Payment,
  type Refund,
  type WechatH5OptionsFactory,
} from '@wechat-h5/nestjs';

// Compiled by types.test.ts against the declarations that are published: every name, as a shop uses it.

@Injectable()
export class Shop {
  constructor(
    readonly wechatH5: WechatH5,
    @InjectWechatH5('books') readonly books: WechatH5,
  ) {}

  @OnPaid()
  async paid({ outTradeNo, totalFee }: Payment, { attempt, signal }: HandlerContext): Promise<void> {
    if (attempt > 1 && totalFee > 0 && !signal.aborted) await this.wechatH5.queryOrder({ outTradeNo });
  }

  @OnRefunded('books')
  refunded({ refundFee }: Refund): void {
    if (refundFee < 0) throw new RangeError();
  }

  // @ts-expect-error a handler that wants something else than a payment
  @OnPaid('numbers')
  count(payment: number): void {
    payment.toFixed();
  }
}

@Controller()
export class ShopController {
  @Get()
  who(@ClientIp() { ip }: ClientIp, @ClientIp('books', { transform: String }) text: string) {
    return ip + text;
  }

  @Post()
  async pay(@RequestWechatH5() wechatH5: RequestWechatH5) {
    const { mwebUrl } = await wechatH5.createOrder({ outTradeNo: 'TEA0001', body: 'tea', totalFee: 1 });
    return mwebUrl;
  }
}

class Factory implements WechatH5OptionsFactory {
  createWechatH5Options() {
    return { notifyUrl: 'https://shop.example.com/wechat/notify' };
  }
}

interface Transaction {
  query(text: string): Promise<void>;
}

const MODULES = [
  WechatH5Module.forRoot(),
  WechatH5Module.forRoot({ name: 'books', isGlobal: true, onPaid: () => {} }),
  WechatH5Module.forRoot<Transaction>({ name: 'tx', onPaid: (_payment, { tx }) => tx?.query('select 1') }),
  WechatH5Module.forRootAsync({ name: 'class', useClass: Factory }),
  WechatH5Module.forRootAsync({
    name: 'factory',
    inject: [Factory],
    useFactory: (made: Factory) => made.createWechatH5Options(),
  }),
  // @ts-expect-error an option that does not exist
  WechatH5Module.forRoot({ notifyURL: 'https://shop.example.com/wechat/notify' }),
];

@Module({
  imports: MODULES,
  providers: [Shop, { provide: APP_FILTER, useClass: WechatH5ExceptionFilter }],
  controllers: [ShopController],
  exports: [getWechatH5Token()],
})
export class ShopModule {}
