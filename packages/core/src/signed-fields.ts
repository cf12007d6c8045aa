import type { SignedMessage } from './signature.js';

/**
 * Names that WeChat Pay signs in V2 requests, replies and notifications. The signed string joins
 * `name=value` with `&` and escapes nothing, so a value that contains `&` + one of these + `=` can be cut
 * apart again as two fields under the same signature.
 */
const SIGNED_NAMES = new Set(
  (
    'account_type appid attach auth_code bank_type bill_date bill_type body cash_fee cash_fee_type cash_refund_fee ' +
    'cash_refund_fee_type code_url consume_fee coupon_count coupon_fee coupon_id coupon_refund_count ' +
    'coupon_refund_fee coupon_refund_id coupon_type date_end date_settlement date_start detail device_info err_code ' +
    'err_code_des fbatchno fee_type goods_tag is_subscribe key limit_pay mch_id mweb_url nonce_str notify_url offset ' +
    'openid out_refund_no out_trade_no pay_fee pay_net_fee poundage_fee prepay_id product_id profit_sharing ' +
    'promotion_detail rate rate_time rate_value recall receipt record_num refund_account refund_channel refund_count ' +
    'refund_desc refund_fee refund_fee_type refund_id refund_recv_accout refund_status refund_success_time ' +
    'result_code result_msg return_code return_msg scene_info settlement_fee settlement_refund_fee ' +
    'settlement_total_fee settlementfee_type sign sign_type spbill_create_ip sub_appid sub_is_subscribe sub_mch_id ' +
    'sub_openid tar_type time_end time_expire time_start total_fee total_refund_count trade_state trade_state_desc ' +
    'trade_type transaction_id unsettlement_fee user_creid user_truename user_type version'
  ).split(' '),
);

// `coupon_fee_0`, `coupon_refund_fee_3_0`, `refund_status_12`, …
const INDEXED = /_\d{1,4}(?:_\d{1,4})?$/;

/** The first `&name=` in a value that could be re-cut as a field of its own, as `name`; `undefined` if there is none. */
export function recutName(value: string): string | undefined {
  for (let at = value.indexOf('&'); at !== -1; at = value.indexOf('&', at + 1)) {
    // No signed name is longer than 40 characters, so the work for each `&` is bounded.
    const equals = value.slice(at + 1, at + 42).indexOf('=');
    if (equals === -1) continue;
    const name = value.slice(at + 1, at + 1 + equals);
    if (SIGNED_NAMES.has(name) || SIGNED_NAMES.has(name.replace(INDEXED, ''))) return name;
  }
  return undefined;
}

/**
 * The first field of a signed message whose value hides another one: the same signature would fit a message in
 * which that is a field of its own, so it proves nothing about either.
 */
export function recutField({ hasAmpersand, fields }: SignedMessage): { name: string; hidden: string } | undefined {
  if (!hasAmpersand) return undefined;
  for (const name in fields) {
    const hidden = recutName(fields[name] as string);
    if (hidden !== undefined) return { name, hidden };
  }
  return undefined;
}
