import { buildXml, parseXml } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';

export const MERCHANT = {
  appId: 'wx2421b1c4370ec43b',
  mchId: '1900000109',
  apiKey: '192006250b4c09247ec02edce69f6a2d',
};

/** A whole HTTP request with a notification of 20 fields for this order. */
export function requestFor(outTradeNo: string): Buffer {
  const fields = {
    attach: '支付测试-订单附加数据',
    cash_fee: '70',
    coupon_count: '1',
    coupon_fee: '30',
    device_info: 'WEB',
  };
  const signed = parseXml(signedNotification({ ...fields, out_trade_no: outTradeNo, total_fee: '100' }, MERCHANT));
  // As WeChat Pay sends it: names ascending.
  const body = buildXml(Object.fromEntries(Object.entries(signed).sort(([a], [b]) => (a < b ? -1 : 1))));
  return Buffer.from(
    `POST /notify HTTP/1.1\r\nHost: pay.example.com\r\nContent-Type: text/xml\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
