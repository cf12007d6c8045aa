import { html, pageReply, type Html } from './html.js';
import type { HttpReply } from './http-exchange.js';
import type { LinkRefusal } from './link-verdict.js';
import type { SimulatedOrder } from './orders.js';

export const PAY_PATH = '/cgi-bin/mmpayweb-bin/pay';
export const CANCEL_PATH = '/cgi-bin/mmpayweb-bin/cancel';

/** WeChat's own wait before it sends the browser back. */
const RETURN_SECONDS = 5;

/** How the visit ended. */
export type Outcome = 'paid' | 'cancelled' | 'closed';

const OUTCOME_WORDS: Readonly<Record<Outcome, { mark: string; text: string; english: string }>> = {
  paid: { mark: '✓', text: '支付成功', english: 'Payment successful' },
  cancelled: { mark: '×', text: '已取消支付', english: 'Payment cancelled' },
  closed: { mark: '×', text: '订单已关闭', english: 'The order is closed' },
};

/** The smallest unit of other currencies is not always a hundredth, so only the yuan gets its point. */
export function amountText({ totalFee, feeType }: Pick<SimulatedOrder, 'totalFee' | 'feeType'>): string {
  if (feeType !== 'CNY') return `${feeType} ${totalFee} (smallest unit)`;
  const fen = String(totalFee).padStart(3, '0');
  return `¥${fen.slice(0, -2)}.${fen.slice(-2)}`;
}

/** The order and the payer's two choices. Works without a script. */
export function choicePage(order: SimulatedOrder, merchantName: string, visit: string): HttpReply {
  return pageReply({
    title: '确认支付 Confirm payment',
    main: html`<section class="centre">
        <h1>${merchantName}</h1>
        <p class="amount">${amountText(order)}</p>
      </section>
      ${orderDetails(order)}
      <form method="post" action="${PAY_PATH}">
        <input type="hidden" name="visit" value="${visit}" /><button>支付 <span lang="en">Pay</span></button>
      </form>
      <form method="post" action="${CANCEL_PATH}">
        <input type="hidden" name="visit" value="${visit}" /><button class="quiet">
          取消 <span lang="en">Cancel</span>
        </button>
      </form>
      <div class="note">
        <p>这是本机模拟的收银台，不会发生真实扣款。</p>
        <p lang="en">This cashier is simulated on this machine. No money moves.</p>
      </div>`,
  });
}

/** What came of it, the way back as a button, and the same way by itself after five seconds. */
export function outcomePage(order: SimulatedOrder, outcome: Outcome, returnUrl: string): HttpReply {
  const { mark, text, english } = OUTCOME_WORDS[outcome];
  return pageReply({
    title: `${text} ${english}`,
    refresh: { seconds: RETURN_SECONDS, url: returnUrl },
    main: html`<section class="centre">
        <span class="sign ${outcome === 'paid' ? '' : 'bad'}" aria-hidden="true">${mark}</span>
        <h1>${text}</h1>
        <p class="soft" lang="en">${english}</p>
        ${outcome === 'paid' ? html`<p class="amount">${amountText(order)}</p>` : html``}
      </section>
      <p>
        <a class="button" href="${returnUrl}">完成 <span lang="en">Done</span></a>
      </p>
      <p class="soft centre">
        ${RETURN_SECONDS} 秒后自动返回商户页面<br /><span lang="en"
          >Returning to the merchant in ${RETURN_SECONDS} seconds</span
        >
      </p>`,
  });
}

/** WeChat's words to the payer, then, set apart, what the simulator computed them from. */
export function refusalPage(refusal: LinkRefusal): HttpReply {
  return pageReply({
    title: refusal.text,
    main: html`<section class="centre">
        <span class="sign bad" aria-hidden="true">!</span>
        <h1>${refusal.text}</h1>
        <p class="soft" lang="en">${refusal.english}</p>
      </section>
      <div class="note">
        <p>
          <b>给开发者 <span lang="en">For the developer</span></b> · ${refusal.code}
        </p>
        <p lang="en">${refusal.seen}</p>
      </div>`,
  });
}

/** A button pressed on a page that is too old, or was never shown. */
export function lostVisitPage(): HttpReply {
  return pageReply({
    title: '支付请求已失效',
    status: 400,
    main: html`<section class="centre">
      <span class="sign bad" aria-hidden="true">!</span>
      <h1>支付请求已失效，请重新发起支付</h1>
      <p class="soft" lang="en">This payment request has expired. Please start again.</p>
    </section>`,
  });
}

function orderDetails(order: SimulatedOrder): Html {
  return html`<section>
    <dl>
      <dt>商品 <span lang="en">Item</span></dt>
      <dd>${order.body}</dd>
      <dt>订单号 <span lang="en">Order</span></dt>
      <dd>${order.outTradeNo}</dd>
    </dl>
  </section>`;
}
