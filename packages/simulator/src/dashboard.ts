import { randomBytes } from 'node:crypto';
import type { Instruments } from './control-commands.js';
import { dashboardPage } from './dashboard-page.js';
import { ALL_PRESSES } from './dashboard-presses.js';
import type { EventLog } from './events.js';
import type { HttpReply, HttpRequest } from './http-exchange.js';
import type { Notifier } from './notifier.js';
import type { RefundLedger } from './refunds.js';
import { SimulatorError } from './simulator-error.js';
import type { OrderLife } from './timeline.js';

/** A press shows what came of it, unless the shop takes longer than this to answer. */
const PATIENCE_MILLISECONDS = 1_000;

const PROBLEMS: ReadonlyMap<string, readonly [chinese: string, english: string]> = new Map([
  ['ORDER_UNKNOWN', ['没有这个订单。', 'There is no such order.']],
  ['ORDER_PAID', ['订单已经付过款。', 'The order is paid already.']],
  ['ORDER_CLOSED', ['订单已关闭。', 'The order is closed.']],
  ['ORDER_NOT_PAID', ['订单还没有付款。', 'The order is not paid.']],
  ['REFUND_EXCEEDS', ['已经没有可退的金额。', 'Nothing is left to refund.']],
  ['STALE', ['页面已过期，请再点一次。', 'The page was out of date. Press again.']],
]);
const OTHER_PROBLEM = ['没有成功。', 'That did not work.'] as const;

/** Everything that the operator's side looks at and works with. */
export interface DashboardOptions extends Instruments {
  readonly refunds: RefundLedger;
  readonly notifier: Notifier;
  readonly events: EventLog;
  readonly timeScale: number;
}

/** The operator's page: every order and its life, and buttons for what can happen to it. */
export class Dashboard {
  readonly #options: DashboardOptions;
  /** Only this page knows it: a form on some website cannot press our buttons. */
  readonly #token = randomBytes(16).toString('hex');

  constructor(options: DashboardOptions) {
    this.#options = options;
  }

  async handle(request: HttpRequest): Promise<HttpReply | undefined> {
    if (request.method === 'GET') return this.#show(request.url.searchParams);
    if (request.method === 'POST') return this.#press(new URLSearchParams(request.body.toString('utf8')));
    return undefined;
  }

  #show(query: URLSearchParams): HttpReply {
    const { merchant, orders, notifier, timeScale } = this.#options;
    const all = orders.list();
    const picked = all.find(({ outTradeNo }) => outTradeNo === query.get('order'));
    const shown = picked ?? all.at(-1);
    const problem = query.get('problem');
    return dashboardPage({
      merchant,
      orders: all,
      life: shown && this.#lifeOf(shown.outTradeNo),
      picked: picked !== undefined,
      nextAttemptAt: (outTradeNo) => notifier.nextAttemptAt(outTradeNo),
      token: this.#token,
      timeScale,
      problem: problem === null ? undefined : (PROBLEMS.get(problem) ?? OTHER_PROBLEM),
    });
  }

  #lifeOf(outTradeNo: string): OrderLife {
    const { orders, refunds, notifier, events } = this.#options;
    return {
      order: orders.require(outTradeNo),
      refunds: refunds.list(outTradeNo),
      events: events.list().filter((event) => event.outTradeNo === outTradeNo),
      attempts: notifier.list(outTradeNo),
      due: notifier.due(outTradeNo),
    };
  }

  async #press(form: URLSearchParams): Promise<HttpReply> {
    const outTradeNo = form.get('order') ?? '';
    const press = ALL_PRESSES.get(form.get('press') ?? '');
    if (form.get('token') !== this.#token || !press) return backTo(outTradeNo, 'STALE');
    const { orders } = this.#options;
    try {
      await withPatience(press.run(orders.require(outTradeNo), this.#options));
      return backTo(outTradeNo);
    } catch (error) {
      if (error instanceof SimulatorError) return backTo(outTradeNo, error.code);
      throw error;
    }
  }
}

/** After a POST the browser gets the page anew, so that reloading it presses nothing. */
function backTo(outTradeNo: string, problem?: string): HttpReply {
  const query = new URLSearchParams({ order: outTradeNo, ...(problem !== undefined && { problem }) });
  return { status: 303, headers: { location: `/?${query.toString()}` }, body: '' };
}

async function withPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MILLISECONDS);
  });
  await Promise.race([work, enough]).finally(() => clearTimeout(timer));
}
