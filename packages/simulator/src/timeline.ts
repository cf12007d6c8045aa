import type { SimulatorEvent } from './events.js';
import type { DueDelivery, NotificationAttempt } from './notifier.js';
import type { SimulatedOrder } from './orders.js';
import type { SimulatedRefund } from './refunds.js';

/** How an entry of the timeline looks: as it should be, as it should not, or still to come. */
export type Mood = 'good' | 'bad' | 'wait' | 'plain';

type Words = readonly [chinese: string, english: string];

/** One thing that happened to an order, or is going to. */
export interface Moment {
  readonly at: Date;
  readonly who: 'shop' | 'payer' | 'wechat';
  readonly words: Words;
  readonly detail: string;
  readonly mood: Mood;
  /** How often it happened in a row, alike. */
  readonly times: number;
}

export interface OrderLife {
  readonly order: SimulatedOrder;
  readonly refunds: readonly SimulatedRefund[];
  readonly events: readonly SimulatorEvent[];
  readonly attempts: readonly NotificationAttempt[];
  readonly due: readonly DueDelivery[];
}

const OPERATIONS: Readonly<Record<string, Words>> = {
  unifiedorder: ['下单', 'Ordered'],
  orderquery: ['查询订单', 'Asked about the order'],
  closeorder: ['关闭订单', 'Closed the order'],
  refund: ['申请退款', 'Asked for a refund'],
  refundquery: ['查询退款', 'Asked about refunds'],
  open: ['打开支付链接', 'Opened the link'],
  cashier: ['回到收银台', 'Back on the cashier'],
  pay: ['点了支付', 'Pressed Pay'],
  insufficient: ['零钱不足', 'Had too little money'],
  leave: ['没有付款就离开', 'Left the cashier open'],
  cancel: ['取消支付', 'Cancelled'],
  account: ['切换微信号', 'Switched the WeChat account'],
  outcome: ['看到结果', 'Saw the outcome'],
};

const KINDS: Readonly<Record<NotificationAttempt['kind'], Words>> = {
  payment: ['支付通知', 'Told of the payment'],
  refund: ['退款通知', 'Told of the refund'],
  forged: ['假冒的通知', 'A forged notification'],
};

/** Verdicts of a cashier reply that say nothing is wrong. */
const FINE = new Set(['OK', 'SUCCESS', 'NOTPAY', 'REFUND', 'paid', 'cancelled', 'open']);

/** The life of one order, the earliest first; what is still to come stands last. */
export function timelineOf(life: OrderLife): readonly Moment[] {
  const happened = [...exchangeMoments(life.events), ...moneyMoments(life), ...life.attempts.map(attemptMoment)];
  // A stable sort: at the same millisecond what was listed first stays first.
  happened.sort((a, b) => a.at.getTime() - b.at.getTime());
  return [...merged(happened), ...life.due.map(dueMoment)];
}

/** Whether the answer to a notification was the right one. To a forged refund either can be: refundquery decides. */
export function moodOf({ kind, verdict, outRefundNo }: NotificationAttempt): Mood {
  if (kind === 'forged' && outRefundNo !== undefined) return 'plain';
  return (verdict === 'acknowledged') === (kind !== 'forged') ? 'good' : 'bad';
}

/** Calls and presses, each at the time of its request and with the verdict of its reply. */
function exchangeMoments(events: readonly SimulatorEvent[]): readonly Moment[] {
  const asked = new Map<string, Date>();
  const moments: Moment[] = [];
  for (const { type, at, operation, verdict = '', reason, peer } of events) {
    const words = OPERATIONS[operation];
    if (!words) continue;
    const exchange = `${operation} ${peer}`;
    if (type.endsWith('.request')) {
      asked.set(exchange, at);
      continue;
    }
    const fine = FINE.has(verdict);
    const detail = fine ? peer : [verdict, reason].filter((text) => text !== undefined).join(' · ');
    const who = type === 'gateway.reply' ? 'shop' : 'payer';
    moments.push(moment({ at: asked.get(exchange) ?? at, who, words, detail, mood: fine ? 'plain' : 'bad' }));
  }
  return moments;
}

function moneyMoments({ order, refunds, events, attempts, due }: OrderLife): readonly Moment[] {
  const { payment, tradeState, expiresAt } = order;
  const moments: Moment[] = [];
  if (payment) {
    const detail = payment.transactionId;
    moments.push(moment({ at: payment.paidAt, words: ['收到付款', 'Paid'], detail, mood: 'good' }));
    const wasTold = [...attempts, ...due.map(({ notification }) => notification)].some(
      ({ kind }) => kind === 'payment',
    );
    if (!wasTold) {
      moments.push(
        moment({ at: payment.paidAt, words: ['没有发出支付通知', 'No notification was sent'], mood: 'bad' }),
      );
    }
  }
  for (const { createdAt, outRefundNo, succeededAt, refundId, status } of refunds) {
    moments.push(moment({ at: createdAt, words: ['受理退款', 'Accepted a refund'], detail: outRefundNo }));
    if (succeededAt) {
      moments.push(moment({ at: succeededAt, words: ['退款到账', 'Refunded'], detail: refundId, mood: 'good' }));
    } else if (status !== 'PROCESSING') {
      moments.push(
        moment({ at: createdAt, words: ['退款没有成功', 'The refund failed'], detail: status, mood: 'bad' }),
      );
    }
  }
  const wasClosed = events.some(({ operation, verdict }) => operation === 'closeorder' && verdict === 'SUCCESS');
  if (tradeState === 'CLOSED' && !wasClosed) {
    moments.push(moment({ at: expiresAt, words: ['到期关闭', 'Closed by itself'], mood: 'bad' }));
  }
  return moments;
}

function attemptMoment(attempt: NotificationAttempt): Moment {
  const { sentAt, kind, verdict, reason } = attempt;
  const count = kind === 'forged' ? '' : `#${attempt.attempt} `;
  const detail = reason === 'OK' ? `${count}${verdict}` : `${count}${verdict}: ${reason}`;
  return moment({ at: sentAt, words: KINDS[kind], detail, mood: moodOf(attempt) });
}

function dueMoment({ at, attempt, notification }: DueDelivery): Moment {
  const [chinese, english] = KINDS[notification.kind];
  return moment({ at, words: [`将发${chinese}`, `${english}: next`], detail: `#${attempt}`, mood: 'wait' });
}

function moment(given: Pick<Moment, 'at' | 'words'> & Partial<Moment>): Moment {
  return { who: 'wechat', detail: '', mood: 'plain', times: 1, ...given };
}

/** A shop that polls does not push everything else out of sight. */
function merged(moments: readonly Moment[]): readonly Moment[] {
  const rows: Moment[] = [];
  for (const next of moments) {
    const last = rows.at(-1);
    const isAlike = last?.words === next.words && last.mood === next.mood && likeness(last) === likeness(next);
    if (last && isAlike) rows[rows.length - 1] = { ...last, times: last.times + 1 };
    else rows.push(next);
  }
  return rows;
}

/** Two calls of one client differ in the port that they come from. */
function likeness({ detail }: Moment): string {
  return detail.replace(/:\d+$/, '');
}
