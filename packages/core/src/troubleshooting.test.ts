import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { isWechatBrowser } from './browser.js';
import { explainPayerError, TROUBLESHOOTING } from './troubleshooting.js';

// The texts as they stand in the official guide and in reports of payers.
test.each([
  ['网络环境未能通过安全验证,请稍后再试', 'address-mismatch'],
  ['由于商家传入的H5交易参数有误,该笔交易暂时无法完成,请联系商家解决', 'address-not-public'],
  ['由于商家传入的Ｈ５交易参数有误', 'address-not-public'],
  ['商家参数格式有误,请联系商家解决', 'referer-empty'],
  ['商家存在未配置的参数,请联系商家解决', 'domain-not-registered'],
  ['支付请求已失效,请重新发起支付', 'link-expired'],
  ['请在微信外打开订单,进行支付', 'inside-wechat'],
  ['IOS:签名验证失败', 'link-damaged-ios'],
  ['安卓:系统繁忙,请稍后再试', 'link-damaged-android'],
])('%s', (text, id) => {
  expect(explainPayerError(text).map((row) => row.id)).toEqual([id]);
});

test.each([
  '网络环境 未能通过安全验证 ， 请稍后再试',
  '  网络环境未能通过安全验证。',
  '用户截图:「网络环境未能通过安全验证，请稍后再试」怎么办?',
  '网络环境\n未能通过\n安全验证',
])('%j is recognised', (text) => {
  expect(explainPayerError(text)).toMatchObject([{ id: 'address-mismatch', orderAgain: true }]);
});

test('two texts in one report', () => {
  expect(explainPayerError('先是签名验证失败,后来支付请求已失效').map(({ id }) => id)).toEqual([
    'link-expired',
    'link-damaged-ios',
  ]);
});

test.each(['', '你好', '系统', 'success', '请稍后再试', '请联系商家解决'])('%j is none of WeChat Pay’s', (text) => {
  expect(explainPayerError(text)).toEqual([]);
});

test('anything at all can be asked', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => Array.isArray(explainPayerError(text))));
});

test('every row says why and what to do, in both languages, and is found by its own words', () => {
  expect(new Set(TROUBLESHOOTING.map(({ id }) => id)).size).toBe(TROUBLESHOOTING.length);
  for (const row of TROUBLESHOOTING) {
    expect(explainPayerError(row.message)).toContain(row);
    for (const { en, zh } of [...row.causes, ...row.cures, row.guard]) {
      expect(en).toMatch(/[a-z]{3}.*\.$/i);
      expect(zh).toMatch(/\p{Script=Han}.*。$/u);
    }
  }
});

test('the documentation is this table', () => {
  const page = readFileSync(join(__dirname, '../../../docs/payer-errors.md'), 'utf8');
  for (const row of TROUBLESHOOTING) {
    expect(page).toContain(`## ${row.message}`);
    for (const { en, zh } of [...row.causes, ...row.cures, row.guard]) expect(page).toContain(`- ${en} ${zh}\n`);
  }
});

test('each row is reproduced by a test, guarded against and explained, and the documentation says where', () => {
  const page = readFileSync(join(__dirname, '../../../docs/payer-errors.md'), 'utf8');
  const browserTests = readFileSync(join(__dirname, '../../../examples/express-shop/src/payer-errors.test.ts'), 'utf8');
  const lines = page.split('\n').filter((line) => line.startsWith('| ['));
  const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  expect(cells).toEqual(
    TROUBLESHOOTING.map(({ id, message, guard }) => [
      '',
      `[${message}](#${message.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')})`,
      `[\`${id}\`](../examples/express-shop/src/payer-errors.test.ts)`,
      `${guard.en} ${guard.zh}`,
      '',
    ]),
  );
  for (const { id } of TROUBLESHOOTING) expect(browserTests).toMatch(new RegExp(`\\('(?:[a-z-]+: )?${id}: `));
});

test.each([
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.49(0x1800312a) NetType/WIFI Language/zh_CN',
    true,
  ],
  ['Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile Safari/537.36 MMWEBID/1 micromessenger/8.0.49', true],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1',
    false,
  ],
  ['Mozilla/5.0 NotMicroMessenger/8', false],
  ['', false],
  [undefined, false],
])('%j inside WeChat: %s', (userAgent, inside) => {
  expect(isWechatBrowser(userAgent)).toBe(inside);
});
