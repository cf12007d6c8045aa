import { partsFor } from './adapter-instance.js';
import type { CapturedRequest } from './captured-request.js';
import type { ClientIp, TrustFunction } from './client-ip.js';
import { isWechatH5Error, WechatH5Error } from './errors.js';
import type { IpProbePage } from './ip-probe.js';
import type { NewOrder } from './new-order.js';
import type { PaymentNotification } from './notification.js';
import type { H5Order } from './orders.js';
import type { PageReply } from './page.js';
import type { PayerVisit } from './payer-visit.js';
import type { PendingNotification } from './pending-notification.js';
import type { ApplicationHeaders } from './referrer-diagnosis.js';
import type { WechatH5 } from './wechat-h5.js';

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
