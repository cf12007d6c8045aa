import {
  createWechatH5,
  MemoryOrderBook,
  type NotificationReply,
  type WechatH5,
  type WechatH5Options,
} from '@wechat-h5/core';
import { plainAdapter, type PlainAdapter } from '../plain-server.fixture.js';

/** An adapter, or a verifier, that is wrong in one way, and the cases that have to notice. */
export interface Sabotage {
  readonly does: string;
  readonly changes: Partial<PlainAdapter>;
  readonly caughtBy: readonly string[];
}

export const honest = plainAdapter;

const HEADERS = { 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store' };

export const SUCCESS = reply(
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
);

export function reply(body: string, status = 200): NotificationReply {
  return { status, headers: { ...HEADERS, 'content-length': String(Buffer.byteLength(body)) }, body };
}

export function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** An adapter that reads the body in a way of its own. */
export function withBody(
  read: (request: Parameters<PlainAdapter['receive']>[1]) => Promise<Uint8Array>,
): Partial<PlainAdapter> {
  return {
    receive: async (instance, request, { method }) =>
      instance.handleNotification({ method, body: await read(request) }),
  };
}

/** The last of several, whatever stands around them. */
export function lenientFields(xml: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, name, raw] of xml.matchAll(/<(\w+)>((?:(?!<\w)[^])*?)<\/\1>/g)) {
    fields[name as string] = String(raw)
      .replaceAll(']]]]><![CDATA[>', ']]>')
      .replace(/^<!\[CDATA\[([^]*)\]\]>$/, '$1')
      .replace(/&#x([0-9a-f]+);/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
  }
  return fields;
}

/** An instance of its own for every call. */
export function fresh(options: WechatH5Options): WechatH5 {
  return createWechatH5({ ...options, orderBook: new MemoryOrderBook() });
}
