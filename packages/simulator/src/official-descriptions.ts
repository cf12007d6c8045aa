/**
 * What WeChat Pay's tables of errors call each code: unifiedorder, orderquery, closeorder, refund and refundquery.
 * The bills have numbers and English texts of their own.
 */
const DESCRIPTIONS = new Map([
  ['ACCOUNTERROR', '帐号异常'],
  ['APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配'],
  ['APPID_NOT_EXIST', 'APPID不存在'],
  ['BANKERROR', '银行系统异常'],
  ['BIZERR_NEED_RETRY', '退款业务流程错误，需要商户触发重试来解决'],
  ['CERT_ERROR', '证书校验错误'],
  ['ERROR', '业务错误'],
  ['FREQUENCY_LIMITED', '频率限制'],
  ['INVALID_REQUEST', '参数错误'],
  ['INVALID_REQ_TOO_MUCH', '无效请求过多'],
  ['INVALID_TRANSACTIONID', '无效transaction_id'],
  ['LACK_PARAMS', '缺少参数'],
  ['MCHID_NOT_EXIST', 'MCHID不存在'],
  ['NOAUTH', '商户无此接口权限'],
  ['NOTENOUGH', '余额不足'],
  ['NOT_UTF8', '编码格式错误'],
  ['ORDERCLOSED', '订单已关闭'],
  ['ORDERNOTEXIST', '此交易订单号不存在'],
  ['ORDERPAID', '商户订单已支付'],
  ['ORDER_NOT_READY', '订单处理中，暂时无法退款，请稍后再试'],
  ['OUT_TRADE_NO_USED', '商户订单号重复'],
  ['PARAM_ERROR', '参数错误'],
  ['POST_DATA_EMPTY', 'post数据为空'],
  ['REFUNDNOTEXIST', '退款订单查询失败'],
  ['REFUND_FEE_MISMATCH', '订单金额或退款金额与之前请求不一致，请核实后再试'],
  ['REQUIRE_POST_METHOD', '请使用post方法'],
  ['SIGNERROR', '签名错误'],
  ['SYSTEMERROR', '系统错误'],
  ['TRADE_ERROR', '交易错误'],
  ['TRADE_OVERDUE', '订单已经超过退款期限'],
  ['TRADE_STATE_ERROR', '订单状态错误'],
  ['USER_ACCOUNT_ABNORMAL', '退款请求失败'],
  ['XML_FORMAT_ERROR', 'XML格式错误'],
]);

/** The official words for a code; the code itself when no table has it. */
export function officialDescription(code: string): string {
  return DESCRIPTIONS.get(code) ?? code;
}
