import { isWechatH5Error, quoted, WechatH5Error } from './errors.js';
import type { Caller, GatewayReply } from './gateway.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { assertMwebUrl, MWEB_URL_LIFE_MS, MWEB_URL_REUSE_MS, redirectTarget, withRedirectUrl } from './mweb-url.js';
import {
  outTradeNo as checkedOutTradeNo,
  tooLateFor,
  unifiedOrderFields,
  type NewOrder,
  type SceneInfo,
} from './new-order.js';
import { requirePaymentFields, valuesOf } from './payment-fields.js';
import {
  isRefunded,
  namesOf,
  orderId,
  type Applied,
  type OrderBook,
  type OrderKey,
  type OrderLink,
  type OrderRecord,
} from './order-book.js';
import { addressChanged, numberTaken, orderClosed, orderPaid, refusalOf, refuseIfOver } from './order-refusals.js';
import { purchaseName } from './order-record.js';
import { orderKeyOf, paymentOf, type Payment } from './payment.js';
import { attemptNumber, MAX_ATTEMPTS, ordersOfPurchase } from './purchase.js';
import { callRepeating } from './repeat.js';
import { rowOf } from './result-codes.js';

/** Which order a call is about; `mchId` (and `subMchId`, `appId`) once there are several merchants. */
export type OrderRef = ({ outTradeNo: string } | { transactionId: string }) & {
  mchId?: string;
  subMchId?: string;
  appId?: string;
};

/** An order that can be paid. */
export interface H5Order {
  /** The number WeChat Pay knows it by: with `orderRef` that of the present attempt. */
  outTradeNo: string;
  prepayId: string;
  /** Send the payer here within five minutes, from a page whose Referer is one of the H5 domains. */
  mwebUrl: string;
  expiresAt: Date;
  /** The same unpaid order as before, with the same link: a double click, a reload, a second tab. */
  reused: boolean;
  /** The reply of `unifiedorder`, untouched. */
  raw: Readonly<Record<string, string>>;
}

/** What WeChat Pay says of an order. `trade_state` values it may add later stay representable. */
export interface OrderQuery {
  outTradeNo: string;
  tradeState:
    'SUCCESS' | 'REFUND' | 'NOTPAY' | 'CLOSED' | 'REVOKED' | 'USERPAYING' | 'PAYERROR' | 'ACCEPT' | (string & {});
  tradeStateDesc: string;
  /** Present with SUCCESS and REFUND: in both cases the order was paid. */
  payment?: Payment;
  raw: Readonly<Record<string, string>>;
}

/** Codes of these types mean that WeChat Pay looked at the request and refused it: no order can have come of it. */
const NOTHING_CREATED: ReadonlySet<string> = new Set(['credentials', 'permission', 'request']);
/** `trade_state` values after which an order can no longer be paid. */
export const CLOSED_STATES: ReadonlySet<string> = new Set(['CLOSED', 'REVOKED', 'PAYERROR']);

interface Opened {
  readonly key: OrderKey;
  readonly link: OrderLink;
  readonly reused: boolean;
}

interface Intended extends Applied {
  readonly order: OrderRecord;
}

export class Orders<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #gateway: Caller;
  readonly #merchants: Merchants;
  readonly #notifyUrl: string;
  readonly #sceneInfo: SceneInfo;
  readonly #currencies: readonly string[];
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: {
    book: OrderBook<Tx>;
    gateway: Caller;
    merchants: Merchants;
    notifyUrl: string;
    sceneInfo: SceneInfo;
    currencies: readonly string[];
  }) {
    this.#book = parts.book;
    this.#gateway = parts.gateway;
    this.#merchants = parts.merchants;
    this.#notifyUrl = parts.notifyUrl;
    this.#sceneInfo = parts.sceneInfo;
    this.#currencies = parts.currencies;
  }

  /** @param clientIp canonical, and checked against the payer policy */
  async create(order: NewOrder, clientIp: string): Promise<H5Order> {
    const merchant = this.#merchants.named(order);
    const fields = unifiedOrderFields(order, {
      clientIp,
      notifyUrl: this.#notifyUrl,
      sceneInfo: this.#sceneInfo,
      currencies: this.#currencies,
    });
    const tooLate = tooLateFor(order, new Date());
    if (order.redirectUrl !== undefined) redirectTarget(order.redirectUrl, merchant.h5Domains);
    const { mchId, subMchId } = merchant;
    const first = orderKeyOf({ mchId, subMchId, outTradeNo: order.outTradeNo });
    const { key, link, reused } = await this.#inTurn(orderId(first), () =>
      order.orderRef === undefined
        ? this.#open(first, merchant, fields, clientIp, tooLate)
        : this.#openAttempt(order.orderRef, first, merchant, fields, clientIp, tooLate),
    );
    return {
      outTradeNo: key.outTradeNo,
      prepayId: link.prepayId,
      mwebUrl:
        order.redirectUrl === undefined
          ? link.mwebUrl
          : withRedirectUrl(link.mwebUrl, order.redirectUrl, { h5Domains: merchant.h5Domains }),
      expiresAt: link.expiresAt,
      reused,
      raw: link.raw,
    };
  }

  async query(ref: OrderRef): Promise<OrderQuery> {
    const merchant = this.#merchants.named(ref);
    const asked = askedFor(ref);
    const [value = ''] = Object.values(asked);
    const { raw, refusal } = await callRepeating(this.#gateway, '/pay/orderquery', merchant, asked, value);
    if (refusal !== undefined) throw refusalOf('orderquery', refusal);
    const { out_trade_no: outTradeNo, trade_state: tradeState } = raw;
    const wrong = Object.entries(asked).find(([name, wanted]) => raw[name] !== undefined && raw[name] !== wanted)?.[0];
    if (wrong !== undefined) throw notBelieved(wrong, `is about another ${wrong}`);
    // Without its number it may be about any order.
    if (outTradeNo === undefined) throw notBelieved('out_trade_no', 'has no out_trade_no');
    if (tradeState === undefined) throw notBelieved('trade_state', 'has no trade_state');
    const query: OrderQuery = {
      outTradeNo,
      tradeState,
      tradeStateDesc: raw['trade_state_desc'] ?? '',
      raw,
    };
    if (query.tradeState === 'SUCCESS' || query.tradeState === 'REFUND') {
      requirePaymentFields(valuesOf(raw));
      query.payment = paymentOf(raw);
    }
    return query;
  }

  async #open(
    key: OrderKey,
    merchant: KnownMerchant,
    fields: Record<string, string>,
    clientIp: string,
    tooLate: WechatH5Error | undefined,
  ): Promise<Opened> {
    await this.#refuseIfNew(key, tooLate);
    const intended = await this.#intend(key, merchant, fields, clientIp, undefined);
    refuseIfOver(intended.order);
    if (intended.outcome === 'conflict') throw numberTaken(key, 'it is taken by an order with other parameters');
    if (intended.order.clientIp !== '' && intended.order.clientIp !== clientIp)
      throw addressChanged(key, intended.order);
    return this.#link(intended, merchant, fields, clientIp);
  }

  /**
   * The purchase's newest attempt, or one more: where an attempt was closed or its link is of no use to this payer,
   * the next number takes over. Every machine finds the same numbers.
   */
  async #openAttempt(
    orderRef: string,
    first: OrderKey,
    merchant: KnownMerchant,
    fields: Record<string, string>,
    clientIp: string,
    tooLate: WechatH5Error | undefined,
  ): Promise<Opened> {
    await this.#refuseIfPaid(orderRef, first);
    for (let n = 1; n <= MAX_ATTEMPTS; n++) {
      const key = { ...first, outTradeNo: attemptNumber(first.outTradeNo, n) };
      const attempt = { ...fields, out_trade_no: key.outTradeNo };
      await this.#refuseIfNew(key, tooLate);
      const intended = await this.#intend(key, merchant, attempt, clientIp, orderRef);
      const { order, outcome } = intended;
      if (order.state === 'PAID' || order.state === 'QUARANTINED') refuseIfOver(order);
      if (outcome === 'conflict') throw numberTaken(key, 'it is taken by an order with other parameters');
      if (order.state === 'CLOSED' || order.state === 'CLOSING' || order.superseded) continue;
      if (order.clientIp === '' || order.clientIp === clientIp) {
        try {
          return await this.#link(intended, merchant, attempt, clientIp);
        } catch (error) {
          // Closed by somebody else, or by WeChat Pay itself, and known here only now.
          if (isWechatH5Error(error) && error.code === 'ORDER_CLOSED') continue;
          throw error;
        }
      }
      // The old link would end in an error on the new address. Who pays by it all the same has paid: look once more.
      const superseded = await this.#book.apply(key, { type: 'superseded', source: 'payer' });
      if (superseded.order?.state === 'PAID' || superseded.order?.state === 'QUARANTINED')
        refuseIfOver(superseded.order);
    }
    throw numberTaken(first, `there were ${MAX_ATTEMPTS} attempts to pay it`);
  }

  /**
   * Under another number the purchase may be paid, and its payer would pay twice. What is paid after this look is withheld
   * as `paid-twice`; of a payment that was withheld and given back nothing is left.
   */
  async #refuseIfPaid(orderRef: string, key: OrderKey): Promise<void> {
    const purchase = purchaseName(key, orderRef);
    const paid = (await ordersOfPurchase(this.#book, key, orderRef, 'PAID')).find(
      (order) => namesOf(order).includes(purchase) || !isRefunded(order),
    );
    if (paid !== undefined) throw orderPaid(paid.key);
  }

  /** An order whose time is nearly over is not begun; who has placed it is told how it stands, to its end and after it. */
  async #refuseIfNew(key: OrderKey, tooLate: WechatH5Error | undefined): Promise<void> {
    if (tooLate === undefined) return;
    const order = await this.#book.get(key);
    if (order === undefined || order.state === 'CREATE_FAILED') throw tooLate;
  }

  /** The intent is stored before WeChat Pay hears of it: a notification can never precede the order. */
  async #intend(
    key: OrderKey,
    merchant: KnownMerchant,
    fields: Record<string, string>,
    clientIp: string,
    orderRef: string | undefined,
  ): Promise<Intended> {
    const { outcome, order, at } = await this.#book.apply(key, {
      type: 'intend',
      source: 'payer',
      intent: {
        appId: merchant.appId,
        totalFee: Number(fields['total_fee']),
        feeType: fields['fee_type'] ?? 'CNY',
        attach: fields['attach'] ?? '',
        params: fields,
        clientIp,
        orderRef,
      },
    });
    if (order === undefined)
      throw new WechatH5Error('ORDER_BOOK_FAILED', 'The order book stored no intent', { hint: 'Nothing was sent.' });
    return { outcome, order, at };
  }

  async #link(
    { order, at }: Intended,
    merchant: KnownMerchant,
    fields: Record<string, string>,
    clientIp: string,
  ): Promise<Opened> {
    const { key, link } = order;
    // A link with less than a minute left would expire in the payer's hand.
    const reusableUntil = link === undefined ? 0 : link.expiresAt.getTime() - (MWEB_URL_LIFE_MS - MWEB_URL_REUSE_MS);
    if (link !== undefined && order.state === 'PENDING' && at.getTime() < reusableUntil)
      return { key, link, reused: true };
    const params = Object.keys(order.params).length === 0 ? fields : order.params;
    return { key, link: await this.#place(key, merchant, params, clientIp), reused: false };
  }

  async #place(
    key: OrderKey,
    merchant: KnownMerchant,
    params: Readonly<Record<string, string>>,
    clientIp: string,
  ): Promise<OrderLink> {
    // Counted from before the call: the link may be a little younger than this, never older.
    const sentAt = performance.now();
    let reply: GatewayReply;
    let mwebUrl: string;
    try {
      reply = await callRepeating(this.#gateway, '/pay/unifiedorder', merchant, params, key.outTradeNo);
      if (reply.refusal !== undefined) return await this.#refused(key, reply.refusal);
      for (const [name, wanted] of [
        ['trade_type', /^MWEB$/],
        ['prepay_id', /^[\x21-\x7e]{1,64}$/],
      ] as const) {
        if (!wanted.test(reply.raw[name] ?? '')) throw unexpected(name, reply.raw[name]);
      }
      mwebUrl = assertMwebUrl(reply.raw['mweb_url'], this.#gateway.simulatorHost);
    } catch (error) {
      // Whatever went wrong on the way, the order may exist: unknown, never failed.
      const known = error instanceof WechatH5Error && ORDER_ANSWERS.has(error.code);
      if (!known)
        await this.#book.apply(key, {
          type: 'create-unknown',
          reason: error instanceof WechatH5Error ? error.code : 'GATEWAY_REPLY_INVALID',
        });
      throw error;
    }
    const { order, at } = await this.#book.apply(key, {
      type: 'created',
      link: { prepayId: reply.raw['prepay_id'] ?? '', mwebUrl, raw: reply.raw },
      clientIp,
      tookMs: performance.now() - sentAt,
    });
    if (order !== undefined) refuseIfOver(order);
    const { link } = order ?? {};
    if (link !== undefined) return link;
    throw new WechatH5Error('ORDER_BOOK_FAILED', `The order book stored no link, at ${at.toISOString()}`, {
      hint: 'Call again with the same order.',
    });
  }

  async #refused(key: OrderKey, refusal: NonNullable<GatewayReply['refusal']>): Promise<never> {
    const { errCode, errCodeDes } = refusal;
    const { error, type } = rowOf(errCode, { operation: 'unifiedorder', text: errCodeDes });
    if (error === 'ORDER_PAID') throw orderPaid(key);
    if (error === 'ORDER_CLOSED') {
      await this.#book.apply(key, { type: 'closed' });
      throw orderClosed(key);
    }
    await this.#book.apply(key, {
      type: NOTHING_CREATED.has(type) ? 'create-failed' : 'create-unknown',
      reason: errCode,
    });
    if (error === 'ORDER_CONFLICT')
      throw numberTaken(key, `WeChat Pay knows it with other parameters (${quoted(errCodeDes, 128)})`);
    throw refusalOf('unifiedorder', refusal);
  }

  /** Calls about one order, one after the other: the second of a double click finds the first one's link. */
  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work, work);
    this.#turns.set(id, turn);
    const done = (): void => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    };
    turn.then(done, done);
    return turn;
  }
}

const ORDER_ANSWERS = new Set(['ORDER_PAID', 'ORDER_CLOSED', 'ORDER_CONFLICT', 'GATEWAY_REFUSED', 'ORDER_BOOK_FAILED']);

function askedFor(ref: OrderRef): Record<string, string> {
  if ('outTradeNo' in ref) return { out_trade_no: checkedOutTradeNo(ref.outTradeNo) };
  if (typeof ref.transactionId === 'string' && /^[0-9A-Za-z_-]{1,32}$/.test(ref.transactionId))
    return { transaction_id: ref.transactionId };
  throw new WechatH5Error(
    'ORDER_FIELD_INVALID',
    'The call names neither outTradeNo nor a transactionId of 1 to 32 digits',
    {
      field: 'transaction_id',
      hint: 'Pass { outTradeNo } or { transactionId }.',
    },
  );
}

function notBelieved(field: string, problem: string): WechatH5Error {
  return new WechatH5Error('GATEWAY_REPLY_INVALID', `The reply ${problem}`, {
    field,
    hint: 'It was not believed. Query again.',
  });
}

function unexpected(field: string, value: string | undefined): WechatH5Error {
  return new WechatH5Error(
    'GATEWAY_REPLY_INVALID',
    `unifiedorder answered with ${field} ${value === undefined ? 'missing' : quoted(value)}`,
    {
      field,
      hint: 'The reply was not believed; what WeChat Pay did is unknown. Call again with the same parameters, or query.',
    },
  );
}
