import { beijingTime } from './beijing-time.js';
import { cashFields } from './cash.js';
import type { SignType, SimulatedOrder, SimulatedPayment } from './orders.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { sign } from './signing.js';
import { pick, type Fields } from './wire-fields.js';

/**
 * The fields of one payment notification, unsigned. As on the live system there is no `sign_type` among them, whatever
 * type signs them, and no `trade_state`: only successful payments are told.
 */
export function paymentFields(merchant: SimulatedMerchant, order: SimulatedOrder, payment: SimulatedPayment): Fields {
  return {
    return_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    ...pick(order.fields, 'sub_appid', 'sub_mch_id', 'device_info', 'attach'),
    nonce_str: randomToken(32),
    result_code: 'SUCCESS',
    openid: payment.openId,
    is_subscribe: 'N',
    trade_type: 'MWEB',
    bank_type: payment.bankType,
    total_fee: String(order.totalFee),
    fee_type: order.feeType,
    ...(order.feeType === 'CNY' ? { cash_fee: String(order.totalFee) } : cashFields(order)),
    transaction_id: payment.transactionId,
    out_trade_no: order.outTradeNo,
    time_end: beijingTime(payment.paidAt),
  };
}

/** Adds the signature, unless the fields bring their own. */
export function signedFields(fields: Fields, apiKey: string, signType: SignType): Fields {
  return 'sign' in fields ? fields : { ...fields, sign: sign(fields, apiKey, signType) };
}
