import type { GatewayOperation } from './faults.js';
import type { Operation } from './operation.js';
import { closeOrder, orderQuery, unifiedOrder } from './order-operations.js';
import { refund, refundQuery } from './refund-operations.js';

/** How one operation of the merchant API is reached. */
export interface Route {
  readonly path: string;
  readonly perform: Operation;
  /** Over TLS the client has to show the merchant's certificate. */
  readonly certificate?: true;
  /** The one operation whose request has no `nonce_str`. */
  readonly nonceless?: true;
  /** Default `mch_id`. */
  readonly mchIdField?: 'mchid';
}

export const ROUTES: Readonly<Record<GatewayOperation, Route>> = {
  unifiedorder: { path: '/pay/unifiedorder', perform: unifiedOrder },
  orderquery: { path: '/pay/orderquery', perform: orderQuery },
  closeorder: { path: '/pay/closeorder', perform: closeOrder },
  refund: { path: '/secapi/pay/refund', perform: refund, certificate: true },
  refundquery: { path: '/pay/refundquery', perform: refundQuery },
};

const BY_PATH = new Map(Object.entries(ROUTES).map(([operation, { path }]) => [path, operation as GatewayOperation]));

export function operationAt(pathname: string): GatewayOperation | undefined {
  return BY_PATH.get(pathname);
}
