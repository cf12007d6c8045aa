/** The fields of a reply or a notification, as the client made them out. */
export type Fields = Readonly<Record<string, unknown>>;

/** Where WeChat Pay is, and who we are there. */
export interface Account {
  readonly gateway: string;
  readonly appId: string;
  readonly mchId: string;
  readonly apiKey: string;
  readonly certificate: { readonly cert: string; readonly key: string };
  /** base64; empty when there is none. */
  readonly pfx: string;
  readonly notifyUrl: string;
}

/** What another library does against WeChat Pay, through its own documented calls. */
export interface ForeignClient {
  order(outTradeNo: string, totalFee: number): Promise<Fields>;
  query(outTradeNo: string): Promise<Fields>;
  close(outTradeNo: string): Promise<Fields>;
  refund(outTradeNo: string, outRefundNo: string, totalFee: number, refundFee: number): Promise<Fields>;
  queryRefund(outRefundNo: string): Promise<Fields>;
  /** Verifies or deciphers what was posted to `notify_url`, and says what to answer. */
  notified(kind: 'pay' | 'refund', body: string): Promise<{ readonly fields: Fields; readonly reply: string }>;
}
