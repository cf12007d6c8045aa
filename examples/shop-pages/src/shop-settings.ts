import type { ShopOptions } from './shop-options.js';

/** What a shop that is started by itself needs to know. */
export interface ShopSettings extends ShopOptions {
  readonly port: number;
  /** Where payers reach the shop: `https://pay.example.com`, one of its H5 payment domains. */
  readonly publicUrl: string;
}

/** Stands on every page, the library's included. */
export const SHOP_NAME = '西湖游船 West Lake Cruises';

/**
 * The settings of a shop that is started by itself: `PORT` and `PUBLIC_URL`. What `WECHAT_PAY_…` says is read by the
 * library.
 */
export function shopSettings(environment: NodeJS.ProcessEnv = process.env): ShopSettings {
  const port = Number(environment['PORT'] ?? 3000);
  const publicUrl = environment['PUBLIC_URL'] ?? `http://127.0.0.1:${port}`;
  return {
    port,
    publicUrl,
    wechatH5: {
      notifyUrl: environment['WECHAT_PAY_NOTIFY_URL'] ?? new URL('/wechat/notify', publicUrl).href,
      onProblem: ({ type, code, message, hint }) => console.error(`${type} ${code}: ${message}. ${hint}`),
    },
  };
}
