import { amountText } from './cashier-pages.js';
import { html, pageReply, type Html } from './html.js';
import type { HttpReply } from './http-exchange.js';
import type { NotificationAttempt, Notifier } from './notifier.js';
import type { SimulatedOrder } from './orders.js';
import type { SimulatedMerchant } from './simulated-merchant.js';

const REFRESH_SECONDS = 3;
/** Enough to see what happens now; the whole record is in the control API. */
const SHOWN_ROWS = 100;

/** The operator's page at `/`: orders and delivery attempts, newest first. */
export function overviewPage(
  merchant: SimulatedMerchant,
  orders: readonly SimulatedOrder[],
  notifier: Pick<Notifier, 'list' | 'nextAttemptAt'>,
): HttpReply {
  const attempts = notifier.list();
  return pageReply({
    title: `模拟微信支付 Simulated WeChat Pay (${orders.length})`,
    heading: ['微信支付', 'WeChat Pay'],
    wide: true,
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
  const mood = { SUCCESS: 'good', CLOSED: 'bad', NOTPAY: 'soft' }[order.tradeState];
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

function attemptsTable(attempts: readonly NotificationAttempt[]): Html {
  if (attempts.length === 0) return html`<p class="soft">还没有通知 <span lang="en">No notifications yet</span></p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>时间 <span lang="en">UTC</span></th>
          <th>out_trade_no</th>
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
  // A merchant who says yes to a forgery is the worst row of all.
  const good = (verdict === 'acknowledged') === (kind === 'payment');
  return html`<tr>
    <td>${timeOfDay(sentAt)}</td>
    <td>${attempt.outTradeNo}</td>
    <td>${attempt.attempt}</td>
    <td class="${kind === 'forged' ? 'bad' : ''}">${kind}</td>
    <td>${attempt.replyStatus ?? '–'}</td>
    <td>${endedAt.getTime() - sentAt.getTime()}</td>
    <td class="words ${good ? 'good' : 'bad'}">${reason === 'OK' ? verdict : `${verdict}: ${reason}`}</td>
    <td>${attempt.url}</td>
  </tr>`;
}

function newest<Item>(items: readonly Item[]): Item[] {
  return items.slice(-SHOWN_ROWS).reverse();
}

function timeOfDay(time: Date): string {
  return time.toISOString().slice(11, 23);
}
