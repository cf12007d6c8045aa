import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ClientIp, TrustFunction } from './client-ip.js';
import type { Handlers } from './delivery.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import { readForm } from './form-body.js';
import { IP_PROBE_FIELD, type IpProbePage } from './ip-probe.js';
import { MemoryOrderBook } from './memory-order-book.js';
import type { NewOrder } from './new-order.js';
import type { PaymentNotification } from './notification.js';
import type { NotificationReply, PendingNotification } from './notification-endpoint.js';
import { namingVariables, withEnvironment } from './environment.js';
import type { WechatH5Options } from './options.js';
import type { H5Order } from './orders.js';
import type { PageReply, PageRequest } from './page.js';
import type { PayerVisit } from './payer-visit.js';
import type { ApplicationHeaders } from './referrer-diagnosis.js';
import { readRawBody, type ParsedBody, type ParsedIncomingMessage } from './raw-body.js';
import { createWechatH5, partsOf, type InstanceParts, type WechatH5 } from './wechat-h5.js';

export { namingVariables } from './environment.js';
export { gatewayBases } from './gateway-hosts.js';
export type { ParsedBody, ParsedIncomingMessage } from './raw-body.js';
export type { PendingNotification } from './notification-endpoint.js';

/** What a middleware may be given: an instance, or options laid over the environment. */
export type WechatH5Argument<Tx = never> = WechatH5 | Partial<WechatH5Options<Tx>>;

/** What is read from a request at once, on entry: a socket forgets its peer when the peer hangs up. */
export interface CapturedRequest extends Readonly<PageRequest> {
  readonly receivedAt: number;
}

/** The payment that a route behind the notify middleware decides on. */
export type RoutedNotification = PaymentNotification & Pick<PendingNotification, 'order'>;

/** What handlers find on a request: the instance's operations, bound to this visitor. */
export interface RequestWechatH5 extends Pick<
  WechatH5,
  'queryOrder' | 'queryRefund' | 'closeOrder' | 'confirmPayment' | 'signHandle' | 'readHandle' | 'cashierOrigin'
> {
  readonly instance: WechatH5;
  /** The payer's address. Walked when read; throws then if the deployment is misconfigured. */
  readonly clientIp: ClientIp;
  /** For the page with the order form, with the `ipProbe` option: a hidden field, its script, and a cookie to set. */
  ipProbePage(nonce?: string): IpProbePage;
  /** Places an order with this visitor's address as `spbill_create_ip`. */
  createOrder(order: NewOrder): Promise<H5Order>;
  /**
   * For a route of one's own: places the order and answers with what to send, whatever happens: a redirect to WeChat
   * Pay, or a page that says what went wrong. Only for a POST from a page of the shop; everything else is refused. With
   * the `checkout` option the payer comes back to `wechatH5Return()`.
   */
  pay(order: NewOrder): Promise<PageReply>;
  /** Behind the notify middleware, without `onPaid`: the verified payment. */
  readonly notification: RoutedNotification | undefined;
  /** Commits the delivery in the order book, then answers SUCCESS. Await it. */
  acknowledge(): Promise<void>;
}

const instances = new WeakMap<object, WechatH5>();
let ofEnvironment: WechatH5 | undefined;
// Instances whose merchant comes from the environment are one merchant: in development they share one book,
// so that what wechatH5() ordered is known to wechatH5Notify({ onPaid }).
const environmentBook = new MemoryOrderBook();

/**
 * The instance an argument stands for: itself, or the one made from these options; the same options object
 * always gives the same instance.
 * @throws {WechatH5Error} as `createWechatH5`, and `ENVIRONMENT_INVALID`
 */
export function instanceOf<Tx>(argument?: WechatH5Argument<Tx>): WechatH5 {
  if (argument === undefined) return (ofEnvironment ??= make({}));
  if (partsOf(argument) !== undefined) return argument as WechatH5;
  let instance = instances.get(argument);
  if (instance === undefined) {
    instance = make(argument as Partial<WechatH5Options<Tx>>);
    instances.set(argument, instance);
  }
  return instance;
}

/** Whether an argument is an instance, of this copy of the package or another, and not options for one. */
export function isInstance(value: unknown): value is WechatH5 {
  return partsOf(value) !== undefined;
}

/**
 * For frameworks that find the shop's handlers only after the instance was made: gives them to it, once,
 * before the first notification.
 * @throws {WechatH5Error} `OPTIONS_INVALID`, if there is such a handler already
 */
export function setHandlers(instance: WechatH5, handlers: Handlers<unknown>): void {
  partsFor(instance).setHandlers(handlers);
}

/** Where the application sees the notifications of an instance. */
export function notifyPathOf(instance: WechatH5): string {
  return partsFor(instance).notifyPath;
}

/** For instances that an adapter made itself: looks after unsettled orders, if there is an `onPaid` and `reconcile` lets it. */
export function startReconciler(instance: WechatH5): void {
  const { hasHandler, reconciler } = partsFor(instance);
  if (hasHandler && reconciler.isAutomatic) instance.start();
}

/**
 * Ends an instance's connections to WeChat Pay, when the application that made it shuts down: calls in flight have
 * five seconds to end.
 */
export function closeInstance(instance: WechatH5): Promise<void> {
  return partsFor(instance).close();
}

function make<Tx>(given: Partial<WechatH5Options<Tx>>): WechatH5 {
  const options = withEnvironment(given);
  const shares =
    given.merchant === undefined && options.orderBook === undefined && process.env['NODE_ENV'] !== 'production';
  const book = environmentBook as NonNullable<typeof options.orderBook>;
  const instance = namingVariables(given, () => createWechatH5(shares ? { ...options, orderBook: book } : options));
  startReconciler(instance);
  return instance;
}

/** @param url the URL as the client sent it, when the framework has rewritten `request.url` */
export function captureRequest(request: IncomingMessage, url: string = request.url ?? '/'): CapturedRequest {
  const { socket } = request;
  // A request line may carry the whole URL (RFC 9112 §3.2.2), though only proxies send it.
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '');
  const query = target.indexOf('?');
  return {
    method: request.method ?? '',
    path: query === -1 ? target : target.slice(0, query),
    query: query === -1 ? '' : target.slice(query + 1),
    rawHeaders: request.rawHeaders,
    remoteAddress: socket.remoteAddress ?? (isUnixSocket(socket) ? undefined : ''),
    receivedAt: performance.now(),
  };
}

/** A UNIX socket has no addresses at all; a TCP socket whose peer has gone has none any more. */
function isUnixSocket(socket: object): boolean {
  const { server } = socket as { server?: { address?: () => unknown } };
  return typeof server?.address?.() === 'string';
}

/** Binds an instance to one visitor. */
export function bindToRequest(instance: WechatH5, request: CapturedRequest, trust?: TrustFunction): BoundWechatH5 {
  return new BoundWechatH5(instance, request, trust);
}

export class BoundWechatH5 implements RequestWechatH5 {
  readonly instance: WechatH5;
  readonly #request: CapturedRequest;
  readonly #trust: TrustFunction | undefined;
  #clientIp: ClientIp | undefined;
  #pending: PendingNotification | undefined;

  constructor(instance: WechatH5, request: CapturedRequest, trust: TrustFunction | undefined) {
    this.instance = instance;
    this.#request = request;
    this.#trust = trust;
  }

  get clientIp(): ClientIp {
    return (this.#clientIp ??= partsFor(this.instance).clientIp(this.#request, this.#trust));
  }

  get notification(): RoutedNotification | undefined {
    const pending = this.#pending;
    return pending && { ...pending.notification, order: pending.order };
  }

  // Arrow functions: a shop may destructure them from the request.
  readonly createOrder = async (order: NewOrder): Promise<H5Order> => {
    const explicit = order?.clientIp;
    if (explicit !== undefined && !partsFor(this.instance).allowExplicitClientIp) {
      throw new WechatH5Error('EXPLICIT_CLIENT_IP', 'createOrder of a request was given a clientIp of its own', {
        field: 'spbill_create_ip',
        hint:
          'Leave clientIp out: the address of the visitor is used. If this server really orders for somebody else, set allowExplicitClientIp. ' +
          '请勿传入 clientIp:将自动使用访客的真实地址。',
      });
    }
    return this.instance.createOrder({ ...order, clientIp: explicit ?? this.#payer(order) });
  };

  readonly pay = (order: NewOrder): Promise<PageReply> =>
    partsFor(this.instance).checkout.pay(this.visit({}), async () => order);

  /** For adapters: this visitor, as the payer's pages need them. */
  visit(applicationHeaders: ApplicationHeaders): PayerVisit {
    const { createOrder } = this;
    const clientIp = (): ClientIp => this.clientIp;
    return {
      request: this.#request,
      applicationHeaders,
      get clientIp() {
        return clientIp();
      },
      createOrder,
    };
  }

  readonly ipProbePage = (nonce?: string): IpProbePage => {
    const { ipProbe } = partsFor(this.instance);
    if (ipProbe !== undefined) return ipProbe.page(this.#request.rawHeaders, nonce);
    throw new WechatH5Error('OPTIONS_INVALID', 'ipProbe is not configured', {
      field: 'ipProbe',
      hint: 'Give { url, secret }: a second host without an AAAA record that serves wechatH5IpProbe().',
    });
  };

  /** This visitor's address, or with a token the IPv4 address that this very browser was seen under a moment ago. */
  #payer(order: NewOrder): string {
    const { ipProbe } = partsFor(this.instance);
    const probed = order.ipProbe ? ipProbe?.read(order.ipProbe, this.#request.rawHeaders) : undefined;
    if (probed === undefined) return this.clientIp.ip;
    try {
      const { ip, family } = this.clientIp;
      return family === 4 ? ip : probed;
    } catch (error) {
      // Whoever takes IPv4 payers only has been given one.
      if (isWechatH5Error(error) && error.code === 'IPV6_NOT_ALLOWED') return probed;
      throw error;
    }
  }

  readonly queryOrder: WechatH5['queryOrder'] = (ref) => this.instance.queryOrder(ref);

  readonly queryRefund: WechatH5['queryRefund'] = (ref) => this.instance.queryRefund(ref);

  readonly closeOrder: WechatH5['closeOrder'] = (ref) => this.instance.closeOrder(ref);

  readonly confirmPayment: WechatH5['confirmPayment'] = (ref) => this.instance.confirmPayment(ref);

  readonly signHandle: WechatH5['signHandle'] = (order) => this.instance.signHandle(order);

  readonly readHandle: WechatH5['readHandle'] = (handle) => this.instance.readHandle(handle);

  get cashierOrigin(): string {
    return this.instance.cashierOrigin;
  }

  readonly acknowledge = (): Promise<void> => {
    if (this.#pending === undefined) {
      return Promise.reject(
        new WechatH5Error('NOTHING_TO_ACKNOWLEDGE', 'There is no notification on this request', {
          hint: 'Call acknowledge() in a route behind the notify middleware, and give that middleware no onPaid.',
        }),
      );
    }
    // The very promise: one that a route forgets to await must not become an unhandled rejection of its own.
    return this.#pending.acknowledge();
  };

  /** For adapters: hands a verified payment to the route. */
  receive(pending: PendingNotification): void {
    this.#pending = pending;
  }
}

/** The pages of the operator and of the shop's own pages. */
export type Page = 'doctor' | 'ip-probe';

/** Where a bare doctor middleware answers. */
const DOCTOR_PATH = '/wechat-h5/doctor';

/**
 * The reply of a page, or `undefined`: not its path, or not configured.
 * @param options.mounted inside a route or under a mount path, where every request is the page's
 */
export function pageReply(
  page: Page,
  instance: WechatH5,
  request: CapturedRequest,
  options: {
    mounted: boolean;
    trust?: TrustFunction | undefined;
    /** What the application had set on the response. */
    applicationHeaders?: ApplicationHeaders;
  },
): PageReply | undefined {
  const { doctor, ipProbe } = partsFor(instance);
  const path = page === 'doctor' ? DOCTOR_PATH : ipProbe?.path;
  if (!options.mounted && request.path !== path) return undefined;
  if (page === 'ip-probe') return ipProbe?.reply(request, options.trust);
  return doctor(request, options.trust, options.applicationHeaders);
}

/** The pages of the payer. */
export type PayerPageName = 'pay' | 'return';

/** One payer's request, as an adapter has it. */
export interface PayerRequest {
  readonly request: ParsedIncomingMessage;
  readonly response: ServerResponse;
  readonly captured: CapturedRequest;
  /** Where the framework's parsers leave their result, if that is not the request itself. */
  readonly parsed?: ParsedBody | undefined;
  readonly trust?: TrustFunction | undefined;
}

/** Whether a bare middleware of this page answers this request; `false` where the instance has no such page. */
export function isForPayer(page: PayerPageName, instance: WechatH5, path: string): boolean {
  const { isGiven, settings, returnPath } = partsFor(instance).checkout;
  if (page === 'return') return isGiven && path === returnPath;
  return settings.order !== undefined && path === settings.payPath;
}

/**
 * For middlewares that serve this page and nothing else.
 * @throws {WechatH5Error} `OPTIONS_INVALID`: the instance does not have it
 */
export function requirePayerPage(page: PayerPageName, instance: WechatH5): void {
  const { isGiven, settings } = partsFor(instance).checkout;
  if (page === 'return' && !isGiven) throw checkoutMissing('checkout', 'wechatH5Return');
  if (page === 'pay' && settings.order === undefined) throw checkoutMissing('checkout.order', 'wechatH5Pay');
}

/** The page's answer: a redirect, or a page that says what went wrong. Never rejects. */
export function payerReply(page: PayerPageName, instance: WechatH5, payer: PayerRequest): Promise<PageReply> {
  const { checkout } = partsFor(instance);
  const { request, response, captured, parsed, trust } = payer;
  const visit = bindToRequest(instance, captured, trust).visit(response.getHeaders());
  if (page === 'return') return checkout.return(visit);
  return checkout.pay(visit, async () => {
    const form = await readForm(request, parsed);
    const order = await checkout.settings.order?.(form, request);
    const token = form[IP_PROBE_FIELD];
    return order && token !== undefined ? { ipProbe: token, ...order } : order;
  });
}

function checkoutMissing(option: string, middleware: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${middleware}() is mounted and ${option} is not given`, {
    field: option,
    hint: 'Give checkout: { order: (form) => ({ outTradeNo, body, totalFee }) }. 请配置 checkout.order。',
  });
}

/** Whether a bare notify middleware answers this request: by the path the client asked for, a closing slash or not. */
export function isForNotify(instance: WechatH5, path: string): boolean {
  const { notifyPath } = partsFor(instance);
  return path === notifyPath || trimSlash(path) === trimSlash(notifyPath);
}

function trimSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * One notification, from the request to what has to be answered: a reply, or with no `onPaid` a verified
 * payment for a route to acknowledge. Never rejects.
 *
 * @param parsed where the framework's parsers leave their result, if that is not the request itself
 */
export async function receiveNotification(
  instance: WechatH5,
  request: ParsedIncomingMessage,
  { method, receivedAt, rawHeaders, remoteAddress }: CapturedRequest,
  parsed: ParsedBody = request,
): Promise<NotificationReply | PendingNotification> {
  const { endpoint, hasHandler } = partsFor(instance);
  let leave = (): void => {};
  try {
    // Whoever does not post has no body to wait for.
    const body =
      method === 'POST' ? await readRawBody(request, { enter: endpoint.enterReading }, parsed) : new Uint8Array();
    leave = endpoint.enter();
    const notification = { method, body, receivedAt, rawHeaders, remoteAddress };
    const answer = await (hasHandler ? endpoint.handle(notification) : endpoint.open(notification));
    if (isPending(answer)) {
      forgetBody(request);
      // A route keeps the place until its notification is answered.
      void answer.reply.then(leave);
    } else {
      leave();
    }
    return answer;
  } catch (error) {
    leave();
    return endpoint.refuse(error);
  }
}

/** A parser in front of the route that still sees a body announced waits for it, or refuses its type. */
function forgetBody({ headers }: IncomingMessage): void {
  for (const name of ['content-type', 'content-length', 'transfer-encoding']) delete headers[name];
}

export function isPending(answer: NotificationReply | PendingNotification): answer is PendingNotification {
  return 'acknowledge' in answer;
}

/** What a payer's browser is told beside the page: its session, and to come over https. */
const KEPT_FOR_PAYERS = ['set-cookie', 'strict-transport-security'];

/** Writes a payer's page. Of the headers that the application had set only its cookies and HSTS are left. */
export function sendPage(response: ServerResponse, reply: PageReply): void {
  const { req: request } = response;
  // A form that was given up halfway blocks its connection: the next payer's request behind it would never be heard.
  const isGivenUp = request.readableDidRead && !request.readableEnded;
  const headers = isGivenUp ? { ...reply.headers, connection: 'close' } : reply.headers;
  sendReply(response, { ...reply, headers }, KEPT_FOR_PAYERS);
}

/**
 * Writes a reply to the byte, whatever headers the application had set before.
 * @param kept names of headers of the application that stay
 */
export function sendReply(
  response: ServerResponse,
  reply: NotificationReply | PageReply,
  kept: readonly string[] = [],
): void {
  if (response.headersSent || response.destroyed) return;
  for (const name of response.getHeaderNames()) if (!kept.includes(name)) response.removeHeader(name);
  response.writeHead(reply.status, STATUS_CODES[reply.status] ?? '', reply.headers);
  if (reply.headers['connection'] !== 'close') response.end(reply.body);
  else linger(response, reply.body);
}

/** How long what a sender still has to say is listened to, unheard, before its connection is closed. */
const LINGER_MS = 1000;

/**
 * Answers a sender who is not done sending. Closed with bytes unread, a connection is reset, and the reset can
 * overtake the reply: so the rest is thrown away for a moment first.
 */
function linger(response: ServerResponse, body: string): void {
  const { req: request } = response;
  const end = (): void => {
    clearTimeout(timer);
    request.off('end', end).off('close', end);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  response.write(body);
  request.on('end', end).on('close', end);
  if (request.readableEnded || request.destroyed) end();
  else request.resume();
}

/**
 * Keeps a route from answering in place of the notification's reply: what it writes before it has
 * acknowledged turns into FAIL, what it writes afterwards is dropped.
 */
export function holdResponse(response: ServerResponse, pending: PendingNotification): void {
  const { writeHead, write, end } = response;
  const answered = (): ServerResponse => {
    pending.abandon('the route answered without it');
    return response;
  };
  Object.assign(response, {
    writeHead: answered,
    flushHeaders: answered,
    write: () => {
      answered();
      return true;
    },
    end: answered,
  });
  void pending.reply.then((reply) => {
    Object.assign(response, { writeHead, write, end });
    sendReply(response, reply);
    const ignore = (): ServerResponse => response;
    Object.assign(response, {
      writeHead: ignore,
      flushHeaders: ignore,
      setHeader: ignore,
      removeHeader: ignore,
      appendHeader: ignore,
      write: () => true,
      end: ignore,
    });
  });
}

function partsFor(instance: WechatH5): InstanceParts {
  const parts = partsOf(instance);
  if (parts !== undefined) return parts;
  throw new WechatH5Error('OPTIONS_INVALID', 'The argument is not an instance made by createWechatH5', {
    hint: 'Pass the result of createWechatH5, options, or nothing.',
  });
}
