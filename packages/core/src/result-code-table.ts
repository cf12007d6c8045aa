import type { ResultCodeRow } from './result-codes.js';

/** The first row that fits is the one: those for one operation or one text stand before those for all. */
export const RESULT_CODE_TABLE: readonly ResultCodeRow[] = [
  {
    codes: ['SYSTEMERROR', '20100'],
    type: 'system',
    meaning: {
      en: 'WeChat Pay failed or timed out inside; what became of the call is unknown.',
      zh: '微信支付系统错误或超时，结果未知。',
    },
    action: { en: 'Call again with the same parameters.', zh: '请用相同参数重新调用。' },
    retry: 'same-parameters',
  },
  {
    codes: ['BIZERR_NEED_RETRY'],
    type: 'system',
    meaning: { en: 'The refund was not processed in time.', zh: '退款业务流程错误，需要重试。' },
    action: {
      en: 'Call again with the same parameters and the same out_refund_no; another number could refund twice.',
      zh: '请用相同参数和相同的商户退款单号重试，更换单号可能造成重复退款。',
    },
    retry: 'same-parameters',
  },
  {
    codes: ['FREQUENCY_LIMITED'],
    type: 'rate-limit',
    meaning: { en: 'Too many calls.', zh: '请求过于频繁。' },
    action: { en: 'Wait a moment, then call again with the same parameters.', zh: '请稍后用相同参数重试。' },
    retry: 'later',
  },
  {
    codes: ['INVALID_REQ_TOO_MUCH'],
    type: 'rate-limit',
    meaning: { en: 'Too many refund calls that were wrong.', zh: '无效退款请求过多，已被限频。' },
    action: {
      en: 'Correct what was refused, wait a minute, then call again with the same out_refund_no.',
      zh: '请检查业务是否正常，一分钟后用相同的商户退款单号重试。',
    },
    retry: 'later',
  },

  // Who is asking
  {
    codes: ['SIGNERROR'],
    type: 'credentials',
    meaning: { en: 'The signature is not that of this merchant.', zh: '签名错误。' },
    action: { en: 'Check apiKey and signType.', zh: '请核对 APIv2 密钥与签名类型。' },
    retry: 'never',
  },
  {
    codes: ['APPID_NOT_EXIST'],
    type: 'credentials',
    meaning: { en: 'There is no such appid.', zh: 'appid 不存在。' },
    action: { en: 'Check appId.', zh: '请核对 appid。' },
    retry: 'never',
  },
  {
    codes: ['MCHID_NOT_EXIST'],
    type: 'credentials',
    meaning: { en: 'There is no such mch_id.', zh: '商户号不存在。' },
    action: { en: 'Check mchId.', zh: '请核对 mch_id。' },
    retry: 'never',
  },
  {
    codes: ['APPID_MCHID_NOT_MATCH'],
    type: 'credentials',
    meaning: { en: 'appid and mch_id are not bound to each other.', zh: 'appid 与 mch_id 未绑定。' },
    action: {
      en: 'Bind them on the merchant platform, or correct one of them.',
      zh: '请在商户平台绑定，或更正其中之一。',
    },
    retry: 'never',
  },
  {
    codes: ['20001'],
    text: /sign/i,
    type: 'credentials',
    meaning: { en: 'The signature is not that of this merchant.', zh: '签名错误。' },
    action: { en: 'Check apiKey and signType.', zh: '请核对 APIv2 密钥与签名类型。' },
    retry: 'never',
  },
  {
    codes: ['NOAUTH'],
    type: 'permission',
    meaning: { en: 'This product or interface is not enabled for the merchant.', zh: '商户无此接口权限。' },
    action: { en: 'Enable H5 payment on the merchant platform.', zh: '请在商户平台开通 H5 支付。' },
    retry: 'never',
  },

  // What is asked
  {
    codes: ['LACK_PARAMS'],
    type: 'request',
    meaning: { en: 'A required parameter is missing.', zh: '缺少必要的请求参数。' },
    action: { en: 'Its text names the parameter.', zh: '请按错误描述补齐参数。' },
    retry: 'never',
  },
  {
    codes: ['PARAM_ERROR', '20001'],
    type: 'request',
    meaning: { en: 'A parameter is wrong.', zh: '参数错误。' },
    action: { en: 'Its text names the parameter.', zh: '请按错误描述更正参数。' },
    retry: 'never',
  },
  {
    codes: ['XML_FORMAT_ERROR', 'REQUIRE_POST_METHOD', 'POST_DATA_EMPTY', 'NOT_UTF8'],
    type: 'request',
    meaning: { en: 'The message did not arrive as it was sent.', zh: '请求报文格式错误。' },
    action: {
      en: 'Look for a proxy between this server and WeChat Pay that changes requests.',
      zh: '请检查本机与微信支付之间是否有修改请求的代理。',
    },
    retry: 'never',
  },
  {
    codes: ['INVALID_TRANSACTIONID'],
    type: 'request',
    meaning: { en: 'There is no such transaction_id.', zh: '微信支付订单号无效。' },
    action: {
      en: 'Check transactionId, or name the order by outTradeNo.',
      zh: '请核对 transaction_id，或改用商户订单号。',
    },
    retry: 'never',
  },

  // Orders
  {
    codes: ['OUT_TRADE_NO_USED'],
    type: 'order-state',
    error: 'ORDER_CONFLICT',
    meaning: {
      en: 'The order number was used with other parameters.',
      zh: '商户订单号重复，且参数与原订单不一致。',
    },
    action: {
      en: 'Repeat the order with exactly the same parameters, or use a new outTradeNo.',
      zh: '参数须与原订单完全一致，否则请更换订单号。',
    },
    retry: 'new-number',
  },
  {
    // What the gateway really answers in place of OUT_TRADE_NO_USED.
    codes: ['INVALID_REQUEST'],
    text: /\b201\b|订单号重复/,
    operations: ['unifiedorder'],
    type: 'order-state',
    error: 'ORDER_CONFLICT',
    meaning: {
      en: 'The order number was used with other parameters.',
      zh: '商户订单号重复，且参数与原订单不一致。',
    },
    action: {
      en: 'Repeat the order with exactly the same parameters, or use a new outTradeNo.',
      zh: '参数须与原订单完全一致，否则请更换订单号。',
    },
    retry: 'new-number',
  },
  {
    codes: ['INVALID_REQUEST'],
    type: 'order-state',
    meaning: { en: 'The call does not fit the present state or the merchant.', zh: '请求不符合业务规则。' },
    action: { en: 'Its text says why; query before anything is repeated.', zh: '请查看错误描述，重试前先查询。' },
    retry: 'query',
  },
  {
    codes: ['ORDERPAID'],
    type: 'order-state',
    error: 'ORDER_PAID',
    meaning: { en: 'The order is paid.', zh: '订单已支付。' },
    action: { en: 'Query it; to give the money back, refund.', zh: '请查询订单；如需退回请申请退款。' },
    retry: 'query',
  },
  {
    codes: ['ORDERCLOSED'],
    type: 'order-state',
    error: 'ORDER_CLOSED',
    meaning: { en: 'The order is closed.', zh: '订单已关闭。' },
    action: { en: 'Order again under a new outTradeNo.', zh: '请使用新的商户订单号重新下单。' },
    retry: 'new-number',
  },
  {
    codes: ['TRADE_STATE_ERROR', 'TRADE_ERROR'],
    type: 'order-state',
    meaning: { en: 'The order is not in a state that allows this.', zh: '订单状态不允许该操作。' },
    action: { en: 'Query the order first.', zh: '请先查询订单状态。' },
    retry: 'query',
  },
  {
    codes: ['ORDERNOTEXIST'],
    type: 'not-found',
    error: 'ORDER_UNKNOWN',
    meaning: { en: 'WeChat Pay does not know this order.', zh: '订单不存在。' },
    action: {
      en: 'Check the number and the mchId; an order whose creation failed is not known either.',
      zh: '请核对订单号与商户号；未成功创建的订单同样不存在。',
    },
    retry: 'never',
  },

  // Payers
  {
    codes: ['NOTENOUGH'],
    operations: ['refund'],
    type: 'funds',
    meaning: { en: 'The merchant has not enough money for this refund.', zh: '商户可用退款余额不足。' },
    action: {
      en: 'Recharge the account or name another refundAccount, then call again with the same outRefundNo.',
      zh: '请充值或更换退款资金来源，再用相同的商户退款单号重试。',
    },
    retry: 'later',
  },
  {
    codes: ['NOTENOUGH'],
    type: 'payer',
    meaning: { en: 'The payer has not enough money.', zh: '用户余额不足。' },
    action: { en: 'The payer chooses another card and pays again.', zh: '请用户更换支付方式后再支付。' },
    retry: 'never',
  },
  {
    codes: ['ACCOUNTERROR', 'USER_ACCOUNT_ABNORMAL'],
    type: 'payer',
    meaning: { en: "The payer's account is closed or restricted.", zh: '用户账号异常或已注销。' },
    action: {
      en: 'Settle it with the payer by other means.',
      zh: '请与用户协商其他方式处理。',
    },
    retry: 'never',
  },
  {
    codes: ['BANKERROR'],
    type: 'payer',
    meaning: { en: "The payer's bank failed.", zh: '银行系统异常。' },
    action: {
      en: 'Query the order; the payer tries again or takes another card.',
      zh: '请查询订单，用户可重试或更换银行卡。',
    },
    retry: 'query',
  },
  {
    codes: ['OPENID_MISMATCH'],
    type: 'payer',
    meaning: { en: 'openid does not belong to appid.', zh: 'openid 与 appid 不匹配。' },
    action: { en: 'H5 payment needs no openid: leave it out.', zh: 'H5 支付无需 openid，请勿传入。' },
    retry: 'never',
  },

  // Refunds
  {
    codes: ['TRADE_OVERDUE'],
    type: 'order-state',
    meaning: { en: 'The order was paid more than a year ago.', zh: '订单已超过一年的退款期限。' },
    action: { en: 'Give the money back by other means.', zh: '请通过其他方式退款。' },
    retry: 'never',
  },
  {
    codes: ['REFUNDNOTEXIST'],
    type: 'not-found',
    error: 'ORDER_UNKNOWN',
    meaning: { en: 'WeChat Pay knows no such refund.', zh: '退款不存在。' },
    action: { en: 'Check the number and the mchId.', zh: '请核对退款单号与商户号。' },
    retry: 'never',
  },
  {
    codes: ['ERROR'],
    operations: ['refund'],
    type: 'order-state',
    meaning: { en: 'The refund is refused for a reason of the business.', zh: '业务错误，退款被拒绝。' },
    action: {
      en: 'Its text says why; query the refund before anything is repeated, and keep the same outRefundNo.',
      zh: '请查看错误描述；重试前先查询退款，且不要更换商户退款单号。',
    },
    retry: 'query',
  },

  // Bills
  {
    codes: ['20002', 'NO_BILL_EXIST'],
    type: 'not-found',
    error: 'BILL_NOT_FOUND',
    meaning: { en: 'There is no bill for that day.', zh: '该日没有账单。' },
    action: {
      en: 'Nothing to do if there were no transactions; bills go back three months.',
      zh: '当日无交易则无需处理；仅可下载三个月内的账单。',
    },
    retry: 'never',
  },
  {
    codes: ['20003', 'BILL_CREATING'],
    type: 'system',
    error: 'BILL_NOT_READY',
    meaning: { en: 'The bill is being made.', zh: '账单生成中。' },
    action: { en: 'Ask again after 10:00 (UTC+8).', zh: '请在北京时间 10 点后重试。' },
    retry: 'later',
  },
  {
    codes: ['20007', 'COMPRESSGZIP_ERROR', 'UNCOMPRESSGZIP_ERROR'],
    type: 'system',
    meaning: { en: 'The bill could not be packed.', zh: '账单压缩失败。' },
    action: { en: 'Ask again later, or without gzip.', zh: '请稍后重试，或不使用压缩。' },
    retry: 'later',
  },
];
