import type { BillColumns } from './bill.js';
import type { FieldContext } from './field-rules.js';
import type { OrderLedger, SignType } from './orders.js';
import type { RefundDesk } from './refund-desk.js';
import type { RefundLedger } from './refunds.js';
import type { SimulatedMerchant } from './simulated-merchant.js';
import type { Fields } from './wire-fields.js';

/** What an operation answers a caller who is known: fields to add to the signed reply, a statement, or a refusal. */
export type Answer =
  | { readonly code: 'SUCCESS'; readonly fields: Fields; readonly remark?: string }
  | { readonly code: 'SUCCESS'; readonly text: string; readonly gzip: boolean }
  | Refusal
  | UnsignedRefusal;

export interface Refusal {
  /** The official `err_code`. */
  readonly code: string;
  /** `err_code_des` */
  readonly description: string;
}

/** A few mistakes are answered with `return_code=FAIL`, which is never signed. */
export interface UnsignedRefusal {
  readonly code: string;
  readonly returnMsg: string;
}

export interface OperationContext extends FieldContext {
  readonly orders: OrderLedger;
  readonly refunds: RefundLedger;
  readonly refundDesk: RefundDesk;
  readonly merchant: SimulatedMerchant;
  readonly billColumns: BillColumns;
  /** The type that this call was signed with. */
  readonly signType: SignType;
}

/** One operation of the merchant API, after the caller's ids and signature were found right. */
export type Operation = (fields: Fields, context: OperationContext) => Answer;
