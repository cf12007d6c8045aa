import type { GatewayOperation } from './faults.js';
import type { Operation } from './operation.js';
import { closeOrder, orderQuery, unifiedOrder } from './order-operations.js';
import { queryExchangeRate, querySettlement } from './global-operations.js';
import { refund, refundQuery } from './refund-operations.js';
import { downloadBill, downloadFundFlow } from './statement-operations.js';
import { billRefusal, fundFlowRefusal } from './statement-refusals.js';
import type { Fields } from './wire-fields.js';

/** How one operation of the merchant API is reached. */
export interface Route {
  readonly path: string;
  readonly perform: Operation;
  /** Over TLS the client has to show the merchant's certificate. */
  readonly certificate?: true;
  /** The one operation whose request has no `nonce_str`, nor its reply, which has no `result_code` either. */
  readonly nonceless?: true;
  /** Default `mch_id`. */
  readonly mchIdField?: 'mchid';
  /** How a refusal is told by the operations that sign nothing. */
  readonly unsignedRefusal?: (code: string, description: string) => Fields;
}

export const ROUTES: Readonly<Record<GatewayOperation, Route>> = {
  unifiedorder: { path: '/pay/unifiedorder', perform: unifiedOrder },
  orderquery: { path: '/pay/orderquery', perform: orderQuery },
  closeorder: { path: '/pay/closeorder', perform: closeOrder },
  refund: { path: '/secapi/pay/refund', perform: refund, certificate: true },
  refundquery: { path: '/pay/refundquery', perform: refundQuery },
  downloadbill: { path: '/pay/downloadbill', perform: downloadBill, unsignedRefusal: billRefusal },
  downloadfundflow: {
    path: '/pay/downloadfundflow',
    perform: downloadFundFlow,
    certificate: true,
    unsignedRefusal: fundFlowRefusal,
  },
  settlementquery: { path: '/pay/settlementquery', perform: querySettlement, mchIdField: 'mchid' },
  // WeChat's own spelling.
  queryexchagerate: { path: '/pay/queryexchagerate', perform: queryExchangeRate, nonceless: true },
};

const BY_PATH = new Map(Object.entries(ROUTES).map(([operation, { path }]) => [path, operation as GatewayOperation]));

export function operationAt(pathname: string): GatewayOperation | undefined {
  return BY_PATH.get(pathname);
}
