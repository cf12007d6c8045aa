import { refused, shown } from './request-fields.js';

/**
 * What an order can cost: ISO 4217, with the amount in its smallest unit.
 * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013636595
 */
const GLOBAL: readonly string[] = (
  'CNY HKD GBP USD JPY CAD AUD EUR NZD KRW THB SGD RUB CHF SEK DKK NOK AED TRY MOP TWD CZK MYR PHP IDR MNT QAR HUF ' +
  'KHR ISK'
).split(' ');
const MAINLAND: readonly string[] = ['CNY'];

/**
 * What orders can cost on a gateway. Only `'mainland'` says that they are a mainland merchant's: its hosts, named one by
 * one, serve Global merchants too.
 *
 * @param gateway the option
 */
export function currenciesOn(gateway: string | readonly string[] = 'mainland'): readonly string[] {
  return gateway === 'mainland' ? MAINLAND : GLOBAL;
}

/**
 * A currency as it is sent.
 * @throws {WechatH5Error} `ORDER_FIELD_INVALID`
 */
export function currency(field: string, value: unknown, allowed: readonly string[] = GLOBAL): string {
  if (typeof value === 'string' && allowed.includes(value)) return value;
  if (allowed === MAINLAND) {
    throw refused(
      field,
      `is ${shown(value)}, and the mainland gateway takes CNY only`,
      "Leave it out, or set gateway to 'global' if yours is a Global merchant. 境内商户仅支持 CNY，境外商户请将 gateway 设为 'global'。",
    );
  }
  throw refused(
    field,
    `is ${shown(value)}, and that is none of WeChat Pay's currencies`,
    `Use one of: ${allowed.join(', ')}. 请使用微信支付支持的币种代码。`,
  );
}
