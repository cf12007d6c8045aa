import { createHash, createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { prepareKey, readSigned, sign, verifySign, type SignedMessage, type SignType } from './signature.js';
import { buildXml, parseXml } from './xml.js';

/** A message that is in the dialect. */
function read(body: Uint8Array | string): SignedMessage {
  const message = readSigned(body);
  if (!message.ok) throw new Error(message.reason);
  return message;
}

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
  const key = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64, size: 'max' });
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

  test('anything but a digit in the place of any digit', () => {
    for (const [, fields, key, , signature] of VECTORS) {
      for (let at = 0; at < signature.length; at++) {
        for (const other of ['G', '@', '/', ':', '`', 'a', ' ', '\u00b0']) {
          const wrong = { ...fields, sign: signature.slice(0, at) + other + signature.slice(at + 1) };
          expect(verifySign(wrong, key)).toBe(false);
          const message = read(buildXml(wrong));
          expect([message.signRefusal, message.verify([prepareKey(key)])]).toEqual(['SIGN_MALFORMED', -1]);
        }
      }
    }
  });

  test.each<[SignType, SignType]>([
    ['MD5', 'HMAC-SHA256'],
    ['HMAC-SHA256', 'MD5'],
  ])('the right digits of %s, but as many as %s has', (signType, other) => {
    const fields = { ...O1, sign_type: signType };
    const digits = sign(fields, DOC_KEY, signType);
    const given = digits.repeat(2).slice(0, other === 'MD5' ? 32 : 64);
    expect(verifySign({ ...fields, sign: given }, DOC_KEY)).toBe(false);
    expect(read(buildXml({ ...fields, sign: given })).verify([prepareKey(DOC_KEY)])).toBe(-1);
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

test.each([
  ['empty', ''],
  ['longer than a block', 'k'.repeat(65)],
  ['no text', undefined as unknown as string],
])('a key that is %s is refused, and never shown', (_title, key) => {
  expect(() => prepareKey(key)).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.not.stringContaining('kkk') }),
  );
});

test('fields of more than 64 KiB', () => {
  const fields = { body: 'x'.repeat(65_536) };
  expect(() => sign(fields, DOC_KEY)).toThrow(expect.objectContaining({ code: 'FIELD_INVALID' }));
  expect(verifySign({ ...fields, sign: 'DBBD7EA4E63C9C5D89C776C72E4B554A' }, DOC_KEY)).toBe(false);
  const largest = { body: 'x'.repeat(65_536 - 'body=&'.length) };
  expect(verifySign({ ...largest, sign: sign(largest, DOC_KEY) }, DOC_KEY)).toBe(true);
});

test('D16: an empty field is kept and not signed; a zero is both', () => {
  const body = buildXml({ ...O2, sign: 'F628F57E3FFBE08F9F904376C10C8AD6' });
  expect(read(body).verify([prepareKey(DOC_KEY)])).toBe(0);
  expect(read(body).fields).toMatchObject({ device_info: '', coupon_fee: '0', total_fee: '0' });
  const { device_info: _, ...without } = O2;
  expect(sign(without, DOC_KEY)).toBe(sign(O2, DOC_KEY));
  expect(sign({ ...O2, total_fee: '' }, DOC_KEY)).not.toBe(sign(O2, DOC_KEY));
});

test.each([
  ['in CDATA', '<a><![CDATA[x&y]]></a>', true],
  ['as an entity', '<a>x&amp;y</a>', true],
  ['by its number', '<a>&#38;</a>', true],
  ['by its hexadecimal number', '<a>&#x26;</a>', true],
  ['in the field set aside', '<sign><![CDATA[&]]></sign>', true],
  ['nowhere', '<a>x</a><b>&lt;&#37;</b><c><![CDATA[<>]]></c>', false],
])('whether a value contains &: %s', (_title, inside, expected) => {
  expect(read(`<xml>${inside}</xml>`).hasAmpersand).toBe(expected);
  expect(read('<xml><a>x</a></xml>').hasAmpersand).toBe(false);
});

test('D15: a field nobody knows is signed like any other', () => {
  const fields = { ...O1, brand_new_field: '1', Upper: '2', _under: '3' };
  const signed = { ...fields, sign: sign(fields, DOC_KEY) };
  expect(read(buildXml(signed)).verify([prepareKey(DOC_KEY)])).toBe(0);
  expect(read(buildXml({ ...signed, brand_new_field: '2' })).verify([prepareKey(DOC_KEY)])).toBe(-1);
});

test('X09: a value of another type proves nothing', () => {
  const signature = sign({ a: '1,2' }, DOC_KEY);
  for (const a of [['1', '2'], 1.2, null, undefined, { toString: () => '1,2' }]) {
    expect(verifySign({ a: a as unknown as string, sign: signature }, DOC_KEY)).toBe(false);
  }
  expect(verifySign({ 'a=1&b': '2', sign: sign({ a: '1', b: '2' }, DOC_KEY) }, DOC_KEY)).toBe(false);
});

// Every way to write the same fields, in every order.
const name = fc.oneof(
  fc.constantFrom(...Object.keys(O1), 'sign_type', 'version'),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,40}$/),
);
const value = fc.string({
  unit: fc.oneof(fc.constantFrom('支', '🎁', '&', '<', ']', '>', '=', '0', '\r\n'), fc.stringMatching(/^[ -~]$/)),
  maxLength: 80,
});
const fieldsOf = fc
  .uniqueArray(fc.tuple(name, value), { selector: ([field]) => field, maxLength: 30 })
  .map((entries) => entries.filter(([field]) => field !== 'sign'));
const signType = fc.constantFrom<SignType>('MD5', 'HMAC-SHA256');
const escaped = (text: string): string => text.replace(/[<&>\r]/g, (character) => `&#${character.charCodeAt(0)};`);
const spelled = (field: string, text: string, style: number): string => {
  if (style === 0 && text === '') return `<${field}/>`;
  if (style === 1) return `<${field}>${escaped(text)}</${field}>`;
  return `<${field}><![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]></${field}>`;
};

test('a message verifies however it is written, and in any order', () => {
  fc.assert(
    fc.property(
      fieldsOf,
      signType,
      fc.array(fc.nat(2), { minLength: 31, maxLength: 31 }),
      fc.nat(31),
      (fields, type, styles, at) => {
        const declared = fields.map(([field, text]): [string, string] => [field, field === 'sign_type' ? type : text]);
        const record = Object.fromEntries(declared);
        const signed = [...declared];
        signed.splice(at, 0, ['sign', sign(record, DOC_KEY, type)]);
        const inside = signed.map(([field, text], index) => spelled(field, text, styles[index] as number));
        const message = read(Buffer.from(`<xml>${inside.join('\n')}</xml>`));
        expect(message.verify([prepareKey('another key'), prepareKey(DOC_KEY)])).toBe(1);
        expect(Object.entries(message.fields)).toEqual(signed);
        for (const [field, text] of signed) expect(message.get(field)).toBe(text);
        expect([message.get('absent'), message.get('coupon_id_2x')]).toEqual([undefined, undefined]);
        expect(verifySign(message.fields, DOC_KEY)).toBe(true);
      },
    ),
  );
});

test('X04: a message of which one field is changed, added or taken away does not', () => {
  fc.assert(
    fc.property(fieldsOf, signType, fc.nat(), value, name, (fields, type, at, other, added) => {
      const record = Object.fromEntries(fields.filter(([field]) => field !== 'sign_type'));
      const signed: Record<string, string> = { ...record, sign: sign(record, DOC_KEY, type) };
      const verify = (changed: Record<string, string>): number => read(buildXml(changed)).verify([prepareKey(DOC_KEY)]);
      expect(verify(signed)).toBe(0);
      const victim = Object.keys(record)[at % Math.max(1, fields.length)];
      if (victim !== undefined && record[victim] !== other) {
        expect(verify({ ...signed, [victim]: other })).toBe(-1);
        const { [victim]: taken, ...rest } = signed;
        expect(verify(rest)).toBe(taken === '' ? 0 : -1);
      }
      if (!(added in signed) && added !== 'sign_type') expect(verify({ ...signed, [added]: '1' })).toBe(-1);
    }),
  );
});

describe('messages in turn', () => {
  const bodies = [O1, O2, O3, O4].map((fields, index) => {
    const type: SignType = index % 2 === 0 ? 'MD5' : 'HMAC-SHA256';
    const signed: Record<string, string> = { ...fields, sign: sign(fields, DOC_KEY, type) };
    return {
      signed,
      body: Buffer.from(buildXml(index < 2 ? signed : Object.fromEntries(Object.entries(signed).reverse()))),
    };
  });
  const [key, other] = [prepareKey(DOC_KEY), prepareKey('another key')];

  test('each keeps its own fields and signature, whatever is read, signed or refused in between', () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('verify'), which: fc.nat(3) }),
      fc.record({ what: fc.constant('fields'), which: fc.nat(3) }),
      fc.record({ what: fc.constant('get'), which: fc.nat(3) }),
      fc.record({ what: fc.constantFrom('sign', 'verifySign', 'parseXml', 'refuse'), which: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const messages = bodies.map(({ body }) => read(body));
        for (const { what, which } of steps) {
          const { signed, body } = bodies[which]!;
          const message = messages[which]!;
          if (what === 'verify') expect([message.verify([other, key]), message.verify([other])]).toEqual([1, -1]);
          else if (what === 'fields') expect({ ...message.fields }).toEqual(signed);
          else if (what === 'get') expect(message.get('nonce_str')).toBe(signed['nonce_str']);
          else if (what === 'sign') sign(signed, DOC_KEY, 'HMAC-SHA256');
          else if (what === 'verifySign') expect(verifySign(signed, DOC_KEY)).toBe(true);
          else if (what === 'parseXml') expect({ ...parseXml(body) }).toEqual(signed);
          else expect(readSigned('<xml><sign>')).toMatchObject({ ok: false });
        }
      }),
    );
  });

  test('a body that was changed meanwhile is said to be', () => {
    const body = Buffer.from(bodies[0]!.body);
    const message = read(body);
    read(bodies[1]!.body);
    body.fill(0);
    expect(() => message.verify([key])).toThrow(expect.objectContaining({ code: 'XML_INVALID' }));
  });
});

test('D28: of 20,000 mutations none verifies, unless it means exactly the same', () => {
  const fields = { ...O1, device_info: '', attach: '支付]]>&' };
  const types = ['MD5', 'HMAC-SHA256'] as const;
  const genuine = types.map((type) => {
    const signed = { ...fields, sign: sign(fields, DOC_KEY, type) };
    const inside = Object.entries(signed).map(([field, text], index) => spelled(field, text, index % 3));
    return Buffer.from(`<?xml version="1.0"?>\n<xml>\n${inside.join('\n')}\n</xml>\n`);
  });
  // An empty field is not signed, so nothing speaks for its name either.
  const meaningOf = (message: SignedMessage): [string, string][] =>
    Object.entries(message.fields).filter(([field, text]) => field !== 'sign' && text !== '');
  const meaning = meaningOf(read(genuine[0]!));
  const keys = [prepareKey(DOC_KEY)];
  const longest = Math.max(...genuine.map((body) => body.length));
  const verdicts = { refused: 0, unsigned: 0, same: 0 };
  fc.assert(
    fc.property(
      fc.nat(1),
      fc.constantFrom('set', 'flip', 'swap', 'remove', 'copy', 'splice'),
      fc.nat(longest - 1),
      fc.nat(longest - 1),
      fc.nat(255),
      (which, how, from, to, byte) => {
        const body = genuine[which]!;
        const [a, b] = [from % body.length, to % body.length];
        let mutated = Buffer.from(body);
        if (how === 'set') mutated[a] = byte;
        else if (how === 'flip') mutated[a]! ^= 1 << (byte & 7);
        else if (how === 'swap') [mutated[a], mutated[b]] = [mutated[b]!, mutated[a]!];
        else if (how === 'remove') mutated = Buffer.concat([body.subarray(0, a), body.subarray(a + 1 + (byte & 15))]);
        else if (how === 'copy')
          mutated = Buffer.concat([body.subarray(0, a), body.subarray(b, b + byte), body.subarray(a)]);
        else mutated = Buffer.concat([body.subarray(0, a), genuine[1 - which]!.subarray(a)]);
        const message = readSigned(mutated);
        if (!message.ok) verdicts.refused++;
        else if (message.verify(keys) === -1) verdicts.unsigned++;
        else {
          verdicts.same++;
          expect(meaningOf(message)).toEqual(meaning);
        }
      },
    ),
    { numRuns: 20_000 },
  );
  // White space, and copies of nothing: the test would prove little if every mutation were refused outright.
  expect(Math.min(verdicts.refused, verdicts.unsigned, verdicts.same)).toBeGreaterThan(100);
});
