import type { Deliveries } from './delivery.js';
import { quoted, WechatH5Error } from './errors.js';
import type { ProblemReporter } from './problems.js';
import type { RefundHint } from './refund-notification.js';
import type { Refund } from './refunds.js';

/**
 * From hint to fact. The hint proves nothing: `refundquery` decides, and a refund handed over before is not
 * asked about again.
 *
 * @returns the refund, if it is to be handed over now; `delivered`: it was; `over`: there is nothing to hand
 *   over, and nothing more will come; `order-unknown`: it is real, and nobody knows its order, which was reported
 * @throws {WechatH5Error} `ORDER_MISMATCH`, `ORDER_QUARANTINED`, `ORDER_BOOK_FAILED`, and those of `queryRefund`
 */
export async function settleRefund<Tx>(
  hint: RefundHint,
  parts: {
    deliveries: Deliveries<Tx>;
    confirmRefund: (hint: RefundHint) => Promise<Refund>;
    report: ProblemReporter;
  },
): Promise<Refund | 'delivered' | 'over' | 'order-unknown'> {
  const { deliveries, report } = parts;
  if (await deliveries.isRefundDelivered(hint, hint.outRefundNo)) return 'delivered';
  const refund = await parts.confirmRefund(hint);
  if (refund.refundStatus === 'PROCESSING') throw stillProcessing(refund);
  if (refund.refundStatus !== 'SUCCESS') {
    report('refund-failed', refundFailed(refund), refund);
    // Of CHANGE the money may still go back, by hand.
    if (refund.refundStatus === 'REFUNDCLOSE') await deliveries.recordRefundFailed(refund, 'notification');
    return 'over';
  }
  if ((await deliveries.recordRefund(refund)) === 'unknown') {
    deliveries.reportUnknown(refund);
    return 'order-unknown';
  }
  // Nobody waits for it. It was recorded all the same, so that what is refunded is not delivered.
  return deliveries.hasRefundHandler ? refund : 'over';
}

function stillProcessing(refund: Refund): WechatH5Error {
  return new WechatH5Error(
    'ORDER_MISMATCH',
    `A notification says that refund ${quoted(refund.outRefundNo)} has ended, and refundquery that it has not`,
    {
      field: 'refund_status',
      hint: 'FAIL was answered, so WeChat Pay repeats it. If that goes on, it is not genuine. 退款通知与查询结果不一致：退款仍在处理中。',
    },
  );
}

export function refundFailed(refund: Refund): WechatH5Error {
  return new WechatH5Error(
    'GATEWAY_REFUSED',
    `Refund ${quoted(refund.outRefundNo)} ended as ${quoted(refund.refundStatus)}`,
    {
      errCode: refund.refundStatus.slice(0, 32),
      field: 'refund_status',
      hint:
        "REFUNDCLOSE: it did not happen. CHANGE: the payer's bank refused the money; act in the merchant platform. " +
        '退款未成功：REFUNDCLOSE 为退款关闭，CHANGE 为退款异常，请到商户平台处理。',
    },
  );
}
