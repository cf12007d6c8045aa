/** The V2 operations used here, by path. */
export type GatewayPath =
  | '/pay/unifiedorder'
  | '/pay/orderquery'
  | '/pay/closeorder'
  | '/pay/refundquery'
  | '/secapi/pay/refund'
  | '/pay/settlementquery'
  | '/pay/queryexchagerate';

/** The operations that answer with a file. */
export type DownloadPath = '/pay/downloadbill' | '/pay/downloadfundflow';

/** Where an operation departs from the rest. */
interface Endpoint {
  /** Mutual TLS with the merchant's API certificate. */
  readonly certificate?: true;
  /** What this operation calls `mch_id` in a request. */
  readonly mchIdName?: 'mchid';
  /** Neither the request nor the reply carries a `nonce_str`. */
  readonly noNonce?: true;
  /** The only sign type it takes. */
  readonly signType?: 'HMAC-SHA256';
}

/** The misspelt `queryexchagerate` is the official path. */
export const ENDPOINTS: Readonly<Record<GatewayPath | DownloadPath, Endpoint>> = {
  '/pay/unifiedorder': {},
  '/pay/orderquery': {},
  '/pay/closeorder': {},
  '/pay/refundquery': {},
  '/secapi/pay/refund': { certificate: true },
  '/pay/settlementquery': { mchIdName: 'mchid' },
  '/pay/queryexchagerate': { noNonce: true },
  '/pay/downloadbill': {},
  '/pay/downloadfundflow': { certificate: true, signType: 'HMAC-SHA256' },
};
