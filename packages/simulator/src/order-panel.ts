import { beijingClock } from './beijing-time.js';
import { amountText } from './cashier-pages.js';
import { ALL_PRESSES, type Press } from './dashboard-presses.js';
import { html, type Html } from './html.js';
import type { NotificationAttempt } from './notifier.js';
import type { SimulatedOrder, TradeState } from './orders.js';
import type { SimulatedRefund } from './refunds.js';
import { retryPicture, storiesOf } from './retry-picture.js';
import { moodOf, timelineOf, type Moment, type Mood, type OrderLife } from './timeline.js';

const GROUPS: Readonly<Record<Press['group'], readonly [chinese: string, english: string]>> = {
  payer: ['付款人', 'The payer'],
  wechat: ['微信支付', 'WeChat Pay'],
  forger: ['冒充者', 'A forger'],
};
const WHO: Readonly<Record<Moment['who'], string>> = {
  shop: '商户 shop',
  payer: '付款人 payer',
  wechat: '微信 WeChat',
};
const MOODS: Readonly<Record<TradeState, Mood>> = { SUCCESS: 'good', REFUND: 'good', CLOSED: 'bad', NOTPAY: 'wait' };

/** Beyond that the oldest are left to the control interface. */
const SHOWN_ATTEMPTS = 60;

export function stateMark(tradeState: TradeState): Html {
  return html`<span class="state ${MOODS[tradeState]}">${tradeState}</span>`;
}

/** Everything about one order: what it is, what can be done to it, what happened and what comes. */
export function orderPanel(
  life: OrderLife,
  { token, timeScale }: { readonly token: string; readonly timeScale: number },
): Html {
  const { order, refunds, attempts, due } = life;
  const stories = storiesOf(attempts, due);
  const pictures = stories.map((story) => retryPicture(story, timeScale));
  return html`<section>
      <div class="top">${stateMark(order.tradeState)} <b class="amount-small">${amountText(order)}</b></div>
      <h1 class="number">${order.outTradeNo}</h1>
      <p>${order.body}</p>
      ${factList(order, refunds)}
    </section>
    <section>
      <h2>接下来发生什么 <span lang="en">What happens next</span></h2>
      ${buttonGroups(order, token)}
    </section>
    <section>
      <h2>通知的重试 <span lang="en">Retry schedule</span></h2>
      ${pictures.length > 0 ? pictures : html`<p class="soft">还没有通知 <span lang="en">Nothing was told yet</span></p>`}
    </section>
    <section>
      <h2>经过 <span lang="en">Timeline</span> <span class="soft">UTC+8</span></h2>
      <ol class="timeline">
        ${timelineOf(life).map(momentItem)}
      </ol>
    </section>
    <section>
      <h2>每次通知 <span lang="en">Every notification</span> · ${attempts.length}</h2>
      ${attempts.slice(-SHOWN_ATTEMPTS).reverse().map(attemptDetails)}
    </section>`;
}

function factList(order: SimulatedOrder, refunds: readonly SimulatedRefund[]): Html {
  const link = order.links.at(-1);
  const facts: readonly (readonly [name: string, value: string])[] = [
    ['spbill_create_ip', order.spbillCreateIp],
    ['notify_url', order.notifyUrl],
    ...(link ? [['mweb_url', `${order.links.length} × · 有效至 until ${beijingClock(link.expiresAt)}`] as const] : []),
    ...(order.payment ? [['transaction_id', order.payment.transactionId] as const] : []),
    ...refunds.map(
      ({ outRefundNo, status, refundFee }) =>
        [
          'refund',
          `${outRefundNo} · ${amountText({ totalFee: refundFee, feeType: order.feeType })} · ${status}`,
        ] as const,
    ),
  ];
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function buttonGroups(order: SimulatedOrder, token: string): readonly Html[] {
  const offered = [...ALL_PRESSES].filter(([, { states }]) => states.includes(order.tradeState));
  return (Object.keys(GROUPS) as Press['group'][])
    .map((group) => [GROUPS[group], offered.filter(([, press]) => press.group === group)] as const)
    .filter(([, presses]) => presses.length > 0)
    .map(
      ([[chinese, english], presses]) =>
        html`<h3>${chinese} <span lang="en">${english}</span></h3>
          <div class="buttons">${presses.map(([name, press]) => pressForm({ name, press, order, token }))}</div>`,
    );
}

interface PressForm {
  readonly name: string;
  readonly press: Press;
  readonly order: SimulatedOrder;
  readonly token: string;
}

function pressForm({ name, press: { words }, order, token }: PressForm): Html {
  return html`<form method="post" action="/">
    <input type="hidden" name="token" value="${token}" />
    <input type="hidden" name="order" value="${order.outTradeNo}" />
    <input type="hidden" name="press" value="${name}" />
    <button id="press-${name}" class="${name === 'pay' ? 'strong' : 'quiet'}">
      ${words[0]} <span lang="en">${words[1]}</span>
    </button>
  </form>`;
}

function momentItem({ at, who, words, detail, mood, times }: Moment): Html {
  return html`<li class="${mood}">
    <time datetime="${at.toISOString()}">${beijingClock(at)}</time> <span class="who">${WHO[who]}</span>
    <b>${words[0]} <span lang="en">${words[1]}</span>${times > 1 ? ` × ${times}` : ''}</b>
    ${detail ? html`<span class="detail">${detail}</span>` : html``}
  </li>`;
}

/** Request and reply as they were, folded away. `id` keeps the open ones open when the page renews itself. */
function attemptDetails(attempt: NotificationAttempt): Html {
  const { kind, sentAt, endedAt, url, requestBody, replyStatus, replyBody, verdict, reason, outRefundNo } = attempt;
  const id = `attempt-${attempt.notificationId}-${attempt.attempt}-${sentAt.getTime()}-${endedAt.getTime()}`;
  const reply = replyStatus === undefined ? reason : `HTTP ${replyStatus}\n\n${spread(replyBody ?? '')}`;
  return html`<details id="${id}">
    <summary>
      <span
        >${beijingClock(sentAt)} · ${kind}
        #${attempt.attempt}${outRefundNo === undefined ? '' : ` · ${outRefundNo}`}</span
      >
      <b class="${moodOf(attempt)}">${reason === 'OK' ? verdict : `${verdict}: ${reason}`}</b>
      <span class="soft">${replyStatus === undefined ? '–' : `HTTP ${replyStatus}`} · ${took(attempt)} ms</span>
    </summary>
    <h3>POST ${url}</h3>
    <pre>${spread(requestBody)}</pre>
    <h3>回复 <span lang="en">Reply</span></h3>
    <pre>${reply}</pre>
  </details>`;
}

function took({ sentAt, endedAt }: NotificationAttempt): number {
  return endedAt.getTime() - sentAt.getTime();
}

/** One element a line, for the eye; the record has the exact bytes. */
function spread(xml: string): string {
  return xml.replaceAll(/(<xml>|<\/\w+>)\s*(?=<)/g, '$1\n');
}
