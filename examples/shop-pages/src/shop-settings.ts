import type { ShopOptions } from './shop-options.js';

/** What a shop that is started by itself needs to know. */
export interface ShopSettings extends ShopOptions {
  readonly port: number;
}

/**
 * The settings of a shop that is started by itself: `PORT`, `PUBLIC_URL`, and what `WECHAT_PAY_…` means to the shop's
 * own pages. The merchant's part of the environment is read by the library.
 */
export function shopSettings(environment: NodeJS.ProcessEnv = process.env): ShopSettings {
  const port = Number(environment['PORT'] ?? 3000);
  const publicUrl = environment['PUBLIC_URL'] ?? `http://127.0.0.1:${port}`;
  const gateway = environment['WECHAT_PAY_GATEWAY'];
  return {
    port,
    publicUrl,
    wechatH5: {
      notifyUrl: environment['WECHAT_PAY_NOTIFY_URL'] ?? new URL('/wechat/notify', publicUrl).href,
      onProblem: ({ type, code, message, hint }) => console.error(`${type} ${code}: ${message}. ${hint}`),
    },
    // A gateway on this machine is a simulator, and its payment links lead back to it.
    cashierOrigin: gateway?.startsWith('http://') ? new URL(gateway).origin : undefined,
  };
}
