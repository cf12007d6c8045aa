import { Controller, Get, Injectable, Logger, Module, Post, Redirect } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { OnPaid, RequestWechatH5, WechatH5Module, type Payment } from '@wechat-h5/nestjs';

@Injectable()
class Deliveries {
  @OnPaid()
  deliver(payment: Payment) {
    Logger.log(`deliver ${payment.outTradeNo}: ${payment.totalFee} fen`);
  }
}

@Controller()
class ShopController {
  @Get()
  page() {
    return '<form method="post" action="/pay"><button>Pay 19.90</button></form>';
  }

  @Post('pay')
  @Redirect('', 303)
  async pay(@RequestWechatH5() wechatH5: RequestWechatH5) {
    const { mwebUrl } = await wechatH5.createOrder({
      outTradeNo: `TEA-${Date.now()}`,
      body: 'Tea house - green tea, 100 g',
      totalFee: 1990, // fen, from the server's price list
    });
    return { url: mwebUrl };
  }
}

@Module({ imports: [WechatH5Module.forRoot()], providers: [Deliveries], controllers: [ShopController] })
class ShopModule {}

const app = await NestFactory.create(ShopModule);
await app.listen(process.env.PORT ?? 3000);
