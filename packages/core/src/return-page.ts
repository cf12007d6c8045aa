import type { ReceiptLine } from './checkout-options.js';
import type { Bilingual, Html } from './html.js';
import type { PageReply } from './page.js';
import { BACK, checkForm, link, ORDER_NUMBER, payerPage, type PayerDetail, type PayerSite } from './payer-page.js';
import type { PaymentStatus } from './payment-status.js';
import type { Payment } from './payment.js';

/** The order of a return page, and where its button sends the question. */
export interface ReturningOrder {
  outTradeNo: string;
  returnUrl: string;
}

/**
 * Where `redirect_url` leads. A payer may arrive before, while or without paying, so the page claims nothing and asks
 * nobody: the payer presses the button.
 */
export function returnPage({ outTradeNo, returnUrl }: ReturningOrder, site: PayerSite): PageReply {
  return payerPage(
    {
      state: 'returned',
      mark: '?',
      mood: 'wait',
      heading: ['您完成支付了吗？', 'Did you complete the payment?'],
      text: [['请在微信中完成支付，然后点击下面的按钮。', 'Complete it in WeChat, then press the button below.']],
      actions: [
        checkForm(returnUrl, ['已完成支付，查询结果', 'I have paid: check the result']),
        link(site.shopUrl, ['没有支付，返回商店', 'I have not paid: back to the shop'], 'quiet'),
      ],
      details: [{ label: ORDER_NUMBER, value: outTradeNo }],
    },
    site,
  );
}

interface Verdict {
  readonly mark: string;
  readonly mood: 'good' | 'wait' | 'bad';
  readonly heading: Bilingual;
  readonly text: Bilingual;
  readonly actions: (order: ReturningOrder, site: PayerSite) => readonly Html[];
}

const checkAgain = ({ returnUrl }: ReturningOrder): Html => checkForm(returnUrl, ['再次查询', 'Check again']);
const toShop = ({ shopUrl }: PayerSite): Html => link(shopUrl, BACK, 'quiet');

const VERDICTS: Readonly<Record<PaymentStatus['state'] | 'delivering', Verdict>> = {
  paid: {
    mark: '✓',
    mood: 'good',
    heading: ['支付成功', 'Payment received'],
    text: ['谢谢您的购买。', 'Thank you for your purchase.'],
    actions: (_order, site) => [toShop(site)],
  },
  delivering: {
    mark: '✓',
    mood: 'good',
    heading: ['支付成功，正在处理', 'Payment received, being processed'],
    text: [
      '请稍后再次查询，无需再次付款。如长时间没有结果，请凭订单号联系本店。',
      'Check again in a moment; do not pay again. If nothing happens for long, contact the shop with your order number.',
    ],
    actions: (order) => [checkAgain(order)],
  },
  unpaid: {
    mark: '…',
    mood: 'wait',
    heading: ['尚未收到付款', 'No payment yet'],
    text: [
      '如果您刚刚付款，到账可能需要几秒钟，请稍后再次查询，不要重复付款。',
      'If you have just paid, it can take a few seconds to arrive: check again, and do not pay twice.',
    ],
    actions: (order, site) => [checkAgain(order), toShop(site)],
  },
  closed: {
    mark: '×',
    mood: 'bad',
    heading: ['订单已关闭', 'The order is closed'],
    text: ['没有扣款。如仍需购买，请重新下单。', 'You were not charged. Order again if you still wish to.'],
    actions: (_order, site) => [link(site.shopUrl, ['重新下单', 'Order again'])],
  },
  refunded: {
    mark: '↩',
    mood: 'wait',
    heading: ['订单已退款', 'The payment was refunded'],
    text: ['款项将退回原支付方式。', 'The money goes back the way it came.'],
    actions: (_order, site) => [toShop(site)],
  },
  quarantined: {
    mark: '!',
    mood: 'wait',
    heading: ['付款正在核实', 'The payment is being reviewed'],
    text: ['请勿重复付款，并凭订单号联系本店。', 'Do not pay again. Contact the shop with your order number.'],
    actions: (order, site) => [checkAgain(order), toShop(site)],
  },
};

/** What came of the order: the answer to the button. `receipt` is the shop's own, of a payment that was delivered. */
export function resultPage(
  status: PaymentStatus,
  receipt: readonly ReceiptLine[],
  order: ReturningOrder,
  site: PayerSite,
): PageReply {
  const { state, delivered, payment } = status;
  const { mark, mood, heading, text, actions } = VERDICTS[state === 'paid' && !delivered ? 'delivering' : state];
  return payerPage(
    {
      state,
      mark,
      mood,
      heading,
      text: [text],
      goods: receipt.map(({ zh, en, value }) => ({ label: [zh, en], value })),
      actions: actions(order, site),
      details: details(order.outTradeNo, payment),
    },
    site,
  );
}

function details(outTradeNo: string, payment: Payment | undefined): readonly PayerDetail[] {
  const number: PayerDetail = { label: ORDER_NUMBER, value: outTradeNo };
  if (payment === undefined) return [number];
  return [
    { label: ['实付', 'Paid'], value: amountText(payment) },
    number,
    { label: ['交易单号', 'Transaction'], value: payment.transactionId },
  ];
}

/** `¥19.90` for 1990 fen. Of other currencies the wire does not say how many digits they have: the amount as it came. */
function amountText({ totalFee, feeType }: Payment): string {
  if (feeType !== 'CNY') return `${totalFee} ${feeType}`;
  const digits = String(totalFee).padStart(3, '0');
  return `¥${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
