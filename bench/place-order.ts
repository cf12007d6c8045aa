import { hash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { currenciesOn } from '../packages/core/src/currency.js';
import { Merchants } from '../packages/core/src/merchant.js';
import { unifiedOrderFields, type NewOrder } from '../packages/core/src/new-order.js';
import { nonce } from '../packages/core/src/nonce.js';
import { interleaved, median, ratio, type Contestant } from './interleaved.js';

/**
 * Building and signing an order of 16 fields: from the shop's 15, which stay as they are, to the XML with its nonce and
 * its signature, as a string. Beside it the least that any implementation has to do (a nonce from the system's generator
 * and the digest over bytes that are ready) and other libraries, put together from what they export as their own requests
 * are. Two more rows show what belongs to sending an order and is in none of the others: to make bytes of the string, and
 * to check what the shop gave.
 */
const require = createRequire(import.meta.url);

interface WechatpayAxiosPlugin {
  Transformer: { toXml(fields: object): string };
  Hash: { sign(type: 'MD5' | 'HMAC-SHA256', data: object, key: string): string };
  Formatter: { nonce(): string };
}
interface Tenpay {
  new (config: object): { _getSign(fields: object, signType: string): string };
}
const { Transformer, Hash, Formatter } = require('wechatpay-axios-plugin') as WechatpayAxiosPlugin;
const TenpayClient = require('tenpay') as Tenpay;
const tenpayUtil = require('tenpay/lib/util') as { buildXML(fields: object): string; generate(length: number): string };

const ROUNDS = Number(process.env['ROUNDS'] ?? 51);
const API_KEY = '192006250b4c09247ec02edce69f6a2d';
const IDENTITY = { appid: 'wx2421b1c4370ec43b', mch_id: '1900000109' };
const BUSINESS: Record<string, string> = {
  device_info: 'WEB',
  body: '腾讯充值中心-QQ会员充值',
  detail: '{"goods_detail":[{"goods_id":"iphone6s_16G","quantity":1,"price":528800}]}',
  attach: '支付测试-订单附加数据',
  out_trade_no: '1409811653-20260310-000042',
  fee_type: 'CNY',
  total_fee: '100',
  spbill_create_ip: '203.0.113.7',
  time_start: '20260310101010',
  time_expire: '20260310102010',
  notify_url: 'https://pay.example.com/wechat/notify',
  trade_type: 'MWEB',
  scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://pay.example.com","wap_name":"Shop"}}',
};
/** The same order, but for `time_start`, which is not sent. */
const NEW_ORDER: NewOrder = {
  body: BUSINESS['body']!,
  detail: BUSINESS['detail']!,
  attach: BUSINESS['attach']!,
  outTradeNo: BUSINESS['out_trade_no']!,
  feeType: 'CNY',
  totalFee: 100,
  timeExpire: new Date('2026-03-10T10:20:10+08:00'),
};
const GIVEN = {
  clientIp: '203.0.113.7',
  notifyUrl: BUSINESS['notify_url']!,
  sceneInfo: { type: 'Wap', wapUrl: 'https://pay.example.com', wapName: 'Shop' },
  currencies: currenciesOn('mainland'),
  now: new Date('2026-03-10T10:10:10+08:00'),
} as const;

function contestantsOf(signType: 'MD5' | 'HMAC-SHA256'): Contestant[] {
  const declared = signType === 'MD5' ? {} : { sign_type: signType };
  const order: Record<string, string> = { ...IDENTITY, ...declared, ...BUSINESS };
  const fields = { ...order, nonce_str: randomBytes(16).toString('hex') };
  const names = Object.keys(fields).sort() as (keyof typeof fields)[];
  const bytes = Buffer.from(`${names.map((name) => `${String(name)}=${fields[name]}`).join('&')}&key=${API_KEY}`);
  const inner = Buffer.concat([Buffer.alloc(64, 0x36), bytes]);
  const outer = Buffer.alloc(96, 0x5c);
  const [merchant] = new Merchants({ appId: IDENTITY.appid, mchId: IDENTITY.mch_id, apiKey: API_KEY, signType }).all;
  const signed = (business: Readonly<Record<string, string>>): string => {
    // As the gateway does it.
    const own = merchant!.identity;
    own['nonce_str'] = nonce();
    if (signType !== 'MD5') own['sign_type'] = signType;
    return merchant!.signedXml(own, business);
  };
  const tenpay = new TenpayClient({
    appid: IDENTITY.appid,
    mchid: IDENTITY.mch_id,
    partnerKey: API_KEY,
    notify_url: BUSINESS['notify_url'],
    spbill_create_ip: '127.0.0.1',
  });
  return [
    {
      name: 'nonce and one-shot crypto.hash, bytes ready',
      run: () => {
        nonce();
        if (signType === 'MD5') return hash('md5', bytes, 'hex');
        outer.write(hash('sha256', inner, 'binary'), 64, 'binary');
        return hash('sha256', outer, 'hex');
      },
    },
    { name: 'wechat-h5', run: () => signed(BUSINESS) },
    {
      name: 'wechatpay-axios-plugin, from its exports',
      run: () => {
        const sent: Record<string, string> = { ...order, nonce_str: Formatter.nonce() };
        sent['sign'] = Hash.sign(signType, sent, API_KEY);
        return Transformer.toXml(sent);
      },
    },
    {
      name: 'tenpay, from its parts',
      run: () => {
        const sent: Record<string, string> = { ...order, nonce_str: tenpayUtil.generate(16) };
        sent['sign'] = tenpay._getSign(sent, signType);
        return tenpayUtil.buildXML(sent);
      },
    },
    { name: 'wechat-h5, to bytes', run: () => Buffer.from(signed(BUSINESS)) },
    { name: 'wechat-h5, checked, to bytes', run: () => Buffer.from(signed(unifiedOrderFields(NEW_ORDER, GIVEN))) },
  ];
}

console.log(`Node ${process.version}, ${ROUNDS} interleaved rounds, medians\n`);
for (const signType of ['MD5', 'HMAC-SHA256'] as const) {
  const results = await interleaved(contestantsOf(signType), ROUNDS);
  const [floor, ours] = results;
  console.log(`| ${signType} | ns | ÷ floor | ÷ ours |`);
  console.log('| --- | ---: | ---: | ---: |');
  for (const result of results) {
    const ratios = [ratio(result, floor!), ratio(result, ours!)].map((value) => value.toFixed(2));
    console.log(`| ${result.name} | ${median(result.times).toFixed(0)} | ${ratios.join(' | ')} |`);
  }
  console.log();
}
