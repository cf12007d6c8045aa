import Router from '@koa/router';
import Koa from 'koa';
import { wechatH5, wechatH5Notify } from '@wechat-h5/koa';

const options = {
  onPaid: (payment) => console.log(`deliver ${payment.outTradeNo}: ${payment.totalFee} fen`),
};

const app = new Koa();
app.use(wechatH5Notify(options)); // before body parsers
app.use(wechatH5(options));

const router = new Router();
router.get('/', (ctx) => {
  ctx.body = '<form method="post" action="/pay"><button>Pay 19.90</button></form>';
});
router.post('/pay', async (ctx) => {
  const { mwebUrl } = await ctx.wechatH5.createOrder({
    outTradeNo: `TEA-${Date.now()}`,
    body: 'Tea house - green tea, 100 g',
    totalFee: 1990, // fen, from the server's price list
  });
  ctx.status = 303;
  ctx.redirect(mwebUrl);
});
app.use(router.routes());

app.listen(process.env.PORT ?? 3000);
