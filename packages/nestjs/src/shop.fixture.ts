import { Readable } from 'node:stream';
import type { Merchant, WechatH5Options } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';

export const MERCHANT: Merchant = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '10000100',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
};
export const OTHER: Merchant = { ...MERCHANT, mchId: '10000101', apiKey: 'AnotherKeyAnotherKeyAnotherKey00' };

/** Complete options of a shop that knows one order of one fen; nothing is sent anywhere. */
export const OPTIONS: WechatH5Options = {
  merchant: MERCHANT,
  notifyUrl: 'http://127.0.0.1/wechat/notify',
  gateway: 'http://127.0.0.1:9',
  findOrder: async () => ({ totalFee: 1 }),
  onProblem: () => {},
};
export const OTHER_OPTIONS: WechatH5Options = {
  ...OPTIONS,
  merchant: OTHER,
  notifyUrl: 'http://127.0.0.1/other/notify',
};

export const SUCCESS =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
/** The names of the headers of a reply that nobody has touched. */
const HEADERS = ['cache-control', 'connection', 'content-length', 'content-type', 'date', 'keep-alive'];

/** The only reply there is to a payment that is safe. */
export const ACKNOWLEDGED = { status: 200, headers: HEADERS, body: SUCCESS };

/** Posts a genuine notification as WeChat Pay does; resolves with the whole reply. */
export async function notify(
  port: number,
  path = '/wechat/notify',
  merchant = MERCHANT,
  { chunked = false } = {},
): Promise<{ status: number; headers: string[]; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'text/xml' },
    body: chunked ? Readable.from([signedNotification({}, merchant)]) : signedNotification({}, merchant),
    ...(chunked && { duplex: 'half' }),
  } as RequestInit);
  return { status: response.status, headers: [...response.headers.keys()], body: await response.text() };
}

/** @returns status and body, parsed as JSON where it is JSON */
export async function get(port: number, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
}
