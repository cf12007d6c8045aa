import { both, html } from './html.js';
import { checkForm, page, startLink, type Page } from './page.js';

/**
 * Where `redirect_url` leads. A payer may arrive before, while or without paying, so the page claims nothing and asks
 * nobody: the payer presses the button.
 */
export function returnPage(order: string): Page {
  return page({
    title: '确认支付结果 Confirm your payment',
    card: html`<section class="card verdict">
      <span class="mark wait" aria-hidden="true">?</span>
      <h1>${both('您完成支付了吗？', 'Did you complete the payment?')}</h1>
      <p>${both('请在微信中完成支付，然后点击下面的按钮。', 'Complete it in WeChat, then press the button below.')}</p>
    </section>`,
    actions: [
      checkForm(order, both('已完成支付，查询结果', 'I have paid: check the result')),
      startLink(both('没有支付，返回商品页', 'I have not paid: back to the shop'), 'quiet'),
    ],
    details: [['订单号', 'Order', order]],
  });
}
