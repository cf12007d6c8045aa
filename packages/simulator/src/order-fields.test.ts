import { CURRENCIES } from './exchange-rates.js';
import { checkCloseOrder, checkOrderQuery, checkUnifiedOrder } from './order-fields.js';

const NOW = new Date('2026-11-23T04:00:00.900Z');
const CONTEXT = { now: NOW, allowRemoteNotifyUrl: false, currencies: CURRENCIES };
const SCENE = (h5Info: object): string => JSON.stringify({ h5_info: h5Info });
const WAP = SCENE({ type: 'Wap', wap_url: 'https://shop.example', wap_name: 'shop' });
const VALID = {
  body: 'coffee',
  out_trade_no: 'order-1',
  total_fee: '1',
  spbill_create_ip: '203.0.113.7',
  notify_url: 'http://127.0.0.1:3000/notify',
  trade_type: 'MWEB',
  scene_info: WAP,
};

test.each([
  ['the least', {}],
  [
    'everything',
    {
      device_info: 'WEB',
      detail: '{}',
      attach: 'x',
      fee_type: 'USD',
      goods_tag: 'g',
      limit_pay: 'no_credit',
      receipt: 'Y',
      profit_sharing: 'N',
      version: '1.0',
    },
  ],
  ['the longest body, in characters', { body: '😀'.repeat(127) }],
  ['the shortest and longest numbers', { out_trade_no: 'abc-|*' }],
  ['a number of 32', { out_trade_no: 'A_'.repeat(16) }],
  ['a large amount', { total_fee: '9007199254740991' }],
  ['IPv6', { spbill_create_ip: '2001:db8::1' }],
  ['a loopback payer, whom only the cashier judges', { spbill_create_ip: '127.0.0.1' }],
  ['https and IPv6 loopback', { notify_url: 'https://[::1]:8443/a/b' }],
  ['localhost', { notify_url: 'http://localhost/notify' }],
  ['five minutes to pay', { time_start: '20261123120000', time_expire: '20261123120500' }],
  ['an iOS app', { scene_info: SCENE({ type: 'IOS', app_name: 'a', bundle_id: 'b' }) }],
  ['an Android app', { scene_info: SCENE({ type: 'Android', app_name: 'a', package_name: 'b' }) }],
  ['a field nobody knows', { brand_new_field: 'x'.repeat(1000) }],
])('unifiedorder takes %s', (_what, changes) => {
  expect(checkUnifiedOrder({ ...VALID, ...changes }, CONTEXT)).toBeUndefined();
});

test.each(['body', 'out_trade_no', 'total_fee', 'spbill_create_ip', 'notify_url', 'trade_type', 'scene_info'])(
  'unifiedorder without %s lacks it',
  (name) => {
    expect(checkUnifiedOrder({ ...VALID, [name]: '' }, CONTEXT)).toEqual({
      code: 'LACK_PARAMS',
      description: `缺少参数${name}`,
    });
  },
);

test.each([
  ['body', 'x'.repeat(128)],
  ['out_trade_no', 'order'],
  ['out_trade_no', 'x'.repeat(33)],
  ['out_trade_no', 'order 1'],
  ['out_trade_no', 'order@1'],
  ['out_trade_no', '订单号一二三'],
  ['total_fee', '0'],
  ['total_fee', '-1'],
  ['total_fee', '1.0'],
  ['total_fee', '01'],
  ['total_fee', '1e3'],
  ['total_fee', ' 1'],
  ['total_fee', '9007199254740993'],
  ['fee_type', 'cny'],
  ['fee_type', 'XXX'],
  ['spbill_create_ip', 'unknown'],
  ['spbill_create_ip', '203.0.113.7:443'],
  ['spbill_create_ip', '999.1.1.1'],
  ['spbill_create_ip', 'fe80::1%eth0'],
  ['spbill_create_ip', '203.0.113.7, 10.0.0.1'],
  ['notify_url', '/notify'],
  ['notify_url', 'ftp://127.0.0.1/notify'],
  ['notify_url', 'http://127.0.0.1/notify?order=1'],
  ['notify_url', 'http://127.0.0.1/notify?'],
  ['notify_url', 'http://127.0.0.1/notify#x'],
  ['notify_url', 'http://user@127.0.0.1/notify'],
  ['notify_url', `http://127.0.0.1/${'x'.repeat(256)}`],
  ['notify_url', 'https://shop.example/notify'],
  ['notify_url', 'http://localhost.shop.example/notify'],
  ['notify_url', 'http://127.shop.example/notify'],
  ['notify_url', 'http://10.0.0.1/notify'],
  ['trade_type', 'H5'],
  ['scene_info', 'Wap'],
  ['scene_info', '[]'],
  ['scene_info', '{"h5_info":null}'],
  ['scene_info', SCENE({ type: 'iOS', app_name: 'a', bundle_id: 'b' })],
  ['scene_info', SCENE({ type: 'Wap', wap_url: 'https://shop.example' })],
  ['scene_info', SCENE({ type: 'Wap', wap_url: 'https://shop.example', wap_name: 7 })],
  ['scene_info', SCENE({ type: 'Wap', wap_url: 'https://shop.example', wap_name: '名'.repeat(256) })],
  ['scene_info', SCENE({ type: 'toString' })],
  ['time_start', '2026-11-23'],
  ['time_expire', '20261123120459'],
  ['time_expire', '20261131120000'],
  ['attach', 'x'.repeat(128)],
  ['detail', 'x'.repeat(6001)],
  ['device_info', 'x'.repeat(33)],
  ['limit_pay', 'no_debit'],
  ['profit_sharing', 'y'],
  ['receipt', 'N'],
])('unifiedorder refuses %s = %s', (name, value) => {
  expect(checkUnifiedOrder({ ...VALID, [name]: value }, CONTEXT)).toEqual({
    code: 'PARAM_ERROR',
    description: expect.stringContaining(name),
  });
});

test('a time_expire must lie behind time_start, and five minutes ahead in the gateway’s own words', () => {
  const times = { time_start: '20261123130000', time_expire: '20261123130000' };
  expect(checkUnifiedOrder({ ...VALID, ...times }, CONTEXT)).toMatchObject({ code: 'PARAM_ERROR' });
  expect(checkUnifiedOrder({ ...VALID, time_expire: '20261123120100' }, CONTEXT)?.description).toBe(
    'time_expire时间过短，刷卡至少1分钟，其他5分钟',
  );
});

test('another product is NOAUTH', () => {
  for (const tradeType of ['JSAPI', 'NATIVE', 'APP']) {
    expect(checkUnifiedOrder({ ...VALID, trade_type: tradeType }, CONTEXT)).toMatchObject({ code: 'NOAUTH' });
  }
});

test('a notify_url beyond this machine is taken when told', () => {
  const remote = { ...VALID, notify_url: 'https://shop.example/notify' };
  expect(checkUnifiedOrder(remote, { ...CONTEXT, allowRemoteNotifyUrl: true, currencies: CURRENCIES })).toBeUndefined();
});

test('orderquery and closeorder know the shorter numbers of older merchants', () => {
  expect(checkOrderQuery({ out_trade_no: '1' }, CONTEXT)).toBeUndefined();
  expect(checkCloseOrder({ out_trade_no: '1' }, CONTEXT)).toBeUndefined();
  expect(checkCloseOrder({ out_trade_no: 'x'.repeat(33) }, CONTEXT)).toMatchObject({ code: 'PARAM_ERROR' });
});
