import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { currenciesOn } from './currency.js';
import { sceneInfo, tooLateFor, unifiedOrderFields, type NewOrder } from './new-order.js';
import { buildXml, parseXml } from './xml.js';

const ORDER: NewOrder = { outTradeNo: '20150806125346', body: '腾讯充值中心-QQ会员充值', totalFee: 888 };
const GIVEN = {
  clientIp: '203.0.113.7',
  notifyUrl: 'https://pay.example.com/notify',
  sceneInfo: { type: 'Wap', wapUrl: 'https://pay.qq.com', wapName: '腾讯充值' },
  currencies: currenciesOn('global'),
} as const;
const NOW = new Date('2026-01-01T00:00:00Z');

/** Of an order that nobody has placed before. */
const fieldsOf = (given: Partial<NewOrder> | Record<string, unknown>): Record<string, string> => {
  const order = { ...ORDER, ...given } as NewOrder;
  const fields = unifiedOrderFields(order, GIVEN);
  const tooLate = tooLateFor(order, NOW);
  if (tooLate !== undefined) throw tooLate;
  return fields;
};

test('a plain order', () => {
  expect(fieldsOf({})).toEqual({
    device_info: 'WEB',
    body: '腾讯充值中心-QQ会员充值',
    out_trade_no: '20150806125346',
    total_fee: '888',
    spbill_create_ip: '203.0.113.7',
    notify_url: 'https://pay.example.com/notify',
    trade_type: 'MWEB',
    scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://pay.qq.com","wap_name":"腾讯充值"}}',
  });
});

test('everything an order may have', () => {
  expect(
    fieldsOf({
      feeType: 'HKD',
      attach: 'a=1&b=2',
      detail: '{"goods_detail":[]}',
      goodsTag: 'WXG',
      limitPay: 'no_credit',
      receipt: true,
      profitSharing: false,
      deviceInfo: '013467007045764',
      timeExpire: new Date('2026-01-01T00:30:00Z'),
      sceneInfo: { type: 'Android', appName: '王者荣耀', packageName: 'com.tencent.tmgp.sgame' },
    }),
  ).toMatchObject({
    fee_type: 'HKD',
    attach: 'a=1&b=2',
    detail: '{"goods_detail":[]}',
    goods_tag: 'WXG',
    limit_pay: 'no_credit',
    receipt: 'Y',
    profit_sharing: 'N',
    device_info: '013467007045764',
    time_expire: '20260101083000',
    scene_info: '{"h5_info":{"type":"Android","app_name":"王者荣耀","package_name":"com.tencent.tmgp.sgame"}}',
  });
});

test.each([
  ['D24', 'out_trade_no', { outTradeNo: '12345' }],
  ['D24', 'out_trade_no', { outTradeNo: '1'.repeat(33) }],
  ['D24', 'out_trade_no', { outTradeNo: '订单123456' }],
  ['D24', 'out_trade_no', { outTradeNo: '123 456' }],
  ['D24', 'out_trade_no', { outTradeNo: '123456\n' }],
  ['D24', 'out_trade_no', { outTradeNo: undefined }],
  ['D25', 'total_fee', { totalFee: 0.1 + 0.2 }],
  ['D25', 'total_fee', { totalFee: 19.9 * 100 }],
  ['D25', 'total_fee', { totalFee: 0 }],
  ['D25', 'total_fee', { totalFee: -1 }],
  ['D25', 'total_fee', { totalFee: NaN }],
  ['D25', 'total_fee', { totalFee: Infinity }],
  ['D25', 'total_fee', { totalFee: 2 ** 31 }],
  ['D25', 'total_fee', { totalFee: '1.00' }],
  ['D25', 'total_fee', { totalFee: 1n }],
  ['D23', 'body', { body: '' }],
  ['D23', 'body', { body: '  ' }],
  ['D23', 'body', { body: '好'.repeat(128) }],
  ['D23', 'body', { body: 'line\nbreak' }],
  ['D23', 'body', { body: 'nul\u0000' }],
  ['D23', 'body', { body: 'half \ud83d' }],
  ['X26', 'attach', { attach: 'a\r\nb' }],
  ['D23', 'attach', { attach: 'x'.repeat(128) }],
  ['re-cut', 'attach', { attach: 'a&total_fee=1' }],
  ['re-cut', 'body', { body: 'shop&coupon_fee_0=1' }],
  ['T04', 'time_expire', { timeExpire: new Date('2026-01-01T00:00:59Z') }],
  ['T04', 'time_expire', { timeExpire: new Date('2026-01-01T00:04:59.999Z') }],
  ['T04', 'time_expire', { timeExpire: new Date('2025-12-31T23:59:00Z') }],
  ['T04', 'time_expire', { timeExpire: new Date(NaN) }],
  ['T04', 'time_expire', { timeExpire: '20260101083000' }],
  [
    'length',
    'scene_info',
    { sceneInfo: { type: 'Wap', wapUrl: `https://${'a'.repeat(200)}.example`, wapName: '店'.repeat(40) } },
  ],
  ['type', 'scene_info', { sceneInfo: { type: 'iOS', appName: 'a', bundleId: 'b' } }],
  ['currency', 'fee_type', { feeType: 'cny' }],
  ['currency', 'fee_type', { feeType: 'BTC' }],
  ['currency', 'fee_type', { feeType: 'XAU' }],
  ['JSON', 'detail', { detail: '{' }],
  ['value', 'limit_pay', { limitPay: 'no_debit' }],
  ['name', 'total_fee', { total_fee: 1 }],
  ['name', 'price', { price: 1 }],
  ['XML', 'body', { body: 'x\ufffe' }],
  ['boolean', 'profit_sharing', { profitSharing: 'false' }],
  ['boolean', 'receipt', { receipt: 'yes' }],
  ['URL', 'scene_info', { sceneInfo: { type: 'Wap', wapUrl: 'x', wapName: 'y' } }],
  ['member', 'scene_info', { sceneInfo: { type: 'Wap', wapUrl: 'https://a.example', wapName: 'y', bundleId: 'z' } }],
])('%s: %s is refused by name: %o', (_id, field, order) => {
  expect(() => fieldsOf(order)).toThrow(
    expect.objectContaining({
      code: 'ORDER_FIELD_INVALID',
      field: expect.stringContaining(field),
      hint: expect.stringMatching(/./),
    }),
  );
});

test('a misspelt field says which one was meant', () => {
  expect(() => fieldsOf({ out_trade_no: 'x' })).toThrow(expect.objectContaining({ hint: 'Did you mean outTradeNo?' }));
});

test('characters are counted as people count them', () => {
  expect(fieldsOf({ body: '🎁'.repeat(127) })['body']).toHaveLength(254);
});

test('D24: numbers that differ only in case are two numbers', () => {
  expect(fieldsOf({ outTradeNo: 'ABCDEF' })['out_trade_no']).not.toBe(
    fieldsOf({ outTradeNo: 'abcdef' })['out_trade_no'],
  );
});

test('D23: 127 characters of any script, however many bytes', () => {
  for (const character of ['x', 'é', '好', '🎁']) {
    expect(fieldsOf({ body: character.repeat(127) })['body']).toBe(character.repeat(127));
    expect(() => fieldsOf({ body: character.repeat(128) })).toThrow(expect.objectContaining({ field: 'body' }));
  }
});

test.each([']]>', '<![CDATA[x]]>', '</body><total_fee>1</total_fee>', '&amp;', '"\'<>&', '&#38;'])(
  'D23: %j in a product name arrives as it is',
  (text) => {
    const fields = fieldsOf({ body: `Tea ${text}` });
    expect(parseXml(buildXml(fields))).toEqual(fields);
  },
);

test('D23: every control character is refused, wherever it stands', () => {
  const controls = [...Array(0x20).keys(), 0x7f].map((code) => String.fromCharCode(code));
  for (const field of ['body', 'attach', 'goodsTag', 'deviceInfo'] as const) {
    for (const control of controls) {
      expect(() => fieldsOf({ [field]: `a${control}b` })).toThrow(
        expect.objectContaining({ code: 'ORDER_FIELD_INVALID' }),
      );
    }
  }
});

test('D24: exactly the numbers of 6 to 32 characters of the alphabet', () => {
  const alphabet = [...'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-|*'];
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...alphabet), minLength: 6, maxLength: 32 }), (outTradeNo) => {
      expect(fieldsOf({ outTradeNo })['out_trade_no']).toBe(outTradeNo);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 6, maxLength: 32 }), (outTradeNo) => {
      fc.pre([...outTradeNo].some((character) => !alphabet.includes(character)));
      expect(() => fieldsOf({ outTradeNo })).toThrow(expect.objectContaining({ field: 'out_trade_no' }));
    }),
  );
});

test('D25: every integer of the range is an amount, every other number is none', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_147_483_647 }), (totalFee) => {
      expect(fieldsOf({ totalFee })['total_fee']).toBe(String(totalFee));
    }),
  );
  fc.assert(
    fc.property(fc.double(), (totalFee) => {
      fc.pre(!(Number.isInteger(totalFee) && totalFee >= 1 && totalFee < 2 ** 31));
      expect(() => fieldsOf({ totalFee })).toThrow(
        expect.objectContaining({
          code: 'ORDER_FIELD_INVALID',
          field: 'total_fee',
          hint: expect.stringContaining('yuan('),
        }),
      );
    }),
  );
});

test('T04: five minutes ahead is enough', () => {
  expect(fieldsOf({ timeExpire: new Date('2026-01-01T00:05:00Z') })['time_expire']).toBe('20260101080500');
});

test.each([
  ['2025-12-31T15:59:59Z', '20251231235959'],
  ['2025-12-31T16:00:00Z', '20260101000000'],
  ['2028-02-28T16:00:00Z', '20280229000000'],
  ['2028-02-29T16:00:00Z', '20280301000000'],
  ['2038-01-19T03:14:08Z', '20380119111408'],
])('T06: time_expire at %s', (iso, text) => {
  const timeExpire = new Date(iso);
  expect(unifiedOrderFields({ ...ORDER, timeExpire }, GIVEN)['time_expire']).toBe(text);
});

test.each(['UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Apia', 'Asia/Shanghai'])(
  'T03: orders of a host in %s expire at the same time, whatever its clocks do',
  (zone) => {
    // Around the hours that New York skips and repeats, those of Lord Howe (half an hour), and one of 1988, when China
    // itself had daylight saving time.
    const times = [
      '2026-03-08T07:30:00Z',
      '2026-11-01T05:30:00Z',
      '2026-11-01T06:30:00Z',
      '2026-10-03T15:45:00Z',
      '1988-07-01T00:00:00Z',
    ];
    const script = `
      const { unifiedOrderFields } = require('./new-order.ts');
      for (const iso of ${JSON.stringify(times)}) {
        const timeExpire = new Date(iso);
        const given = ${JSON.stringify(GIVEN)};
        console.log(unifiedOrderFields({ ...${JSON.stringify(ORDER)}, timeExpire }, given).time_expire);
      }`;
    const output = execFileSync(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
      cwd: __dirname,
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    expect(output.trim().split('\n')).toEqual([
      '20260308153000',
      '20261101133000',
      '20261101143000',
      '20261003234500',
      '19880701080000',
    ]);
  },
);

describe('scene_info', () => {
  test('is built for each scene', () => {
    expect(JSON.parse(sceneInfo({ type: 'Wap', wapUrl: 'https://shop.example', wapName: '小店' }))).toEqual({
      h5_info: { type: 'Wap', wap_url: 'https://shop.example', wap_name: '小店' },
    });
    expect(JSON.parse(sceneInfo({ type: 'IOS', appName: '小店', bundleId: 'example.shop' }))).toEqual({
      h5_info: { type: 'IOS', app_name: '小店', bundle_id: 'example.shop' },
    });
  });

  test('has 256 characters at most, counted after it is built: what JSON escapes counts, too', () => {
    const name = (length: number): string =>
      sceneInfo({ type: 'Wap', wapUrl: 'https://shop.example', wapName: '店'.repeat(length) });
    const room = 256 - [...name(1)].length + 1;
    expect([...name(room)]).toHaveLength(256);
    expect(() => name(room + 1)).toThrow(expect.objectContaining({ field: 'scene_info' }));
    expect(() => sceneInfo({ type: 'Wap', wapUrl: 'https://shop.example', wapName: '"'.repeat(room - 1) })).toThrow(
      expect.objectContaining({ field: 'scene_info' }),
    );
  });
});

describe('currencies', () => {
  const feeType = (value: string, gateway?: string | string[]): string | undefined =>
    unifiedOrderFields({ ...ORDER, feeType: value }, { ...GIVEN, currencies: currenciesOn(gateway) })['fee_type'];

  test.each([[undefined], ['mainland']])(
    'gateway %j takes CNY only, and the error says which gateway takes others',
    (gateway) => {
      expect(feeType('CNY', gateway)).toBe('CNY');
      expect(() => feeType('HKD', gateway)).toThrow(
        expect.objectContaining({
          code: 'ORDER_FIELD_INVALID',
          field: 'fee_type',
          message: expect.stringContaining('takes CNY only'),
          hint: expect.stringContaining("'global'"),
        }),
      );
    },
  );

  test.each([['global'], ['https://apihk.mch.weixin.qq.com'], [['https://api.mch.weixin.qq.com']]])(
    'gateway %j takes those of the official list, and the error names them',
    (gateway) => {
      for (const listed of ['CNY', 'HKD', 'JPY', 'ISK']) expect(feeType(listed, gateway)).toBe(listed);
      expect(() => feeType('INR', gateway)).toThrow(
        expect.objectContaining({ field: 'fee_type', hint: expect.stringContaining('CNY, HKD, GBP') }),
      );
    },
  );
});
