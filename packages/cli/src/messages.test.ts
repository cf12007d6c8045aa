import { buildXml, parseXml, sign } from '@wechat-h5/core';
import { refundNotification, signedNotification } from '@wechat-h5/core/testing';
import { json, OTHER_KEY, Shop } from './shop.fixture.js';

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open();
});

afterAll(() => shop.close());

// https://pay.weixin.qq.com/doc/v2/merchant/4011985891, the example of the official page.
const OFFICIAL = {
  key: '192006250b4c09247ec02edce69f6a2d',
  fields: {
    appid: 'wxd930ea5d5a258f4f',
    mch_id: '10000100',
    device_info: '1000',
    body: 'test',
    nonce_str: 'ibuaiVcKdpRxkhJA',
  },
  MD5: '9A0A8659F005D6984697E2CA0A9CF3B7',
  'HMAC-SHA256': '6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6',
} as const;

describe('sign', () => {
  const official = { WECHAT_PAY_API_KEY: OFFICIAL.key };

  beforeAll(() => shop.programs.keepSecret(OFFICIAL.key));

  test.each(['MD5', 'HMAC-SHA256'] as const)(
    'the official example with %s, from XML and from JSON',
    async (signType) => {
      for (const input of [`${buildXml(OFFICIAL.fields)}\n`, JSON.stringify(OFFICIAL.fields)]) {
        const ran = await shop.run(['sign', '--sign-type', signType], official, input);
        expect(ran).toEqual({ code: 0, stdout: `${OFFICIAL[signType]}\n`, stderr: '' });
      }
    },
  );

  test('needs the key and no ids; a sign that is there already is passed over', async () => {
    const ran = await shop.programs.run(['sign'], {
      env: official,
      input: JSON.stringify({ ...OFFICIAL.fields, sign: 'whatever' }),
    });
    expect(ran.stdout).toBe(`${OFFICIAL.MD5}\n`);
  });

  test('the type comes from the option, else from the message, else from the environment', async () => {
    const typed = { ...OFFICIAL.fields, sign_type: 'HMAC-SHA256' };
    const signed = (fields: object, args: readonly string[], env: NodeJS.ProcessEnv) =>
      shop.run(['sign', ...args, '--json'], { ...official, ...env }, JSON.stringify(fields));
    expect(json(await signed(OFFICIAL.fields, [], { WECHAT_PAY_SIGN_TYPE: 'HMAC-SHA256' }))).toMatchObject({
      sign: OFFICIAL['HMAC-SHA256'],
    });
    expect(json(await signed(typed, [], {}))['signType']).toBe('HMAC-SHA256');
    expect(json(await signed(typed, ['--sign-type', 'MD5'], {}))['signType']).toBe('MD5');
  });

  test('--xml writes a message that verifies, --string what was signed without the key', async () => {
    const input = JSON.stringify({ ...OFFICIAL.fields, attach: '' });
    const { stdout } = await shop.run(['sign', '--xml'], official, input);
    expect(parseXml(stdout.trim())).toMatchObject({ ...OFFICIAL.fields, sign: OFFICIAL.MD5 });
    const string = await shop.run(['sign', '--string'], official, input);
    expect(string.stdout).toBe(
      'appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA&key=***\n',
    );
  });

  test.each([
    ['', 2, 'nothing on stdin'],
    ['{"a":', 2, 'does not parse'],
    ['[1]', 2, 'XML'],
    ['{"total_fee":1}', 2, 'total_fee'],
    ['<xml><a>1</a><a>2</a></xml>', 2, 'XML'],
    [`{"a":"${'x'.repeat(1_100_000)}"}`, 2, '1 MiB'],
  ])('%.30j cannot be signed', async (input, code, said) => {
    const ran = await shop.run(['sign'], official, input);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(said);
  });

  test('an unknown type, and two forms at once, are wrong usage', async () => {
    expect((await shop.run(['sign', '--sign-type', 'SHA1'], official, '{}')).code).toBe(2);
    expect((await shop.run(['sign', '--xml', '--string'], official, '{}')).code).toBe(2);
  });
});

describe('verify', () => {
  const notification = (fields: Record<string, string> = {}, apiKey = shop.merchant.apiKey) =>
    signedNotification({ out_trade_no: 'TEA-0001', total_fee: '1990', ...fields }, { ...shop.merchant, apiKey });

  test('a genuine payment: which key, which type, what it says', async () => {
    const ran = await shop.run(['verify'], {}, notification());
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^✓ signature: MD5, key 1\n✓ payment\nout_trade_no +TEA-0001\n/);
    expect(ran.stdout).toMatch(/^total_fee +1990 CNY \(¥19\.90\)$/m);
    const verdict = json(await shop.run(['verify', '--json'], {}, notification()));
    expect(verdict).toMatchObject({
      accepted: true,
      signature: { signType: 'MD5', key: 1 },
      notification: { type: 'payment', outTradeNo: 'TEA-0001', totalFee: 1990 },
    });
  });

  test('during a rotation: the second key, HMAC-SHA256 by its length', async () => {
    const keys = { WECHAT_PAY_API_KEY: `${OTHER_KEY},${shop.merchant.apiKey}` };
    const body = signedNotification({ out_trade_no: 'TEA-0001' }, { ...shop.merchant, signType: 'HMAC-SHA256' });
    const verdict = json(await shop.run(['verify', '--json'], keys, body));
    expect(verdict).toMatchObject({ accepted: true, signature: { signType: 'HMAC-SHA256', key: 2 } });
  });

  test('a notification that says nothing was paid', async () => {
    const body = notification({ result_code: 'FAIL', err_code: 'ORDERCLOSED', err_code_des: '订单\u009b31m已关闭\n' });
    const { code, stdout } = await shop.run(['verify'], {}, body);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ payment that failed\n.*\nerr_code +ORDERCLOSED\n/m);
    // Its text cannot act on a terminal, nor feign a line.
    expect(stdout).not.toContain('\u009b');
    expect(stdout.split('\n')).toHaveLength(6);
  });

  test('a refund: no signature, and what that is worth', async () => {
    const body = refundNotification({ out_trade_no: 'TEA-0001', out_refund_no: 'R-1' }, shop.merchant);
    const { code, stdout } = await shop.run(['verify'], {}, body);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ refund\n/);
    expect(stdout).toMatch(/^! Not signed: /m);
  });

  test.each([
    ['a forgery', () => notification({}, OTHER_KEY), 'SIGN_INVALID', ''],
    ['an amount that was changed', () => notification().replace('1990', '1991'), 'SIGN_INVALID', ''],
    ['a signature in lower case', () => relabelled((sign) => sign.toLowerCase()), 'SIGN_MALFORMED', 'upper case'],
    [
      'a body that was re-formatted',
      () => notification().replace('</total_fee>', '\n</total_fee>'),
      'SIGN_INVALID',
      're-formatted',
    ],
    [
      'a sign_type that was added',
      () => notification().replace('</xml>', '<sign_type>MD5</sign_type></xml>'),
      'SIGN_INVALID',
      'without sign_type',
    ],
    ['no signature', () => notification().replace(/<sign>.*<\/sign>/, ''), 'SIGN_MISSING', ''],
    [
      'another merchant',
      () => signedNotification({}, { ...shop.merchant, mchId: '1900000001' }),
      'MERCHANT_UNKNOWN',
      '',
    ],
    [
      'another appid',
      () => signedNotification({}, { ...shop.merchant, appId: 'wx0123456789abcdef' }),
      'MERCHANT_MISMATCH',
      '',
    ],
    ['no XML', () => 'SUCCESS', 'XML_INVALID', ''],
    ['an entity', () => `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${notification()}`, 'XML_INVALID', ''],
  ])('%s is refused', async (_, body, refusal, remark) => {
    const text = body();
    const ran = await shop.run(['verify'], {}, text);
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(ran.stdout).toContain(`✗ ${refusal}: `);
    expect(ran.stdout).toContain(remark);
    const verdict = json(await shop.run(['verify', '--json'], {}, text));
    expect(verdict).toMatchObject({ accepted: false, refused: { code: refusal } });
  });

  test('a signature with the other type than the message declares', async () => {
    const { sign: _, ...fields } = parseXml(notification());
    const typed = { ...fields, sign_type: 'HMAC-SHA256' };
    const body = buildXml({ ...typed, sign: sign(typed, shop.merchant.apiKey, 'MD5') });
    expect((await shop.run(['verify'], {}, body)).stdout).toContain('if sign_type were the other one');
  });

  function relabelled(change: (sign: string) => string): string {
    return notification().replace(/<sign>(.*?)<\/sign>/, (whole: string) => {
      const [, inner = ''] = /([0-9A-F]{32})/.exec(whole) ?? [];
      return whole.replace(inner, change(inner));
    });
  }
});

describe('explain', () => {
  test("WeChat Pay's words for the payer, in both languages", async () => {
    const text = '出错了：网络环境未能通过安全验证，请稍后再试！';
    const english = await shop.run(['explain', text]);
    expect(english).toMatchObject({ code: 0, stderr: '' });
    expect(english.stdout).toContain('spbill_create_ip is not the address WeChat Pay sees');
    expect((await shop.run(['explain', text, '--lang', 'zh'])).stdout).toMatch(/^原因$/m);
    const { payerErrors } = json(await shop.run(['explain', text, '--json']));
    expect(payerErrors).toMatchObject([{ id: 'address-mismatch', orderAgain: true }]);
  });

  test('error codes of the API, which differ by operation', async () => {
    const text = 'WeChat Pay refused it: "NOTENOUGH"';
    const meanings = await Promise.all(
      ['unifiedorder', 'refund'].map(async (operation) => {
        const { resultCodes } = json(await shop.run(['explain', text, '--operation', operation, '--json']));
        const [{ code, meaning } = { code: '', meaning: { en: '' } }] = resultCodes as {
          code: string;
          meaning: { en: string };
        }[];
        expect(code).toBe('NOTENOUGH');
        return meaning.en;
      }),
    );
    expect(new Set(meanings).size).toBe(2);
    expect((await shop.run(['explain', text, '--operation', 'refnd'])).stderr).toContain('Did you mean refund?');
  });

  test('what nobody has heard of', async () => {
    expect((await shop.run(['explain', 'hello world'])).code).toBe(1);
  });

  test('needs no merchant', async () => {
    expect((await shop.programs.run(['explain', 'ORDERPAID'])).code).toBe(0);
  });
});
