import type { HttpRequest } from './http-exchange.js';
import { newOpenId } from './orders.js';

/** Somebody's WeChat, as logged in on a phone. */
export interface WechatAccount {
  readonly number: '1' | '2';
  readonly name: string;
  readonly openId: string;
}

/** The two people of this simulator. */
export type WechatAccounts = readonly [WechatAccount, WechatAccount];

const COOKIE = 'wechat_account';

export function createAccounts(): WechatAccounts {
  return [
    { number: '1', name: '小茶 Xiaocha', openId: newOpenId() },
    { number: '2', name: '小豆 Xiaodou', openId: newOpenId() },
  ];
}

/** Which of them is logged in on the phone that sent this; the first one until it says otherwise. */
export function loggedIn({ headers }: HttpRequest, [first, second]: WechatAccounts): WechatAccount {
  const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
  return cookies.includes(`${COOKIE}=2`) ? second : first;
}

/** The `Set-Cookie` by which a phone logs in to the other account. */
export function loginCookie(account: WechatAccount, path: string): string {
  // Lax: the cookie is there when a page of the shop opens the link.
  return `${COOKIE}=${account.number}; Path=${path}; HttpOnly; SameSite=Lax`;
}
