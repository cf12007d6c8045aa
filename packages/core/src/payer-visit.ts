import type { ClientIp } from './client-ip.js';
import type { NewOrder } from './new-order.js';
import type { H5Order } from './orders.js';
import type { PageRequest } from './page.js';
import type { ApplicationHeaders } from './referrer-diagnosis.js';

/** One payer at one of the shop's pages, as the adapter knows them. */
export interface PayerVisit {
  readonly request: PageRequest;
  /** Set by the application before this library was reached. */
  readonly applicationHeaders: ApplicationHeaders;
  /** Walked when read; throws if the deployment is misconfigured. */
  readonly clientIp: ClientIp;
  /** With this payer's address as `spbill_create_ip`. */
  createOrder(order: NewOrder): Promise<H5Order>;
}
