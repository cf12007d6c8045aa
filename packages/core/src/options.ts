import type { ClientIpOptions } from './client-ip.js';
import type { IpProbeOptions } from './ip-probe.js';
import { checkSecret } from './operator-secret.js';
import type { FindOrder, OnPaid, OnRefunded } from './delivery.js';
import { quoted, WechatH5Error } from './errors.js';
import { gatewayBases, isLoopback } from './gateway.js';
import { parseIpAddress } from './ip-address.js';
import { Merchants, type Merchant } from './merchant.js';
import type { SceneInfo } from './new-order.js';
import type { OrderBook } from './order-book.js';
import { createProblemReporter, type Problem, type ProblemReporter } from './problems.js';
import { trustList } from './trusted-proxies.js';

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
  /** Default: in memory, which production refuses. */
  orderBook?: OrderBook<Tx>;
  /** The shop's own table, for orders the book does not know. */
  findOrder?: FindOrder;
  /** Delivers the goods. Runs exactly once to success for each `transactionId`; SUCCESS is acknowledged only after that. */
  onPaid?: OnPaid<Tx>;
  /** Told of every refund that succeeded, once: confirmed by `refundquery`, whatever the notification claimed. */
  onRefunded?: OnRefunded<Tx>;
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
}

/** Options after validation, with every default filled in. */
export interface Settings<Tx> {
  merchants: Merchants;
  notifyUrl: string;
  notifyPath: string;
  clientIp: ClientIpOptions;
  bases: URL[];
  simulated: boolean;
  orderBook: OrderBook<Tx> | undefined;
  findOrder: FindOrder | undefined;
  onPaid: OnPaid<Tx> | undefined;
  onRefunded: OnRefunded<Tx> | undefined;
  report: ProblemReporter;
  sceneInfo: SceneInfo;
  allowExplicitClientIp: boolean;
  maxConcurrentNotifications: number;
  isNotificationSource: ((ip: string) => boolean) | undefined;
  doctorSecret: string | undefined;
  ipProbe: IpProbeOptions | undefined;
}

const KNOWN: Record<keyof WechatH5Options, true> = {
  merchant: true,
  notifyUrl: true,
  notifyPath: true,
  clientIp: true,
  gateway: true,
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
  const simulated = bases.some(isLoopback);
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
          '默认订单簿保存在内存中，重启即丢失：请传入持久化的 orderBook,或提供 findOrder。',
      },
    );
  }
  const merchants = new Merchants(options.merchant);
  const notifyUrl = notifyUrlOf(options.notifyUrl, simulated);
  return {
    merchants,
    notifyUrl: options.notifyUrl,
    notifyPath: notifyPathOf(options.notifyPath ?? notifyUrl.pathname),
    clientIp: options.clientIp ?? {},
    bases,
    simulated,
    orderBook: options.orderBook,
    findOrder: options.findOrder,
    onPaid: options.onPaid,
    onRefunded: options.onRefunded,
    report: createProblemReporter(options.onProblem),
    sceneInfo: options.sceneInfo ?? defaultScene(merchants, notifyUrl),
    allowExplicitClientIp: options.allowExplicitClientIp === true,
    maxConcurrentNotifications: limitOf(options.maxConcurrentNotifications ?? 200),
    isNotificationSource: sourcesOf(options.notificationSources),
    doctorSecret: options.doctorSecret === undefined ? undefined : checkSecret(options.doctorSecret, 'doctorSecret'),
    ipProbe: options.ipProbe,
  };
}

/**
 * Options from environment variables: `WECHAT_PAY_APP_ID`, `WECHAT_PAY_MCH_ID`, `WECHAT_PAY_API_KEY` (a
 * comma-separated list during a rotation, the current key first), `WECHAT_PAY_NOTIFY_URL`, and optionally
 * `WECHAT_PAY_NOTIFY_PATH`, `WECHAT_PAY_SIGN_TYPE`, `WECHAT_PAY_SUB_APP_ID`, `WECHAT_PAY_SUB_MCH_ID`,
 * `WECHAT_PAY_H5_DOMAINS` (comma-separated), `WECHAT_PAY_TRUSTED_PROXIES` (`none`, `hops:2`, or a
 * comma-separated list such as `loopback,10.0.0.0/8`), `WECHAT_PAY_CLIENT_IP_HEADER`, `WECHAT_PAY_GATEWAY`
 * (`mainland`, `global`, or comma-separated base URLs), `WECHAT_PAY_DOCTOR_SECRET`.
 *
 * @throws {WechatH5Error} `ENVIRONMENT_INVALID`, `field` naming the variable
 */
export function optionsFromEnv(env: NodeJS.ProcessEnv = process.env): WechatH5Options {
  return withEnvironment({}, env);
}

/**
 * The given options laid over the environment: a variable is read, and missed, only where the option is absent.
 * @throws {WechatH5Error} `ENVIRONMENT_INVALID`
 */
export function withEnvironment<Tx>(
  given: Partial<WechatH5Options<Tx>>,
  env: NodeJS.ProcessEnv = process.env,
): WechatH5Options<Tx> {
  const optional = (name: string): string | undefined => env[`WECHAT_PAY_${name}`]?.trim() || undefined;
  const required = (name: string, option: string): string => {
    const value = optional(name);
    if (value !== undefined) return value;
    throw new WechatH5Error('ENVIRONMENT_INVALID', `WECHAT_PAY_${name} is not set`, {
      field: `WECHAT_PAY_${name}`,
      hint: `Set it, or pass ${option} in code. 请设置环境变量 WECHAT_PAY_${name},或在代码中传入 ${option}。`,
    });
  };
  const options: WechatH5Options<Tx> = {
    ...given,
    merchant: given.merchant ?? merchantFromEnv(required, optional),
    notifyUrl: given.notifyUrl ?? required('NOTIFY_URL', 'notifyUrl'),
  };
  const notifyPath = given.notifyPath ?? optional('NOTIFY_PATH');
  if (notifyPath !== undefined) options.notifyPath = notifyPath;
  const clientIp = given.clientIp ?? clientIpFromEnv(optional);
  if (clientIp !== undefined) options.clientIp = clientIp;
  const gateway = given.gateway ?? gatewayFromEnv(optional('GATEWAY'));
  if (gateway !== undefined) options.gateway = gateway;
  const doctorSecret = given.doctorSecret ?? optional('DOCTOR_SECRET');
  if (doctorSecret !== undefined) options.doctorSecret = doctorSecret;
  return options;
}

type Variable = (name: string) => string | undefined;

function merchantFromEnv(required: (name: string, option: string) => string, optional: Variable): Merchant {
  const keys = list(required('API_KEY', 'merchant.apiKey'));
  const merchant: Merchant = {
    appId: required('APP_ID', 'merchant.appId'),
    mchId: required('MCH_ID', 'merchant.mchId'),
    apiKey: keys.length === 1 ? (keys[0] as string) : keys,
  };
  const signType = optional('SIGN_TYPE');
  if (signType !== undefined) {
    if (signType !== 'MD5' && signType !== 'HMAC-SHA256') {
      throw badVariable('SIGN_TYPE', `is ${quoted(signType)}`, 'Use MD5 or HMAC-SHA256.');
    }
    merchant.signType = signType;
  }
  const subAppId = optional('SUB_APP_ID');
  if (subAppId !== undefined) merchant.subAppId = subAppId;
  const subMchId = optional('SUB_MCH_ID');
  if (subMchId !== undefined) merchant.subMchId = subMchId;
  const domains = optional('H5_DOMAINS');
  if (domains !== undefined) merchant.h5Domains = list(domains);
  return merchant;
}

function clientIpFromEnv(optional: Variable): ClientIpOptions | undefined {
  const proxies = optional('TRUSTED_PROXIES');
  const header = optional('CLIENT_IP_HEADER');
  if (proxies === undefined && header === undefined) return undefined;
  const clientIp: ClientIpOptions = {};
  if (header !== undefined) clientIp.header = header;
  if (proxies !== undefined && proxies !== 'none') {
    const hops = /^hops:(.*)$/.exec(proxies);
    if (hops !== null && !/^\d{1,3}$/.test(hops[1] as string)) {
      throw badVariable('TRUSTED_PROXIES', `is ${quoted(proxies)}`, 'Write hops: and a number, such as hops:2.');
    }
    clientIp.trust = hops === null ? list(proxies) : { hops: Number(hops[1]) };
  }
  return clientIp;
}

function gatewayFromEnv(value: string | undefined): string | readonly string[] | undefined {
  if (value === undefined || !value.includes(',')) return value;
  return list(value);
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function notifyUrlOf(value: unknown, simulated: boolean): URL {
  const hint =
    'Give an absolute https URL that WeChat Pay can reach, without a query: https://pay.example.com/wechat/notify. ' +
    '通知地址须为公网可访问的 https 绝对地址，不能携带参数。';
  if (typeof value !== 'string' || value === '') throw invalid('notifyUrl', 'is missing', hint);
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw invalid('notifyUrl', `${quoted(value)} is not an absolute URL`, hint);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid('notifyUrl', `has the scheme ${quoted(url.protocol)}`, hint);
  if (url.protocol === 'http:' && !simulated)
    throw invalid('notifyUrl', 'is http', `${hint} Plain http is for a simulator on this machine.`);
  if (value.includes('?') || value.includes('#')) throw invalid('notifyUrl', 'has a query or a fragment', hint);
  if (url.username !== '' || url.password !== '') throw invalid('notifyUrl', 'carries credentials', hint);
  if (!simulated && isLoopback(url))
    throw invalid('notifyUrl', 'is on this machine, where WeChat Pay cannot reach it', hint);
  if ([...value].length > 256) throw invalid('notifyUrl', 'is longer than 256 characters', hint);
  // It is sent as it is written, and WeChat Pay does not repair it.
  if (!/^[\x21-\x7e]+$/.test(value))
    throw invalid('notifyUrl', 'has blanks or characters that are not ASCII', 'Percent-encode it.');
  return url;
}

function notifyPathOf(value: unknown): string {
  if (typeof value === 'string' && /^\/[^?#]*$/.test(value)) return value;
  throw invalid('notifyPath', `is ${quoted(String(value))}`, "Write a path, such as '/wechat/notify'.");
}

function limitOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw invalid('maxConcurrentNotifications', `is ${String(value)}`, 'Give an integer from 1.');
}

// As published for notify_url; lists like this change, which is why it is off by default.
const OFFICIAL_SOURCES =
  '101.226.103.0/25 140.207.54.0/25 121.51.58.128/25 183.3.234.0/25 58.251.80.0/25 121.51.30.128/25 203.205.219.128/25 81.71.199.64 81.71.198.25 81.71.199.59 175.24.214.208 175.24.211.24 175.24.213.135 109.244.180.23 114.132.203.119 43.139.43.69'.split(
    ' ',
  );

function sourcesOf(sources: 'official' | readonly string[] | undefined): ((ip: string) => boolean) | undefined {
  if (sources === undefined) return undefined;
  if (sources !== 'official' && (!Array.isArray(sources) || sources.length === 0)) {
    throw invalid(
      'notificationSources',
      'is neither official nor a list',
      "Use 'official', or ranges such as ['101.226.103.0/25'].",
    );
  }
  const ranges = trustList(sources === 'official' ? OFFICIAL_SOURCES : sources, 'notificationSources');
  return (ip) => {
    const address = parseIpAddress(ip);
    return address !== undefined && ranges.trusts(address, 0);
  };
}

function defaultScene(merchants: Merchants, notifyUrl: URL): SceneInfo {
  const domain = merchants.all[0]?.h5Domains[0] ?? notifyUrl.host;
  return { type: 'Wap', wapUrl: `${notifyUrl.protocol}//${domain}`, wapName: domain };
}

function badVariable(name: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('ENVIRONMENT_INVALID', `WECHAT_PAY_${name} ${problem}`, {
    field: `WECHAT_PAY_${name}`,
    hint,
  });
}

function invalid(option: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error('OPTIONS_INVALID', `${option} ${problem}`, { field: option, hint });
}
