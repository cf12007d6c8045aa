import type { Deliveries } from './delivery.js';
import { quoted, WechatH5Error } from './errors.js';
import type { Gateway, GatewayReply } from './gateway.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { assertMwebUrl, MWEB_URL_LIFE_MS, MWEB_URL_REUSE_MS, redirectTarget, withRedirectUrl } from './mweb-url.js';
import { outTradeNo as checkedOutTradeNo, unifiedOrderFields, type NewOrder, type SceneInfo } from './new-order.js';
import { requirePaymentFields } from './notification.js';
import type { OrderBook, OrderKey, OrderLink, OrderRecord } from './order-book.js';
import { orderKeyOf, paymentOf, type Payment } from './payment.js';

/** Which order a call is about; `mchId` (and `subMchId`, `appId`) once there are several merchants. */
export type OrderRef = ({ outTradeNo: string } | { transactionId: string }) & {
  mchId?: string;
  subMchId?: string;
  appId?: string;
};

/** An order that can be paid. */
export interface H5Order {
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

/**
 * Where a payment stands, for the page the payer came back to. `paid` is WeChat Pay's word; `delivered`
 * is the shop's: `onPaid` has succeeded.
 */
export interface PaymentStatus {
  outTradeNo: string;
  state: 'paid' | 'unpaid' | 'closed' | 'refunded' | 'quarantined';
  delivered: boolean;
  /** Who said so: a notification that had come before, or the query made now. */
  source: 'notification' | 'query';
  payment?: Payment;
}

// WeChat Pay looked at the request and refused it: no order can have come of it.
const NOTHING_CREATED = new Set(
  'NOAUTH APPID_NOT_EXIST MCHID_NOT_EXIST APPID_MCHID_NOT_MATCH LACK_PARAMS PARAM_ERROR SIGNERROR XML_FORMAT_ERROR REQUIRE_POST_METHOD POST_DATA_EMPTY NOT_UTF8'.split(
    ' ',
  ),
);
const NUMBER_TAKEN = new Set(['OUT_TRADE_NO_USED', 'INVALID_REQUEST']);
const CLOSED_STATES = new Set(['CLOSED', 'REVOKED', 'PAYERROR']);

/** A payer who presses the button again within this time gets the answer of a moment ago. */
const QUERY_GAP_MS = 2000;
/** The payer waits for the answer: a slow `onPaid` goes on without them. */
const DELIVERY_WAIT_MS = 4000;

export class Orders<Tx = never> {
  readonly #book: OrderBook<Tx>;
  readonly #gateway: Gateway;
  readonly #merchants: Merchants;
  readonly #deliveries: Deliveries<Tx>;
  readonly #findsOrders: boolean;
  readonly #notifyUrl: string;
  readonly #sceneInfo: SceneInfo;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #confirmations = new Map<string, { at: number; status: Promise<PaymentStatus> }>();

  constructor(parts: {
    book: OrderBook<Tx>;
    gateway: Gateway;
    merchants: Merchants;
    deliveries: Deliveries<Tx>;
    findsOrders: boolean;
    notifyUrl: string;
    sceneInfo: SceneInfo;
  }) {
    this.#book = parts.book;
    this.#gateway = parts.gateway;
    this.#merchants = parts.merchants;
    this.#deliveries = parts.deliveries;
    this.#findsOrders = parts.findsOrders;
    this.#notifyUrl = parts.notifyUrl;
    this.#sceneInfo = parts.sceneInfo;
  }

  /** @param clientIp canonical, and checked against the payer policy */
  async create(order: NewOrder, clientIp: string): Promise<H5Order> {
    const merchant = this.#merchants.named(order);
    const fields = unifiedOrderFields(order, {
      clientIp,
      notifyUrl: this.#notifyUrl,
      sceneInfo: this.#sceneInfo,
      now: new Date(),
    });
    if (order.redirectUrl !== undefined) redirectTarget(order.redirectUrl, merchant.h5Domains);
    const key = orderKeyOf({ mchId: merchant.mchId, subMchId: merchant.subMchId, outTradeNo: order.outTradeNo });
    const { link, reused } = await this.#inTurn(idOf(key), () => this.#open(key, merchant, fields, clientIp));
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
    const { raw, refusal } = await this.#gateway.call('/pay/orderquery', merchant, asked, value);
    if (refusal !== undefined)
      throw refusalOf('orderquery', refusal, refusal.errCode === 'ORDERNOTEXIST' ? 'ORDER_UNKNOWN' : 'GATEWAY_REFUSED');
    const wrong = Object.entries(asked).find(([name, wanted]) => raw[name] !== undefined && raw[name] !== wanted)?.[0];
    if (wrong !== undefined || raw['trade_state'] === undefined) {
      throw new WechatH5Error(
        'GATEWAY_REPLY_INVALID',
        wrong === undefined ? 'The reply has no trade_state' : `The reply is about another ${wrong}`,
        {
          field: wrong ?? 'trade_state',
          hint: 'It was not believed. Query again.',
        },
      );
    }
    const query: OrderQuery = {
      outTradeNo: raw['out_trade_no'] ?? ('outTradeNo' in ref ? ref.outTradeNo : ''),
      tradeState: raw['trade_state'],
      tradeStateDesc: raw['trade_state_desc'] ?? '',
      raw,
    };
    if (query.tradeState === 'SUCCESS' || query.tradeState === 'REFUND') {
      requirePaymentFields(raw);
      query.payment = paymentOf(raw);
    }
    return query;
  }

  /** One query at a time for each order, and one in two seconds. */
  async confirm(ref: OrderRef): Promise<PaymentStatus> {
    const merchant = this.#merchants.named(ref);
    const key = await this.#keyOf(ref, merchant);
    const id = idOf(key);
    const recent = this.#confirmations.get(id);
    if (recent !== undefined && performance.now() - recent.at < QUERY_GAP_MS) return recent.status;
    const status = this.#confirm(key, merchant);
    const entry = { at: performance.now(), status };
    this.#confirmations.set(id, entry);
    const forget = (): void => {
      if (this.#confirmations.get(id) === entry) this.#confirmations.delete(id);
    };
    // What failed, and what is still open, may be asked again; the timer only keeps the map small.
    status.then(() => setTimeout(forget, QUERY_GAP_MS).unref(), forget);
    return status;
  }

  async #confirm(key: OrderKey, merchant: KnownMerchant): Promise<PaymentStatus> {
    const stored = await this.#book.get(key);
    if (stored === undefined && !this.#findsOrders) {
      throw new WechatH5Error('ORDER_UNKNOWN', `out_trade_no ${quoted(key.outTradeNo)} is not in the order book`, {
        field: 'out_trade_no',
        hint: 'Only orders placed here, or found by findOrder, can be confirmed.',
      });
    }
    const settled = stored === undefined ? undefined : await this.#settled(stored);
    if (settled !== undefined) return settled;
    let query: OrderQuery;
    try {
      query = await this.query({
        outTradeNo: key.outTradeNo,
        mchId: merchant.mchId,
        appId: merchant.appId,
        ...(merchant.subMchId === undefined ? {} : { subMchId: merchant.subMchId }),
      });
    } catch (error) {
      // A moment after creation, and for ever if the creation failed, WeChat Pay does not know the number.
      if (error instanceof WechatH5Error && error.code === 'ORDER_UNKNOWN')
        return { outTradeNo: key.outTradeNo, state: 'unpaid', delivered: false, source: 'query' };
      throw error;
    }
    if (query.payment !== undefined && query.tradeState === 'SUCCESS') return this.#deliver(query.payment, 'query');
    if (query.tradeState === 'REFUND') {
      const status: PaymentStatus = {
        outTradeNo: key.outTradeNo,
        state: 'refunded',
        delivered: false,
        source: 'query',
      };
      if (query.payment !== undefined) status.payment = query.payment;
      return status;
    }
    if (CLOSED_STATES.has(query.tradeState)) {
      await this.#book.apply(key, { type: 'closed' });
      return { outTradeNo: key.outTradeNo, state: 'closed', delivered: false, source: 'query' };
    }
    return { outTradeNo: key.outTradeNo, state: 'unpaid', delivered: false, source: 'query' };
  }

  /** What the book alone can answer. */
  async #settled(order: OrderRecord): Promise<PaymentStatus | undefined> {
    const { outTradeNo } = order.key;
    if (order.state === 'QUARANTINED')
      return { outTradeNo, state: 'quarantined', delivered: order.delivery.state === 'DONE', source: 'notification' };
    if (order.state !== 'PAID' || order.payment === undefined) return undefined;
    const payment = paymentOf(order.payment.raw);
    if (order.delivery.state === 'READY' || order.delivery.state === 'LEASED')
      return this.#deliver(payment, 'notification');
    return { outTradeNo, state: 'paid', delivered: order.delivery.state === 'DONE', source: 'notification', payment };
  }

  async #deliver(payment: Payment, source: PaymentStatus['source']): Promise<PaymentStatus> {
    const { outTradeNo } = payment;
    const standing = await this.#deliveries.record(payment);
    if (standing === 'quarantined' || standing === 'unknown') {
      if (standing === 'unknown') this.#deliveries.reportUnknown(payment);
      return { outTradeNo, state: 'quarantined', delivered: false, source };
    }
    let delivered = standing === 'settled';
    if (standing === 'due' && this.#deliveries.hasHandler) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), DELIVERY_WAIT_MS);
      });
      delivered = (await Promise.race([this.#deliveries.deliver(payment), late])) === 'done';
      clearTimeout(timer);
    }
    return { outTradeNo, state: 'paid', delivered, source, payment };
  }

  async #keyOf(ref: OrderRef, merchant: KnownMerchant): Promise<OrderKey> {
    if ('outTradeNo' in ref) {
      return orderKeyOf({
        mchId: merchant.mchId,
        subMchId: merchant.subMchId,
        outTradeNo: checkedOutTradeNo(ref.outTradeNo),
      });
    }
    const order = await this.#book.findByTransactionId(merchant.mchId, ref.transactionId);
    if (order !== undefined) return order.key;
    throw new WechatH5Error('ORDER_UNKNOWN', `No order has transaction_id ${quoted(String(ref.transactionId))}`, {
      field: 'transaction_id',
      hint: 'Ask by outTradeNo: until an order is paid, its transaction_id is not known here.',
    });
  }

  async #open(
    key: OrderKey,
    merchant: KnownMerchant,
    fields: Record<string, string>,
    clientIp: string,
  ): Promise<{ link: OrderLink; reused: boolean }> {
    // The intent is stored before WeChat Pay hears of it: a notification can never precede the order.
    const { outcome, order } = await this.#book.apply(key, {
      type: 'intend',
      intent: {
        appId: merchant.appId,
        totalFee: Number(fields['total_fee']),
        feeType: fields['fee_type'] ?? 'CNY',
        attach: fields['attach'] ?? '',
        params: fields,
        clientIp,
      },
    });
    if (order === undefined)
      throw new WechatH5Error('ORDER_BOOK_FAILED', 'The order book stored no intent', { hint: 'Nothing was sent.' });
    refuseIfOver(order);
    if (outcome === 'conflict') throw numberTaken(key, 'it is taken by an order with other parameters');
    if (order.clientIp !== '' && order.clientIp !== clientIp) throw addressChanged(key, order);
    const { link } = order;
    // A link with less than a minute left would expire in the payer's hand.
    const reusableUntil = link === undefined ? 0 : link.expiresAt.getTime() - (MWEB_URL_LIFE_MS - MWEB_URL_REUSE_MS);
    if (link !== undefined && order.state === 'PENDING' && Date.now() < reusableUntil) return { link, reused: true };
    return {
      link: await this.#place(key, merchant, Object.keys(order.params).length === 0 ? fields : order.params, clientIp),
      reused: false,
    };
  }

  async #place(
    key: OrderKey,
    merchant: KnownMerchant,
    params: Readonly<Record<string, string>>,
    clientIp: string,
  ): Promise<OrderLink> {
    const sentAt = Date.now();
    let reply: GatewayReply;
    let mwebUrl: string;
    try {
      reply = await this.#gateway.call('/pay/unifiedorder', merchant, params, key.outTradeNo);
      if (reply.refusal !== undefined) return await this.#refused(key, reply.refusal);
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
    const link: OrderLink = {
      prepayId: reply.raw['prepay_id'] ?? '',
      mwebUrl,
      // Counted from before the call: the link may be a little younger than this, never older.
      expiresAt: new Date(sentAt + MWEB_URL_LIFE_MS),
      raw: reply.raw,
    };
    const { order } = await this.#book.apply(key, { type: 'created', link, clientIp });
    if (order !== undefined) refuseIfOver(order);
    return link;
  }

  async #refused(key: OrderKey, refusal: NonNullable<GatewayReply['refusal']>): Promise<never> {
    const { errCode, errCodeDes } = refusal;
    if (errCode === 'ORDERPAID') throw paid(key);
    if (errCode === 'ORDERCLOSED') {
      await this.#book.apply(key, { type: 'closed' });
      throw closed(key);
    }
    if (NUMBER_TAKEN.has(errCode) && (errCode !== 'INVALID_REQUEST' || errCodeDes.includes('201'))) {
      await this.#book.apply(key, { type: 'create-unknown', reason: errCode });
      throw numberTaken(key, `WeChat Pay knows it with other parameters (${quoted(errCodeDes, 128)})`);
    }
    await this.#book.apply(key, {
      type: NOTHING_CREATED.has(errCode) ? 'create-failed' : 'create-unknown',
      reason: errCode,
    });
    throw refusalOf('unifiedorder', refusal, 'GATEWAY_REFUSED');
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

function refuseIfOver(order: OrderRecord): void {
  if (order.state === 'PAID') throw paid(order.key);
  if (order.state === 'CLOSED') throw closed(order.key);
  if (order.state === 'QUARANTINED') {
    throw new WechatH5Error(
      'ORDER_QUARANTINED',
      `A payment contradicts order ${quoted(order.key.outTradeNo)} in ${order.reason ?? 'a field'}`,
      {
        field: order.reason ?? 'out_trade_no',
        hint: 'A person has to look at it first. 该订单的付款与订单不一致,需人工核实。',
      },
    );
  }
}

function paid(key: OrderKey): WechatH5Error {
  return new WechatH5Error('ORDER_PAID', `Order ${quoted(key.outTradeNo)} is paid`, {
    field: 'out_trade_no',
    hint: 'Show the result: confirmPayment({ outTradeNo }) says how it stands. 订单已支付。',
  });
}

function closed(key: OrderKey): WechatH5Error {
  return new WechatH5Error('ORDER_CLOSED', `Order ${quoted(key.outTradeNo)} is closed`, {
    field: 'out_trade_no',
    hint: 'Order again under a new outTradeNo. 订单已关闭,请使用新的商户订单号重新下单。',
  });
}

function numberTaken(key: OrderKey, why: string): WechatH5Error {
  return new WechatH5Error('ORDER_CONFLICT', `out_trade_no ${quoted(key.outTradeNo)} cannot be used: ${why}`, {
    field: 'out_trade_no',
    hint: 'Repeat the order with exactly the same parameters, or use a new outTradeNo. 商户订单号重复:参数须完全一致,否则请更换订单号。',
  });
}

function addressChanged(key: OrderKey, order: OrderRecord): WechatH5Error {
  return new WechatH5Error(
    'PAYER_ADDRESS_CHANGED',
    `The payer of order ${quoted(key.outTradeNo)} now has another address than ${order.clientIp}, for which its link was made`,
    {
      field: 'spbill_create_ip',
      hint:
        'The old link would end in 网络环境未能通过安全验证. Order under a new outTradeNo, and close the old one five minutes after it was created. ' +
        '付款人的网络已切换:请使用新的商户订单号重新下单,并在 5 分钟后关闭原订单。',
    },
  );
}

function refusalOf(
  operation: string,
  refusal: NonNullable<GatewayReply['refusal']>,
  code: 'GATEWAY_REFUSED' | 'ORDER_UNKNOWN',
): WechatH5Error {
  return new WechatH5Error(
    code,
    `WeChat Pay refused ${operation}: ${quoted(refusal.errCode)} ${quoted(refusal.errCodeDes, 128)}`,
    {
      errCode: refusal.errCode,
      errCodeDes: refusal.errCodeDes,
      hint: REFUSAL_HINTS[refusal.errCode] ?? 'The text of WeChat Pay says why.',
    },
  );
}

const REFUSAL_HINTS: Record<string, string> = {
  NOAUTH: 'H5 payment is not enabled for this merchant. 请在商户平台开通 H5 支付。',
  APPID_NOT_EXIST: 'Check appId. 请核对 appid。',
  MCHID_NOT_EXIST: 'Check mchId. 请核对 mch_id。',
  APPID_MCHID_NOT_MATCH: 'appId and mchId are not bound to each other. appid 与 mch_id 未绑定。',
  SIGNERROR: 'Check apiKey. 请核对 APIv2 密钥。',
  SYSTEMERROR: 'Call again with the same parameters. 请用相同参数重新调用。',
  FREQUENCY_LIMITED:
    'Too many calls: wait a moment, then call again with the same parameters. 请求过于频繁,请稍后重试。',
  ORDERNOTEXIST: 'WeChat Pay does not know this number. 订单不存在。',
};

function idOf(key: OrderKey): string {
  return `${key.mchId} ${key.subMchId ?? ''} ${key.outTradeNo}`;
}
