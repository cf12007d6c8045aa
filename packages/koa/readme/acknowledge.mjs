import Router from '@koa/router';
import Koa from 'koa';
import { wechatH5, wechatH5Notify } from '@wechat-h5/koa';

const router = new Router();
const deliver = async (outTradeNo) => console.log(`deliver ${outTradeNo}: 1990 fen`);
const compareWithYourOwnTable = async (outTradeNo) => {
  throw new Error(`${outTradeNo} was ordered here`);
};

router.post('/wechat/notify', wechatH5Notify(), async (ctx) => {
  const { outTradeNo, totalFee, order } = ctx.wechatH5.notification;
  if (order === 'unknown') await compareWithYourOwnTable(outTradeNo, totalFee);
  await deliver(outTradeNo);
  await ctx.wechatH5.acknowledge();
});

router.get('/', (ctx) => {
  ctx.body = '<form method="post" action="/pay"></form>';
});
router.post('/pay', wechatH5(), async (ctx) => {
  const order = { outTradeNo: `TEA-${Date.now()}`, body: 'Tea', totalFee: 1990 };
  ctx.status = 303;
  ctx.redirect((await ctx.wechatH5.createOrder(order)).mwebUrl);
});

new Koa().use(router.routes()).listen(process.env.PORT ?? 3000);
