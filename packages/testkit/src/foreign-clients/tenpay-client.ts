import Tenpay from 'tenpay';
import type { Account, Fields, ForeignClient } from './client.js';

const OFFICIAL = 'https://api.mch.weixin.qq.com';

/** tenpay. It has no option for the gateway's address: its table of addresses is the place to say it. */
export function tenpayClient({ gateway, appId, mchId, apiKey, pfx, notifyUrl }: Account): ForeignClient {
  const client = new Tenpay({
    appid: appId,
    mchid: mchId,
    partnerKey: apiKey,
    ...(pfx !== '' && { pfx: Buffer.from(pfx, 'base64') }),
    notify_url: notifyUrl,
  });
  for (const [operation, url] of Object.entries(client.urls)) client.urls[operation] = url.replace(OFFICIAL, gateway);
  return {
    order: (outTradeNo, totalFee) =>
      client.unifiedOrder({
        out_trade_no: outTradeNo,
        body: 'tea',
        total_fee: totalFee,
        trade_type: 'MWEB',
        scene_info: JSON.stringify({ h5_info: { type: 'Wap', wap_url: 'https://shop.example', wap_name: 'tea' } }),
      }),
    query: (outTradeNo) => client.orderQuery({ out_trade_no: outTradeNo }),
    close: (outTradeNo) => client.closeOrder({ out_trade_no: outTradeNo }),
    refund: (outTradeNo, outRefundNo, totalFee, refundFee) =>
      client.refund({
        out_trade_no: outTradeNo,
        out_refund_no: outRefundNo,
        total_fee: totalFee,
        refund_fee: refundFee,
      }),
    queryRefund: (outRefundNo) => client.refundQuery({ out_refund_no: outRefundNo }),
    async notified(kind, body) {
      const request: { body: string; weixin?: Fields } = { body };
      let reply = '';
      const response = {
        header: () => undefined,
        send: (text: string) => void (reply = text),
        reply: (message?: string): void => void message,
      };
      await client.middlewareForExpress(kind)(request, response, () => response.reply());
      return { fields: request.weixin ?? {}, reply };
    },
  };
}
