import { createHash } from 'node:crypto';
import { Aes, Hash, Transformer, Wechatpay } from 'wechatpay-axios-plugin';
import type { Account, Fields, ForeignClient } from './client.js';

const SUCCESS = Transformer.toXml({ return_code: 'SUCCESS', return_msg: 'OK' }) as string;
const FAIL = Transformer.toXml({ return_code: 'FAIL', return_msg: 'sign' }) as string;

/** wechatpay-axios-plugin, its V2 half: the gateway's address is axios' own option. */
export function axiosPluginClient({ gateway, appId, mchId, apiKey, certificate, notifyUrl }: Account): ForeignClient {
  const client = new Wechatpay({
    mchid: mchId,
    secret: apiKey,
    merchant: certificate,
    baseURL: gateway,
    // What its V3 half insists on; nothing here uses it.
    serial: 'nop',
    privateKey: certificate.key,
    certs: { any: '' },
  });
  const own = { appid: appId, mch_id: mchId };
  const post = async (path: string, fields: Fields, config: object = {}): Promise<Fields> => {
    const { data } = await client.client.request(path, 'post', { ...own, ...fields }, config);
    return data as Fields;
  };
  return {
    order: (outTradeNo, totalFee) =>
      post('v2/pay/unifiedorder', {
        out_trade_no: outTradeNo,
        body: 'tea',
        total_fee: totalFee,
        spbill_create_ip: '127.0.0.1',
        notify_url: notifyUrl,
        trade_type: 'MWEB',
        sign_type: 'HMAC-SHA256',
        scene_info: JSON.stringify({ h5_info: { type: 'Wap', wap_url: 'https://shop.example', wap_name: 'tea' } }),
      }),
    query: (outTradeNo) => post('v2/pay/orderquery', { out_trade_no: outTradeNo }),
    close: (outTradeNo) => post('v2/pay/closeorder', { out_trade_no: outTradeNo }),
    refund: (outTradeNo, outRefundNo, totalFee, refundFee) =>
      post(
        'v2/secapi/pay/refund',
        { out_trade_no: outTradeNo, out_refund_no: outRefundNo, total_fee: totalFee, refund_fee: refundFee },
        { security: true },
      ),
    queryRefund: (outRefundNo) => post('v2/pay/refundquery', { out_refund_no: outRefundNo }),
    async notified(kind, body) {
      const fields = Transformer.toObject(body) as Record<string, string>;
      if (kind === 'refund') {
        const key = createHash('md5').update(apiKey).digest('hex');
        return {
          fields: Transformer.toObject(Aes.AesEcb.decrypt(fields['req_info'] ?? '', key)) as Fields,
          reply: SUCCESS,
        };
      }
      const { sign = '' } = fields;
      const genuine = Hash.equals(Hash.sign(sign.length === 64 ? 'HMAC-SHA256' : 'MD5', fields, apiKey), sign);
      return genuine ? { fields, reply: SUCCESS } : { fields: {}, reply: FAIL };
    },
  };
}
