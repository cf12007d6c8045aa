import { isIP } from 'node:net';
import { parseBeijingTime } from './beijing-time.js';
import { isLoopbackHost, parseHttpUrl } from './http-url.js';
import type { Fields } from './wire-fields.js';

/** Why a request's fields are refused: the official code, and the text for `err_code_des`. */
export interface FieldRefusal {
  readonly code: 'LACK_PARAMS' | 'PARAM_ERROR' | 'NOAUTH';
  readonly description: string;
}

export interface FieldContext {
  /** The order number was placed before: its expiry was judged then. */
  readonly placedBefore?: boolean;
  readonly now: Date;
  readonly allowRemoteNotifyUrl: boolean;
}

interface FieldRule {
  readonly required?: true;
  /** Longest value, in characters. */
  readonly max: number;
  /** Says what is wrong with a value that is not empty, or nothing. */
  readonly check?: (value: string, fields: Fields, context: FieldContext) => string | undefined;
}

const TRADE_TYPES = ['JSAPI', 'NATIVE', 'APP', 'MWEB'];
/** Payment currencies of the Global parameter page; mainland merchants have CNY only. */
const CURRENCIES =
  'CNY HKD GBP USD JPY CAD AUD EUR NZD KRW THB SGD RUB CHF SEK DKK NOK AED TRY MOP TWD CZK MYR PHP IDR MNT QAR HUF KHR ISK'.split(
    ' ',
  );
/** The gateway's own words name five minutes for everything but card-present payments. */
const SHORTEST_EXPIRY_MILLISECONDS = 5 * 60_000;

const matches =
  (pattern: RegExp) =>
  (value: string): string | undefined =>
    pattern.test(value) ? undefined : '参数格式错误';
const oneOf =
  (...allowed: readonly string[]) =>
  (value: string): string | undefined =>
    allowed.includes(value) ? undefined : '参数格式错误';

const ORDER_NUMBER = /^[0-9A-Za-z_\-|*]+$/;

/** Fields of every operation. The signature's own fields are checked where the signature is. */
const COMMON: Readonly<Record<string, FieldRule>> = {
  sub_appid: { max: 32 },
  sub_mch_id: { max: 32 },
};

const UNIFIED_ORDER: Readonly<Record<string, FieldRule>> = {
  ...COMMON,
  device_info: { max: 32 },
  body: { required: true, max: 127 },
  detail: { max: 6000 },
  attach: { max: 127 },
  out_trade_no: { required: true, max: 32, check: matches(/^[0-9A-Za-z_\-|*]{6,}$/) },
  fee_type: { max: 16, check: oneOf(...CURRENCIES) },
  total_fee: {
    required: true,
    max: 16,
    check: (value) => (/^[1-9]\d*$/.test(value) && Number.isSafeInteger(Number(value)) ? undefined : '参数格式错误'),
  },
  spbill_create_ip: {
    required: true,
    max: 64,
    check: (value) => (isIP(value) !== 0 && !value.includes('%') ? undefined : '参数格式错误'),
  },
  time_start: { max: 14, check: (value) => (parseBeijingTime(value) ? undefined : '参数格式错误') },
  time_expire: { max: 14, check: checkExpiry },
  goods_tag: { max: 32 },
  notify_url: { required: true, max: 256, check: checkNotifyUrl },
  trade_type: { required: true, max: 16, check: oneOf(...TRADE_TYPES) },
  product_id: { max: 32 },
  limit_pay: { max: 32, check: oneOf('no_credit') },
  openid: { max: 128 },
  receipt: { max: 8, check: oneOf('Y') },
  profit_sharing: { max: 1, check: oneOf('Y', 'N') },
  scene_info: { required: true, max: 256, check: checkSceneInfo },
  version: { max: 32 },
  user_type: { max: 32 },
  user_creid: { max: 32 },
  user_truename: { max: 64 },
};

const ORDER_QUERY: Readonly<Record<string, FieldRule>> = {
  ...COMMON,
  transaction_id: { max: 32 },
  out_trade_no: { max: 32, check: matches(ORDER_NUMBER) },
  version: { max: 32 },
};

const CLOSE_ORDER: Readonly<Record<string, FieldRule>> = {
  ...COMMON,
  out_trade_no: { required: true, max: 32, check: matches(ORDER_NUMBER) },
};

/** The first thing wrong with a unifiedorder request, if anything is. */
export function checkUnifiedOrder(fields: Fields, context: FieldContext): FieldRefusal | undefined {
  // The other trade types are real, but this merchant has only H5 payment switched on.
  const otherProduct = TRADE_TYPES.includes(fields['trade_type'] ?? '') && fields['trade_type'] !== 'MWEB';
  if (otherProduct) return { code: 'NOAUTH', description: '商户无此接口权限' };
  return checkFields(UNIFIED_ORDER, fields, context);
}

export function checkOrderQuery(fields: Fields, context: FieldContext): FieldRefusal | undefined {
  if (!fields['transaction_id'] && !fields['out_trade_no']) {
    return { code: 'LACK_PARAMS', description: '缺少参数transaction_id或out_trade_no' };
  }
  return checkFields(ORDER_QUERY, fields, context);
}

export function checkCloseOrder(fields: Fields, context: FieldContext): FieldRefusal | undefined {
  return checkFields(CLOSE_ORDER, fields, context);
}

function checkFields(
  rules: Readonly<Record<string, FieldRule>>,
  fields: Fields,
  context: FieldContext,
): FieldRefusal | undefined {
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.required && !fields[name]) return { code: 'LACK_PARAMS', description: `缺少参数${name}` };
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = fields[name];
    if (!value) continue;
    if ([...value].length > rule.max) return { code: 'PARAM_ERROR', description: `${name}参数长度有误` };
    const wrong = rule.check?.(value, fields, context);
    if (wrong) return { code: 'PARAM_ERROR', description: `${name}${wrong}` };
  }
  return undefined;
}

function checkExpiry(value: string, fields: Fields, { now, placedBefore }: FieldContext): string | undefined {
  const expires = parseBeijingTime(value);
  const starts = parseBeijingTime(fields['time_start'] ?? '');
  if (!expires || (starts && expires <= starts)) return '参数格式错误';
  if (placedBefore) return undefined;
  // Times on the wire have whole seconds: the part of the current second that has passed is not held against them.
  const shortest = Math.floor(now.getTime() / 1000) * 1000 + SHORTEST_EXPIRY_MILLISECONDS;
  return expires.getTime() < shortest ? '时间过短，刷卡至少1分钟，其他5分钟' : undefined;
}

function checkNotifyUrl(value: string, _fields: Fields, { allowRemoteNotifyUrl }: FieldContext): string | undefined {
  const url = parseHttpUrl(value);
  if (!url || value.includes('?') || value.includes('#') || url.username !== '') return '参数格式错误';
  if (allowRemoteNotifyUrl || isLoopbackHost(url.hostname)) return undefined;
  return ': the simulator notifies this machine only (allowRemoteNotifyUrl lifts that)';
}

/** The members that each kind of H5 scene must name. */
const SCENE_MEMBERS = new Map([
  ['IOS', ['app_name', 'bundle_id']],
  ['Android', ['app_name', 'package_name']],
  ['Wap', ['wap_url', 'wap_name']],
]);

function checkSceneInfo(value: string): string | undefined {
  const h5Info = asRecord(asRecord(parseJson(value))?.['h5_info']);
  const members = SCENE_MEMBERS.get(String(h5Info?.['type']));
  const complete = members?.every((name) => typeof h5Info?.[name] === 'string' && h5Info[name] !== '');
  return complete ? undefined : '参数格式错误';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
