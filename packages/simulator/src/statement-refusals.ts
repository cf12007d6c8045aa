import type { Fields } from './wire-fields.js';

/** The texts of downloadbill for what every operation refuses; all of them have the same number. */
const BILL_TEXTS = new Map([
  ['REQUIRE_POST_METHOD', 'require POST method'],
  ['POST_DATA_EMPTY', 'empty post data'],
  ['XML_FORMAT_ERROR', 'data format error'],
  ['NOT_UTF8', 'data format error'],
  ['LACK_PARAMS', 'missing parameter'],
  ['APPID_NOT_EXIST', 'invalid appid'],
  ['APPID_MCHID_NOT_MATCH', 'invalid appid'],
  ['SIGNERROR', 'sign error'],
]);

/** The texts of its own numbers, for a script that gives none. */
const NUMBERED_TEXTS = new Map([
  ['20001', 'invalid parameter'],
  ['20002', 'No Bill Exist'],
  ['20003', 'Bill Creating'],
  ['20007', 'CompressGZip Error'],
  ['20100', 'system error'],
]);

/** downloadbill signs nothing, and calls the field `error_code`. */
export function billRefusal(code: string, description: string): Fields {
  if (/^\d+$/.test(code)) {
    const text = description === code ? (NUMBERED_TEXTS.get(code) ?? code) : description;
    return { return_code: 'FAIL', return_msg: text, error_code: code };
  }
  if (code === 'SYSTEMERROR') return { return_code: 'FAIL', return_msg: 'system error', error_code: '20100' };
  return { return_code: 'FAIL', return_msg: BILL_TEXTS.get(code) ?? 'invalid parameter', error_code: '20001' };
}

/** downloadfundflow signs nothing either, but has both layers. */
export function fundFlowRefusal(code: string, description: string): Fields {
  return {
    return_code: 'SUCCESS',
    return_msg: 'OK',
    result_code: 'FAIL',
    err_code: code,
    err_code_des: description,
  };
}
