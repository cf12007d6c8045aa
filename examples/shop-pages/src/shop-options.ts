import type { RequestListener } from 'node:http';
import type { WechatH5Options } from '@wechat-h5/core';
import type { TicketOffice } from './tickets.js';

/** What each of the example shops is made from. */
export interface ShopOptions {
  /** Laid over the environment's `WECHAT_PAY_…`. What is sold, and what happens on payment, is the shop's own business. */
  readonly wechatH5?: Omit<Partial<WechatH5Options>, 'onPaid' | 'checkout'>;
  readonly tickets?: TicketOffice;
}

/** What each of the example shops exports. */
export type CreateShop = (options: ShopOptions) => RequestListener | Promise<RequestListener>;
