declare module 'tenpay' {
  type Reply = Readonly<Record<string, unknown>>;

  /** The part of it that is called here. */
  export default class Tenpay {
    constructor(config: {
      appid: string;
      mchid: string;
      partnerKey: string;
      pfx?: Buffer;
      notify_url?: string;
      refund_url?: string;
    });
    /** One address for each operation. */
    urls: Record<string, string>;
    unifiedOrder(params: Reply): Promise<Reply>;
    orderQuery(params: Reply): Promise<Reply>;
    closeOrder(params: Reply): Promise<Reply>;
    refund(params: Reply): Promise<Reply>;
    refundQuery(params: Reply): Promise<Reply>;
    middlewareForExpress(
      type: 'pay' | 'refund',
    ): (request: object, response: object, next: () => void) => Promise<void>;
  }
}
