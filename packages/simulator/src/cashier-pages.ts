import { html, pageReply, type Html, type Page } from './html.js';
import type { HttpReply } from './http-exchange.js';
import type { LinkRefusal } from './link-verdict.js';
import type { SimulatedOrder } from './orders.js';
import { CASHIER_STYLE } from './page-style.js';
import type { WechatAccount } from './wechat-account.js';

export const CASHIER_FOLDER = '/cgi-bin/mmpayweb-bin/';
/** Shows the cashier of a visit again. */
export const CASHIER_PATH = `${CASHIER_FOLDER}cashier`;

/** WeChat's own wait before it sends the browser back. */
const RETURN_SECONDS = 5;

/** What a payer can press. */
export type CashierButton = 'pay' | 'insufficient' | 'leave' | 'cancel' | 'account';

/** Which phone's look, by the browser's User-Agent. */
export type Shape = 'ios' | 'android';

/** How the visit ended; `open` when the browser goes back while the cashier is still there. */
export type Outcome = 'paid' | 'cancelled' | 'closed' | 'open';

const OUTCOME_WORDS: Readonly<Record<Outcome, { sign: string; mark: string; text: string; english: string }>> = {
  paid: { sign: 'sign', mark: '✓', text: '支付成功', english: 'Payment successful' },
  cancelled: { sign: 'sign bad', mark: '×', text: '已取消支付', english: 'Payment cancelled' },
  closed: { sign: 'sign bad', mark: '×', text: '订单已关闭', english: 'The order is closed' },
  open: {
    sign: 'sign wait',
    mark: '…',
    text: '收银台仍开着，尚未付款',
    english: 'The cashier is still open, nothing is paid',
  },
};

const HEADING = ['微信支付', 'WeChat Pay'] as const;

/** The smallest unit of other currencies is not always a hundredth, so only the yuan gets its point. */
export function amountText({ totalFee, feeType }: Pick<SimulatedOrder, 'totalFee' | 'feeType'>): string {
  if (feeType !== 'CNY') return `${feeType} ${totalFee} (smallest unit)`;
  const fen = String(totalFee).padStart(3, '0');
  return `¥${fen.slice(0, -2)}.${fen.slice(-2)}`;
}

export interface CashierView {
  readonly order: SimulatedOrder;
  readonly merchantName: string;
  readonly visit: string;
  readonly shape: Shape;
  readonly account: WechatAccount;
  readonly otherAccount: WechatAccount;
  /** The payer just tried, and there was not enough money. */
  readonly insufficient: boolean;
}

/** The order and the payer's choices. Works without a script. */
export function cashierPage(view: CashierView): HttpReply {
  const { order, merchantName, visit, shape, account, otherAccount, insufficient } = view;
  const press = (button: CashierButton, words: Html, quiet = true, more = html``): Html =>
    pressForm(button, visit, { words, quiet, more });
  return page({
    title: '确认支付 Confirm payment',
    shape,
    main: html`<section class="centre">
        <h1>${merchantName}</h1>
        <p class="amount">${amountText(order)}</p>
      </section>
      ${insufficient ? insufficientNote() : html``} ${orderDetails(order)}
      ${press('pay', html`支付 <span lang="en">Pay</span>`, false)}
      <div class="pair">
        ${press('insufficient', html`零钱不足 <span lang="en">Balance too low</span>`)}
        ${press('leave', html`不付，也不关闭 <span lang="en">Leave it open</span>`)}
      </div>
      ${press('cancel', html`取消 <span lang="en">Cancel</span>`)}
      <section>
        <p class="soft">本机微信 <span lang="en">This phone’s WeChat</span>: ${account.name}</p>
        ${press('account', switchWords(otherAccount), true, accountField(otherAccount))}
      </section>
      <div class="note">
        <p>这是本机模拟的收银台，不会发生真实扣款。</p>
        <p lang="en">This cashier is simulated on this machine. No money moves.</p>
      </div>`,
  });
}

/** What came of it, the way back as a button, and the same way by itself after five seconds. */
export function outcomePage(
  order: SimulatedOrder,
  outcome: Outcome,
  { visit, returnUrl, shape }: { readonly visit: string; readonly returnUrl: string; readonly shape: Shape },
): HttpReply {
  const { sign, mark, text, english } = OUTCOME_WORDS[outcome];
  const wayBack =
    outcome === 'open'
      ? html`返回商户 <span lang="en">Back to the merchant</span>`
      : html`完成 <span lang="en">Done</span>`;
  const still = html`<a class="button quiet" href="${CASHIER_PATH}?visit=${visit}">
    回到收银台 <span lang="en">Back to the cashier</span>
  </a>`;
  return page({
    title: `${text} ${english}`,
    shape,
    refresh: { seconds: RETURN_SECONDS, url: returnUrl },
    main: html`<section class="centre">
        <span class="${sign}" aria-hidden="true">${mark}</span>
        <h1>${text}</h1>
        <p class="soft" lang="en">${english}</p>
        ${outcome === 'paid' ? html`<p class="amount">${amountText(order)}</p>` : html``}
      </section>
      <p>
        <a class="button" href="${returnUrl}">${wayBack}</a>
      </p>
      ${outcome === 'open' || outcome === 'cancelled' ? still : html``}
      <p class="soft centre">
        ${RETURN_SECONDS} 秒后自动返回商户页面<br /><span lang="en"
          >Returning to the merchant in ${RETURN_SECONDS} seconds</span
        >
      </p>`,
  });
}

/** WeChat's words to the payer, then, set apart, what the simulator computed them from. */
export function refusalPage(refusal: LinkRefusal, shape: Shape, more: Html = html``): HttpReply {
  return page({
    title: refusal.text,
    shape,
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
      </div>
      ${more}`,
  });
}

/** The way back to the account that the link belongs to. */
export function otherAccountForm(visit: string, other: WechatAccount): Html {
  return pressForm('account', visit, { words: switchWords(other), quiet: true, more: accountField(other) });
}

/** A button pressed on a page that is too old, or was never shown. */
export function lostVisitPage(shape: Shape): HttpReply {
  return page({
    title: '支付请求已失效',
    shape,
    status: 400,
    main: html`<section class="centre">
      <span class="sign bad" aria-hidden="true">!</span>
      <h1>支付请求已失效，请重新发起支付</h1>
      <p class="soft" lang="en">This payment request has expired. Please start again.</p>
    </section>`,
  });
}

function page(content: Omit<Page, 'heading' | 'style'>): HttpReply {
  return pageReply({ heading: HEADING, style: CASHIER_STYLE, ...content });
}

function pressForm(
  button: CashierButton,
  visit: string,
  { words, quiet, more }: { readonly words: Html; readonly quiet: boolean; readonly more: Html },
): Html {
  return html`<form method="post" action="${CASHIER_FOLDER}${button}">
    <input type="hidden" name="visit" value="${visit}" />${more}<button class="${quiet ? 'quiet' : 'strong'}">
      ${words}
    </button>
  </form>`;
}

function accountField(account: WechatAccount): Html {
  return html`<input type="hidden" name="account" value="${account.number}" />`;
}

function switchWords(account: WechatAccount): Html {
  return html`换成 <span lang="en">Switch to</span> ${account.name}`;
}

function insufficientNote(): Html {
  return html`<div class="note" role="alert">
    <p>零钱余额不足，请使用其他支付方式</p>
    <p lang="en">The balance is too low. Please pay another way.</p>
  </div>`;
}

function orderDetails(order: SimulatedOrder): Html {
  return html`<section>
    <dl class="stacked">
      <dt>商品 <span lang="en">Item</span></dt>
      <dd>${order.body}</dd>
      <dt>订单号 <span lang="en">Order</span></dt>
      <dd class="number">${order.outTradeNo}</dd>
    </dl>
  </section>`;
}
