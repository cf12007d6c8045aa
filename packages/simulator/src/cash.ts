import { inFen, rateOf } from './exchange-rates.js';
import type { SimulatedOrder } from './orders.js';

type Priced = Pick<SimulatedOrder, 'totalFee' | 'feeType'>;

interface CashFields extends Readonly<Record<string, string>> {
  readonly cash_fee: string;
}

/** What the payer's wallet, which holds CNY, was charged for an order, and at which rate if it is not priced in CNY. */
export function cashFields({ totalFee, feeType }: Priced): CashFields {
  if (feeType === 'CNY') return { cash_fee: String(totalFee), cash_fee_type: 'CNY' };
  return { cash_fee: String(inFen(totalFee, feeType)), cash_fee_type: 'CNY', rate: String(rateOf(feeType)) };
}

/** The same of a refund: the share of what was charged that goes back to the wallet. */
export function cashRefundFields(order: Priced, refundFee: number): Readonly<Record<string, string>> {
  const { totalFee, feeType } = order;
  if (feeType === 'CNY') return { cash_fee: String(totalFee), cash_refund_fee: String(refundFee) };
  const share = Math.round((inFen(totalFee, feeType) * refundFee) / totalFee);
  return {
    ...cashFields(order),
    cash_refund_fee: String(share),
    cash_refund_fee_type: 'CNY',
    refund_fee_type: feeType,
  };
}
