import { beijingClock } from './beijing-time.js';
import { html, type Html } from './html.js';
import { RETRY_SECONDS, type DueDelivery, type NotificationAttempt } from './notifier.js';

/** One notification: what was tried, and what is still to come. */
export interface ToldStory {
  readonly notificationId: string;
  readonly kind: NotificationAttempt['kind'];
  readonly outRefundNo?: string;
  readonly attempts: readonly NotificationAttempt[];
  readonly due?: DueDelivery;
}

type Step = 'heard' | 'refused' | 'next' | 'open' | 'spared';

const STEPS: Readonly<Record<Step, string>> = {
  heard: '已确认 acknowledged',
  refused: '未确认 refused',
  next: '下一次 next',
  open: '待发 to come',
  spared: '不再需要 not needed',
};

/** Genuine notifications, the earliest first. Forgeries are never repeated and have no schedule. */
export function storiesOf(attempts: readonly NotificationAttempt[], due: readonly DueDelivery[]): readonly ToldStory[] {
  const stories = new Map<string, ToldStory>();
  for (const attempt of attempts.filter(({ kind }) => kind !== 'forged')) {
    const story = stories.get(attempt.notificationId) ?? { ...attempt, attempts: [] };
    const { notificationId, kind, outRefundNo } = story;
    const numbers = { notificationId, kind, ...(outRefundNo !== undefined && { outRefundNo }) };
    stories.set(notificationId, { ...numbers, attempts: [...story.attempts, attempt] });
  }
  for (const delivery of due) {
    const { id: notificationId, kind, outRefundNo } = delivery.notification;
    const numbers = { notificationId, kind, ...(outRefundNo !== undefined && { outRefundNo }) };
    stories.set(notificationId, { attempts: [], ...stories.get(notificationId), ...numbers, due: delivery });
  }
  return [...stories.values()];
}

/** The sixteen deliveries of the official schedule, each as far as it has come. */
export function retryPicture(story: ToldStory, timeScale: number): Html {
  const name = story.kind === 'refund' ? `退款通知 Refund ${story.outRefundNo ?? ''}` : '支付通知 Payment';
  return html`<figure class="schedule">
    <figcaption>
      ${name} · ${summary(story)}${timeScale === 1 ? '' : html` <span class="soft">time × ${timeScale}</span>`}
    </figcaption>
    <ol>
      ${waits().map(({ wait, after }, index) => stepItem(stepAt(story, index + 1), { wait, after }))}
    </ol>
  </figure>`;
}

function stepItem(step: Step, { wait, after }: { readonly wait: string; readonly after: string }): Html {
  return html`<li class="${step}" title="${STEPS[step]}">
    <span>${wait}</span><i aria-hidden="true"></i><b>${after}</b><span class="spoken">${STEPS[step]}</span>
  </li>`;
}

function stepAt({ attempts, due }: ToldStory, number: number): Step {
  const tried = attempts.filter(({ attempt }) => attempt === number);
  if (tried.some(({ verdict }) => verdict === 'acknowledged')) return 'heard';
  if (tried.length > 0) return 'refused';
  if (due?.attempt === number) return 'next';
  return due && number > due.attempt ? 'open' : 'spared';
}

function summary({ attempts, due }: ToldStory): string {
  if (due) return `下一次 next #${due.attempt}: ${beijingClock(due.at)}`;
  if (attempts.some(({ verdict }) => verdict === 'acknowledged')) return STEPS.heard;
  return '放弃 given up';
}

/** The wait before each delivery, and how long after the first one that is. */
function waits(): readonly { readonly wait: string; readonly after: string }[] {
  let total = 0;
  return [0, ...RETRY_SECONDS].map((seconds) => {
    total += seconds;
    return { wait: seconds === 0 ? '' : `+${shortTime(seconds)}`, after: shortTime(total) };
  });
}

/** `15s`, `4m`, `9h04`. */
function shortTime(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}h${rest === 0 ? '' : String(rest).padStart(2, '0')}`;
}
