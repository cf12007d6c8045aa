import { amountText } from './cashier-pages.js';
import { html, pageReply, type Html } from './html.js';
import type { HttpReply } from './http-exchange.js';
import type { NotificationAttempt, Notifier } from './notifier.js';
import type { SimulatedOrder } from './orders.js';
import type { SimulatedRefund } from './refunds.js';
import type { SimulatedMerchant } from './simulated-merchant.js';

const STYLE = `
main { width: min(100%, 68rem); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; white-space: nowrap; }
th { border-top: 0; color: var(--soft); font-weight: 400; }
td.words { white-space: normal; min-width: 12rem; overflow-wrap: anywhere; }
`;
const REFRESH_SECONDS = 3;
/** Enough to see what happens now; the whole record is in the control API. */
const SHOWN_ROWS = 100;

/** The operator's page at `/`: orders, refunds and delivery attempts, newest first. */
export function overviewPage(
  merchant: SimulatedMerchant,
  { orders, refunds }: { readonly orders: readonly SimulatedOrder[]; readonly refunds: readonly SimulatedRefund[] },
  notifier: Pick<Notifier, 'list' | 'nextAttemptAt'>,
): HttpReply {
  const attempts = notifier.list();
  return pageReply({
    title: `模拟微信支付 Simulated WeChat Pay (${orders.length})`,
    heading: ['微信支付', 'WeChat Pay'],
    style: STYLE,
    refresh: { seconds: REFRESH_SECONDS },
    main: html`<section>
        <h1>${merchant.name}</h1>
        <p class="soft">appid ${merchant.appId} · mch_id ${merchant.mchId} · H5 ${merchant.h5Domains.join(', ')}</p>
      </section>
      <section>
        <h2>订单 <span lang="en">Orders</span> · ${orders.length}</h2>
        ${ordersTable(orders, notifier)}
      </section>
      <section>
        <h2>退款 <span lang="en">Refunds</span> · ${refunds.length}</h2>
        ${refundsTable(refunds, new Map(orders.map((order) => [order.outTradeNo, order.feeType])))}
      </section>
      <section>
        <h2>通知 <span lang="en">Notification attempts</span> · ${attempts.length}</h2>
        ${attemptsTable(attempts)}
      </section>`,
  });
}

function ordersTable(orders: readonly SimulatedOrder[], notifier: Pick<Notifier, 'nextAttemptAt'>): Html {
  if (orders.length === 0) return html`<p class="soft">还没有订单 <span lang="en">No orders yet</span></p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>out_trade_no</th>
          <th>trade_state</th>
          <th>total_fee</th>
          <th>body</th>
          <th>spbill_create_ip</th>
          <th>transaction_id</th>
          <th>下次通知 <span lang="en">Next notification</span></th>
        </tr>
      </thead>
      <tbody>
        ${newest(orders).map((order) => orderRow(order, notifier.nextAttemptAt(order.outTradeNo)))}
      </tbody>
    </table>
  </div>`;
}

function orderRow(order: SimulatedOrder, next: Date | undefined): Html {
  const mood = { SUCCESS: 'good', REFUND: 'good', CLOSED: 'bad', NOTPAY: 'soft' }[order.tradeState];
  return html`<tr>
    <td>${order.outTradeNo}</td>
    <td class="${mood}">${order.tradeState}</td>
    <td>${amountText(order)}</td>
    <td class="words">${order.body}</td>
    <td>${order.spbillCreateIp}</td>
    <td>${order.payment?.transactionId ?? '–'}</td>
    <td>${next ? timeOfDay(next) : '–'}</td>
  </tr>`;
}

function refundsTable(refunds: readonly SimulatedRefund[], feeTypes: ReadonlyMap<string, string>): Html {
  if (refunds.length === 0) return html`<p class="soft">还没有退款 <span lang="en">No refunds yet</span></p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>out_refund_no</th>
          <th>refund_status</th>
          <th>refund_fee</th>
          <th>out_trade_no</th>
          <th>refund_id</th>
        </tr>
      </thead>
      <tbody>
        ${newest(refunds).map((refund) => refundRow(refund, feeTypes.get(refund.outTradeNo) ?? 'CNY'))}
      </tbody>
    </table>
  </div>`;
}

function refundRow(refund: SimulatedRefund, feeType: string): Html {
  const mood = { SUCCESS: 'good', PROCESSING: 'soft', CHANGE: 'bad', REFUNDCLOSE: 'bad' }[refund.status];
  return html`<tr>
    <td>${refund.outRefundNo}</td>
    <td class="${mood}">${refund.status}</td>
    <td>${amountText({ totalFee: refund.refundFee, feeType })}</td>
    <td>${refund.outTradeNo}</td>
    <td>${refund.refundId}</td>
  </tr>`;
}

function attemptsTable(attempts: readonly NotificationAttempt[]): Html {
  if (attempts.length === 0) return html`<p class="soft">还没有通知 <span lang="en">No notifications yet</span></p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>时间 <span lang="en">UTC</span></th>
          <th>out_trade_no</th>
          <th>out_refund_no</th>
          <th>#</th>
          <th>kind</th>
          <th>HTTP</th>
          <th>ms</th>
          <th>verdict</th>
          <th>notify_url</th>
        </tr>
      </thead>
      <tbody>
        ${newest(attempts).map(attemptRow)}
      </tbody>
    </table>
  </div>`;
}

function attemptRow(attempt: NotificationAttempt): Html {
  const { sentAt, endedAt, verdict, reason, kind } = attempt;
  const heard = verdict === 'acknowledged';
  // A merchant who says yes to a forged payment is the worst row of all. To a forged refund either answer can be
  // right: what counts is whether refundquery was asked.
  const mood =
    kind === 'forged' && attempt.outRefundNo !== undefined ? 'soft' : heard === (kind !== 'forged') ? 'good' : 'bad';
  return html`<tr>
    <td>${timeOfDay(sentAt)}</td>
    <td>${attempt.outTradeNo}</td>
    <td>${attempt.outRefundNo ?? '–'}</td>
    <td>${attempt.attempt}</td>
    <td class="${kind === 'forged' ? 'bad' : ''}">${kind}</td>
    <td>${attempt.replyStatus ?? '–'}</td>
    <td>${endedAt.getTime() - sentAt.getTime()}</td>
    <td class="words ${mood}">${reason === 'OK' ? verdict : `${verdict}: ${reason}`}</td>
    <td>${attempt.url}</td>
  </tr>`;
}

function newest<Item>(items: readonly Item[]): Item[] {
  return items.slice(-SHOWN_ROWS).reverse();
}

function timeOfDay(time: Date): string {
  return time.toISOString().slice(11, 23);
}
