import { beijingClock } from './beijing-time.js';
import { amountText } from './cashier-pages.js';
import { DASHBOARD_SCRIPT } from './dashboard-script.js';
import { DASHBOARD_STYLE } from './dashboard-style.js';
import { html, pageReply, type Html } from './html.js';
import type { HttpReply } from './http-exchange.js';
import { orderPanel, stateMark } from './order-panel.js';
import type { SimulatedOrder } from './orders.js';
import type { SimulatedMerchant } from './simulated-merchant.js';
import type { OrderLife } from './timeline.js';

/** Enough to see what happens now; the whole record is in the control API. */
const SHOWN_ORDERS = 50;
/** For browsers that run no script. */
const REFRESH_SECONDS = 5;

export interface DashboardView {
  readonly merchant: SimulatedMerchant;
  readonly orders: readonly SimulatedOrder[];
  /** The order that was picked, else the newest. */
  readonly life: OrderLife | undefined;
  readonly picked: boolean;
  readonly nextAttemptAt: (outTradeNo: string) => Date | undefined;
  readonly token: string;
  readonly timeScale: number;
  /** What the last press could not do, in a few words. */
  readonly problem: readonly [chinese: string, english: string] | undefined;
}

/** The operator's page at `/`: the orders, newest first, and everything about one of them. */
export function dashboardPage(view: DashboardView): HttpReply {
  const { merchant, orders, life, picked, problem } = view;
  return pageReply({
    title: `模拟微信支付 Simulated WeChat Pay (${orders.length})`,
    heading: ['微信支付', 'WeChat Pay'],
    style: DASHBOARD_STYLE,
    script: DASHBOARD_SCRIPT,
    ...(picked ? {} : { refresh: { seconds: REFRESH_SECONDS, scriptless: true } }),
    main: html`<p class="merchant">
        <span><b>${merchant.name}</b></span> <span>appid ${merchant.appId}</span> <span>mch_id ${merchant.mchId}</span>
        <span>H5 ${merchant.h5Domains.join(', ')}</span>
      </p>
      <div id="live" class="${picked ? 'picked' : 'newest'}">
        ${problem ? problemNote(problem) : html``}
        <nav aria-label="订单 Orders">
          <h2>订单 <span lang="en">Orders</span> · ${orders.length}</h2>
          ${orderList(view)}
        </nav>
        <div class="panel">
          ${
            picked
              ? html`<p class="back">
                  <a href="/">‹ 全部订单 <span lang="en">All orders</span></a>
                </p>`
              : html``
          }
          ${life ? orderPanel(life, view) : html``}
        </div>
      </div>`,
  });
}

function problemNote([chinese, english]: readonly [string, string]): Html {
  return html`<div class="note" role="alert">
    <p>${chinese} <span lang="en">${english}</span></p>
  </div>`;
}

function orderList({ orders, life, nextAttemptAt }: DashboardView): Html {
  if (orders.length === 0) return emptyNote();
  const shown = orders.slice(-SHOWN_ORDERS).reverse();
  return html`<ul class="orders">
    ${shown.map((order) => {
      const current = order.outTradeNo === life?.order.outTradeNo;
      return orderItem(order, { current, next: nextAttemptAt(order.outTradeNo) });
    })}
  </ul>`;
}

function emptyNote(): Html {
  return html`<section>
    <p>还没有订单。让商户把订单发到这个地址，它们会出现在这里。</p>
    <p lang="en">No orders yet. Point a shop at this address, and they appear here.</p>
  </section>`;
}

function orderItem(
  order: SimulatedOrder,
  { current, next }: { readonly current: boolean; readonly next: Date | undefined },
): Html {
  const { outTradeNo, tradeState, body, createdAt } = order;
  return html`<li>
    <a id="order-${outTradeNo}" href="/?order=${encodeURIComponent(outTradeNo)}" class="${current ? 'current' : ''}">
      <span class="top">${stateMark(tradeState)} <b>${amountText(order)}</b></span>
      <span class="number">${outTradeNo}</span>
      <span class="body">${body}</span>
      <span class="soft">${beijingClock(createdAt)}${next ? ` · 下次通知 next ${beijingClock(next)}` : ''}</span>
    </a>
  </li>`;
}
