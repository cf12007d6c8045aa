export type SignType = 'MD5' | 'HMAC-SHA256';

/** `NOTPAY` until paid or closed. (`REFUND` comes with refunds.) */
export type TradeState = 'NOTPAY' | 'SUCCESS' | 'CLOSED';

/** One payment link; each successful unifiedorder makes one. */
export interface PaymentLink {
  readonly prepayId: string;
  readonly package: string;
  readonly mwebUrl: string;
  readonly createdAt: Date;
  /** Five minutes after `createdAt`: after that the middle page refuses it. */
  readonly expiresAt: Date;
}

/** How the money arrived. */
export interface SimulatedPayment {
  /** 28 digits that begin with 9900000000, which no real transaction id does. */
  readonly transactionId: string;
  readonly openId: string;
  readonly bankType: string;
  readonly paidAt: Date;
}

/** One order as WeChat's side holds it: a snapshot. */
export interface SimulatedOrder {
  readonly outTradeNo: string;
  /** In the currency's smallest unit. */
  readonly totalFee: number;
  /** `CNY` when the merchant sent none. */
  readonly feeType: string;
  readonly body: string;
  readonly spbillCreateIp: string;
  readonly notifyUrl: string;
  /** The type that unifiedorder was signed with; notifications use it too. */
  readonly signType: SignType;
  /** The order's fields as the merchant sent them, without `sign`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tradeState: TradeState;
  readonly createdAt: Date;
  /** When an unpaid order closes by itself: `time_expire`, or seven days. */
  readonly expiresAt: Date;
  readonly links: readonly PaymentLink[];
  readonly payment?: SimulatedPayment;
}

/** What `pay()` may choose. */
export interface PaymentChoice {
  /** The payer; random unless given. */
  readonly openId?: string;
  /** Default `OTHERS`. */
  readonly bankType?: string;
}

/** Live, read-only view of every order. */
export interface SimulatedOrders {
  list(): readonly SimulatedOrder[];
  get(outTradeNo: string): SimulatedOrder | undefined;
}
