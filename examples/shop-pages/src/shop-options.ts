import type { RequestListener } from 'node:http';
import type { WechatH5Options } from '@wechat-h5/core';
import type { TicketOffice } from './tickets.js';

/** What each of the example shops is made from. */
export interface ShopOptions {
  /** Where payers reach the shop: `https://pay.example.com`, one of its H5 payment domains. */
  readonly publicUrl: string;
  /** Laid over the environment's `WECHAT_PAY_…`. What happens on payment is the shop's own business. */
  readonly wechatH5?: Omit<Partial<WechatH5Options>, 'onPaid'>;
  /** Where payment links lead. Default WeChat Pay's `https://wx.tenpay.com`; a simulator's are on the simulator. */
  readonly cashierOrigin?: string | undefined;
  readonly tickets?: TicketOffice;
  /** Told what failed on the shop's side, whose payer got an error page. Default `console.error`. */
  readonly onError?: (error: unknown) => void;
}

/** What each of the example shops exports. */
export type CreateShop = (options: ShopOptions) => RequestListener | Promise<RequestListener>;
