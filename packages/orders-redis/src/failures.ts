import { WechatH5Error, isWechatH5Error } from '@wechat-h5/core';
import { quoted } from '@wechat-h5/core/order-book';

/** Clients put the command into their errors, and with it a whole record: only the server's own words go on. */
export function bookFailed(error: unknown): WechatH5Error {
  if (isWechatH5Error(error)) return error;
  const text = quoted(error instanceof Error ? error.message : String(error), 200);
  return new WechatH5Error('ORDER_BOOK_FAILED', `Redis: ${text}`, {
    hint: 'Nothing is known to be stored. Orders and deliveries go on when Redis answers again. Redis 恢复后将自动继续。',
  });
}

/** What was delivered is no longer known: a repeated notification would be delivered again. */
export function bookIsGone(prefix: string): WechatH5Error {
  return new WechatH5Error('ORDER_BOOK_FAILED', `There is no order book under ${quoted(prefix)} in this Redis`, {
    hint: 'New: run await book.migrate() once. If orders were here before, this Redis was emptied or replaced: restore its files, or look through the orders since then before you run migrate(). 首次使用请执行 book.migrate()；若之前已有订单，说明数据已丢失，请先恢复数据再继续。',
  });
}

export function forgetful(setting: string, seen: string, wanted: string): WechatH5Error {
  return new WechatH5Error('ORDER_BOOK_FAILED', `This Redis may forget orders: ${setting} is ${quoted(seen)}`, {
    field: setting,
    hint: `Set ${setting} to ${wanted}, and keep the book on a Redis of its own, not on a cache. 请将 ${setting} 设为 ${wanted}，不要使用作为缓存的 Redis。`,
  });
}
