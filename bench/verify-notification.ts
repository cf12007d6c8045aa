import { createWechatH5, parseXml, sign } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';
import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { interleaved, median, ratio, type Contestant } from './interleaved.js';

/**
 * Verifying a notification of 20 fields, against the least that any implementation has to do (the digest alone, over
 * bytes or a string that are ready) and against other libraries. The peers get the body as they document it and give
 * an object of strings; ours gives a typed result. Then: bytes allocated, and the price of refusing what is not signed.
 */
const require = createRequire(import.meta.url);

interface WechatpayAxiosPlugin {
  Transformer: { toObject(xml: string): Record<string, string> };
  Hash: {
    sign(type: 'MD5' | 'HMAC-SHA256', data: object, key: string): string;
    equals(known: string, user?: string): boolean;
  };
}
interface Tenpay {
  new (config: object): { _parse(xml: string, type: string, signType?: string): Promise<object> };
}

const { Transformer, Hash } = require('wechatpay-axios-plugin') as WechatpayAxiosPlugin;
const TenpayClient = require('tenpay') as Tenpay;

const ROUNDS = Number(process.env['ROUNDS'] ?? 51);
const API_KEY = '192006250b4c09247ec02edce69f6a2d';
const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '1900000109', apiKey: API_KEY };
const FIELDS = {
  attach: '支付测试-订单附加数据',
  cash_fee: '70',
  coupon_count: '1',
  coupon_fee: '30',
  device_info: 'WEB',
  out_trade_no: '1409811653-20260310-000042',
  total_fee: '100',
};

const wechatH5 = createWechatH5({ merchant: MERCHANT, notifyUrl: 'https://pay.example.com/notify' });
const tenpay = new TenpayClient({
  appid: MERCHANT.appId,
  mchid: MERCHANT.mchId,
  partnerKey: API_KEY,
  notify_url: 'https://pay.example.com/notify',
  spbill_create_ip: '127.0.0.1',
});

/** As WeChat Pay sends it: names ascending, `sign` where the alphabet puts it. */
function bodyOf(signType: 'MD5' | 'HMAC-SHA256'): string {
  const fields = parseXml(signedNotification(FIELDS, { ...MERCHANT, signType }));
  const names = Object.keys(fields).sort();
  return `<xml>${names.map((name) => `<${name}><![CDATA[${fields[name]}]]></${name}>`).join('')}</xml>`;
}

function contestantsOf(signType: 'MD5' | 'HMAC-SHA256'): Contestant[] {
  const xml = bodyOf(signType);
  const body = Buffer.from(xml);
  const fields = parseXml(body);
  const names = Object.keys(fields)
    .filter((name) => name !== 'sign')
    .sort();
  const text = `${names.map((name) => `${name}=${fields[name]}`).join('&')}&key=${API_KEY}`;
  const bytes = Buffer.from(text);
  const expected = Buffer.from(sign(fields, API_KEY, signType), 'hex');
  const inner = Buffer.concat([Buffer.alloc(64, 0x36), bytes]);
  const outer = Buffer.alloc(96, 0x5c);
  Buffer.from(API_KEY).forEach((byte, i) => {
    inner[i]! ^= byte;
    outer[i]! ^= byte;
  });
  const oneShot = (): boolean => {
    if (signType === 'MD5') return timingSafeEqual(Buffer.from(hash('md5', bytes, 'binary'), 'binary'), expected);
    outer.write(hash('sha256', inner, 'binary'), 64, 'binary');
    return timingSafeEqual(Buffer.from(hash('sha256', outer, 'binary'), 'binary'), expected);
  };
  const conventional = (): boolean => {
    const digest = signType === 'MD5' ? createHash('md5') : createHmac('sha256', API_KEY);
    return timingSafeEqual(digest.update(text).digest(), expected);
  };
  const plugin = (): boolean => {
    const message = Transformer.toObject(body.toString('utf8'));
    return Hash.equals(Hash.sign(signType, message, API_KEY), message['sign']);
  };
  for (const check of [oneShot, conventional, plugin]) {
    if (!check())
      throw new Error(`${check.name} does not verify the ${signType} message of ${names.length + 1} fields`);
  }
  return [
    { name: 'one-shot crypto.hash, bytes ready', run: oneShot },
    { name: 'createHash / createHmac, string ready', run: conventional },
    { name: 'verifyNotification, typed result', run: () => wechatH5.verifyNotification(body) },
    { name: 'wechatpay-axios-plugin, from its exports', run: plugin },
    { name: 'tenpay', run: () => tenpay._parse(body.toString('utf8'), 'middleware_pay', signType) },
  ];
}

/** Bytes of heap per call: what is used after many calls without a collection in between. */
function allocated(run: () => unknown): number {
  const samples: number[] = [];
  for (let i = 0; i < 31; i++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 500; n++) run();
    samples.push((process.memoryUsage().heapUsed - before) / 500);
  }
  return median(samples);
}

const filled = (piece: string, bytes: number): string => piece.repeat(Math.floor(bytes / piece.length));
const IDS = `<return_code>SUCCESS</return_code><appid>${MERCHANT.appId}</appid><mch_id>${MERCHANT.mchId}</mch_id>`;
const SIGN = (digits: number): string => `<sign>${'0'.repeat(digits)}</sign>`;
const UNAUTHENTICATED: Record<string, string> = {
  'forged, one long value, MD5': `<xml>${IDS}<attach><![CDATA[${filled('x', 16_000)}]]></attach>${SIGN(32)}</xml>`,
  'forged, one long value, HMAC': `<xml>${IDS}<attach><![CDATA[${filled('x', 16_000)}]]></attach>${SIGN(64)}</xml>`,
  'forged, 120 fields': `<xml>${IDS}${Array.from({ length: 120 }, (_, i) => `<f${i}><![CDATA[${filled('x', 100)}]]></f${i}>`).join('')}${SIGN(32)}</xml>`,
  'forged, character references': `<xml>${IDS}<attach>${filled('&#x4e2d;', 16_000)}</attach>${SIGN(32)}</xml>`,
  'forged, not ASCII': `<xml>${IDS}<attach>${filled('支付', 16_000 / 3)}</attach>${SIGN(32)}</xml>`,
  '900 tiny fields': `<xml>${filled('<abcdef>1</abcdef>', 16_000)}</xml>`,
  '2,000 open tags': `<xml>${filled('<abcdef>', 16_000)}`,
  'another merchant': `<xml><return_code>SUCCESS</return_code><mch_id>1</mch_id><attach>${filled('x', 16_000)}</attach></xml>`,
  'a document type': `<!DOCTYPE x [${filled('<!ENTITY a "b">', 16_000)}]><xml/>`,
};

function refuse(body: Buffer): () => unknown {
  return () => {
    try {
      return wechatH5.verifyNotification(body);
    } catch (error) {
      return error;
    }
  };
}

console.log(`Node ${process.version}, ${ROUNDS} interleaved rounds, medians\n`);
for (const signType of ['MD5', 'HMAC-SHA256'] as const) {
  const results = await interleaved(contestantsOf(signType), ROUNDS);
  const [oneShot, conventional] = results;
  console.log(`| ${signType}, ${bodyOf(signType).length} characters | ns | ÷ one-shot | ÷ createHash |`);
  console.log('| --- | ---: | ---: | ---: |');
  for (const result of results) {
    const ratios = [ratio(result, oneShot!), ratio(result, conventional!)].map((value) => value.toFixed(2));
    console.log(`| ${result.name} | ${median(result.times).toFixed(0)} | ${ratios.join(' | ')} |`);
  }
  console.log();
}

const bodies = (['MD5', 'HMAC-SHA256'] as const).map((signType) => Buffer.from(bodyOf(signType)));
const bytes = bodies.map((body) => allocated(() => wechatH5.verifyNotification(body)).toFixed(0));
console.log(`Allocated by verifyNotification: ${bytes[0]} bytes (MD5), ${bytes[1]} bytes (HMAC-SHA256)\n`);

const refusals = await interleaved(
  Object.entries(UNAUTHENTICATED).map(([name, body]) => ({ name, run: refuse(Buffer.from(body)) })),
  Math.ceil(ROUNDS / 3),
);
console.log('| to refuse 16 KB | µs |\n| --- | ---: |');
for (const { name, times } of refusals) console.log(`| ${name} | ${(median(times) / 1000).toFixed(1)} |`);
