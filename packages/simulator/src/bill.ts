import { beijingDateTime } from './beijing-time.js';
import type { RefundStatus } from './refunds.js';
import { dataLine, FEE_PERCENT, feeOf, statementText, yuan, type Movement } from './statement.js';

export type BillType = 'ALL' | 'SUCCESS' | 'REFUND' | 'RECHARGE_REFUND';

/**
 * Which columns a merchant gets. WeChat Pay changed them in November 2018: merchants from before have `legacy` ones
 * until they switch vouchers on.
 */
export type BillColumns = 'current' | 'legacy';

interface BillIdentity {
  readonly appId: string;
  readonly mchId: string;
}

const PAYMENT =
  '交易时间,公众账号ID,商户号,*,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类';
const REFUND_TIMES = '退款申请时间,退款成功时间';

/** The headers, as each vintage spells them. */
const HEADERS = {
  current: {
    payment: `${PAYMENT.replace('*', '特约商户号')},应结订单金额,代金券金额`,
    refund: '微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态',
    goods: '商品名称,商户数据包,手续费,费率',
    summary: '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额',
  },
  legacy: {
    payment: `${PAYMENT.replace('*', '子商户号')},总金额,代金券或立减优惠金额`,
    refund: '微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款类型,退款状态',
    goods: '商品名称,商户数据包,手续费,费率',
    summary: '总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额',
  },
} as const;

/** What a bill calls the ends of a refund. */
const REFUND_STATES: Readonly<Record<RefundStatus, string>> = {
  SUCCESS: 'SUCCESS',
  PROCESSING: 'PROCESSING',
  CHANGE: 'CHANGE',
  REFUNDCLOSE: 'FAIL',
};

/** The bill of the movements of one day; `undefined` when none of them is of this type. */
export function bill(
  movements: readonly Movement[],
  { type, columns, merchant }: { type: BillType; columns: BillColumns; merchant: BillIdentity },
): string | undefined {
  const rows = movements.filter(({ kind }) => type === 'ALL' || (kind === 'payment' ? 'SUCCESS' : 'REFUND') === type);
  if (rows.length === 0) return undefined;
  return statementText([
    headerOf(type, columns),
    ...rows.map((movement) => dataLine(cellsOf(movement, type, columns, merchant))),
    HEADERS[columns].summary,
    dataLine(summaryOf(rows, columns)),
  ]);
}

function headerOf(type: BillType, columns: BillColumns): string {
  const { payment, refund, goods } = HEADERS[columns];
  const parts: string[] = [payment];
  if (type === 'REFUND') parts.push(REFUND_TIMES);
  if (type !== 'SUCCESS') parts.push(refund);
  parts.push(goods);
  // New columns came at the end, so that programs which counted went on working.
  if (columns === 'current') parts.push(type === 'SUCCESS' ? '订单金额,费率备注' : '订单金额,申请退款金额,费率备注');
  return parts.join(',');
}

function cellsOf(movement: Movement, type: BillType, columns: BillColumns, { appId, mchId }: BillIdentity): string[] {
  const { kind, order } = movement;
  const { payment, fields, totalFee } = order;
  const refund = kind === 'refund' ? movement.refund : undefined;
  const paidAmount = refund ? '0.00' : yuan(totalFee);
  const refundAmount = yuan(refund?.refundFee ?? 0);
  const cells = [
    // A bill of refunds tells when the order was paid; the bill of everything, when the money moved.
    beijingDateTime(type === 'REFUND' ? payment.paidAt : movement.at),
    appId,
    mchId,
    fields['sub_mch_id'] || '0',
    fields['device_info'] ?? '',
    payment.transactionId,
    order.outTradeNo,
    payment.openId,
    'MWEB',
    refund ? 'REFUND' : 'SUCCESS',
    payment.bankType,
    order.feeType,
    paidAmount,
    '0.00',
  ];
  if (refund && type === 'REFUND') {
    cells.push(beijingDateTime(refund.createdAt), refund.succeededAt ? beijingDateTime(refund.succeededAt) : '');
  }
  if (type !== 'SUCCESS') {
    cells.push(refund?.refundId ?? '0', refund?.outRefundNo ?? '0', refundAmount, '0.00');
    cells.push(refund ? 'ORIGINAL' : '', refund ? REFUND_STATES[refund.status] : '');
  }
  cells.push(order.body, fields['attach'] ?? '', yuan(signedFee(movement), 5), FEE_PERCENT);
  if (columns === 'current') cells.push(paidAmount, ...(type === 'SUCCESS' ? [] : [refundAmount]), '');
  return cells;
}

/** Given back with a refund. */
function signedFee(movement: Movement): number {
  return movement.kind === 'refund' ? -feeOf(movement.refund.refundFee) : feeOf(movement.order.totalFee);
}

function summaryOf(rows: readonly Movement[], columns: BillColumns): string[] {
  const sum = (amountOf: (row: Movement) => number): number => rows.reduce((total, row) => total + amountOf(row), 0);
  const paid = yuan(sum((row) => (row.kind === 'payment' ? row.order.totalFee : 0)));
  const refunded = yuan(sum((row) => (row.kind === 'refund' ? row.refund.refundFee : 0)));
  const amounts = [paid, refunded, '0.00', yuan(sum(signedFee), 5)];
  // The count has a decimal in the newer ones only.
  return columns === 'current' ? [`${rows.length}.0`, ...amounts, paid, refunded] : [String(rows.length), ...amounts];
}
