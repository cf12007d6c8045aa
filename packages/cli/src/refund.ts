import { isWechatH5Error, yuan, type Payment, type RefundEntry, type WechatH5 } from '@wechat-h5/core';
import type { Arguments } from './arguments.js';
import type { Command } from './command.js';
import { wechatH5Of } from './configuration.js';
import { hasConsent, requireConsentPossible, YES } from './consent.js';
import { EXIT } from './exit-codes.js';
import { Failure, usage } from './failure.js';
import { money, table } from './output.js';

export const refund: Command = {
  synopsis: '<out_trade_no> --out-refund-no <number> (--refund-fee <amount> | --all) [--yes]',
  summary: { en: 'give money back, all of it or a part', zh: '退款（全部或部分）' },
  details: {
    en: `Asks how the order stands, shows what would be given back, and asks for a yes. Needs the merchant API certificate.
The refund number stands for one refund: after a timeout run the same command again, never with another number.`,
    zh: `先查询订单、显示退款内容并请求确认。需要商户API证书。
一个商户退款单号只对应一笔退款：超时后请原样重试，切勿更换退款单号。`,
  },
  options: {
    'out-refund-no': {
      type: 'string',
      value: '<number>',
      text: { en: "the shop's number for this refund", zh: '商户退款单号' },
    },
    'refund-fee': {
      type: 'string',
      value: '<amount>',
      text: { en: 'in the smallest unit: 1990 is ¥19.90', zh: '退款金额，以最小货币单位计：1990 即 ¥19.90' },
    },
    all: { type: 'boolean', text: { en: 'whatever was not given back yet', zh: '尚未退还的全部金额' } },
    reason: {
      type: 'string',
      value: '<text>',
      text: { en: 'shown to the payer (refund_desc)', zh: '退款原因，付款人可见（refund_desc）' },
    },
    yes: YES,
  },
  examples: [
    'refund TEA-20260801-0001 --out-refund-no TEA-20260801-0001-R1 --refund-fee 990',
    'refund TEA-20260801-0001 --out-refund-no TEA-20260801-0001-R2 --all --reason "out of stock" --yes',
  ],
  maxPositionals: 1,
  takesNumbers: true,

  async run(args, context) {
    const { outTradeNo, outRefundNo, fee } = asked(args);
    requireConsentPossible(args, context);
    // WeChat Pay is told where to send the refund's notification, so that has to be known.
    const wechatH5 = wechatH5Of(context.env, { notified: true });
    const payment = await paymentOf(wechatH5, outTradeNo);
    const before = await refundsOf(wechatH5, outTradeNo);
    const same = before.find((entry) => entry.outRefundNo === outRefundNo);
    const given = before.filter(counts).reduce((sum, { refundFee }) => sum + refundFee, 0);
    const refundFee = fee ?? same?.refundFee ?? payment.totalFee - given;
    if (refundFee <= 0) throw nothingLeft(outTradeNo);
    const { totalFee, feeType } = payment;
    const amount = money(refundFee, feeType);
    const total = money(totalFee, feeType);
    const question = {
      en: `Give back ${amount} of ${total} for order ${outTradeNo}, as refund ${outRefundNo}; ${
        same === undefined
          ? `${money(given, feeType)} were given back before`
          : `it was asked for before, and is ${same.refundStatus}`
      }. Go on?`,
      zh: `订单 ${outTradeNo} 共 ${total}，退款 ${amount}，退款单号 ${outRefundNo}；${
        same === undefined ? `此前已退 ${money(given, feeType)}` : `该退款此前已提交，状态为 ${same.refundStatus}`
      }。是否继续？`,
    };
    if (!(await hasConsent(args, context, question))) return EXIT.NO;
    const reason = args.text('reason');
    const accepted = await wechatH5.refund({
      outTradeNo,
      outRefundNo,
      totalFee,
      refundFee,
      ...(feeType !== 'CNY' && { refundFeeType: feeType }),
      ...(reason !== undefined && { refundDesc: reason }),
    });
    if (context.json) {
      context.printJson(accepted);
      return EXIT.OK;
    }
    context.print(
      table([
        ['out_refund_no', accepted.outRefundNo],
        ['refund_id', accepted.refundId],
        ['refund_fee', money(accepted.refundFee, accepted.feeType)],
      ]),
    );
    const next = `wechat-h5 query --out-refund-no ${outRefundNo}`;
    context.print(
      context.say({
        en: `WeChat Pay has accepted it; whether the money has arrived says: ${next}`,
        zh: `微信支付已受理；是否到账请查询：${next}`,
      }),
    );
    return EXIT.OK;
  },
};

function asked(args: Arguments): { outTradeNo: string; outRefundNo: string; fee: number | undefined } {
  const [outTradeNo] = args.positionals;
  const outRefundNo = args.text('out-refund-no');
  const hint = { en: `wechat-h5 refund ${refund.synopsis}`, zh: `wechat-h5 refund ${refund.synopsis}` };
  if (outTradeNo === undefined) throw usage({ en: 'Which order?', zh: '请指定订单' }, hint);
  if (outRefundNo === undefined) {
    // One made up here would be gone after a timeout, when it is what keeps the money from going back twice.
    throw usage(
      { en: 'Under which number? --out-refund-no is missing', zh: '缺少 --out-refund-no（商户退款单号）' },
      hint,
    );
  }
  const fee = args.text('refund-fee');
  if ((fee === undefined) !== args.has('all')) {
    throw usage({ en: 'Give either --refund-fee or --all', zh: '请在 --refund-fee 与 --all 中选择其一' }, hint);
  }
  return { outTradeNo, outRefundNo, fee: fee === undefined ? undefined : feeOf(fee) };
}

function feeOf(text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  const meant = /^[0-9]+\.[0-9]{1,2}$/.test(text) ? yuan(text) : undefined;
  throw usage(
    { en: '--refund-fee is not a whole number of the smallest unit', zh: '--refund-fee 必须是以最小货币单位计的整数' },
    meant === undefined
      ? { en: '1990 is ¥19.90.', zh: '1990 即 ¥19.90。' }
      : { en: `¥${text} is ${meant}.`, zh: `¥${text} 即 ${meant}。` },
  );
}

async function paymentOf(wechatH5: WechatH5, outTradeNo: string): Promise<Payment> {
  const { payment, tradeState } = await wechatH5.queryOrder({ outTradeNo });
  if (payment !== undefined) return payment;
  throw new Failure(
    EXIT.REFUSED,
    { en: `Order ${outTradeNo} is not paid (${tradeState})`, zh: `订单 ${outTradeNo} 未支付（${tradeState}）` },
    { en: 'There is nothing to give back.', zh: '没有可退的款项。' },
  );
}

async function refundsOf(wechatH5: WechatH5, outTradeNo: string): Promise<RefundEntry[]> {
  const refunds: RefundEntry[] = [];
  try {
    for await (const entry of wechatH5.listRefunds({ outTradeNo })) refunds.push(entry);
  } catch (error) {
    // REFUNDNOTEXIST: there is none.
    if (!isWechatH5Error(error) || error.code !== 'ORDER_UNKNOWN') throw error;
  }
  return refunds;
}

/** What is closed gave nothing back. */
function counts({ refundStatus }: RefundEntry): boolean {
  return refundStatus !== 'REFUNDCLOSE';
}

function nothingLeft(outTradeNo: string): Failure {
  return new Failure(
    EXIT.REFUSED,
    { en: `All of order ${outTradeNo} was given back before`, zh: `订单 ${outTradeNo} 已全部退款` },
    { en: `wechat-h5 query --refunds-of ${outTradeNo}`, zh: `wechat-h5 query --refunds-of ${outTradeNo}` },
  );
}
