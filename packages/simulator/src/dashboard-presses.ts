import type { Instruments } from './control-commands.js';
import type { SimulatedOrder, TradeState } from './orders.js';

/** One button of the dashboard. What it does can be done by the control interface as well. */
export interface Press {
  readonly words: readonly [chinese: string, english: string];
  readonly group: 'payer' | 'wechat' | 'forger';
  readonly states: readonly TradeState[];
  readonly run: (order: SimulatedOrder, instruments: Instruments) => Promise<unknown>;
}

const COPIES = 3;
const LATE_MILLISECONDS = 20_000;
const UNPAID: readonly TradeState[] = ['NOTPAY'];
const PAID: readonly TradeState[] = ['SUCCESS', 'REFUND'];
const ANY: readonly TradeState[] = ['NOTPAY', 'SUCCESS', 'REFUND', 'CLOSED'];

const PRESSES = {
  pay: {
    words: ['付款', 'Pay'],
    group: 'payer',
    states: UNPAID,
    run: ({ outTradeNo }, { desk }) => desk.pay(outTradeNo).told,
  },
  'pay-duplicate': {
    words: [`付款，同时通知 ${COPIES} 次`, `Pay, told ${COPIES} times at once`],
    group: 'payer',
    states: UNPAID,
    run({ outTradeNo }, { desk, faults }) {
      faults.duplicateNotification(COPIES, { outTradeNo });
      return desk.pay(outTradeNo).told;
    },
  },
  'pay-late': {
    words: [`付款，${LATE_MILLISECONDS / 1000} 秒后才通知`, `Pay, told ${LATE_MILLISECONDS / 1000} s late`],
    group: 'payer',
    states: UNPAID,
    run({ outTradeNo }, { desk, faults }) {
      faults.delayNotification(LATE_MILLISECONDS, { outTradeNo });
      return desk.pay(outTradeNo).told;
    },
  },
  'pay-lost': {
    words: ['付款，通知丢失', 'Pay, never told'],
    group: 'payer',
    states: UNPAID,
    run({ outTradeNo }, { desk, faults }) {
      faults.loseNotification({ outTradeNo });
      return desk.pay(outTradeNo).told;
    },
  },
  'out-of-order': {
    words: ['先通知退款，后通知付款', 'Refund, told before the payment'],
    group: 'wechat',
    states: ['NOTPAY', 'SUCCESS'],
    run: ({ outTradeNo }, { faults }) => faults.notifyOutOfOrder(outTradeNo),
  },
  duplicate: {
    words: [`支付通知再来 ${COPIES} 次`, `Payment told ${COPIES} times more`],
    group: 'wechat',
    states: PAID,
    run: ({ outTradeNo }, { desk }) => desk.sendAgain(outTradeNo, COPIES),
  },
  refund: {
    words: ['退款', 'Refund'],
    group: 'wechat',
    states: ['SUCCESS'],
    run: ({ outTradeNo }, { refundDesk }) => refundDesk.refund(outTradeNo).told,
  },
  forged: {
    words: ['假签名', 'Signed by nobody'],
    group: 'forger',
    states: ANY,
    run: ({ outTradeNo }, { desk }) => desk.forge(outTradeNo),
  },
  'another-amount': {
    words: ['签名正确，金额不同', 'Signed, another amount'],
    group: 'forger',
    states: ANY,
    run: ({ outTradeNo, totalFee }, { desk, merchant: { apiKey } }) =>
      desk.forge(outTradeNo, { fields: { total_fee: String(totalFee + 1) }, apiKey }),
  },
  'another-merchant': {
    words: ['签名正确，商户不同', 'Signed, another merchant'],
    group: 'forger',
    states: ANY,
    run: ({ outTradeNo }, { desk, merchant: { apiKey, mchId } }) =>
      desk.forge(outTradeNo, { fields: { mch_id: otherNumber(mchId) }, apiKey }),
  },
} satisfies Record<string, Press>;

export const ALL_PRESSES: ReadonlyMap<string, Press> = new Map<string, Press>(Object.entries(PRESSES));

/** As long, and another. */
function otherNumber(mchId: string): string {
  return mchId.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
}
