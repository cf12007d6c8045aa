/** The longest name a field may have, in characters. The longest that WeChat Pay documents has 27. */
export const MAX_NAME_LENGTH = 64;

const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Whether a field may have this name: it is an XML name of ASCII characters, without a colon. */
export function isFieldName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && FIELD_NAME.test(name);
}

/**
 * The names that WeChat Pay documents for its notifications and replies, in ascending order. All other names are
 * read as well; these are only recognised faster, and their strings need not be made.
 */
export const DOCUMENTED_NAMES: readonly string[] = (
  'appid attach bank_type cash_fee cash_fee_type cash_refund_fee code_url coupon_count coupon_fee coupon_fee_0 ' +
  'coupon_fee_1 coupon_fee_2 coupon_id_0 coupon_id_1 coupon_id_2 coupon_type_0 coupon_type_1 coupon_type_2 detail ' +
  'device_info err_code err_code_des fee_type is_subscribe mch_id mweb_url nonce_str openid out_refund_no out_trade_no ' +
  'prepay_id promotion_detail rate rate_value refund_account refund_fee refund_id refund_recv_accout ' +
  'refund_request_source refund_status req_info result_code return_code return_msg settlement_refund_fee ' +
  'settlement_total_fee sign sign_type sub_appid sub_is_subscribe sub_mch_id sub_openid success_time time_end ' +
  'total_fee trade_state trade_state_desc trade_type transaction_id version'
).split(' ');

/** Stands for every other name. Less than the index of any documented one. */
export const UNDOCUMENTED = -1;

/** The index of each documented name. */
export const INDEX_OF_NAME: ReadonlyMap<string, number> = new Map(DOCUMENTED_NAMES.map((name, index) => [name, index]));

/** The documented names in bytes. */
export const SPELLINGS: readonly Uint8Array[] = DOCUMENTED_NAMES.map((name) => Buffer.from(name, 'latin1'));

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
