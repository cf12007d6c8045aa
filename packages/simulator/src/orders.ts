import { randomBytes, randomInt } from 'node:crypto';
import { beijingTime, parseBeijingTime } from './beijing-time.js';
import { randomToken } from './simulated-merchant.js';
import { SimulatorError } from './simulator-error.js';

export type SignType = 'MD5' | 'HMAC-SHA256';

/** `NOTPAY` until paid or closed. `REFUND` from the first refund on, however it ends: the order was paid. */
export type TradeState = 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';

/** One payment link; each successful unifiedorder makes one. */
export interface PaymentLink {
  readonly prepayId: string;
  readonly package: string;
  readonly mwebUrl: string;
  readonly createdAt: Date;
  /** Five minutes after `createdAt`: after that the middle page refuses it. */
  readonly expiresAt: Date;
  /** The WeChat account whose cashier it opened first, and the only one that may use it. */
  readonly openId?: string;
}

/** How the money arrived. */
export interface SimulatedPayment {
  /** 28 digits that begin with 9900000000, which no real transaction id does. */
  readonly transactionId: string;
  readonly openId: string;
  readonly bankType: string;
  readonly paidAt: Date;
}

/** One order as WeChat's side holds it: a snapshot. */
export interface SimulatedOrder {
  readonly outTradeNo: string;
  /** In the currency's smallest unit. */
  readonly totalFee: number;
  /** `CNY` when the merchant sent none. */
  readonly feeType: string;
  readonly body: string;
  readonly spbillCreateIp: string;
  readonly notifyUrl: string;
  /** The type that unifiedorder was signed with; notifications use it too. */
  readonly signType: SignType;
  /** The order's fields as the merchant sent them, without `sign`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tradeState: TradeState;
  readonly createdAt: Date;
  /** When an unpaid order closes by itself: `time_expire`, or seven days. */
  readonly expiresAt: Date;
  readonly links: readonly PaymentLink[];
  readonly payment?: SimulatedPayment;
}

/** What `pay()` may choose. */
export interface PaymentChoice {
  /** The payer; random unless given. */
  readonly openId?: string;
  /** Default `OTHERS`. */
  readonly bankType?: string;
}

/** Live, read-only view of every order. */
export interface SimulatedOrders {
  list(): readonly SimulatedOrder[];
  get(outTradeNo: string): SimulatedOrder | undefined;
}

const LINK_MILLISECONDS = 5 * 60_000;
const ORDER_MILLISECONDS = 7 * 24 * 3_600_000;
/** May differ between two calls for the same order: they are of the message, not of the order. */
const MESSAGE_FIELDS = new Set(['nonce_str', 'sign', 'sign_type']);

type LinkRecord = { -readonly [Key in keyof PaymentLink]: PaymentLink[Key] };
type OrderRecord = { -readonly [Key in keyof Omit<SimulatedOrder, 'links'>]: SimulatedOrder[Key] } & {
  readonly links: LinkRecord[];
};

export type Placement =
  | { readonly placed: true; readonly order: SimulatedOrder; readonly link: PaymentLink }
  | { readonly placed: false; readonly refusal: 'ORDERPAID' | 'ORDERCLOSED' | 'PARAMETERS_DIFFER' };

/** Every order that unifiedorder has accepted, and what became of it. */
export class OrderLedger implements SimulatedOrders {
  readonly #now: () => Date;
  readonly #linkBase: () => string;
  readonly #orders = new Map<string, OrderRecord>();
  readonly #byTransaction = new Map<string, OrderRecord>();
  readonly #byPrepayId = new Map<string, { readonly order: OrderRecord; readonly link: LinkRecord }>();

  /** `linkBase` is the middle page's address, without a query. */
  constructor(now: () => Date, linkBase: () => string) {
    this.#now = now;
    this.#linkBase = linkBase;
  }

  list(): readonly SimulatedOrder[] {
    return [...this.#orders.values()].map((order) => this.#snapshot(order));
  }

  get(outTradeNo: string): SimulatedOrder | undefined {
    const order = this.#orders.get(outTradeNo);
    return order && this.#snapshot(order);
  }

  /** @throws {SimulatorError} `ORDER_UNKNOWN` */
  require(outTradeNo: string): SimulatedOrder {
    return this.#snapshot(this.#known(outTradeNo));
  }

  findByTransaction(transactionId: string): SimulatedOrder | undefined {
    const order = this.#byTransaction.get(transactionId);
    return order && this.#snapshot(order);
  }

  findLink(prepayId: string): { readonly order: SimulatedOrder; readonly link: PaymentLink } | undefined {
    const found = this.#byPrepayId.get(prepayId);
    return found && { order: this.#snapshot(found.order), link: Object.freeze({ ...found.link }) };
  }

  /** The account that opens a link first keeps it. @returns whose it now is */
  claimLink(prepayId: string, openId: string): string | undefined {
    const link = this.#byPrepayId.get(prepayId)?.link;
    return link && (link.openId ??= openId);
  }

  /** Takes fields that were checked. The same number with the same parameters, while unpaid, gets a fresh link. */
  place(fields: Readonly<Record<string, string>>, signType: SignType): Placement {
    const outTradeNo = fields['out_trade_no'] ?? '';
    const known = this.#orders.get(outTradeNo);
    if (!known) {
      const order = this.#newOrder(outTradeNo, fields, signType);
      this.#orders.set(outTradeNo, order);
      return { placed: true, link: this.#addLink(order), order: this.#snapshot(order) };
    }
    const { tradeState } = this.#settle(known);
    if (tradeState === 'CLOSED') return { placed: false, refusal: 'ORDERCLOSED' };
    if (tradeState !== 'NOTPAY') return { placed: false, refusal: 'ORDERPAID' };
    if (parametersOf(known.fields) !== parametersOf(fields)) return { placed: false, refusal: 'PARAMETERS_DIFFER' };
    known.signType = signType;
    return { placed: true, link: this.#addLink(known), order: this.#snapshot(known) };
  }

  /** @throws {SimulatorError} `ORDER_UNKNOWN`, `ORDER_PAID`, `ORDER_CLOSED` */
  pay(outTradeNo: string, choice: PaymentChoice = {}): SimulatedOrder & { readonly payment: SimulatedPayment } {
    const order = this.#payable(outTradeNo);
    const paidAt = this.#now();
    const payment: SimulatedPayment = {
      transactionId: newTransactionId(paidAt),
      openId: choice.openId ?? newOpenId(),
      bankType: choice.bankType ?? 'OTHERS',
      paidAt,
    };
    order.payment = payment;
    order.tradeState = 'SUCCESS';
    this.#byTransaction.set(payment.transactionId, order);
    return { ...this.#snapshot(order), payment };
  }

  /** Succeeds only for what could still be paid; otherwise throws as `pay` does. */
  requirePayable(outTradeNo: string): SimulatedOrder {
    return this.#snapshot(this.#payable(outTradeNo));
  }

  close(outTradeNo: string): void {
    const order = this.#orders.get(outTradeNo);
    if (order && order.tradeState === 'NOTPAY') order.tradeState = 'CLOSED';
  }

  /** A refund of this paid order was accepted. */
  markRefunded(outTradeNo: string): void {
    this.#known(outTradeNo).tradeState = 'REFUND';
  }

  #known(outTradeNo: string): OrderRecord {
    const order = this.#orders.get(outTradeNo);
    if (order) return order;
    throw new SimulatorError('ORDER_UNKNOWN', `no order is called ${named(outTradeNo)}`, 'unifiedorder makes it');
  }

  #payable(outTradeNo: string): OrderRecord {
    const order = this.#settle(this.#known(outTradeNo));
    if (order.tradeState === 'NOTPAY') return order;
    const [code, state] =
      order.tradeState === 'CLOSED' ? (['ORDER_CLOSED', 'closed'] as const) : (['ORDER_PAID', 'paid'] as const);
    throw new SimulatorError(code, `order ${named(outTradeNo)} is ${state}`, 'a new payment needs a new out_trade_no');
  }

  #newOrder(outTradeNo: string, fields: Readonly<Record<string, string>>, signType: SignType): OrderRecord {
    const createdAt = this.#now();
    const { sign: _, ...kept } = fields;
    return {
      outTradeNo,
      totalFee: Number(fields['total_fee']),
      feeType: fields['fee_type'] || 'CNY',
      body: fields['body'] ?? '',
      spbillCreateIp: fields['spbill_create_ip'] ?? '',
      notifyUrl: fields['notify_url'] ?? '',
      signType,
      fields: Object.freeze(kept),
      tradeState: 'NOTPAY',
      createdAt,
      expiresAt: parseBeijingTime(fields['time_expire'] ?? '') ?? new Date(createdAt.getTime() + ORDER_MILLISECONDS),
      links: [],
    };
  }

  #addLink(order: OrderRecord): LinkRecord {
    const createdAt = this.#now();
    const prepayId = `wx${beijingTime(createdAt)}sim${randomBytes(9).toString('hex').slice(0, 17)}`;
    const packageNumber = String(randomInt(1_000_000_000, 4_000_000_000));
    const link: LinkRecord = {
      prepayId,
      package: packageNumber,
      mwebUrl: `${this.#linkBase()}?prepay_id=${prepayId}&package=${packageNumber}`,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + LINK_MILLISECONDS),
    };
    order.links.push(link);
    this.#byPrepayId.set(prepayId, { order, link });
    return link;
  }

  /** An unpaid order closes by itself: nobody watches the clock, so every look at the order does. */
  #settle(order: OrderRecord): OrderRecord {
    if (order.tradeState === 'NOTPAY' && this.#now() >= order.expiresAt) order.tradeState = 'CLOSED';
    return order;
  }

  #snapshot(order: OrderRecord): SimulatedOrder {
    return Object.freeze({
      ...this.#settle(order),
      links: Object.freeze(order.links.map((link) => Object.freeze({ ...link }))),
    });
  }
}

/** For error texts: a number is 64 characters at most, but this one may be anything. */
export function named(number: string): string {
  return JSON.stringify(number.slice(0, 64));
}

/** What must be equal for a repeated unifiedorder. An empty field is an absent one, as in the signature. */
function parametersOf(fields: Readonly<Record<string, string>>): string {
  return JSON.stringify(
    Object.keys(fields)
      .filter((name) => !MESSAGE_FIELDS.has(name) && fields[name] !== '')
      .sort()
      .map((name) => [name, fields[name]]),
  );
}

/** Real ids begin 10 or 42; none begins 99. The date stands where it stands in real ones. */
export function newTransactionId(at: Date): string {
  return `9900000000${beijingTime(at).slice(0, 8)}${String(randomInt(10_000_000_000)).padStart(10, '0')}`;
}

export function newOpenId(): string {
  return `oSIM${randomToken(24)}`;
}
