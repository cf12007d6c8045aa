import { isIP } from 'node:net';
import { parseBeijingTime } from './beijing-time.js';
import {
  checkFields,
  checkNotifyUrl,
  COMMON_FIELDS,
  MALFORMED,
  matches,
  oneOf,
  type FieldContext,
  type FieldRefusal,
  type FieldRule,
} from './field-rules.js';
import type { Fields } from './wire-fields.js';

const TRADE_TYPES = ['JSAPI', 'NATIVE', 'APP', 'MWEB'];
/** The gateway's own words name five minutes for everything but card-present payments. */
const SHORTEST_EXPIRY_MILLISECONDS = 5 * 60_000;

const ORDER_NUMBER = /^[0-9A-Za-z_\-|*]+$/;

const UNIFIED_ORDER: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  device_info: { max: 32 },
  body: { required: true, max: 127 },
  detail: { max: 6000 },
  attach: { max: 127 },
  out_trade_no: { required: true, max: 32, check: matches(/^[0-9A-Za-z_\-|*]{6,}$/) },
  fee_type: { max: 16, check: (value, _fields, { currencies }) => oneOf(...currencies)(value) },
  total_fee: {
    required: true,
    max: 16,
    check: (value) => (/^[1-9]\d*$/.test(value) && Number.isSafeInteger(Number(value)) ? undefined : MALFORMED),
  },
  spbill_create_ip: {
    required: true,
    max: 64,
    check: (value) => (isIP(value) !== 0 && !value.includes('%') ? undefined : MALFORMED),
  },
  time_start: { max: 14, check: (value) => (parseBeijingTime(value) ? undefined : MALFORMED) },
  time_expire: { max: 14, check: checkExpiry },
  goods_tag: { max: 32 },
  notify_url: { required: true, max: 256, check: (value, _fields, context) => checkNotifyUrl(value, context) },
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

/** For a merchant who does not sell in CNY, which is what an absent `fee_type` means. */
const PRICED_ABROAD: Readonly<Record<string, FieldRule>> = {
  ...UNIFIED_ORDER,
  fee_type: { ...UNIFIED_ORDER['fee_type'], required: true, max: 16 },
};

const ORDER_QUERY: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  transaction_id: { max: 32 },
  out_trade_no: { max: 32, check: matches(ORDER_NUMBER) },
  version: { max: 32 },
};

const CLOSE_ORDER: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  out_trade_no: { required: true, max: 32, check: matches(ORDER_NUMBER) },
};

/** The first thing wrong with a unifiedorder request, if anything is. */
export function checkUnifiedOrder(fields: Fields, context: FieldContext): FieldRefusal | undefined {
  // The other trade types are real, but this merchant has only H5 payment switched on.
  const otherProduct = TRADE_TYPES.includes(fields['trade_type'] ?? '') && fields['trade_type'] !== 'MWEB';
  if (otherProduct) return { code: 'NOAUTH', description: '商户无此接口权限' };
  return checkFields(context.currencies.includes('CNY') ? UNIFIED_ORDER : PRICED_ABROAD, fields, context);
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

function checkExpiry(value: string, fields: Fields, { now, placedBefore }: FieldContext): string | undefined {
  const expires = parseBeijingTime(value);
  const starts = parseBeijingTime(fields['time_start'] ?? '');
  if (!expires || (starts && expires <= starts)) return MALFORMED;
  if (placedBefore) return undefined;
  // Times on the wire have whole seconds: the part of the current second that has passed is not held against them.
  const shortest = Math.floor(now.getTime() / 1000) * 1000 + SHORTEST_EXPIRY_MILLISECONDS;
  return expires.getTime() < shortest ? '时间过短，刷卡至少1分钟，其他5分钟' : undefined;
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
  return complete ? undefined : MALFORMED;
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
