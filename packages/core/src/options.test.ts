import { inspect } from 'node:util';
import { createWechatH5, MemoryOrderBook, optionsFromEnv, type WechatH5Options } from './index.js';

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const OPTIONS: WechatH5Options = { merchant: MERCHANT, notifyUrl: 'https://pay.example.com/wechat/notify' };
const SIMULATED: WechatH5Options = { ...OPTIONS, gateway: 'http://127.0.0.1:8080' };

const nodeEnv = process.env['NODE_ENV'];
afterEach(() => {
  process.env['NODE_ENV'] = nodeEnv;
});

test.each([
  ['no merchant', { merchant: undefined }, 'merchant'],
  ['an empty list of merchants', { merchant: [] }, 'merchant'],
  ['a key of 31 characters', { merchant: { ...MERCHANT, apiKey: 'k'.repeat(31) } }, 'merchant.apiKey'],
  ['a key with a line break', { merchant: { ...MERCHANT, apiKey: `${'k'.repeat(31)}\n` } }, 'merchant.apiKey'],
  ['no key', { merchant: { ...MERCHANT, apiKey: undefined } }, 'merchant.apiKey'],
  ['an empty list of keys', { merchant: { ...MERCHANT, apiKey: [] } }, 'merchant.apiKey'],
  ['a bad previous key', { merchant: { ...MERCHANT, apiKey: [MERCHANT.apiKey, 'short'] } }, 'merchant.apiKey[1]'],
  ['an unknown sign type', { merchant: { ...MERCHANT, signType: 'SHA256' } }, 'merchant.signType'],
  ['the wrong one of two merchants', { merchant: [MERCHANT, { ...MERCHANT, mchId: '1 2' }] }, 'merchant[1].mchId'],
  ['one merchant twice', { merchant: [MERCHANT, MERCHANT] }, 'merchant'],
  [
    'a domain with a scheme',
    { merchant: { ...MERCHANT, h5Domains: ['https://shop.example'] } },
    'merchant.h5Domains[0]',
  ],
  ['no notifyUrl', { notifyUrl: undefined }, 'notifyUrl'],
  ['a relative notifyUrl', { notifyUrl: '/notify' }, 'notifyUrl'],
  ['an http notifyUrl', { notifyUrl: 'http://pay.example.com/notify' }, 'notifyUrl'],
  ['a notifyUrl with a query', { notifyUrl: 'https://pay.example.com/notify?a=1' }, 'notifyUrl'],
  ['a notifyUrl on this machine', { notifyUrl: 'https://127.0.0.1/notify' }, 'notifyUrl'],
  ['a long notifyUrl', { notifyUrl: `https://pay.example.com/${'n'.repeat(256)}` }, 'notifyUrl'],
  ['a notifyUrl with blanks', { notifyUrl: 'https://pay.example.com/a b' }, 'notifyUrl'],
  ['a notifyPath that is a URL', { notifyPath: 'https://pay.example.com/notify' }, 'notifyPath'],
  [
    'a simulator beside a real gateway',
    { gateway: ['https://api.mch.weixin.qq.com', 'http://127.0.0.1:1'] },
    'gateway',
  ],
  [
    'a scene that is none',
    { sceneInfo: { type: 'Wap', wapUrl: 'javascript:x', wapName: 'a' } },
    'scene_info.h5_info.wap_url',
  ],
  ['an http gateway elsewhere', { gateway: 'http://10.0.0.1' }, 'gateway'],
  ['a handler that is none', { onPaid: 'deliver' }, 'onPaid'],
  ['an unknown option', { onPayed: () => {} }, 'onPayed'],
  ['a trusted proxy that is none', { clientIp: { trust: ['10.0.0.0/33'] } }, 'clientIp.trust[0]'],
])('%s is refused at once, by name', (_title, wrong, field) => {
  expect(() => createWechatH5({ ...OPTIONS, ...wrong } as WechatH5Options)).toThrow(
    expect.objectContaining({ name: 'WechatH5Error', field, hint: expect.stringMatching(/./) }),
  );
});

test('a misspelt option says which one was meant', () => {
  expect(() => createWechatH5({ ...OPTIONS, notify_url: 'x' } as WechatH5Options)).toThrow(
    expect.objectContaining({ hint: 'Did you mean notifyUrl?' }),
  );
});

describe('production', () => {
  beforeEach(() => {
    process.env['NODE_ENV'] = 'production';
  });

  test('no book and no table: refused', () => {
    expect(() => createWechatH5(OPTIONS)).toThrow(
      expect.objectContaining({ code: 'ORDER_BOOK_MISSING', field: 'orderBook' }),
    );
  });

  test('a book that was chosen, or a table, is enough', () => {
    expect(createWechatH5({ ...OPTIONS, orderBook: new MemoryOrderBook() })).toBeDefined();
    expect(createWechatH5({ ...OPTIONS, findOrder: async () => undefined })).toBeDefined();
  });

  test('X23: no simulator', () => {
    expect(() => createWechatH5({ ...SIMULATED, orderBook: new MemoryOrderBook() })).toThrow(
      expect.objectContaining({ code: 'SIMULATOR_IN_PRODUCTION', field: 'gateway' }),
    );
  });
});

test('with a simulator, http and this machine are fine', () => {
  expect(createWechatH5({ ...SIMULATED, notifyUrl: 'http://127.0.0.1:3000/notify' })).toBeDefined();
});

test('a payer on this machine or in a private network is refused without a simulator', async () => {
  const wechatH5 = createWechatH5(OPTIONS);
  for (const clientIp of ['127.0.0.1', '192.168.1.5', '100.64.0.1', '203.0.113.7', '::1', 'fe80::1']) {
    await expect(
      wechatH5.createOrder({ outTradeNo: 'ORDER-0001', body: 'Tea', totalFee: 1, clientIp }),
    ).rejects.toMatchObject({ code: 'NOT_PUBLIC' });
  }
});

describe('optionsFromEnv', () => {
  const ENV = {
    WECHAT_PAY_APP_ID: MERCHANT.appId,
    WECHAT_PAY_MCH_ID: MERCHANT.mchId,
    WECHAT_PAY_API_KEY: MERCHANT.apiKey,
    WECHAT_PAY_NOTIFY_URL: OPTIONS.notifyUrl,
  };

  test('the four that are needed', () => {
    expect(optionsFromEnv(ENV)).toEqual(OPTIONS);
  });

  test('everything', () => {
    expect(
      optionsFromEnv({
        ...ENV,
        WECHAT_PAY_API_KEY: `${MERCHANT.apiKey}, ${'p'.repeat(32)}`,
        WECHAT_PAY_SIGN_TYPE: 'HMAC-SHA256',
        WECHAT_PAY_SUB_APP_ID: 'wxsub',
        WECHAT_PAY_SUB_MCH_ID: '1900000109',
        WECHAT_PAY_H5_DOMAINS: 'pay.example.com,m.example.com',
        WECHAT_PAY_TRUSTED_PROXIES: 'loopback, 10.0.0.0/8',
        WECHAT_PAY_CLIENT_IP_HEADER: 'x-real-ip',
        WECHAT_PAY_GATEWAY: 'https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com',
        WECHAT_PAY_NOTIFY_PATH: '/notify',
      }),
    ).toEqual({
      merchant: {
        ...MERCHANT,
        apiKey: [MERCHANT.apiKey, 'p'.repeat(32)],
        signType: 'HMAC-SHA256',
        subAppId: 'wxsub',
        subMchId: '1900000109',
        h5Domains: ['pay.example.com', 'm.example.com'],
      },
      notifyUrl: OPTIONS.notifyUrl,
      notifyPath: '/notify',
      clientIp: { header: 'x-real-ip', trust: ['loopback', '10.0.0.0/8'] },
      gateway: ['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com'],
    });
  });

  test.each([
    ['none', undefined],
    ['hops:2', { hops: 2 }],
    ['unix', ['unix']],
  ])('WECHAT_PAY_TRUSTED_PROXIES=%s', (value, trust) => {
    expect(optionsFromEnv({ ...ENV, WECHAT_PAY_TRUSTED_PROXIES: value }).clientIp?.trust).toEqual(trust);
  });

  test.each(Object.keys(ENV))('%s missing is said by name', (name) => {
    expect(() => optionsFromEnv({ ...ENV, [name]: ' ' })).toThrow(
      expect.objectContaining({ code: 'ENVIRONMENT_INVALID', field: name }),
    );
  });

  test.each([
    ['WECHAT_PAY_TRUSTED_PROXIES', 'hops:two'],
    ['WECHAT_PAY_SIGN_TYPE', 'SHA1'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => optionsFromEnv({ ...ENV, [name]: value })).toThrow(
      expect.objectContaining({ code: 'ENVIRONMENT_INVALID', field: name }),
    );
  });
});

test('X11: neither an instance nor a start error shows a key', () => {
  const wechatH5 = createWechatH5(OPTIONS);
  const sinks = [inspect(wechatH5, { depth: 20, showHidden: true }), JSON.stringify(wechatH5)];
  try {
    createWechatH5({ ...OPTIONS, merchant: { ...MERCHANT, apiKey: `${MERCHANT.apiKey}!` } });
  } catch (error) {
    sinks.push(inspect(error, { depth: 20 }), JSON.stringify(error));
  }
  expect(sinks).toHaveLength(4);
  for (const sink of sinks) expect(sink).not.toContain(MERCHANT.apiKey);
});
