import type { Command } from './command.js';
import { wechatH5Of } from './configuration.js';
import { hasConsent, requireConsentPossible, YES } from './consent.js';
import { EXIT } from './exit-codes.js';
import { usage } from './failure.js';

export const close: Command = {
  synopsis: '<out_trade_no> [--yes]',
  summary: { en: 'close an order that nobody paid', zh: '关闭未支付的订单' },
  details: {
    en: `Asks first, closes, and confirms by asking again: WeChat Pay reports success for numbers it never saw.
WeChat Pay closes an order five minutes after it was created at the earliest. A closed number cannot be used again.
It knows no order book, and closes this number alone: further attempts of an orderRef (-2, -3, …) are closed by theirs.`,
    zh: `先查询、再关单、最后再次查询确认：对不存在的单号，微信支付也会返回成功。
订单创建 5 分钟后才能关闭；已关闭的商户订单号不能再次使用。
本命令不读取订单簿，只关闭所给的单号；orderRef 的后续尝试（-2、-3……）须分别关闭。`,
  },
  options: { yes: YES },
  examples: ['close TEA-20260801-0001', 'close TEA-20260801-0001 --yes --json'],
  maxPositionals: 1,
  takesNumbers: true,

  async run(args, context) {
    const [outTradeNo] = args.positionals;
    if (outTradeNo === undefined) {
      throw usage({ en: 'Which order?', zh: '请指定订单' }, { en: close.synopsis, zh: close.synopsis });
    }
    requireConsentPossible(args, context);
    const wechatH5 = wechatH5Of(context.env);
    // WeChat Pay does not tell when it was created: only the operator can know.
    const question = {
      en: `Close order ${outTradeNo}, which was created more than five minutes ago?`,
      zh: `关闭订单 ${outTradeNo}（须创建已满 5 分钟）？`,
    };
    if (!(await hasConsent(args, context, question))) return EXIT.NO;
    await wechatH5.closeOrder({ outTradeNo });
    if (context.json) context.printJson({ outTradeNo, closed: true });
    else context.print(context.say({ en: `Order ${outTradeNo} is closed.`, zh: `订单 ${outTradeNo} 已关闭。` }));
    return EXIT.OK;
  },
};
