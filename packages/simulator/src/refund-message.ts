import { beijingDateTime } from './beijing-time.js';
import type { SimulatedOrder } from './orders.js';
import type { SimulatedRefund } from './refunds.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { pick, type Fields } from './wire-fields.js';

/** Whose money it is: payments that WeChat has not yet settled with the merchant. */
export const REFUND_ACCOUNT = 'REFUND_SOURCE_UNSETTLED_FUNDS';
/** Where the money goes, in words: the payer's balance. */
export const REFUND_RECEIVER = '支付用户零钱';

/** What the notification of a refund says inside `req_info`. */
export function refundFields(order: SimulatedOrder, refund: SimulatedRefund): Fields {
  return {
    transaction_id: refund.transactionId,
    out_trade_no: refund.outTradeNo,
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    total_fee: String(order.totalFee),
    settlement_total_fee: String(order.totalFee),
    refund_fee: String(refund.refundFee),
    settlement_refund_fee: String(refund.refundFee),
    refund_status: refund.status,
    ...(refund.succeededAt && { success_time: beijingDateTime(refund.succeededAt) }),
    refund_recv_accout: REFUND_RECEIVER,
    refund_account: refund.account,
    refund_request_source: refund.source,
  };
}

/** The fields around `req_info`. None of them is signed, on the live system either. */
export function refundEnvelope(merchant: SimulatedMerchant, order: SimulatedOrder, reqInfo: string): Fields {
  return {
    return_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    ...pick(order.fields, 'sub_appid', 'sub_mch_id'),
    nonce_str: randomToken(32),
    req_info: reqInfo,
  };
}
