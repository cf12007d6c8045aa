import { RESULT_CODE_TABLE } from './result-code-table.js';
import { explainResultCode, type Operation, type RetryClass } from './result-codes.js';

/** The tables of the official pages, and what their columns of solutions come down to. */
const OFFICIAL: Record<string, Record<string, RetryClass>> = {
  unifiedorder: {
    NOAUTH: 'never',
    NOTENOUGH: 'never',
    ORDERPAID: 'query',
    ORDERCLOSED: 'new-number',
    SYSTEMERROR: 'same-parameters',
    APPID_NOT_EXIST: 'never',
    MCHID_NOT_EXIST: 'never',
    APPID_MCHID_NOT_MATCH: 'never',
    LACK_PARAMS: 'never',
    PARAM_ERROR: 'never',
    OUT_TRADE_NO_USED: 'new-number',
    SIGNERROR: 'never',
    XML_FORMAT_ERROR: 'never',
    REQUIRE_POST_METHOD: 'never',
    POST_DATA_EMPTY: 'never',
    NOT_UTF8: 'never',
    FREQUENCY_LIMITED: 'later',
    TRADE_ERROR: 'query',
    ACCOUNTERROR: 'never',
    BANKERROR: 'query',
    INVALID_TRANSACTIONID: 'never',
    OPENID_MISMATCH: 'never',
  },
  orderquery: {
    ORDERNOTEXIST: 'never',
    SYSTEMERROR: 'same-parameters',
    SIGNERROR: 'never',
    PARAM_ERROR: 'never',
    APPID_NOT_EXIST: 'never',
    MCHID_NOT_EXIST: 'never',
    INVALID_TRANSACTIONID: 'never',
  },
  closeorder: {
    ORDERPAID: 'query',
    SYSTEMERROR: 'same-parameters',
    ORDERNOTEXIST: 'never',
    ORDERCLOSED: 'new-number',
    SIGNERROR: 'never',
    REQUIRE_POST_METHOD: 'never',
    XML_FORMAT_ERROR: 'never',
    TRADE_STATE_ERROR: 'query',
  },
  refund: {
    SYSTEMERROR: 'same-parameters',
    BIZERR_NEED_RETRY: 'same-parameters',
    TRADE_OVERDUE: 'never',
    ERROR: 'query',
    USER_ACCOUNT_ABNORMAL: 'never',
    INVALID_REQ_TOO_MUCH: 'later',
    NOTENOUGH: 'later',
    INVALID_TRANSACTIONID: 'never',
    PARAM_ERROR: 'never',
    APPID_NOT_EXIST: 'never',
    MCHID_NOT_EXIST: 'never',
    ORDERNOTEXIST: 'never',
    REQUIRE_POST_METHOD: 'never',
    SIGNERROR: 'never',
    XML_FORMAT_ERROR: 'never',
    FREQUENCY_LIMITED: 'later',
  },
  refundquery: {
    SYSTEMERROR: 'same-parameters',
    REFUNDNOTEXIST: 'never',
    INVALID_TRANSACTIONID: 'never',
    PARAM_ERROR: 'never',
    APPID_NOT_EXIST: 'never',
    MCHID_NOT_EXIST: 'never',
    REQUIRE_POST_METHOD: 'never',
    SIGNERROR: 'never',
    XML_FORMAT_ERROR: 'never',
  },
  downloadbill: { 20001: 'never', 20002: 'never', 20003: 'later', 20007: 'later', 20100: 'same-parameters' },
  downloadfundflow: { SYSTEMERROR: 'same-parameters', PARAM_ERROR: 'never', NO_BILL_EXIST: 'never' },
};

test.each(
  Object.entries(OFFICIAL).flatMap(([operation, codes]) =>
    Object.entries(codes).map(([code, retry]) => [operation as Operation, code, retry] as const),
  ),
)('%s: %s → %s', (operation, code, retry) => {
  const explained = explainResultCode(code, { operation });
  expect(explained).toMatchObject({ code, retry });
  expect(explained.type).not.toBe('unknown');
});

test('every row says what it means and what to do, in English and in Chinese', () => {
  for (const { meaning, action } of RESULT_CODE_TABLE) {
    for (const { en, zh } of [meaning, action]) {
      expect(en).toMatch(/^[A-Za-z][^\u4e00-\u9fff]+\.$/);
      expect(zh).toMatch(/[\u4e00-\u9fff].*。$/);
    }
  }
});

test('no row is hidden behind another', () => {
  RESULT_CODE_TABLE.forEach((row, index) => {
    for (const code of row.codes) {
      const before = RESULT_CODE_TABLE.slice(0, index).filter(({ codes }) => codes.includes(code));
      expect(before.filter(({ text, operations }) => text === undefined && operations === undefined)).toEqual([]);
    }
  });
});

test('the same code of two operations, and the text of a family', () => {
  const typeOf = (code: string, operation?: Operation, text?: string): string =>
    explainResultCode(code, { ...(operation && { operation }), ...(text !== undefined && { text }) }).type;
  expect(typeOf('NOTENOUGH', 'unifiedorder')).toBe('payer');
  expect(typeOf('NOTENOUGH', 'refund')).toBe('funds');
  expect(typeOf('20001', 'downloadbill', 'SIGN ERROR')).toBe('credentials');
  expect(typeOf('20001', 'downloadbill', 'invalid bill_type')).toBe('request');
  expect(explainResultCode('INVALID_REQUEST', { operation: 'refund', text: '201' }).retry).toBe('query');
});

test.each([
  ['201 商户订单号重复', 'new-number'],
  ['201商户订单号重复', 'new-number'],
  ['商户订单号重复', 'new-number'],
  ['参数', 'query'],
  ['time_expire 20150807131545 无效', 'query'],
])('INVALID_REQUEST of unifiedorder, %j: %s', (text, retry) => {
  expect(explainResultCode('INVALID_REQUEST', { operation: 'unifiedorder', text }).retry).toBe(retry);
});

test.each(['', 'SOMETHING_NEW', 'constructor', '__proto__'])('%j is in no table, and still explained', (code) => {
  expect(explainResultCode(code)).toMatchObject({ code, type: 'unknown', retry: 'query' });
});
