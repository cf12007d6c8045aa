import { randomBytes } from 'node:crypto';
import {
  CASHIER_FOLDER,
  CASHIER_PATH,
  cashierPage,
  lostVisitPage,
  otherAccountForm,
  outcomePage,
  refusalPage,
  type CashierButton,
  type Outcome,
  type Shape,
} from './cashier-pages.js';
import type { EventLog, SimulatorEvent } from './events.js';
import { peerOf, type HttpReply, type HttpRequest } from './http-exchange.js';
import { isApple, judgeAccount, judgeLink } from './link-verdict.js';
import type { OrderLedger, SimulatedOrder, TradeState } from './orders.js';
import type { PaymentDesk } from './payment-desk.js';
import type { SimulatedMerchant } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';
import { createAccounts, loggedIn, loginCookie, type WechatAccount } from './wechat-account.js';

export const MIDDLE_PAGE_PATH = `${CASHIER_FOLDER}checkmweb`;
const OUTCOME_PATH = `${CASHIER_FOLDER}outcome`;
const KEPT_VISITS = 10_000;

/** One browser that the middle page let through. */
interface Visit {
  readonly id: string;
  readonly outTradeNo: string;
  readonly prepayId: string;
  readonly returnUrl: string;
  /** What was pressed last, for as long as the order is unpaid. */
  pressed?: 'cancel' | 'leave' | 'insufficient';
}

interface Answered {
  readonly reply: HttpReply;
  readonly verdict: string;
  readonly reason?: string;
}

/** What one of the pages answers to a browser that is known. */
type Answer = (visit: Visit, request: HttpRequest, form: URLSearchParams) => Answered;

export interface CashierOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly desk: PaymentDesk;
  readonly events: EventLog;
  readonly now: () => Date;
}

/** The pages that the payer's browser opens: WeChat's middle page, the cashier, the way back. */
export class Cashier {
  readonly #options: CashierOptions;
  readonly #accounts = createAccounts();
  readonly #visits = new Map<string, Visit>();
  readonly #buttons: Readonly<Record<CashierButton, Answer>> = {
    pay: (visit, request) => this.#spend(visit, request),
    insufficient: (visit, request) => this.#refrain(visit, request, 'insufficient', CASHIER_PATH),
    leave: (visit, request) => this.#refrain(visit, request, 'leave', OUTCOME_PATH),
    cancel: (visit, request) => this.#refrain(visit, request, 'cancel', OUTCOME_PATH),
    account: (visit, _request, form) => this.#logIn(visit, form.get('account')),
  };
  readonly #answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
    [`GET ${CASHIER_PATH}`, (visit, request) => this.#showCashier(visit, request)],
    [`GET ${OUTCOME_PATH}`, (visit, request) => this.#showOutcome(visit, request)],
    ...Object.entries(this.#buttons).map(([name, answer]) => [`POST ${CASHIER_FOLDER}${name}`, answer] as const),
  ]);

  constructor(options: CashierOptions) {
    this.#options = options;
  }

  handle(request: HttpRequest): HttpReply | undefined {
    const { method, url } = request;
    const { pathname, searchParams } = url;
    if (method === 'GET' && pathname === MIDDLE_PAGE_PATH) {
      return this.#recorded(request, 'open', searchParams, () => this.#open(request));
    }
    const answer = this.#answers.get(`${method} ${pathname}`);
    if (!answer) return undefined;
    const sent = method === 'GET' ? searchParams : new URLSearchParams(request.body.toString('utf8'));
    return this.#recorded(request, pathname.slice(CASHIER_FOLDER.length), sent, () => {
      const visit = this.#visits.get(sent.get('visit') ?? '');
      if (!visit) return { reply: lostVisitPage(shapeFor(request)), verdict: 'VISIT_UNKNOWN' };
      return answer(visit, request, sent);
    });
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
      const reason = `${refusal.text} (${refusal.seen})`;
      return { reply: refusalPage(refusal, shapeFor(request)), verdict: refusal.code, reason };
    }
    const { order, returnUrl, prepayId } = verdict;
    const visit: Visit = { id: randomBytes(16).toString('hex'), outTradeNo: order.outTradeNo, prepayId, returnUrl };
    this.#visits.set(visit.id, visit);
    const [oldest] = this.#visits.keys();
    if (this.#visits.size > KEPT_VISITS && oldest !== undefined) this.#visits.delete(oldest);
    return this.#showCashier(visit, request);
  }

  #showCashier(visit: Visit, request: HttpRequest): Answered {
    const refused = this.#refuseAccount(visit, request);
    if (refused) return refused;
    const order = this.#order(visit);
    // Gone back to by history, or pressed elsewhere meanwhile: what is true now is on the other page.
    if (order.tradeState !== 'NOTPAY') return { reply: seeOther(OUTCOME_PATH, visit), verdict: order.tradeState };
    const account = loggedIn(request, this.#accounts);
    const view = {
      order,
      merchantName: this.#options.merchant.name,
      visit: visit.id,
      shape: shapeFor(request),
      account,
      otherAccount: this.#other(account),
      insufficient: visit.pressed === 'insufficient',
    };
    return { reply: cashierPage(view), verdict: 'OK' };
  }

  /** The first WeChat account that sees the cashier of a link keeps the link. */
  #refuseAccount(visit: Visit, request: HttpRequest): Answered | undefined {
    const account = loggedIn(request, this.#accounts);
    const owner = this.#options.orders.claimLink(visit.prepayId, account.openId) ?? account.openId;
    const refusal = judgeAccount(request, { owner, visitor: account.openId });
    if (!refusal) return undefined;
    const back = otherAccountForm(visit.id, this.#other(account));
    const reason = `${refusal.text} (${refusal.seen})`;
    return { reply: refusalPage(refusal, shapeFor(request), back), verdict: refusal.code, reason };
  }

  #spend(visit: Visit, request: HttpRequest): Answered {
    const refused = this.#refuseAccount(visit, request);
    if (refused) return refused;
    const reply = seeOther(OUTCOME_PATH, visit);
    try {
      this.#options.desk.pay(visit.outTradeNo, { openId: loggedIn(request, this.#accounts).openId });
      return { reply, verdict: 'OK' };
    } catch (error) {
      if (!(error instanceof SimulatorError)) throw error;
      // Pressed twice, or paid and closed elsewhere meanwhile: the outcome page shows what is true now.
      return { reply, verdict: error.code };
    }
  }

  /** Nothing is paid and the merchant is told nothing; the order stays what it is. */
  #refrain(visit: Visit, request: HttpRequest, pressed: NonNullable<Visit['pressed']>, next: string): Answered {
    const refused = this.#refuseAccount(visit, request);
    if (refused) return refused;
    visit.pressed = pressed;
    const { tradeState } = this.#order(visit);
    const outcome = pressed === 'insufficient' ? 'INSUFFICIENT_BALANCE' : 'OK';
    return { reply: seeOther(next, visit), verdict: tradeState === 'NOTPAY' ? outcome : tradeState };
  }

  /** The phone's WeChat changes hands; the page that follows is judged anew. */
  #logIn(visit: Visit, number: string | null): Answered {
    const account = this.#accounts.find((candidate) => candidate.number === number) ?? this.#accounts[0];
    const { status, headers, body } = seeOther(CASHIER_PATH, visit);
    const cookie = loginCookie(account, CASHIER_FOLDER);
    return { reply: { status, headers: { ...headers, 'set-cookie': cookie }, body }, verdict: 'OK' };
  }

  #showOutcome(visit: Visit, request: HttpRequest): Answered {
    const order = this.#order(visit);
    const outcome = outcomeOf(order.tradeState, visit.pressed);
    const { id, returnUrl } = visit;
    return { reply: outcomePage(order, outcome, { visit: id, returnUrl, shape: shapeFor(request) }), verdict: outcome };
  }

  #order({ outTradeNo }: Visit): SimulatedOrder {
    return this.#options.orders.require(outTradeNo);
  }

  #other(account: WechatAccount): WechatAccount {
    const [first, second] = this.#accounts;
    return account === first ? second : first;
  }
}

function outcomeOf(tradeState: TradeState, pressed: Visit['pressed']): Outcome {
  if (tradeState === 'CLOSED') return 'closed';
  if (tradeState !== 'NOTPAY') return 'paid';
  return pressed === 'cancel' ? 'cancelled' : 'open';
}

function shapeFor({ headers }: HttpRequest): Shape {
  return isApple(headers['user-agent'] ?? '') ? 'ios' : 'android';
}

/** After a POST the browser gets a page of its own, so that going back or reloading never sends the form again. */
function seeOther(path: string, visit: Visit): HttpReply {
  return { status: 303, headers: { location: `${path}?visit=${visit.id}` }, body: '' };
}
