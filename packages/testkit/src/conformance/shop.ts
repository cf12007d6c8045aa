import {
  parseXml,
  type FindOrder,
  type HandlerContext,
  type Merchant,
  type Payment,
  type Problem,
  type WechatH5Options,
} from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';

export const MERCHANT: Merchant = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '10000100',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
};

export const NOTIFY_PATH = '/wechat/notify';

/** The order that every shop here knows: 19.90 yuan, and text that only the exact bytes bring through. */
export const ORDER = {
  outTradeNo: '0012345678',
  totalFee: 1990,
  attach: ' 007.50 "a"&<b>]]> 支付🧧 ',
} as const;

/** A merchant's configuration that writes down what it is told. */
export interface Shop {
  readonly options: WechatH5Options;
  readonly merchant: Merchant;
  /** Every run of `onPaid`, in order. */
  readonly runs: { readonly payment: Payment; readonly context: HandlerContext }[];
  readonly problems: Problem[];
}

/**
 * @param handle what `onPaid` does; `null`: there is no `onPaid`, a route decides
 * @param overrides laid over the options
 */
export function createShop(
  handle: ((payment: Payment, context: HandlerContext) => Promise<void> | void) | null = () => {},
  overrides: Partial<WechatH5Options> = {},
): Shop {
  const runs: Shop['runs'] = [];
  const problems: Problem[] = [];
  const findOrder: FindOrder = async ({ outTradeNo }) =>
    outTradeNo === ORDER.outTradeNo ? { totalFee: ORDER.totalFee, attach: ORDER.attach } : undefined;
  const options: WechatH5Options = {
    merchant: MERCHANT,
    notifyUrl: `https://shop.example.com${NOTIFY_PATH}`,
    findOrder,
    onProblem: (problem) => problems.push(problem),
    ...overrides,
  };
  if (handle !== null) {
    options.onPaid = (payment, context) => {
      runs.push({ payment, context });
      return handle(payment, context);
    };
  }
  return { options, merchant: options.merchant as Merchant, runs, problems };
}

/** The fields of a genuine notification for {@link ORDER}, signed. `''` leaves a field out. */
export function notificationFields(
  fields: Readonly<Record<string, string>> = {},
  merchant = MERCHANT,
): Record<string, string> {
  const { outTradeNo, totalFee, attach } = ORDER;
  return parseXml(
    signedNotification({ out_trade_no: outTradeNo, total_fee: String(totalFee), attach, ...fields }, merchant),
  );
}

/**
 * A genuine notification, written as nobody would write it again: every way the dialect has to spell a value,
 * blanks between the fields, and values that a number, a trim or a second escape would change.
 */
export function notification(fields?: Readonly<Record<string, string>>, merchant?: Merchant): string {
  return write(notificationFields(fields, merchant));
}

/** Fields as the awkward XML of {@link notification}, signed or not. */
export function write(fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(
    ([name, value], index) => `  <${name}>${SPELLINGS[index % 3]?.(value)}</${name}>`,
  );
  return `<xml>\r\n${lines.join('\n\t')}\n</xml>`;
}

const SPELLINGS = [
  (value: string) => `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`,
  (value: string) =>
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  (value: string) =>
    value.replace(/[&<>"]|[^\0-\x7f]/gu, (character) => `&#x${character.codePointAt(0)?.toString(16)};`),
];
