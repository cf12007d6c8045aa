import type { OrderQuery, RefundEntry, RefundQuery } from '@wechat-h5/core';
import type { Arguments } from './arguments.js';
import type { Command, Context } from './command.js';
import { wechatH5Of } from './configuration.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { usage } from './failure.js';
import { beijing, money, table } from './output.js';

export const query: Command = {
  synopsis:
    '<out_trade_no> | --transaction-id <id> | --out-refund-no <number> | --refund-id <id> | --refunds-of <out_trade_no>',
  summary: { en: 'what WeChat Pay says of an order or a refund', zh: '向微信支付查询订单或退款' },
  details: {
    en: 'Asks orderquery or refundquery and believes signed replies only. Changes nothing.',
    zh: '调用 orderquery 或 refundquery，只采信签名正确的应答，不做任何修改。',
  },
  options: {
    'transaction-id': {
      type: 'string',
      value: '<id>',
      text: { en: "the order, by WeChat Pay's number", zh: '按微信支付订单号查询订单' },
    },
    'out-refund-no': {
      type: 'string',
      value: '<number>',
      text: { en: "a refund, by the shop's number", zh: '按商户退款单号查询退款' },
    },
    'refund-id': {
      type: 'string',
      value: '<id>',
      text: { en: "a refund, by WeChat Pay's number", zh: '按微信退款单号查询退款' },
    },
    'refunds-of': {
      type: 'string',
      value: '<out_trade_no>',
      text: { en: 'every refund of an order', zh: '查询某订单的全部退款' },
    },
  },
  examples: ['query TEA-20260801-0001', 'query --refunds-of TEA-20260801-0001 --json'],
  maxPositionals: 1,
  takesNumbers: true,

  async run(args, context) {
    const wechatH5 = wechatH5Of(context.env);
    const [name, number] = asked(args);
    if (name === 'outTradeNo') return showOrder(await wechatH5.queryOrder({ outTradeNo: number }), context);
    if (name === 'transactionId') return showOrder(await wechatH5.queryOrder({ transactionId: number }), context);
    if (name === 'outRefundNo') return showRefunds(await wechatH5.queryRefund({ outRefundNo: number }), context);
    if (name === 'refundId') return showRefunds(await wechatH5.queryRefund({ refundId: number }), context);
    const first = await wechatH5.queryRefund({ outTradeNo: number });
    // WeChat Pay lists ten at a time.
    if (first.refunds.length < 10) return showRefunds(first, context);
    const refunds: RefundEntry[] = [];
    for await (const entry of wechatH5.listRefunds({ outTradeNo: number })) refunds.push(entry);
    return showRefunds({ ...first, refunds }, context);
  },
};

type Asked = 'outTradeNo' | 'transactionId' | 'outRefundNo' | 'refundId' | 'refundsOf';

function asked(args: Arguments): [name: Asked, number: string] {
  const given = (
    [
      ['outTradeNo', args.positionals[0]],
      ['transactionId', args.text('transaction-id')],
      ['outRefundNo', args.text('out-refund-no')],
      ['refundId', args.text('refund-id')],
      ['refundsOf', args.text('refunds-of')],
    ] as const
  ).filter((pair): pair is [Asked, string] => pair[1] !== undefined);
  const [only] = given;
  if (only !== undefined && given.length === 1) return only;
  throw usage(
    only === undefined
      ? { en: 'Which order?', zh: '请指定订单' }
      : { en: 'More than one number is given', zh: '只能指定一个单号' },
    { en: `wechat-h5 query ${query.synopsis}`, zh: `wechat-h5 query ${query.synopsis}` },
  );
}

function showOrder(order: OrderQuery, { json, print, printJson }: Context): ExitCode {
  const { payment, tradeState, tradeStateDesc, outTradeNo } = order;
  if (json) printJson(order);
  else {
    print(
      table([
        ['out_trade_no', outTradeNo],
        ['trade_state', tradeStateDesc === '' ? tradeState : `${tradeState} (${tradeStateDesc})`],
        ['transaction_id', payment?.transactionId],
        ['total_fee', payment && money(payment.totalFee, payment.feeType)],
        ['time_end', payment?.timeEnd && beijing(payment.timeEnd)],
        ['bank_type', payment?.raw['bank_type']],
        ['attach', payment?.attach],
      ]),
    );
  }
  return EXIT.OK;
}

function showRefunds(found: RefundQuery, { json, print, printJson }: Context): ExitCode {
  if (json) {
    printJson(found);
    return EXIT.OK;
  }
  const { outTradeNo, transactionId, totalFee, feeType, refunds } = found;
  print(
    table([
      ['out_trade_no', outTradeNo],
      ['transaction_id', transactionId],
      ['total_fee', money(totalFee, feeType)],
    ]),
  );
  for (const refund of refunds) print(`\n${refundTable(refund, feeType)}`);
  return EXIT.OK;
}

function refundTable(refund: RefundEntry, feeType: string): string {
  const { outRefundNo, refundId, refundFee, refundStatus, refundRecvAccout, refundSuccessTime } = refund;
  return table([
    ['out_refund_no', outRefundNo],
    ['refund_id', refundId],
    ['refund_fee', money(refundFee, feeType)],
    ['refund_status', refundStatus],
    ['refund_recv_accout', refundRecvAccout],
    ['refund_success_time', refundSuccessTime && beijing(refundSuccessTime)],
  ]);
}
