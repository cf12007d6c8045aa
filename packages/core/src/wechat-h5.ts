import {
  createClientIpResolver,
  type ClientIp,
  type ClientIpExplanation,
  type ClientIpRequest,
  type TrustFunction,
} from './client-ip.js';
import { Checkout } from './checkout.js';
import { diagnosed } from './client-ip-diagnosis.js';
import { Deliveries, type Handlers } from './delivery.js';
import { doctorReply } from './doctor.js';
import { quoted, WechatH5Error } from './errors.js';
import { Gateway } from './gateway.js';
import { IpProbe } from './ip-probe.js';
import { isShopHost } from './launch.js';
import { MemoryOrderBook } from './memory-order-book.js';
import type { NewOrder } from './new-order.js';
import { verifyNotification, type Notification } from './notification.js';
import {
  createNotificationEndpoint,
  type NotificationEndpoint,
  type NotificationRequest,
} from './notification-endpoint.js';
import type { NotificationReply } from './notification-reply.js';
import { settingsOf, type WechatH5Options } from './options.js';
import type { ApplicationHeaders } from './referrer-diagnosis.js';
import type { OrderBook } from './order-book.js';
import { MIDDLE_PAGE_HOST } from './mweb-url.js';
import { PayerHandles, type HandledOrder } from './payer-handle.js';
import type { PageReply, PageRequest } from './page.js';
import { Orders, type H5Order, type OrderQuery, type OrderRef } from './orders.js';
import { PaymentConfirmations, type PaymentStatus } from './payment-status.js';
import { closeAttempt, closeOrder } from './close-order.js';
import { compareBill, type BillComparison } from './bill-comparison.js';
import type { Merchants } from './merchant.js';
import type { ProblemReporter } from './problems.js';
import { Settlements, type Asker } from './order-settlement.js';
import { Reconciler } from './reconciler.js';
import { RefundLooks } from './refund-looks.js';
import {
  queryExchangeRate,
  querySettlement,
  type ExchangeRate,
  type ExchangeRateRef,
  type SettlementQuery,
  type SettlementRef,
} from './settlement.js';
import type { FundFlowRow, FundFlowSummary } from './bill-rows.js';
import { downloadBill, downloadFundFlow, type Bill, type BillOptions, type FundFlowOptions } from './bills.js';
import type { NewRefund } from './new-refund.js';
import type { RefundAccepted } from './refund-order.js';
import { refundThroughBook } from './booked-refund.js';
import {
  listRefunds,
  queryRefund,
  RefundConfirmations,
  type RefundEntry,
  type RefundListRef,
  type RefundQuery,
  type RefundRef,
} from './refunds.js';

/** One configuration of WeChat Pay H5: all operations, without a framework. */
export interface WechatH5 {
  /**
   * The payer's address, by the `clientIp` option.
   * @throws {WechatH5Error} the codes of the payer's address: the deployment is misconfigured
   */
  clientIp(request: ClientIpRequest): ClientIp;
  /** For operators: each hop and its verdict. Never throws. */
  explainClientIp(request: ClientIpRequest): ClientIpExplanation;
  /**
   * Places an order, or hands out the same unpaid one again. The intent is stored first; after a timeout,
   * call again with the same order. `clientIp` has to be given here; adapters inject it.
   *
   * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `REDIRECT_URL_INVALID`, the codes of the payer's address: nothing was sent.
   *   `ORDER_CONFLICT`, `PAYER_ADDRESS_CHANGED`, `ORDER_PAID` (with `orderRef` also by another number: its `outTradeNo`),
   *   `ORDER_CLOSED`, `ORDER_QUARANTINED`.
   *   `GATEWAY_REFUSED` with `errCode`. `GATEWAY_UNREACHABLE`, `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`,
   *   `RETURN_CODE_FAIL`: unknown, never failed
   * @see https://pay.weixin.qq.com/doc/v2/merchant/4011936530
   */
  createOrder(order: NewOrder): Promise<H5Order>;
  /**
   * Asks WeChat Pay (`orderquery`); changes nothing here.
   * @throws {WechatH5Error} `ORDER_UNKNOWN` (ORDERNOTEXIST), `GATEWAY_REFUSED`, `GATEWAY_*`, `RETURN_CODE_FAIL`
   */
  queryOrder(ref: OrderRef): Promise<OrderQuery>;
  /**
   * Closes an order nobody paid, five minutes after it was created at the earliest: asks first, confirms after. With
   * `orderRef` it closes all attempts under its number (`outTradeNo`, `-2`, `-3`, …), whichever of them is named, and none
   * while the youngest is under five minutes old. What an error is about says its `outTradeNo`; the others are closed.
   * @throws {WechatH5Error} `ORDER_PAID` (settled by then), `CLOSE_TOO_EARLY`, `ORDER_IN_PROGRESS`, and those of {@link queryOrder}
   */
  closeOrder(ref: OrderRef): Promise<void>;
  /**
   * For the button of the return page: has a notification come? If not, asks WeChat Pay, and delivers what
   * was paid. One query at a time for each order, and one in two seconds.
   * @throws {WechatH5Error} `ORDER_UNKNOWN`, and those of {@link queryOrder}
   */
  confirmPayment(ref: OrderRef): Promise<PaymentStatus>;
  /**
   * Asks WeChat Pay for refunds (`refundquery`), one by its number or the first ten of an order.
   * @throws {WechatH5Error} `ORDER_UNKNOWN` (REFUNDNOTEXIST), and those of {@link queryOrder}
   */
  queryRefund(ref: RefundRef): Promise<RefundQuery>;
  /** All refunds of an order, ten in each question: `for await (const entry of pay.listRefunds({ outTradeNo }))`. */
  listRefunds(ref: RefundListRef): AsyncIterable<RefundEntry>;
  /**
   * Gives money back, all of it or a part. It answers when WeChat Pay has accepted the refund; `onRefunded` tells when it
   * is done. After a timeout ask again with the same `outRefundNo`. Needs `merchant.certificate`.
   * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `CERTIFICATE_MISSING`, `REFUND_CONFLICT`, `REFUND_EXCEEDED`,
   *   `ORDER_MISMATCH`, `ORDER_BOOK_FAILED`: nothing was sent. `ORDER_UNKNOWN`, `GATEWAY_REFUSED` with `errCode`. `GATEWAY_*`, `RETURN_CODE_FAIL`: unknown, never failed
   */
  refund(refund: NewRefund): Promise<RefundAccepted>;
  /**
   * The transactions and refunds of a day, read while they arrive; the `summary` comes last.
   * @param day `yyyyMMdd` in UTC+8, yesterday or earlier; yesterday's is there from about 10:00
   * @throws {WechatH5Error} `ORDER_FIELD_INVALID` at once; the rows throw `BILL_NOT_FOUND`, `BILL_NOT_READY`,
   *   `BILL_INVALID`, `BILL_INCOMPLETE`, `RETURN_CODE_FAIL` with `errCode`, `GATEWAY_*`
   */
  downloadBill(day: string, options?: BillOptions): Bill;
  /**
   * Compares a day's bill with the order book, from both sides, and changes nothing: payments by MWEB and their refunds.
   * For every morning from 10:00 (UTC+8): what is missing here was paid and never delivered. A day without trade has no
   * bill, and is compared as an empty one.
   * @param day `yyyyMMdd` in UTC+8
   * @throws {WechatH5Error} those of {@link downloadBill}, `BILL_NOT_FOUND` only when the day is 89 days ago or more: then
   *   WeChat Pay may have dropped its bill
   */
  compareBill(day: string, whose?: { mchId?: string; subMchId?: string; appId?: string }): Promise<BillComparison>;
  /**
   * The movements of money of a day. Needs `merchant.certificate`.
   * @throws {WechatH5Error} as {@link downloadBill}, and `CERTIFICATE_MISSING`
   */
  downloadFundFlow(day: string, options?: FundFlowOptions): Bill<FundFlowRow, FundFlowSummary>;
  /**
   * Global: what was settled, or is to be.
   * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, and those of {@link queryOrder}
   */
  querySettlement(ref: SettlementRef): Promise<SettlementQuery>;
  /**
   * Global: the rate of a currency on a day.
   * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, and those of {@link queryOrder}
   */
  queryExchangeRate(ref: ExchangeRateRef): Promise<ExchangeRate>;
  /**
   * Bytes → a notification that WeChat Pay signed for one of the merchants. Synchronous and pure. It knows
   * no order: compare `totalFee` and `feeType` yourself, or use {@link handleNotification}.
   * @throws {WechatH5Error}
   */
  verifyNotification(body: Uint8Array | string): Notification;
  /** The whole exchange: verify, compare with the order, run `onPaid`, say what to answer. Never rejects. */
  handleNotification(request: NotificationRequest): Promise<NotificationReply>;
  /**
   * Starts to look after orders that no notification has settled; see the `reconcile` option. Adapters do it for
   * instances that they made themselves. It keeps no process alive; a second call does nothing.
   * @throws {WechatH5Error} `NO_HANDLER`: what is found paid has to be delivered
   */
  start(): void;
  /** Takes no more orders, and waits up to ten seconds for those under way and for handlers that run. */
  stop(): Promise<void>;
  /**
   * What a payer's browser may carry to name its order: the number, signed. For shops with return pages of their own.
   * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `MERCHANT_UNKNOWN`
   */
  signHandle(order: { outTradeNo: string; mchId?: string; subMchId?: string; appId?: string }): string;
  /** The order that a handle names, for `confirmPayment`; `undefined` for anything that was not signed here. */
  readHandle(handle: string): HandledOrder | undefined;
  /** Where payment links lead: `https://wx.tenpay.com`, or a simulator. A page with a Pay button has to admit it in `form-action`. */
  readonly cashierOrigin: string;
}

const BRAND = Symbol.for('@wechat-h5/core/instance');

/** What adapters need beyond {@link WechatH5}; reached through {@link partsOf}, not part of the public interface. */
export interface InstanceParts {
  readonly endpoint: NotificationEndpoint;
  readonly notifyPath: string;
  readonly hasHandler: boolean;
  readonly allowExplicitClientIp: boolean;
  readonly report: ProblemReporter;
  /** Only `onPaid` and `onRefunded` that the options did not give. */
  setHandlers(handlers: Handlers<unknown>): void;
  /** Whether adapters start it; and one look at what is due, at once, saying at how many orders. */
  readonly reconciler: { readonly isAutomatic: boolean; look(): Promise<number> };
  /** Stops the reconciler, takes no more calls and ends the connections to WeChat Pay. Calls in flight have five seconds. */
  close(): Promise<void>;
  /** `clientIp` with the application's own compiled `trust proxy`, for `trust: 'express'`. */
  clientIp(request: ClientIpRequest, trust?: TrustFunction): ClientIp;
  /** The operator's page; `undefined` without a secret: there is none. */
  doctor(request: PageRequest, trust?: TrustFunction, applicationHeaders?: ApplicationHeaders): PageReply | undefined;
  readonly ipProbe: IpProbe | undefined;
  readonly checkout: Checkout;
}

/**
 * Ties the parts together for one configuration. Everything is checked here, once.
 *
 * @throws {WechatH5Error} `OPTIONS_INVALID`, `ORDER_BOOK_MISSING`, `SIMULATOR_IN_PRODUCTION`, `TRUST_INVALID`,
 *   `TRUST_ALL`, `HEADER_NAME_INVALID`, with `field` naming the option
 */
export function createWechatH5<Tx = never>(options: WechatH5Options<Tx>): WechatH5 {
  const settings = settingsOf(options);
  // A shop under development is visited from its own machine; WeChat Pay itself would refuse such an address.
  const nonPublic = settings.clientIp.nonPublic ?? (settings.simulated ? 'allow' : 'reject');
  const resolver = createClientIpResolver({ ...settings.clientIp, nonPublic });
  const { trust: _trust, header: _header, maxHops: _maxHops, ...policy } = settings.clientIp;
  const explicit = createClientIpResolver({ ...policy, nonPublic });
  const senders = createClientIpResolver({ ...settings.clientIp, nonPublic: 'allow', ipv6: 'send' });
  // The default book is typed for no transaction, which is what it offers.
  const book: OrderBook<Tx> = settings.orderBook ?? (new MemoryOrderBook() as OrderBook<Tx>);
  const { merchants, report } = settings;
  const gateway = new Gateway({ ...settings.http, bases: settings.bases, turns: book });
  const deliveries = new Deliveries<Tx>({
    book,
    findOrder: settings.findOrder,
    onPaid: settings.onPaid,
    onRefunded: settings.onRefunded,
    report,
  });
  const { notifyUrl, sceneInfo, currencies, simulated } = settings;
  const now = (): Date => new Date();
  const orders = new Orders<Tx>({ book, gateway, merchants, notifyUrl, sceneInfo, currencies });
  const query = (ref: OrderRef): Promise<OrderQuery> => orders.query(ref);
  const findsOrders = settings.findOrder !== undefined;
  const settlements = new Settlements<Tx>({ book, merchants, deliveries });
  const asker = { gateway, query, source: 'query', isBackground: false } as const;
  const confirmations = new PaymentConfirmations<Tx>({ book, merchants, deliveries, settlements, findsOrders, asker });
  const confirm = (ref: OrderRef): Promise<PaymentStatus> => confirmations.confirm(ref);
  const background = gateway.background;
  const asking = new Orders<Tx>({ book, gateway: background, merchants, notifyUrl, sceneInfo, currencies });
  const later: Asker = {
    gateway: background,
    query: (ref) => asking.query(ref),
    source: 'reconciler',
    isBackground: true,
  };
  const reconciler = new Reconciler<Tx>({
    book,
    merchants,
    deliveries,
    settlements,
    refunds: new RefundLooks<Tx>({ book, merchants, deliveries, asker: later, report }),
    asker: later,
    close: (key, merchant) => closeAttempt(key, merchant, { book, settlements, asker: later }),
    report,
    options: settings.reconcile,
  });
  const { isNotificationSource } = settings;
  const refunds = new RefundConfirmations(gateway, merchants);
  const endpoint = createNotificationEndpoint({
    merchants,
    deliveries,
    report,
    confirmRefund: (hint) => refunds.confirm(hint),
    checkSource:
      isNotificationSource &&
      (({ remoteAddress, rawHeaders = [] }) => {
        const { ip } = senders.resolve({ remoteAddress, rawHeaders });
        if (!isNotificationSource(ip)) throw notASource(ip);
      }),
    maxConcurrent: settings.maxConcurrentNotifications,
  });
  const warnIpv6 = (settings.clientIp.ipv6 ?? 'warn') === 'warn';
  let warned = false;

  const clientIp = diagnosed(resolver, report, !settings.simulated);
  const ipProbe =
    settings.ipProbe &&
    new IpProbe(settings.ipProbe, {
      find: clientIp,
      isAllowedOrigin: (origin) => isShopOrigin(origin, merchants),
      simulated: settings.simulated,
    });
  if (ipProbe !== undefined && merchants.all.every(({ h5Domains }) => h5Domains.length === 0)) {
    throw new WechatH5Error('OPTIONS_INVALID', 'ipProbe is given and merchant.h5Domains is not', {
      field: 'merchant.h5Domains',
      hint: "Only pages of the shop may read the probe's answer: list the H5 payment domains. 请填写 h5Domains。",
    });
  }
  const { doctorSecret } = settings;
  const handles = new PayerHandles(merchants, settings.checkout.handleSecret);
  const cashierOrigin = settings.simulated ? (settings.bases[0] as URL).origin : `https://${MIDDLE_PAGE_HOST}`;
  const checkout = new Checkout({
    settings: settings.checkout,
    given: settings.hasCheckout,
    merchants,
    handles,
    cashierOrigin,
    report,
    confirm,
  });

  const instance: WechatH5 = {
    clientIp: (request) => clientIp(request),
    explainClientIp: (request) => resolver.explain(request),
    createOrder: async (order) => {
      const payer = payerOf(order, explicit.resolve);
      if (payer.family === 6 && warnIpv6 && !warned) {
        warned = true;
        report('payer-ipv6', ipv6Payer(), order);
      }
      return orders.create(order, payer.ip);
    },
    queryOrder: query,
    closeOrder: (ref) => closeOrder(ref, { book, merchants, settlements, asker: { ...asker, source: 'shop' } }),
    queryRefund: (ref) => queryRefund(gateway, merchants, ref),
    listRefunds: (ref) => listRefunds(gateway, merchants, ref),
    refund: (refund) =>
      refundThroughBook(refund, { book, deliveries, gateway, merchants, notifyUrl, simulated, currencies }),
    downloadBill: (day, billOptions = {}) => downloadBill(day, billOptions, { gateway, merchants, now }),
    compareBill: (day, whose = {}) => compareBill(day, whose, { book, gateway, merchants, now }),
    downloadFundFlow: (day, flowOptions = {}) => downloadFundFlow(day, flowOptions, { gateway, merchants, now }),
    querySettlement: (ref) => querySettlement(ref, { gateway, merchants }),
    queryExchangeRate: (ref) => queryExchangeRate(ref, { gateway, merchants, now }),
    confirmPayment: confirm,
    verifyNotification: (body) => verifyNotification(body, merchants),
    handleNotification: (request) => endpoint.handleInPlace(request),
    start: () => reconciler.start(),
    stop: () => reconciler.stop(),
    signHandle: (order) => handles.sign(order),
    readHandle: (handle) => handles.read(handle),
    cashierOrigin,
  };
  const parts: InstanceParts = {
    endpoint,
    notifyPath: settings.notifyPath,
    get hasHandler() {
      return deliveries.hasHandler;
    },
    allowExplicitClientIp: settings.allowExplicitClientIp,
    report,
    setHandlers: (handlers) => deliveries.setHandlers(handlers),
    reconciler: {
      isAutomatic: settings.reconcile.automatic,
      look: () => reconciler.look(),
    },
    close: async () => {
      gateway.endBackground();
      await reconciler.stop();
      await gateway.close();
    },
    clientIp,
    doctor: (request, trust, applicationHeaders = {}) =>
      doctorSecret === undefined
        ? undefined
        : doctorReply(request, {
            secret: doctorSecret,
            explain: (asked, by) => resolver.explain(asked, by),
            trust,
            checkout: checkout.findings(applicationHeaders),
          }),
    ipProbe,
    checkout,
  };
  Object.defineProperty(instance, BRAND, { value: parts });
  return instance;
}

/** The parts of an instance, whichever copy of this package made it; `undefined` for anything else. */
export function partsOf(value: unknown): InstanceParts | undefined {
  return typeof value === 'object' && value !== null ? (value as { [BRAND]?: InstanceParts })[BRAND] : undefined;
}

/** A page on one of the H5 domains, or on a subdomain of one. */
function isShopOrigin(origin: string, merchants: Merchants): boolean {
  return /^https?:\/\/[^/?#@]+$/i.test(origin) && URL.canParse(origin) && isShopHost(new URL(origin), merchants);
}

function notASource(ip: string): WechatH5Error {
  return new WechatH5Error('SOURCE_REFUSED', `The notification came from ${ip}`, {
    field: 'notificationSources',
    hint:
      'This address is not on the list. If the notification is genuine, WeChat Pay uses a new one: add it, or leave notificationSources out. ' +
      '来源地址不在白名单中：若确为微信支付的新地址，请加入 notificationSources 或关闭该选项。',
  });
}

function payerOf(order: NewOrder, resolve: (request: ClientIpRequest) => ClientIp): ClientIp {
  if (typeof order !== 'object' || order === null) {
    throw new WechatH5Error('ORDER_FIELD_INVALID', 'createOrder was called without an order', {
      hint: 'Pass { outTradeNo, body, totalFee }.',
    });
  }
  if (typeof order.clientIp === 'string' && order.clientIp !== '') {
    try {
      return resolve({ remoteAddress: order.clientIp, rawHeaders: [] });
    } catch (error) {
      if (!(error instanceof WechatH5Error)) throw error;
      if (error.code === 'NOT_PUBLIC') throw notPublicPayer(order.clientIp);
      if (error.code !== 'PEER_INVALID') throw error;
      throw new WechatH5Error(
        'ORDER_FIELD_INVALID',
        `spbill_create_ip is ${quoted(order.clientIp)}, which is not an IP address`,
        {
          field: 'spbill_create_ip',
          hint: 'Give one address alone, as wechatH5.clientIp(request).ip returns it: no port, no list, no brackets.',
          cause: error,
        },
      );
    }
  }
  throw new WechatH5Error('ORDER_FIELD_INVALID', 'spbill_create_ip is missing: clientIp was not given', {
    field: 'spbill_create_ip',
    hint: "Use createOrder of the request (req.wechatH5, ctx.wechatH5), which knows the payer's address, or pass clientIp: wechatH5.clientIp(request).ip.",
  });
}

function notPublicPayer(clientIp: string): WechatH5Error {
  return new WechatH5Error('NOT_PUBLIC', `spbill_create_ip is ${quoted(clientIp)}, which is not a public address`, {
    field: 'spbill_create_ip',
    hint:
      'WeChat Pay would refuse it (由于商家传入的H5交易参数有误). Give the address of the payer, not that of this machine or of a proxy: ' +
      'createOrder of the request (req.wechatH5, ctx.wechatH5) finds it. 请传入用户的公网地址，而不是本机或代理的地址。',
  });
}

function ipv6Payer(): WechatH5Error {
  return new WechatH5Error('IPV6_NOT_ALLOWED', 'An order was placed for a payer with an IPv6 address', {
    field: 'spbill_create_ip',
    hint:
      'WeChat Pay may see the same payer under an IPv4 address and refuse: 网络环境未能通过安全验证. Serve the order endpoint on a host name without an AAAA record; ' +
      "clientIp.ipv6: 'send' silences this, 'reject' refuses such orders.",
  });
}
