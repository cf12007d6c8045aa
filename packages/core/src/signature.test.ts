import { createHash, createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { prepareKey, readSigned, sign, verifySign, type SignType } from './signature.js';
import { buildXml } from './xml.js';

const DOC_KEY = '192006250b4c09247ec02edce69f6a2d';
const S1 = {
  appid: 'wxd930ea5d5a258f4f',
  mch_id: '10000100',
  device_info: '1000',
  body: 'test',
  nonce_str: 'ibuaiVcKdpRxkhJA',
};
const IDS = { appid: 'wxd930ea5d5a258f4f', mch_id: '10000100', nonce_str: 'ibuaiVcKdpRxkhJA' };
const JSAPI = {
  appId: 'mock-appid',
  timeStamp: '1601234567',
  nonceStr: 'mock-nonce',
  package: 'prepay_id=mock-prepay-id',
};
const O1 = {
  appid: 'wx2421b1c4370ec43b',
  attach: '支付测试',
  bank_type: 'CFT',
  cash_fee: '70',
  coupon_count: '2',
  coupon_fee: '30',
  coupon_fee_0: '10',
  coupon_fee_1: '20',
  coupon_id_0: '10000',
  coupon_id_1: '10001',
  coupon_type_0: 'CASH',
  coupon_type_1: 'NO_CASH',
  fee_type: 'CNY',
  is_subscribe: 'Y',
  mch_id: '10000100',
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  out_trade_no: '1409811653',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  time_end: '20140903131540',
  total_fee: '100',
  trade_type: 'MWEB',
  transaction_id: '1004400740201409030005092168',
};
const O2 = { ...IDS, attach: 'a=1&b=2', coupon_fee: '0', device_info: '', total_fee: '0' };
const O3 = { ...IDS, coupon_fee: '12', coupon_fee_10: '10', coupon_fee_2: '2' };
const O4 = {
  ...IDS,
  body: '腾讯充值中心-QQ会员充值',
  notify_url: 'https://example.com/wxpay/notify',
  out_trade_no: '20150806125346',
  scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://pay.qq.com","wap_name":"腾讯充值"}}',
  spbill_create_ip: '2001:db8::1',
  total_fee: '888',
  trade_type: 'MWEB',
};

const VECTORS: [string, Record<string, string>, string, SignType, string][] = [
  ['S1', S1, DOC_KEY, 'MD5', '9A0A8659F005D6984697E2CA0A9CF3B7'],
  ['S2', S1, DOC_KEY, 'HMAC-SHA256', '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6'],
  ['S3', { ...JSAPI, signType: 'MD5' }, 'mock-v2-secret-key', 'MD5', 'C52D6B09E8A039D6E8696A014BB37160'],
  [
    'S4',
    { ...JSAPI, signType: 'HMAC-SHA256' },
    'mock-v2-secret-key',
    'HMAC-SHA256',
    'BAC9240577E86EDC7753264E502196C61F78F24777E9E7CCE82A7BD97F906EED',
  ],
  ['S5', { name: 'yansongda', age: '29', foo: '' }, 'yansongda', 'MD5', '3213848AED2C380749FD1D559555881D'],
  ['O1', O1, DOC_KEY, 'MD5', 'DBBD7EA4E63C9C5D89C776C72E4B554A'],
  ['O1', O1, DOC_KEY, 'HMAC-SHA256', '5B5C97AD0A2D24A73C2107F508FFBB9E29C1B7E81DB5F217BA8559A1916C54EF'],
  ['O2', O2, DOC_KEY, 'MD5', 'F628F57E3FFBE08F9F904376C10C8AD6'],
  ['O2', O2, DOC_KEY, 'HMAC-SHA256', 'AEE9CF1FC12E39332E5D9941EFE9AEDF4DA853205B7A8EFA2E28ED6179915144'],
  ['O3', O3, DOC_KEY, 'MD5', '5B21B841B291AFCE8962F21D0E14203A'],
  ['O3', O3, DOC_KEY, 'HMAC-SHA256', '9FD304F007C13790959BB99215B1BAA4974C33A65F63CC39ADF4125A8060E676'],
  ['O4', O4, DOC_KEY, 'MD5', 'AA15E0A266AE4E7FCAFE93EC1B6DFC29'],
  ['O4', O4, DOC_KEY, 'HMAC-SHA256', '09EE9B6B17048DBE5084CA92BB2C3F9022D9895121BD239B488FA730D6E1A4AA'],
];

describe.each(VECTORS)('%s', (_id, fields, key, signType, expected) => {
  test(`${signType}: signed`, () => {
    expect(sign(fields, key, signType)).toBe(expected);
    expect(sign(Object.fromEntries(Object.entries(fields).reverse()), key, signType)).toBe(expected);
  });

  test(`${signType}: verified, as a record and as a message in any order`, () => {
    expect(verifySign({ ...fields, sign: expected }, key)).toBe(true);
    const entries = Object.entries({ ...fields, sign: expected });
    for (const order of [entries, [...entries].reverse(), [...entries].sort()]) {
      const message = readSigned(Buffer.from(buildXml(Object.fromEntries(order))));
      expect(message.ok && message.verify([prepareKey('x'.repeat(32)), prepareKey(key)])).toBe(1);
    }
  });
});

test('S6: MD5 as everybody else computes it', () => {
  expect(createHash('md5').update('exposed_your_key_here_have_risks').digest('hex')).toBe(
    '4ad14ac334ab13540eb6c5479512a8e8',
  );
});

test('what the definition says, for any fields and keys', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/);
  const value = fc.string({ unit: 'grapheme' });
  const key = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(
      fc.dictionary(name, value),
      key,
      fc.constantFrom<SignType>('MD5', 'HMAC-SHA256'),
      (fields, apiKey, signType) => {
        const names = Object.keys(fields).filter((field) => field !== 'sign' && fields[field] !== '');
        const text = [
          ...names
            .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
            .map((field) => `${field}=${fields[field]}`),
          `key=${apiKey}`,
        ].join('&');
        const hash = signType === 'MD5' ? createHash('md5') : createHmac('sha256', apiKey);
        expect(sign(fields, apiKey, signType)).toBe(hash.update(text, 'utf8').digest('hex').toUpperCase());
      },
    ),
  );
});

describe('D18: the form of sign', () => {
  const given = 'DBBD7EA4E63C9C5D89C776C72E4B554A';
  test.each([
    ['lower case', given.toLowerCase()],
    ['short', given.slice(1)],
    ['long', `${given}A`],
    ['no hexadecimal', `Z${given.slice(1)}`],
    ['empty', ''],
    ['of the other length', given.repeat(2)],
  ])('%s', (_title, wrong) => {
    expect(verifySign({ ...O1, sign: wrong }, DOC_KEY)).toBe(false);
    const message = readSigned(Buffer.from(buildXml({ ...O1, sign: wrong })));
    expect(message.ok && message.verify([prepareKey(DOC_KEY)])).toBe(-1);
  });

  test('missing, or not text', () => {
    expect(verifySign(O1, DOC_KEY)).toBe(false);
    expect(verifySign({ ...O1, sign: [given] as unknown as string }, DOC_KEY)).toBe(false);
  });

  test('why is said', () => {
    const refusal = (sign: string): unknown => {
      const message = readSigned(Buffer.from(buildXml({ ...O1, ...(sign === '' ? {} : { sign }) })));
      return message.ok && message.signRefusal;
    };
    expect([refusal(''), refusal('abc'), refusal(given)]).toEqual(['SIGN_MISSING', 'SIGN_MALFORMED', undefined]);
  });
});

describe('D17: which algorithm', () => {
  test.each<[SignType, string | undefined]>([
    ['MD5', undefined],
    ['MD5', 'MD5'],
    ['HMAC-SHA256', undefined],
    ['HMAC-SHA256', 'HMAC-SHA256'],
    ['MD5', 'SOMETHING-NEW'],
  ])('%s with sign_type %s', (signType, declared) => {
    const fields: Record<string, string> = { ...O1, ...(declared === undefined ? {} : { sign_type: declared }) };
    const signed = { ...fields, sign: sign(fields, DOC_KEY, signType) };
    expect(verifySign(signed, DOC_KEY)).toBe(true);
    const message = readSigned(Buffer.from(buildXml(signed)));
    expect(message.ok && [message.signType, message.verify([prepareKey(DOC_KEY)])]).toEqual([signType, 0]);
  });

  test('a sign_type that its sign does not keep to', () => {
    const fields = { ...O1, sign_type: 'HMAC-SHA256' };
    expect(verifySign({ ...fields, sign: sign(fields, DOC_KEY, 'MD5') }, DOC_KEY)).toBe(false);
  });
});

test('X10: the first key that fits is named', () => {
  const keys = ['a', 'b', DOC_KEY].map((key) => prepareKey(key));
  const message = readSigned(Buffer.from(buildXml({ ...O1, sign: 'DBBD7EA4E63C9C5D89C776C72E4B554A' })));
  expect(message.ok && message.verify(keys)).toBe(2);
  expect(message.ok && message.verify([])).toBe(-1);
});

test('one message after another: nothing of the one is left in the other', () => {
  const first = readSigned(Buffer.from(buildXml({ ...O1, sign: 'DBBD7EA4E63C9C5D89C776C72E4B554A' })));
  const second = readSigned(Buffer.from(buildXml({ ...O2, sign: 'F628F57E3FFBE08F9F904376C10C8AD6' })));
  expect(first.ok && first.verify([prepareKey(DOC_KEY)])).toBe(0);
  expect(second.ok && second.verify([prepareKey(DOC_KEY)])).toBe(0);
  expect(first.ok && { ...first.fields }).toEqual({ ...O1, sign: 'DBBD7EA4E63C9C5D89C776C72E4B554A' });
});

test('X11: a prepared key shows nothing of the key', () => {
  const key = prepareKey('CANARYCANARYCANARYCANARYCANARY42');
  expect(inspect(key, { showHidden: true, depth: 10 }) + JSON.stringify(key) + String(key)).not.toContain('CANARY');
});

test.each([
  ['a missing key', () => sign(O1, '')],
  ['no key at all', () => verifySign({ ...O1, sign: '' }, [])],
  ['an unknown algorithm', () => sign(O1, DOC_KEY, 'SHA1' as SignType)],
])('%s is a mistake of the program', (_title, call) => {
  expect(call).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
});

test('a value that is no text is refused by name', () => {
  expect(() => sign({ ...O1, total_fee: 100 as unknown as string }, DOC_KEY)).toThrow(
    expect.objectContaining({ code: 'FIELD_INVALID', field: 'total_fee' }),
  );
});
