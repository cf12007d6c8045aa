import type { PaymentStatus } from '@wechat-h5/core';
import { both, html, type Html } from './html.js';
import { checkForm, page, payForm, startLink, type Detail, type Page } from './page.js';
import { priceText } from './product.js';
import type { Ticket } from './tickets.js';

interface Verdict {
  readonly mark: string;
  readonly mood: 'good' | 'wait' | 'bad';
  readonly heading: readonly [chinese: string, english: string];
  readonly text: readonly [chinese: string, english: string];
  readonly actions: (order: string) => readonly Html[];
}

const CHECK_AGAIN = both('再次查询', 'Check again');
const BACK = both('返回商品页', 'Back to the shop');
const PAY = both('继续支付', 'Continue to pay');

const VERDICTS: Readonly<Record<PaymentStatus['state'] | 'issuing', Verdict>> = {
  paid: {
    mark: '✓',
    mood: 'good',
    heading: ['支付成功', 'Payment received'],
    text: ['请在登船时出示票码。', 'Show this code when you board.'],
    actions: () => [startLink(BACK, 'quiet')],
  },
  issuing: {
    mark: '✓',
    mood: 'good',
    heading: ['支付成功，正在出票', 'Payment received, issuing your ticket'],
    text: [
      '请稍后再次查询，无需再次付款。如长时间没有票码，请凭订单号联系本店。',
      'Check again in a moment; do not pay again. If no code appears, contact the shop with your order number.',
    ],
    actions: (order) => [checkForm(order, CHECK_AGAIN)],
  },
  unpaid: {
    mark: '…',
    mood: 'wait',
    heading: ['尚未收到付款', 'No payment yet'],
    text: [
      '如果您刚刚付款，到账可能需要几秒钟，请稍后再次查询。',
      'If you have just paid, it can take a few seconds to arrive: check again.',
    ],
    actions: (order) => [checkForm(order, CHECK_AGAIN), payForm(order, PAY, 'quiet')],
  },
  closed: {
    mark: '×',
    mood: 'bad',
    heading: ['订单已关闭', 'The order is closed'],
    text: ['没有扣款。如仍需购买，请重新下单。', 'You were not charged. Order again if you still wish to.'],
    actions: () => [startLink(both('重新下单', 'Order again'))],
  },
  refunded: {
    mark: '↩',
    mood: 'wait',
    heading: ['订单已退款', 'The payment was refunded'],
    text: ['款项将退回原支付方式。', 'The money goes back the way it came.'],
    actions: () => [startLink(BACK, 'quiet')],
  },
  quarantined: {
    mark: '!',
    mood: 'wait',
    heading: ['付款正在核实', 'The payment is being reviewed'],
    text: ['请勿重复付款，并凭订单号联系本店。', 'Do not pay again. Contact the shop with your order number.'],
    actions: (order) => [checkForm(order, CHECK_AGAIN, 'quiet')],
  },
};

/** What came of the order: the guide's last step. `ticket` is what `onPaid` made of the payment. */
export function resultPage(status: PaymentStatus, ticket: Ticket | undefined): Page {
  const { outTradeNo: order, state, payment } = status;
  const verdict = VERDICTS[state === 'paid' && ticket === undefined ? 'issuing' : state];
  const details: Detail[] = [['订单号', 'Order', order]];
  if (payment !== undefined) {
    details.unshift(['实付', 'Paid', priceText(payment.totalFee)]);
    details.push(['交易单号', 'Transaction', payment.transactionId]);
  }
  return page({
    title: verdict.heading.join(' '),
    card: html`<section class="card verdict" data-state="${state}">
      <span class="mark ${verdict.mood}" aria-hidden="true">${verdict.mark}</span>
      <h1>${both(...verdict.heading)}</h1>
      <p>${both(...verdict.text)}</p>
      ${state === 'paid' && ticket !== undefined ? ticketCode(ticket) : undefined}
    </section>`,
    actions: verdict.actions(order),
    details,
  });
}

function ticketCode(ticket: Ticket): Html {
  return html`<div class="ticket">
    ${both('票码', 'Ticket')}<output aria-label="票码 Ticket">${ticket.code}</output>
  </div>`;
}
