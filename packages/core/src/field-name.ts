/** The longest name a field may have, in characters. The longest that WeChat Pay documents has 27. */
export const MAX_NAME_LENGTH = 64;

const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Whether a field may have this name: it is an XML name of ASCII characters, without a colon. */
export function isFieldName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && FIELD_NAME.test(name);
}

/**
 * The names that WeChat Pay documents for its notifications and replies, in ascending order, each with what writes its
 * value into a record. All other names are read as well; these are only read faster: V8 turns `fields['appid'] = value`
 * into a store to a fixed place, and `fields[name] = value` into a search.
 */
const WRITERS: Readonly<Record<string, (fields: Record<string, string>, value: string) => string>> = {
  appid: (fields, value) => (fields['appid'] = value),
  attach: (fields, value) => (fields['attach'] = value),
  bank_type: (fields, value) => (fields['bank_type'] = value),
  cash_fee: (fields, value) => (fields['cash_fee'] = value),
  cash_fee_type: (fields, value) => (fields['cash_fee_type'] = value),
  cash_refund_fee: (fields, value) => (fields['cash_refund_fee'] = value),
  code_url: (fields, value) => (fields['code_url'] = value),
  coupon_count: (fields, value) => (fields['coupon_count'] = value),
  coupon_fee: (fields, value) => (fields['coupon_fee'] = value),
  coupon_fee_0: (fields, value) => (fields['coupon_fee_0'] = value),
  coupon_fee_1: (fields, value) => (fields['coupon_fee_1'] = value),
  coupon_fee_2: (fields, value) => (fields['coupon_fee_2'] = value),
  coupon_id_0: (fields, value) => (fields['coupon_id_0'] = value),
  coupon_id_1: (fields, value) => (fields['coupon_id_1'] = value),
  coupon_id_2: (fields, value) => (fields['coupon_id_2'] = value),
  coupon_type_0: (fields, value) => (fields['coupon_type_0'] = value),
  coupon_type_1: (fields, value) => (fields['coupon_type_1'] = value),
  coupon_type_2: (fields, value) => (fields['coupon_type_2'] = value),
  detail: (fields, value) => (fields['detail'] = value),
  device_info: (fields, value) => (fields['device_info'] = value),
  err_code: (fields, value) => (fields['err_code'] = value),
  err_code_des: (fields, value) => (fields['err_code_des'] = value),
  fee_type: (fields, value) => (fields['fee_type'] = value),
  is_subscribe: (fields, value) => (fields['is_subscribe'] = value),
  mch_id: (fields, value) => (fields['mch_id'] = value),
  mweb_url: (fields, value) => (fields['mweb_url'] = value),
  nonce_str: (fields, value) => (fields['nonce_str'] = value),
  openid: (fields, value) => (fields['openid'] = value),
  out_refund_no: (fields, value) => (fields['out_refund_no'] = value),
  out_trade_no: (fields, value) => (fields['out_trade_no'] = value),
  prepay_id: (fields, value) => (fields['prepay_id'] = value),
  promotion_detail: (fields, value) => (fields['promotion_detail'] = value),
  rate: (fields, value) => (fields['rate'] = value),
  rate_value: (fields, value) => (fields['rate_value'] = value),
  refund_account: (fields, value) => (fields['refund_account'] = value),
  refund_fee: (fields, value) => (fields['refund_fee'] = value),
  refund_id: (fields, value) => (fields['refund_id'] = value),
  refund_recv_accout: (fields, value) => (fields['refund_recv_accout'] = value),
  refund_request_source: (fields, value) => (fields['refund_request_source'] = value),
  refund_status: (fields, value) => (fields['refund_status'] = value),
  req_info: (fields, value) => (fields['req_info'] = value),
  result_code: (fields, value) => (fields['result_code'] = value),
  return_code: (fields, value) => (fields['return_code'] = value),
  return_msg: (fields, value) => (fields['return_msg'] = value),
  settlement_refund_fee: (fields, value) => (fields['settlement_refund_fee'] = value),
  settlement_total_fee: (fields, value) => (fields['settlement_total_fee'] = value),
  sign: (fields, value) => (fields['sign'] = value),
  sign_type: (fields, value) => (fields['sign_type'] = value),
  sub_appid: (fields, value) => (fields['sub_appid'] = value),
  sub_is_subscribe: (fields, value) => (fields['sub_is_subscribe'] = value),
  sub_mch_id: (fields, value) => (fields['sub_mch_id'] = value),
  sub_openid: (fields, value) => (fields['sub_openid'] = value),
  success_time: (fields, value) => (fields['success_time'] = value),
  time_end: (fields, value) => (fields['time_end'] = value),
  total_fee: (fields, value) => (fields['total_fee'] = value),
  trade_state: (fields, value) => (fields['trade_state'] = value),
  trade_state_desc: (fields, value) => (fields['trade_state_desc'] = value),
  trade_type: (fields, value) => (fields['trade_type'] = value),
  transaction_id: (fields, value) => (fields['transaction_id'] = value),
  version: (fields, value) => (fields['version'] = value),
};

export const DOCUMENTED_NAMES: readonly string[] = Object.keys(WRITERS);

/** By the index of the name. */
export const WRITER_OF: ReadonlyArray<(fields: Record<string, string>, value: string) => string> =
  Object.values(WRITERS);

/** Stands for every other name. Less than the index of any documented one. */
export const UNDOCUMENTED = -1;

/** The index of a name in {@link DOCUMENTED_NAMES}: for fields that are asked for in every message. */
export type DocumentedName = number;

const INDEX_OF_NAME: ReadonlyMap<string, number> = new Map(DOCUMENTED_NAMES.map((name, index) => [name, index]));

/** The index of a name in {@link DOCUMENTED_NAMES}, or {@link UNDOCUMENTED}. Looked up once for what is asked often. */
export function indexOfName(name: string): DocumentedName {
  return INDEX_OF_NAME.get(name) ?? UNDOCUMENTED;
}

const SPELLINGS: readonly Uint8Array[] = DOCUMENTED_NAMES.map((name) => Buffer.from(name, 'latin1'));

/**
 * The documented names for what is worth doing four bytes at a time, {@link NUMBERS_PER_SPELLING} numbers for each: where
 * its last word begins, that word, and the words from the beginning on. Every one of them has at least four bytes, so
 * the last word may repeat some of the one before, and no byte is left over.
 */
export const SPELLING_WORDS = new Int32Array(DOCUMENTED_NAMES.length * 8);
export const NUMBERS_PER_SPELLING = 8;
SPELLINGS.forEach(({ buffer, byteOffset, length }, index) => {
  const bytes = new DataView(buffer, byteOffset, length);
  const numbers = SPELLING_WORDS.subarray(index * NUMBERS_PER_SPELLING, (index + 1) * NUMBERS_PER_SPELLING);
  numbers[0] = length - 4;
  numbers[1] = bytes.getInt32(length - 4, true);
  for (let at = 0; at < length - 4; at += 4) numbers[2 + at / 4] = bytes.getInt32(at, true);
});

/** A hash table from spellings to indexes. The factors were chosen so that no two documented names share a slot. */
const SLOTS = 512;
const INDEX_IN_SLOT = new Int16Array(SLOTS).fill(UNDOCUMENTED);
SPELLINGS.forEach((spelling, index) => {
  INDEX_IN_SLOT[slotOf(spelling, 0, spelling.length)] = index;
});

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!;
  const middle = bytes[(start + end) >> 1]!;
  const last = bytes[end - 1]!;
  return (first * 2 + middle * 4 + last * 23 + end - start) & (SLOTS - 1);
}

/** The index of the documented name that these bytes spell, or {@link UNDOCUMENTED}. */
export function documentedName(bytes: Uint8Array, start: number, end: number): number {
  const index = INDEX_IN_SLOT[slotOf(bytes, start, end)]!;
  if (index === UNDOCUMENTED) return UNDOCUMENTED;
  const spelling = SPELLINGS[index]!;
  if (spelling.length !== end - start) return UNDOCUMENTED;
  for (let i = 0; i < spelling.length; i++) {
    if (spelling[i] !== bytes[start + i]) return UNDOCUMENTED;
  }
  return index;
}
