import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createCipheriv, createHash } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  createWechatH5,
  MemoryOrderBook,
  parseXml,
  sign,
  type NotificationEvent,
  type Problem,
  type WechatH5,
  type WechatH5Options,
} from './index.js';
import { captureRequest, receiveNotification } from './adapter.js';
import { Deliveries } from './delivery.js';
import { paymentOf } from './payment.js';
import { createReqInfoOpener } from './refund-notification.js';
import { refundNotification, signedNotification } from './testing.js';
import { buildXml } from './xml.js';

const API_KEY = '192006250b4c09247ec02edce69f6a2d';
const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: API_KEY };
const OPTIONS: WechatH5Options = { merchant: MERCHANT, notifyUrl: 'https://pay.example.com/notify' };
const FIELDS = { out_trade_no: '1409811653', total_fee: '100' };

/** The official sample's fields, with a value of every kind. */
const RICH = {
  ...FIELDS,
  attach: '支付测试 "a" <b> 🎁',
  cash_fee: '70',
  coupon_count: '2',
  coupon_fee: '30',
  coupon_fee_0: '10',
  coupon_fee_1: '20',
  coupon_id_0: '10000',
  coupon_id_1: '10001',
  coupon_type_0: 'CASH',
  coupon_type_1: 'NO_CASH',
  brand_new_field: '1',
};

const verify = (
  body: string | Uint8Array,
  merchant: WechatH5Options['merchant'] = MERCHANT,
): ReturnType<WechatH5['verifyNotification']> => createWechatH5({ ...OPTIONS, merchant }).verifyNotification(body);

/** A message with exactly these fields, validly signed. */
function signed(fields: Record<string, string>, key = API_KEY): string {
  return buildXml({ ...fields, sign: sign(fields, key) });
}

test('every field of a rich notification, exact', () => {
  const body = signedNotification(RICH, MERCHANT);
  expect(verify(body)).toMatchObject({
    type: 'payment',
    outTradeNo: '1409811653',
    totalFee: 100,
    cashFee: 70,
    couponFee: 30,
    feeType: 'CNY',
    attach: RICH.attach,
    timeEnd: new Date('2026-01-02T07:04:05Z'),
    raw: { ...RICH, total_fee: '100' },
  });
});

test('D15, D17: unknown fields are kept and signed over, sign_type may be there or not', () => {
  for (const signType of ['MD5', 'HMAC-SHA256'] as const) {
    const merchant = { ...MERCHANT, signType };
    expect(verify(signedNotification(RICH, merchant))).toMatchObject({ raw: { brand_new_field: '1' } });
    expect(verify(signedNotification({ ...RICH, sign_type: signType }, merchant))).toMatchObject({
      raw: { sign_type: signType },
    });
  }
});

test('D16: an empty field is kept and not signed over', () => {
  const body = signedNotification(FIELDS, MERCHANT).replace('</xml>', '<device_info></device_info><coupon_id/></xml>');
  expect(verify(body)).toMatchObject({ raw: { device_info: '', coupon_id: '' } });
});

test.each([
  '-1',
  '+1',
  '1e3',
  '1.0',
  '0',
  '007',
  '1 ',
  '0x10',
  '１００',
  '12345678901',
  '1004400740201409030005092168',
])('D13: %j is no amount', (amount) => {
  expect(() => verify(signedNotification({ ...FIELDS, total_fee: amount }, MERCHANT))).toThrow(
    expect.objectContaining({ code: 'FIELD_INVALID', field: 'total_fee' }),
  );
});

test('D22: attach is text, whatever it looks like', () => {
  for (const attach of [
    '<script>alert(1)</script>',
    '{"a":1}',
    "'; DROP TABLE orders; --",
    ']]>',
    '&amp;',
    'a=1&b=2',
  ]) {
    expect(verify(signedNotification({ ...FIELDS, attach }, MERCHANT))).toMatchObject({ attach });
  }
});

test('D21: four-byte characters', () => {
  expect(verify(signedNotification({ ...FIELDS, attach: '𠮷🎁' }, MERCHANT))).toMatchObject({ attach: '𠮷🎁' });
});

test('D18: sign in lower case, of another length, no hexadecimal', () => {
  const body = signedNotification(FIELDS, MERCHANT);
  const given = parseXml(body)['sign'] ?? '';
  for (const wrong of [
    given.toLowerCase(),
    given.slice(1),
    `${given}0`,
    given.repeat(2),
    `G${given.slice(1)}`,
    ` ${given.slice(1)}`,
  ]) {
    expect(() => verify(body.replace(given, wrong))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^SIGN_(MALFORMED|INVALID)$/) }),
    );
  }
});

describe('X04: one field changed, removed or added', () => {
  const genuine = parseXml(signedNotification(RICH, MERCHANT));

  test.each(Object.keys(genuine).filter((name) => name !== 'sign'))('%s', (name) => {
    const changed = { ...genuine, [name]: `${genuine[name]}1` };
    const removed = Object.fromEntries(Object.entries(genuine).filter(([other]) => other !== name));
    for (const fields of [changed, removed]) {
      expect(() => verify(buildXml(fields))).toThrow(expect.objectContaining({ name: 'WechatH5Error' }));
    }
  });

  test('a field more', () => {
    expect(() => verify(buildXml({ ...genuine, device_info: '1' }))).toThrow(
      expect.objectContaining({ code: 'SIGN_INVALID' }),
    );
  });
});

test('X02: what has no sign, or no return_code, is refused whatever else it has', () => {
  const genuine = parseXml(signedNotification(FIELDS, MERCHANT));
  for (const missing of [
    ['sign'],
    ['return_code'],
    ['sign', 'return_code'],
    ['sign', 'return_code', 'appid', 'mch_id'],
  ]) {
    const fields = Object.fromEntries(Object.entries(genuine).filter(([name]) => !missing.includes(name)));
    expect(() => verify(buildXml(fields))).toThrow(expect.objectContaining({ name: 'WechatH5Error' }));
  }
});

test('X09: a field twice, or a sign that is a list', () => {
  const body = signedNotification(FIELDS, MERCHANT);
  for (const extra of ['<total_fee>100</total_fee>', '<sign>A</sign>', '<sign[]>A</sign[]>']) {
    expect(() => verify(body.replace('</xml>', `${extra}</xml>`))).toThrow(
      expect.objectContaining({ code: 'XML_INVALID' }),
    );
  }
});

test('the parameters that a browser gets signed are no notification', () => {
  // The same key signs what JSAPI hands to a web page: the page's owner holds a valid signature.
  const invocation = {
    appId: MERCHANT.appId,
    timeStamp: '1601234567',
    nonceStr: 'n',
    package: 'prepay_id=wx1',
    signType: 'MD5',
  };
  expect(() => verify(signed(invocation))).toThrow(expect.objectContaining({ code: 'FIELD_MISSING' }));
});

describe('the signed string can be cut in several places', () => {
  // A genuine order with the attach `vip` was paid with 100. Its message says attach=vip&bank_type=CFT&…
  const genuine: Record<string, string> = {
    appid: MERCHANT.appId,
    attach: 'vip',
    bank_type: 'CFT',
    mch_id: MERCHANT.mchId,
    nonce_str: 'n',
    out_trade_no: '1409811653',
    result_code: 'SUCCESS',
    return_code: 'SUCCESS',
    total_fee: '100',
    trade_type: 'MWEB',
    transaction_id: '4200000001',
  };
  // The same string, cut elsewhere: bank_type has moved into attach.
  const recut: Record<string, string> = { ...genuine, attach: 'vip&bank_type=CFT' };
  delete recut['bank_type'];

  test('the re-cut message has the very same signature', () => {
    expect(sign(recut, API_KEY)).toBe(sign(genuine, API_KEY));
    expect(verify(signed(genuine))).toMatchObject({ type: 'payment', attach: 'vip' });
  });

  test('first lock, alone: no value may hide a field', () => {
    expect(() => verify(signed(recut))).toThrow(expect.objectContaining({ code: 'FIELD_AMBIGUOUS', field: 'attach' }));
  });

  test.each([
    'total_fee',
    'coupon_fee_0',
    'coupon_refund_id_0',
    'coupon_refund_fee_0_1',
    'settlement_fee',
    'rate_time',
  ])('first lock: %s is one of the fields that WeChat Pay signs', (name) => {
    for (const attach of [`vip&${name}=1`, `&&${name}=`, `a=1&b=2&${name}=&c`]) {
      expect(() => verify(signed({ ...genuine, attach }))).toThrow(
        expect.objectContaining({ code: 'FIELD_AMBIGUOUS', message: `attach contains "&${name}="` }),
      );
    }
  });

  test('second lock, alone: the stored order', async () => {
    const book = new MemoryOrderBook();
    const key = { mchId: MERCHANT.mchId, outTradeNo: '1409811653' };
    const intent = { appId: MERCHANT.appId, totalFee: 100, feeType: 'CNY', attach: 'vip', params: {}, clientIp: '' };
    await book.apply(key, { type: 'intend', intent });
    const deliveries = new Deliveries({
      book,
      findOrder: undefined,
      onPaid: () => {},
      onRefunded: undefined,
      report: () => {},
    });
    expect(await deliveries.record(paymentOf(recut))).toBe('quarantined');
  });

  test('the other way: an attach that became a field', () => {
    // createOrder refuses to send such an attach; a genuine message cannot contain it.
    const inside = { ...genuine, attach: 'x&auth_code=1' };
    const outside = { ...genuine, attach: 'x', auth_code: '1' };
    expect(sign(inside, API_KEY)).toBe(sign(outside, API_KEY));
    expect(() => verify(signed(inside))).toThrow(expect.objectContaining({ code: 'FIELD_AMBIGUOUS' }));
  });
});

describe('keys and merchants', () => {
  const second = { appId: 'wx0000000000000002', mchId: '10000200', apiKey: 's'.repeat(32) };
  const provider = { appId: 'wx0000000000000003', mchId: '10000300', apiKey: 'p'.repeat(32), subMchId: '20000001' };
  const all = [MERCHANT, second, provider, { ...provider, subMchId: '20000002' }];

  test('several on one endpoint, each with its own key', () => {
    for (const merchant of all)
      expect(verify(signedNotification(FIELDS, merchant), all)).toMatchObject({ mchId: merchant.mchId });
  });

  test("X05: one merchant's key does not sign for another", () => {
    expect(() => verify(signedNotification(FIELDS, { ...second, apiKey: API_KEY }), all)).toThrow(
      expect.objectContaining({ code: 'SIGN_INVALID' }),
    );
  });

  test('a sub-merchant that is not ours', () => {
    expect(() => verify(signedNotification(FIELDS, { ...provider, subMchId: '20000009' }), all)).toThrow(
      expect.objectContaining({ code: 'MERCHANT_UNKNOWN' }),
    );
    expect(() => verify(signedNotification({ ...FIELDS, sub_mch_id: '20000001' }, MERCHANT), all)).toThrow(
      expect.objectContaining({ code: 'MERCHANT_UNKNOWN' }),
    );
  });

  test('X10: current and previous key; which one fitted is reported', async () => {
    const previous = 'o'.repeat(32);
    const wechatH5 = createWechatH5({
      ...OPTIONS,
      merchant: { ...MERCHANT, apiKey: [API_KEY, previous] },
      findOrder: async () => ({ totalFee: 100 }),
      onPaid: () => {},
    });
    const seen: unknown[] = [];
    const listener = (event: unknown): void => void seen.push((event as NotificationEvent).keyIndex);
    subscribe('wechat-h5:notification:verified', listener);
    for (const apiKey of [API_KEY, previous]) {
      await wechatH5.handleNotification({
        method: 'POST',
        body: Buffer.from(signedNotification(FIELDS, { ...MERCHANT, apiKey })),
      });
    }
    unsubscribe('wechat-h5:notification:verified', listener);
    expect(seen).toEqual([0, 1]);
  });

  test('X07: with onlyHmacSha256 a downgrade to MD5 is refused, without it MD5 is accepted', () => {
    const strict = { ...MERCHANT, signType: 'HMAC-SHA256', onlyHmacSha256: true } as const;
    const md5 = signedNotification(FIELDS, { ...MERCHANT, signType: 'MD5' });
    expect(() => verify(md5, strict)).toThrow(expect.objectContaining({ code: 'SIGN_TYPE_REFUSED' }));
    expect(verify(signedNotification(FIELDS, strict), strict)).toMatchObject({ type: 'payment' });
    expect(verify(md5, { ...MERCHANT, signType: 'HMAC-SHA256' })).toMatchObject({ type: 'payment' });
  });
});

describe('refund notifications', () => {
  const REFUND = { ...FIELDS, out_refund_no: 'R1', refund_fee: '40' };

  test('R4: a published form of req_info opens', () => {
    const reqInfo =
      'WBzGpzQuNpcFxIlFjUUD9BZv+lpBMzd2SHiKCkwfALWid5G8ZvfOussfMIHLbKJmcnxPKdb1ZJEqTAp8ysQv+xa1fj+Eorgndx3fNxf3KAYa3LPgsjvZgxaeYyrhV05Kbjkj6ywg27cEyTTaPZFYNg==';
    expect(Buffer.from(createReqInfoOpener(API_KEY)(reqInfo)).toString('utf8')).toBe(
      '<root><out_refund_no><![CDATA[R1]]></out_refund_no><refund_status><![CDATA[SUCCESS]]></refund_status></root>',
    );
  });

  test('R3: AES-256-ECB with PKCS#7', () => {
    const cipher = createCipheriv('aes-256-ecb', '0123456789abcdef0123456789abcdef', null);
    expect(Buffer.concat([cipher.update('hello'), cipher.final()]).toString('base64')).toBe('pZwJZBLuy3mDACEQT4YTBw==');
  });

  test('R5: a digest that begins with zero keeps its zero', () => {
    const apiKey = '00000000000000000000000000000017';
    expect(createHash('md5').update(apiKey).digest('hex')).toBe('02c35341e477bcc3ad9cec298c18d9a1');
    expect(verify(refundNotification(REFUND, { ...MERCHANT, apiKey }), { ...MERCHANT, apiKey })).toMatchObject({
      type: 'refund-hint',
    });
  });

  test('a hint, with any of the keys', () => {
    const body = refundNotification(REFUND, MERCHANT);
    const expected = {
      type: 'refund-hint',
      outTradeNo: '1409811653',
      outRefundNo: 'R1',
      refundFee: 40,
      totalFee: 100,
      refundStatus: 'SUCCESS',
      successTime: new Date('2026-01-02T07:04:05Z'),
    };
    expect(verify(body)).toMatchObject(expected);
    expect(verify(body, { ...MERCHANT, apiKey: ['n'.repeat(32), API_KEY] })).toMatchObject(expected);
  });

  test('D26: base64, padding, key, block, root or field wrong: one and the same refusal', () => {
    const body = refundNotification(REFUND, MERCHANT);
    const reqInfo = parseXml(body)['req_info'] ?? '';
    const bytes = Buffer.from(reqInfo, 'base64');
    const swapped = Buffer.concat([bytes.subarray(16, 32), bytes.subarray(0, 16), bytes.subarray(32)]);
    const encrypt = (text: string): string => {
      const cipher = createCipheriv('aes-256-ecb', createHash('md5').update(API_KEY).digest('hex'), null);
      return Buffer.concat([cipher.update(text), cipher.final()]).toString('base64');
    };
    const messages = new Set<string>();
    for (const wrong of [
      '',
      '!!!!',
      reqInfo.slice(0, -1),
      `${reqInfo.slice(0, 20)} ${reqInfo.slice(20)}`,
      reqInfo.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
      bytes.subarray(0, bytes.length - 16).toString('base64'),
      swapped.toString('base64'),
      encrypt('<xml><out_refund_no>R1</out_refund_no></xml>'),
      encrypt('<root><out_refund_no>R1</out_refund_no></root>'),
      encrypt('<!DOCTYPE root><root></root>'),
      encrypt('\xff\xfe'),
    ]) {
      try {
        verify(body.replace(reqInfo, wrong));
        messages.add('accepted');
      } catch (error) {
        const { code, message, hint } = error as { code: string; message: string; hint: string };
        messages.add(`${code} ${message} ${hint}`);
      }
    }
    expect([...messages]).toEqual([expect.stringMatching(/^REFUND_UNDECIPHERABLE /)]);
  });

  test('a payment cannot be turned into a refund to get round its signature', () => {
    const body = signedNotification(FIELDS, MERCHANT).replace('</xml>', '<req_info>AAAA</req_info></xml>');
    expect(() => verify(body)).toThrow(expect.objectContaining({ code: 'SIGN_INVALID' }));
  });
});

describe('what gets out', () => {
  const canary = 'CANARYCANARYCANARYCANARYCANARY42';
  const merchant = { ...MERCHANT, apiKey: canary };
  const openid = 'oUpF8uMEb4qRXf22hE3X68TekukE';
  const bankType = 'CANARY_DEBIT';

  async function everything(): Promise<{ sinks: string; replies: string[] }> {
    const problems: Problem[] = [];
    const events: unknown[] = [];
    const stages = ['received', 'verified', 'refused', 'handled', 'acknowledged'].map(
      (stage) => `wechat-h5:notification:${stage}`,
    );
    const listener = (event: unknown): void => void events.push(event);
    for (const stage of stages) subscribe(stage, listener);
    const wechatH5 = createWechatH5({
      ...OPTIONS,
      merchant,
      findOrder: async () => ({ totalFee: 100 }),
      onPaid: () => {
        throw new Error('no stock');
      },
      onProblem: (problem) => problems.push(problem),
    });
    const genuine = signedNotification({ ...FIELDS, openid }, merchant);
    const forged = genuine.replace('<![CDATA[100]]>', '<![CDATA[101]]>');
    const replies: string[] = [];
    for (const body of [
      genuine,
      forged,
      genuine.slice(0, -9),
      genuine.replace(/<sign>.*<\/sign>/, ''),
      '<xml></xml>',
      refundNotification(FIELDS, { ...merchant, apiKey: API_KEY }),
      signedNotification({ ...FIELDS, openid: `${openid} ` }, merchant),
      signedNotification({ ...FIELDS, bank_type: `${bankType} ` }, merchant),
    ]) {
      replies.push((await wechatH5.handleNotification({ method: 'POST', body: Buffer.from(body) })).body);
    }
    for (const stage of stages) unsubscribe(stage, listener);
    const errors = problems.map(
      ({ error }) => `${String(error.stack)} ${inspect(error, { depth: 10 })} ${JSON.stringify(error)}`,
    );
    return {
      sinks:
        inspect([problems, events, wechatH5], { depth: 20, maxStringLength: null, showHidden: true }) +
        JSON.stringify([problems, events]) +
        errors.join(),
      replies,
    };
  }

  test('X11, X13: no key and no string to sign in any event, problem or error', async () => {
    const { sinks } = await everything();
    expect(sinks).toContain('SIGN_INVALID');
    expect(sinks).not.toContain(canary);
    expect(sinks).not.toContain('key=');
    expect(sinks).not.toMatch(/appid=wx/);
  });

  test('X12: no openid, no bank and no whole message', async () => {
    const { sinks } = await everything();
    expect(sinks).not.toContain(openid);
    expect(sinks).not.toContain(bankType);
    expect(sinks).not.toContain('<openid>');
  });

  test('X29: outside, every failure looks the same', async () => {
    const { replies } = await everything();
    expect(new Set(replies).size).toBe(1);
  });

  test('X08: signatures are compared in constant time, everywhere', async () => {
    const { readFileSync, readdirSync } = await import('node:fs');
    const sources = readdirSync(__dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    for (const name of sources) {
      const source = readFileSync(`${__dirname}/${name}`, 'utf8');
      // A comparison with a literal or with undefined is one of presence or form.
      const compared = source
        .split('\n')
        .filter((line) => /\b(?:sign|signature|digest)\b\s*[=!]==?(?!=|\s*(?:'|undefined|null|\d|typeof))/.test(line));
      expect([name, compared]).toEqual([name, []]);
    }
    expect(readFileSync(`${__dirname}/signature.ts`, 'utf8')).toContain('timingSafeEqual(');
  });
});

describe('events', () => {
  test('received, verified, handled, acknowledged, in this order, with durations', async () => {
    const events: [string, NotificationEvent][] = [];
    const stages = ['received', 'verified', 'refused', 'handled', 'acknowledged'] as const;
    const listeners = stages.map(
      (stage) =>
        [
          `wechat-h5:notification:${stage}`,
          (event: unknown) => void events.push([stage, event as NotificationEvent]),
        ] as const,
    );
    for (const [name, listener] of listeners) subscribe(name, listener);
    const wechatH5 = createWechatH5({
      ...OPTIONS,
      findOrder: async () => ({ totalFee: 100 }),
      onPaid: () => {},
      onProblem: () => {},
    });
    const body = Buffer.from(signedNotification(FIELDS, MERCHANT));
    await wechatH5.handleNotification({ method: 'POST', body });
    await wechatH5.handleNotification({ method: 'POST', body: Buffer.from('<xml>') });
    for (const [name, listener] of listeners) unsubscribe(name, listener);
    expect(events.map(([stage]) => stage)).toEqual([
      'received',
      'verified',
      'handled',
      'acknowledged',
      'received',
      'refused',
    ]);
    expect(new Set(events.map(([, { id }]) => id)).size).toBe(2);
    expect(events[3]?.[1]).toMatchObject({
      type: 'payment',
      outTradeNo: '1409811653',
      keyIndex: 0,
      bytes: body.byteLength,
      durationMs: expect.any(Number),
    });
    expect(events[5]?.[1]).toMatchObject({ code: 'XML_INVALID' });
  });

  test('a body that could not be had counts from its arrival, too', async () => {
    const events: NotificationEvent[] = [];
    const listener = (event: unknown): void => void events.push(event as NotificationEvent);
    const request = new IncomingMessage(new Socket());
    request.headers = { 'content-length': '65537' };
    const captured = { ...captureRequest(request), method: 'POST', receivedAt: performance.now() - 1000 };
    subscribe('wechat-h5:notification:refused', listener);
    await receiveNotification(createWechatH5({ ...OPTIONS, onProblem: () => {} }), request, captured);
    unsubscribe('wechat-h5:notification:refused', listener);
    expect(events).toMatchObject([{ code: 'BODY_TOO_LARGE' }]);
    expect(events[0]?.durationMs).toBeGreaterThanOrEqual(1000);
  });
});

/** A shop that has every order, and writes down what it is told. */
function shopTelling(problems: Problem[]): (options?: Partial<WechatH5Options>) => WechatH5 {
  return (options = {}) =>
    createWechatH5({
      ...OPTIONS,
      findOrder: async () => ({ totalFee: 100 }),
      onPaid: () => {},
      onProblem: (problem) => problems.push(problem),
      ...options,
    });
}

describe('whoever hands requests over by hand', () => {
  const problems: Problem[] = [];
  const make = shopTelling(problems);
  const bodyOf = (order: string): Buffer =>
    Buffer.from(signedNotification({ ...FIELDS, out_trade_no: order, transaction_id: `42${order}` }, MERCHANT));
  beforeEach(() => void problems.splice(0));

  test.each([undefined, null, {}, { xml: { return_code: ['SUCCESS'] } }, 17])(
    'I12: %j is not the bytes received, and that is said',
    async (parsed) => {
      const body = parsed as unknown as Uint8Array;
      expect(await make().handleNotification({ method: 'POST', body })).toMatchObject({ status: 500 });
      expect(problems).toMatchObject([{ type: 'misconfigured', code: 'BODY_ALREADY_READ' }]);
      expect(() => make().verifyNotification(body)).toThrow(expect.objectContaining({ code: 'BODY_ALREADY_READ' }));
    },
  );

  test('I15: no more of them are worked on at once than maxConcurrentNotifications, and then there is room', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const wechatH5 = make({ maxConcurrentNotifications: 2, onPaid: () => released });
    const post = (order: string): Promise<{ status: number; body: string }> =>
      wechatH5.handleNotification({ method: 'POST', body: bodyOf(order) });
    const first = [post('A'), post('B')];
    expect(await post('C')).toMatchObject({ status: 503, body: expect.stringContaining('CDATA[FAIL]') });
    expect(problems).toMatchObject([{ code: 'OVERLOADED' }]);
    release();
    for (const { body } of await Promise.all(first)) expect(body).toContain('CDATA[SUCCESS]');
    for (const order of ['C', 'D', 'E']) expect((await post(order)).body).toContain('CDATA[SUCCESS]');
  });

  describe('the deadline', () => {
    beforeEach(() => void jest.useFakeTimers());
    afterEach(() => void jest.useRealTimers());

    test.each([
      ['of another clock', () => Date.now()],
      ['that is none', () => Number.NaN],
      ['yet to come', () => performance.now() + 60_000],
    ])('is kept for an arrival %s', async (_what, arrival) => {
      const wechatH5 = make({ onPaid: () => new Promise(() => {}) });
      const replies: string[] = [];
      const request = { method: 'POST', body: bodyOf('A'), receivedAt: arrival() };
      void wechatH5.handleNotification(request).then(({ body }) => replies.push(body));
      await jest.advanceTimersByTimeAsync(3900);
      expect(replies).toEqual([]);
      await jest.advanceTimersByTimeAsync(100);
      expect(replies).toEqual([expect.stringContaining('CDATA[FAIL]')]);
    });
  });
});

describe('X25: the list of senders', () => {
  const sent = { method: 'POST', body: Buffer.from(signedNotification(FIELDS, MERCHANT)) };
  const problems: Problem[] = [];
  const make = shopTelling(problems);
  beforeEach(() => void problems.splice(0));

  test('off by default', async () => {
    expect(
      (await make({}).handleNotification({ ...sent, remoteAddress: '198.51.100.1', rawHeaders: [] })).body,
    ).toContain('SUCCESS');
  });

  test('an official address passes, another does not, and a header does not help it', async () => {
    const wechatH5 = make({ notificationSources: 'official' });
    expect(
      (await wechatH5.handleNotification({ ...sent, remoteAddress: '101.226.103.9', rawHeaders: [] })).body,
    ).toContain('SUCCESS');
    expect(
      (
        await wechatH5.handleNotification({
          ...sent,
          remoteAddress: '198.51.100.1',
          rawHeaders: ['X-Forwarded-For', '101.226.103.9'],
        })
      ).body,
    ).toContain('FAIL');
    expect(problems).toMatchObject([{ code: 'SOURCE_REFUSED' }]);
  });

  test('through a trusted proxy the address is the one the proxy saw', async () => {
    const wechatH5 = make({ notificationSources: ['101.226.103.0/25'], clientIp: { trust: ['10.0.0.2'] } });
    const through = { ...sent, remoteAddress: '10.0.0.2' };
    expect(
      (
        await wechatH5.handleNotification({
          ...through,
          rawHeaders: ['X-Forwarded-For', '101.226.103.9, 198.51.100.1'],
        })
      ).body,
    ).toContain('FAIL');
    expect(
      (
        await wechatH5.handleNotification({
          ...through,
          rawHeaders: ['X-Forwarded-For', '198.51.100.1, 101.226.103.9'],
        })
      ).body,
    ).toContain('SUCCESS');
  });

  test('a wrong list is refused at start', () => {
    expect(() => make({ notificationSources: ['101.226.103.0/99'] })).toThrow(
      expect.objectContaining({ field: 'notificationSources[0]' }),
    );
  });
});

test('X01: what a forger sends never throws anything but a refusal', () => {
  const wechatH5 = createWechatH5(OPTIONS);
  const genuine = parseXml(signedNotification(RICH, MERCHANT));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(genuine)), fc.string({ unit: 'grapheme' })), (forged) => {
      const fields = { ...genuine, ...forged };
      let body: string;
      try {
        body = buildXml(fields);
      } catch {
        return;
      }
      const same = Object.entries(fields).every(([name, value]) => genuine[name] === value);
      if (same) expect(wechatH5.verifyNotification(body)).toMatchObject({ type: 'payment' });
      else expect(() => wechatH5.verifyNotification(body)).toThrow(expect.objectContaining({ name: 'WechatH5Error' }));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['a forged signature', signedNotification(FIELDS, { ...MERCHANT, apiKey: 'x'.repeat(32) })],
  ['another merchant', signedNotification(FIELDS, { ...MERCHANT, mchId: '1' })],
  ['no XML', 'hello'],
  ['no return_code', '<xml></xml>'],
])('X01 a message refused for %s costs no stack, and the next error has one', (_what, body) => {
  const wechatH5 = createWechatH5(OPTIONS);
  const limit = Error.stackTraceLimit;
  const refusal = ((): unknown => {
    try {
      return wechatH5.verifyNotification(body);
    } catch (error) {
      return error;
    }
  })();
  expect(String((refusal as Error).stack)).not.toContain('\n    at ');
  expect(Error.stackTraceLimit).toBe(limit);
  expect(String(new Error('next').stack)).toContain('\n    at ');
});
