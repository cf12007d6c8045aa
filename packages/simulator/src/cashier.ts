import { randomBytes } from 'node:crypto';
import {
  CANCEL_PATH,
  choicePage,
  lostVisitPage,
  outcomePage,
  PAY_PATH,
  refusalPage,
  type Outcome,
} from './cashier-pages.js';
import type { EventLog, SimulatorEvent } from './events.js';
import { peerOf, type HttpReply, type HttpRequest } from './http-exchange.js';
import { judgeLink } from './link-verdict.js';
import type { OrderLedger, TradeState } from './orders.js';
import type { PaymentDesk } from './payment-desk.js';
import type { SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';

export const MIDDLE_PAGE_PATH = '/cgi-bin/mmpayweb-bin/checkmweb';
const OUTCOME_PATH = '/cgi-bin/mmpayweb-bin/outcome';
const KEPT_VISITS = 10_000;

/** What the way back says: an unpaid order gets there by the cancel button alone. */
const OUTCOMES: Readonly<Record<TradeState, Outcome>> = {
  SUCCESS: 'paid',
  REFUND: 'paid',
  NOTPAY: 'cancelled',
  CLOSED: 'closed',
};

/** One browser that the middle page let through. */
interface Visit {
  readonly outTradeNo: string;
  readonly returnUrl: string;
}

interface Answered {
  readonly reply: HttpReply;
  readonly verdict: string;
  readonly reason?: string;
  readonly outTradeNo?: string;
}

export interface CashierOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly desk: PaymentDesk;
  readonly events: EventLog;
  readonly now: () => Date;
}

/** The pages that the payer's browser opens: WeChat's middle page, the choice, the way back. */
export class Cashier {
  readonly #options: CashierOptions;
  readonly #visits = new Map<string, Visit>();

  constructor(options: CashierOptions) {
    this.#options = options;
  }

  handle(request: HttpRequest): HttpReply | undefined {
    const { pathname, searchParams } = request.url;
    const form = new URLSearchParams(request.body.toString('utf8'));
    const isPost = request.method === 'POST';
    const isGet = request.method === 'GET';
    if (pathname === MIDDLE_PAGE_PATH && isGet)
      return this.#recorded(request, 'open', searchParams, () => this.#open(request));
    if (pathname === PAY_PATH && isPost) return this.#recorded(request, 'pay', form, () => this.#choose(form, 'pay'));
    if (pathname === CANCEL_PATH && isPost) {
      return this.#recorded(request, 'cancel', form, () => this.#choose(form, 'cancel'));
    }
    if (pathname === OUTCOME_PATH && isGet) {
      return this.#recorded(request, 'outcome', searchParams, () => this.#showOutcome(searchParams.get('visit')));
    }
    return undefined;
  }

  #recorded(request: HttpRequest, operation: string, sent: URLSearchParams, answer: () => Answered): HttpReply {
    const { events } = this.#options;
    const peer = peerOf(request);
    const referer = request.headers.referer;
    const fields = { ...Object.fromEntries(sent), ...(referer !== undefined && { referer }) };
    const outTradeNo = this.#orderOf(sent);
    const about: Pick<SimulatorEvent, 'operation' | 'peer' | 'outTradeNo'> = {
      operation,
      peer,
      ...(outTradeNo !== undefined && { outTradeNo }),
    };
    events.record({ type: 'cashier.request', ...about, fields });
    const { reply, verdict, reason } = answer();
    events.record({
      type: 'cashier.reply',
      ...about,
      status: reply.status,
      verdict,
      ...(reason !== undefined && { reason }),
    });
    return reply;
  }

  #orderOf(sent: URLSearchParams): string | undefined {
    const visit = this.#visits.get(sent.get('visit') ?? '');
    return visit?.outTradeNo ?? this.#options.orders.findLink(sent.get('prepay_id') ?? '')?.order.outTradeNo;
  }

  #open(request: HttpRequest): Answered {
    const { merchant, orders, now } = this.#options;
    const verdict = judgeLink(request, {
      findLink: (prepayId) => orders.findLink(prepayId),
      h5Domains: merchant.h5Domains,
      now: now(),
    });
    if (!verdict.ok) {
      const { refusal } = verdict;
      return { reply: refusalPage(refusal), verdict: refusal.code, reason: `${refusal.text} (${refusal.seen})` };
    }
    const { order, returnUrl } = verdict;
    const id = randomBytes(16).toString('hex');
    this.#visits.set(id, { outTradeNo: order.outTradeNo, returnUrl });
    const [oldest] = this.#visits.keys();
    if (this.#visits.size > KEPT_VISITS && oldest !== undefined) this.#visits.delete(oldest);
    return { reply: choicePage(order, merchant.name, id), verdict: 'OK' };
  }

  #choose(form: URLSearchParams, choice: 'pay' | 'cancel'): Answered {
    const { desk } = this.#options;
    const id = form.get('visit') ?? '';
    const visit = this.#visits.get(id);
    if (!visit) return { reply: lostVisitPage(), verdict: 'VISIT_UNKNOWN' };
    const reply = seeOther(`${OUTCOME_PATH}?visit=${id}`);
    try {
      if (choice === 'pay') desk.pay(visit.outTradeNo);
      else desk.cancel(visit.outTradeNo);
      return { reply, verdict: 'OK' };
    } catch (error) {
      if (!(error instanceof SimulatorError)) throw error;
      // Pressed twice, or paid and closed elsewhere meanwhile: the outcome page shows what is true now.
      return { reply, verdict: error.code };
    }
  }

  #showOutcome(id: string | null): Answered {
    const visit = this.#visits.get(id ?? '');
    const order = visit && this.#options.orders.get(visit.outTradeNo);
    if (!visit || !order) return { reply: lostVisitPage(), verdict: 'VISIT_UNKNOWN' };
    const outcome = OUTCOMES[order.tradeState];
    return { reply: outcomePage(order, outcome, visit.returnUrl), verdict: outcome };
  }
}

/** After a POST the browser gets a page of its own, so that going back or reloading never sends the form again. */
function seeOther(location: string): HttpReply {
  return { status: 303, headers: { location }, body: '' };
}
