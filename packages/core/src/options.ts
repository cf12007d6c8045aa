import { checkoutSettings, type CheckoutOptions, type CheckoutSettings } from './checkout-options.js';
import type { ClientIpOptions } from './client-ip.js';
import { currenciesOn } from './currency.js';
import type { IpProbeOptions } from './ip-probe.js';
import { checkSecret } from './operator-secret.js';
import type { OnPaid, OnRefunded } from './delivery.js';
import type { FindOrder } from './found-order.js';
import { quoted, WechatH5Error } from './errors.js';
import { gatewayBases, isLoopback } from './gateway-hosts.js';
import { httpOptionsOf, type HttpOptions } from './http-options.js';
import { Merchants, type Merchant } from './merchant.js';
import { sceneInfo, type SceneInfo } from './new-order.js';
import { checkedNotifyUrl } from './notify-url.js';
import type { OrderBook } from './order-book.js';
import { createProblemReporter, type Problem, type ProblemReporter } from './problems.js';
import { reconcilerOptionsOf, type Reconcile, type ReconcilerOptions } from './reconciler-options.js';
import { sourcesOf } from './notification-sources.js';

export interface WechatH5Options<Tx = never> {
  /** Who the shop is. Several: one endpoint serves them all, and calls name `mchId`. */
  merchant: Merchant | readonly Merchant[];
  /** Where WeChat Pay posts notifications: an absolute https URL, reachable from outside, without a query, up to 256 characters. */
  notifyUrl: string;
  /** The path under which the application sees it, when a proxy strips a prefix. Default: the path of `notifyUrl`. */
  notifyPath?: string;
  /** How the payer's address is found. Default: the socket's, no header is believed. */
  clientIp?: ClientIpOptions;
  /** `mainland` (default), `global`, or base URLs, the primary first. One on a loopback host is a simulator. */
  gateway?: 'mainland' | 'global' | (string & {}) | readonly string[];
  /** How the gateway is reached: agent, lookup, deadlines. */
  http?: HttpOptions;
  /** Default: in memory, which production refuses. */
  orderBook?: OrderBook<Tx>;
  /** The shop's own table, for orders the book does not know. */
  findOrder?: FindOrder;
  /** Delivers the goods. Runs exactly once to success for each `transactionId`; SUCCESS is acknowledged only after that. */
  onPaid?: OnPaid<Tx>;
  /** Told of every refund that succeeded, once: confirmed by `refundquery`, whatever the notification claimed. */
  onRefunded?: OnRefunded<Tx>;
  /**
   * Asks WeChat Pay about orders that no notification has settled, closes what nobody pays, tries again what failed.
   * Adapters start it for instances that they made themselves; elsewhere call `start()`. `false`: only `start()` does.
   */
  reconcile?: boolean | ReconcilerOptions;
  /** Told of everything the merchant has to know and nobody else is told. Without it: `process.emitWarning`, once per code. */
  onProblem?: (problem: Problem) => void;
  /** Where payments are launched from, `scene_info`. Default: a mobile page on the first of `h5Domains`, else on the host of `notifyUrl`. */
  sceneInfo?: SceneInfo;
  /** Lets `createOrder` of a request take a `clientIp` of its own. Default false: an address that did not come from the request is refused. */
  allowExplicitClientIp?: boolean;
  /** How many notifications are worked on at the same time; the next one is answered with FAIL at once. Default 200. */
  maxConcurrentNotifications?: number;
  /**
   * Refuse notifications from other addresses: `official` for the ranges WeChat Pay has published, or ranges of
   * your own. Found by the `clientIp` option. Default: any; the signature decides, and the ranges change.
   */
  notificationSources?: 'official' | readonly string[];
  /** Opens the operator's page of `wechatH5Doctor()`: at least 16 characters. Without it there is no such page. */
  doctorSecret?: string;
  /** For payers over IPv6: finds their IPv4 address by a second host name. */
  ipProbe?: IpProbeOptions;
  /** The payer's pages: `wechatH5Pay()` and `wechatH5Return()`. */
  checkout?: CheckoutOptions;
}

/** Options after validation, with every default filled in. */
export interface Settings<Tx> {
  merchants: Merchants;
  notifyUrl: string;
  notifyPath: string;
  clientIp: ClientIpOptions;
  bases: URL[];
  http: HttpOptions;
  simulated: boolean;
  orderBook: OrderBook<Tx> | undefined;
  findOrder: FindOrder | undefined;
  onPaid: OnPaid<Tx> | undefined;
  onRefunded: OnRefunded<Tx> | undefined;
  report: ProblemReporter;
  reconcile: Reconcile;
  sceneInfo: SceneInfo;
  currencies: readonly string[];
  allowExplicitClientIp: boolean;
  maxConcurrentNotifications: number;
  isNotificationSource: ((ip: string) => boolean) | undefined;
  doctorSecret: string | undefined;
  ipProbe: IpProbeOptions | undefined;
  checkout: CheckoutSettings;
  hasCheckout: boolean;
}

const KNOWN: Record<keyof WechatH5Options, true> = {
  merchant: true,
  notifyUrl: true,
  notifyPath: true,
  clientIp: true,
  gateway: true,
  http: true,
  orderBook: true,
  findOrder: true,
  onPaid: true,
  onProblem: true,
  sceneInfo: true,
  allowExplicitClientIp: true,
  onRefunded: true,
  maxConcurrentNotifications: true,
  notificationSources: true,
  doctorSecret: true,
  ipProbe: true,
  reconcile: true,
  checkout: true,
};

/**
 * Checks everything that can be checked before the first request.
 * @throws {WechatH5Error} `OPTIONS_INVALID`, `ORDER_BOOK_MISSING`, `SIMULATOR_IN_PRODUCTION`
 */
export function settingsOf<Tx>(options: WechatH5Options<Tx>): Settings<Tx> {
  if (typeof options !== 'object' || options === null)
    throw invalid('options', 'are missing', 'Pass { merchant, notifyUrl }.');
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, name)) {
      const meant = Object.keys(KNOWN).find((known) => known.toLowerCase() === name.toLowerCase().replaceAll('_', ''));
      throw invalid(
        name,
        'is not an option',
        meant === undefined ? `Known options: ${Object.keys(KNOWN).join(', ')}.` : `Did you mean ${meant}?`,
      );
    }
  }
  for (const name of ['findOrder', 'onPaid', 'onRefunded', 'onProblem'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw invalid(name, 'is not a function', 'Pass a function or leave it out.');
  }
  const bases = gatewayBases(options.gateway ?? 'mainland');
  const simulated = bases.every(isLoopback);
  if (!simulated && bases.some(isLoopback)) {
    throw invalid(
      'gateway',
      'mixes a simulator with other hosts',
      'Name either simulators on this machine, or hosts of WeChat Pay.',
    );
  }
  const production = process.env['NODE_ENV'] === 'production';
  if (simulated && production) {
    throw new WechatH5Error('SIMULATOR_IN_PRODUCTION', 'gateway is on a loopback host and NODE_ENV is production', {
      field: 'gateway',
      hint: "A simulator takes no money. Use 'mainland' or 'global' in production. 生产环境不能使用模拟器。",
    });
  }
  if (production && options.orderBook === undefined && options.findOrder === undefined) {
    throw new WechatH5Error(
      'ORDER_BOOK_MISSING',
      'There is neither an orderBook nor findOrder, and NODE_ENV is production',
      {
        field: 'orderBook',
        hint:
          'The default book forgets every order at a restart: pass a durable orderBook, or findOrder to look orders up in your own table. ' +
          '默认订单簿保存在内存中，重启即丢失：请传入持久化的 orderBook，或提供 findOrder。',
      },
    );
  }
  const merchants = new Merchants(options.merchant);
  const notifyUrl = checkedNotifyUrl(options.notifyUrl, simulated, (problem, hint) =>
    invalid('notifyUrl', problem, hint),
  );
  return {
    merchants,
    notifyUrl: options.notifyUrl,
    notifyPath: notifyPathOf(options.notifyPath ?? notifyUrl.pathname),
    clientIp: options.clientIp ?? {},
    bases,
    http: httpOptionsOf(options.http),
    simulated,
    orderBook: options.orderBook,
    findOrder: options.findOrder,
    onPaid: options.onPaid,
    onRefunded: options.onRefunded,
    report: createProblemReporter(options.onProblem),
    reconcile: reconcilerOptionsOf(options.reconcile),
    sceneInfo: checkedScene(options.sceneInfo) ?? defaultScene(merchants, notifyUrl),
    currencies: currenciesOn(options.gateway),
    allowExplicitClientIp: options.allowExplicitClientIp === true,
    maxConcurrentNotifications: limitOf(options.maxConcurrentNotifications ?? 200),
    isNotificationSource: sourcesOf(options.notificationSources),
    doctorSecret: options.doctorSecret === undefined ? undefined : checkSecret(options.doctorSecret, 'doctorSecret'),
    ipProbe: options.ipProbe,
    checkout: checkoutSettings(options.checkout ?? {}, {
      merchants,
      notifyUrl: options.notifyUrl,
      simulated,
      given: options.checkout !== undefined,
    }),
    hasCheckout: options.checkout !== undefined,
  };
}

function notifyPathOf(value: unknown): string {
  if (typeof value === 'string' && /^\/[^?#]*$/.test(value)) return value;
  throw invalid('notifyPath', `is ${quoted(String(value))}`, "Write a path, such as '/wechat/notify'.");
}

function limitOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw invalid('maxConcurrentNotifications', `is ${String(value)}`, 'Give an integer from 1.');
}

function checkedScene(scene: SceneInfo | undefined): SceneInfo | undefined {
  if (scene !== undefined) sceneInfo(scene);
  return scene;
}

function defaultScene(merchants: Merchants, notifyUrl: URL): SceneInfo {
  const domain = merchants.all[0]?.h5Domains[0] ?? notifyUrl.host;
  return { type: 'Wap', wapUrl: `${notifyUrl.protocol}//${domain}`, wapName: domain };
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${option} ${problem}`, { field: option, hint });
}
