import { formatTime } from './beijing-time.js';
import { currency } from './currency.js';
import type { WechatH5Error } from './errors.js';
import { amount, json, oneOf, refused, refuseUnknown, shown, text } from './request-fields.js';

/** Where the payment is launched from (`scene_info.h5_info`). `Wap` is a mobile web page. */
export type SceneInfo =
  | { type: 'Wap'; wapUrl: string; wapName: string }
  | { type: 'IOS'; appName: string; bundleId: string }
  | { type: 'Android'; appName: string; packageName: string };

/** An order to be placed. Fields are WeChat Pay's, in camelCase; limits are those of `unifiedorder`. */
export interface NewOrder {
  /** Your number: 6 to 32 of `0-9 A-Z a-z _ - | *`, unique for the merchant for ever. */
  outTradeNo: string;
  /**
   * What you call the purchase: 1 to 64 visible ASCII characters. Attempts to pay for it share it and are delivered once.
   * When the payer's address changes, or an attempt was closed, the next one is placed under `outTradeNo` with `-2`, `-3`, …
   * at its end (so give up to 29 characters), and the old one is closed as soon as WeChat Pay allows. Payments carry the
   * number of the attempt; `context.orderRef` carries this.
   */
  orderRef?: string;
  /** What the payer reads: 1 to 127 characters, "site name - product". */
  body: string;
  /** In the smallest unit of `feeType` (fen): an integer from 1 to 2147483647. From the server's price list, never from the browser. */
  totalFee: number;
  /** ISO 4217, one of the currencies that WeChat Pay lists. Default CNY, the only one with `gateway: 'mainland'`. */
  feeType?: string;
  /** Echoed in the notification and in queries: up to 127 characters. */
  attach?: string;
  /** JSON text of single items: up to 6000 characters. */
  detail?: string;
  /** Up to 32 characters. */
  goodsTag?: string;
  /** `no_credit`: no credit cards. */
  limitPay?: 'no_credit';
  /** `true`: offer an e-invoice. */
  receipt?: boolean;
  profitSharing?: boolean;
  /** Up to 32 characters. Default `WEB`. */
  deviceInfo?: string;
  /**
   * Until when the order can be paid: at least five minutes ahead when it is placed. Compute it from the order's own
   * creation time: asking again with another value is another order (`ORDER_CONFLICT`).
   */
  timeExpire?: Date;
  /** Default: the `sceneInfo` option. */
  sceneInfo?: SceneInfo;
  /** Where the payer comes back to: an absolute URL on one of `h5Domains`. It is part of the link, not of the order. */
  redirectUrl?: string;
  /** The payer's address. Adapters inject it; here it has to be given. */
  clientIp?: string;
  /** What the page's `wechat_h5_ip` field brought, with `ipProbe`: used when the payer came over IPv6. */
  ipProbe?: string;
  /** Needed once there are several merchants. */
  mchId?: string;
  subMchId?: string;
  appId?: string;
}

const KNOWN: Record<keyof NewOrder, true> = {
  outTradeNo: true,
  orderRef: true,
  body: true,
  totalFee: true,
  feeType: true,
  attach: true,
  detail: true,
  goodsTag: true,
  limitPay: true,
  receipt: true,
  profitSharing: true,
  deviceInfo: true,
  timeExpire: true,
  sceneInfo: true,
  redirectUrl: true,
  clientIp: true,
  ipProbe: true,
  mchId: true,
  subMchId: true,
  appId: true,
};

const MIN_EXPIRY_MS = 5 * 60_000;

/**
 * The business parameters of `unifiedorder` for an order, each one checked; ids, nonce and signature are the
 * gateway's to add.
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `field` naming the official field
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011936530
 */
export function unifiedOrderFields(
  order: NewOrder,
  given: { clientIp: string; notifyUrl: string; sceneInfo: SceneInfo; currencies: readonly string[] },
): Record<string, string> {
  refuseUnknown(order, KNOWN, 'an order');
  if (order.orderRef !== undefined) checkOrderRef(order.orderRef, order.outTradeNo);
  const fields: Record<string, string> = {
    device_info: text('device_info', order.deviceInfo ?? 'WEB', 32),
    body: text('body', order.body, 127),
    out_trade_no: outTradeNo(order.outTradeNo),
    total_fee: amount('total_fee', order.totalFee),
    spbill_create_ip: given.clientIp,
    notify_url: given.notifyUrl,
    trade_type: 'MWEB',
    scene_info: sceneInfo(order.sceneInfo ?? given.sceneInfo),
  };
  if (order.feeType !== undefined) fields['fee_type'] = currency('fee_type', order.feeType, given.currencies);
  if (order.attach !== undefined && order.attach !== '') fields['attach'] = text('attach', order.attach, 127);
  if (order.detail !== undefined) fields['detail'] = json('detail', order.detail, 6000);
  if (order.goodsTag !== undefined) fields['goods_tag'] = text('goods_tag', order.goodsTag, 32);
  if (order.limitPay !== undefined) fields['limit_pay'] = oneOf('limit_pay', order.limitPay, ['no_credit']);
  if (order.receipt !== undefined && yesOrNo('receipt', order.receipt)) fields['receipt'] = 'Y';
  if (order.profitSharing !== undefined)
    fields['profit_sharing'] = yesOrNo('profit_sharing', order.profitSharing) ? 'Y' : 'N';
  if (order.timeExpire !== undefined) fields['time_expire'] = expiry(order.timeExpire);
  return fields;
}

/** @throws {WechatH5Error} `ORDER_FIELD_INVALID` */
export function outTradeNo(value: unknown): string {
  if (typeof value === 'string' && /^[0-9A-Za-z_\-|*]{6,32}$/.test(value)) return value;
  throw refused(
    'out_trade_no',
    `is ${shown(value)}`,
    'Use 6 to 32 characters of 0-9 A-Z a-z _ - | *. 商户订单号须为 6–32 位数字、字母或 _-|*。',
  );
}

function checkOrderRef(orderRef: unknown, number: unknown): void {
  if (typeof orderRef !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(orderRef))
    throw refused(
      'orderRef',
      `is ${shown(orderRef)}`,
      'Use 1 to 64 visible ASCII characters. orderRef 须为 1–64 个可见 ASCII 字符。',
    );
  if (typeof number === 'string' && number.length > 29)
    throw refused(
      'out_trade_no',
      `has ${number.length} characters`,
      'With orderRef use up to 29: further attempts add -2, -3, … 使用 orderRef 时最多 29 位，以便追加 -2、-3 等后缀。',
    );
}

function yesOrNo(field: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw refused(field, `is ${shown(value)}`, 'Give true or false.');
}

function expiry(value: unknown): string {
  if (!(value instanceof Date) && Object.prototype.toString.call(value) !== '[object Date]') {
    throw refused('time_expire', `is ${shown(value)}`, 'Pass a Date.');
  }
  return formatTime(value as Date, 'time_expire');
}

/** Why an order can no longer be placed, `undefined` if it can. One that was placed before may be asked for until its end. */
export function tooLateFor({ timeExpire }: NewOrder, now: Date): WechatH5Error | undefined {
  if (timeExpire === undefined || timeExpire.getTime() - now.getTime() >= MIN_EXPIRY_MS) return undefined;
  return refused(
    'time_expire',
    'is less than five minutes ahead',
    'Give the payer at least five minutes. 订单失效时间须晚于下单时间 5 分钟以上。',
  );
}

const SCENE_MEMBERS = {
  Wap: { wapUrl: 'wap_url', wapName: 'wap_name' },
  IOS: { appName: 'app_name', bundleId: 'bundle_id' },
  Android: { appName: 'app_name', packageName: 'package_name' },
} as const;

/** `scene_info` as it is sent. @throws {WechatH5Error} `ORDER_FIELD_INVALID` */
export function sceneInfo(scene: SceneInfo): string {
  if (typeof scene !== 'object' || scene === null)
    throw refused('scene_info', `is ${shown(scene)}`, 'Give { type, … }.');
  oneOf('scene_info.h5_info.type', scene.type, Object.keys(SCENE_MEMBERS));
  const members: Record<string, string> = SCENE_MEMBERS[scene.type];
  const given: Record<string, unknown> = { ...scene };
  const info: Record<string, string> = { type: scene.type };
  for (const name of Object.keys(given)) {
    if (name !== 'type' && !Object.hasOwn(members, name)) {
      throw refused(
        `scene_info.h5_info.${name}`,
        `does not belong to ${scene.type}`,
        `It has ${Object.keys(members).join(' and ')}.`,
      );
    }
  }
  for (const [name, official] of Object.entries(members)) {
    info[official] = text(`scene_info.h5_info.${official}`, given[name], 256);
  }
  if (scene.type === 'Wap' && !/^https?:\/\/[^\s/]+/i.test(scene.wapUrl)) {
    throw refused(
      'scene_info.h5_info.wap_url',
      `is ${shown(scene.wapUrl)}`,
      'Give the http(s) address of the mobile site.',
    );
  }
  return text('scene_info', JSON.stringify({ h5_info: info }), 256);
}
