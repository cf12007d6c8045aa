import type { EventLog } from './events.js';
import type { FaultScript, GatewayFault, GatewayOperation } from './faults.js';
import { peerOf, type HttpOutcome, type HttpReply, type HttpRequest } from './http-exchange.js';
import { checkCloseOrder, checkOrderQuery, checkUnifiedOrder, type FieldContext } from './order-fields.js';
import { beijingTime } from './beijing-time.js';
import type { OrderLedger, SignType, SimulatedOrder } from './orders.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { isSignedBy, sign } from './signing.js';
import { buildXml, parseXml } from './xml.js';

type Fields = Readonly<Record<string, string>>;

/** What an operation answers once the caller is known: fields to add to the signed reply, or a refusal. */
type Answer =
  | { readonly code: 'SUCCESS'; readonly fields: Fields; readonly remark?: string }
  | { readonly code: string; readonly description: string };

/** A reply that cannot be signed: the caller is not known, or the message never became one. */
class Unsigned extends Error {
  constructor(
    readonly code: string,
    readonly returnMsg: string,
  ) {
    super(code);
  }
}

const OPERATIONS: Readonly<Record<string, GatewayOperation>> = {
  '/pay/unifiedorder': 'unifiedorder',
  '/pay/orderquery': 'orderquery',
  '/pay/closeorder': 'closeorder',
};

const NEW_ORDER_MILLISECONDS = 5 * 60_000;

const ORDER_PAID = { code: 'ORDERPAID', description: '该订单已支付' };
const TRADE_STATE_DESCRIPTIONS = { NOTPAY: '订单未支付', SUCCESS: '支付成功', CLOSED: '订单已关闭' };

export interface GatewayOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly events: EventLog;
  readonly faults: FaultScript;
  readonly now: () => Date;
  readonly allowRemoteNotifyUrl: boolean;
}

/** The merchant API: `POST /pay/…`, XML in, XML out. */
export class Gateway {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  handle(request: HttpRequest): HttpOutcome | undefined {
    const operation = OPERATIONS[request.url.pathname];
    if (!operation) return undefined;
    const { events } = this.#options;
    const message = readMessage(request);
    const fields = message instanceof Unsigned ? undefined : message;
    const outTradeNo = fields?.['out_trade_no'];
    const about = { operation, peer: peerOf(request), ...(outTradeNo !== undefined && { outTradeNo }) };
    events.record({ type: 'gateway.request', ...about, ...(fields && { fields }) });
    const { reply, verdict, reason } = this.#answer(operation, message);
    events.record({
      type: 'gateway.reply',
      ...about,
      ...(reply !== 'drop' && { status: 200, fields: reply }),
      verdict,
      ...(reason !== undefined && { reason }),
    });
    return reply === 'drop' ? 'drop' : xmlReply(buildXml(reply));
  }

  #answer(
    operation: GatewayOperation,
    message: Fields | Unsigned,
  ): { reply: Fields | 'drop'; verdict: string; reason?: string } {
    try {
      if (message instanceof Unsigned) throw message;
      const signType = this.#identify(message);
      const fault = this.#options.faults.takeCall(operation, message['out_trade_no']);
      if (fault) return this.#strike(fault, operation, message, signType);
      const answer = this.#perform(operation, message, signType);
      return {
        reply: this.#signed(answer, message, signType),
        verdict: answer.code,
        ...('remark' in answer ? { reason: answer.remark } : 'description' in answer && { reason: answer.description }),
      };
    } catch (error) {
      if (!(error instanceof Unsigned)) throw error;
      return { reply: failure(error.returnMsg), verdict: error.code, reason: error.returnMsg };
    }
  }

  #strike(fault: GatewayFault, operation: GatewayOperation, message: Fields, signType: SignType) {
    if ('returnMsg' in fault) {
      return { reply: failure(fault.returnMsg), verdict: 'FAIL', reason: `scripted: ${fault.returnMsg}` };
    }
    if ('errCode' in fault) {
      const description = fault.errCodeDes ?? (fault.errCode === 'SYSTEMERROR' ? '系统错误' : fault.errCode);
      const answer = { code: fault.errCode, description };
      return { reply: this.#signed(answer, message, signType), verdict: fault.errCode, reason: 'scripted' };
    }
    const verdict = fault.drop === 'apply' ? this.#perform(operation, message, signType).code : 'DROPPED';
    return { reply: 'drop' as const, verdict, reason: `scripted: connection cut (${fault.drop})` };
  }

  /** Who is calling? Returns the type the message is signed with. */
  #identify(fields: Fields): SignType {
    const { merchant } = this.#options;
    for (const name of ['appid', 'mch_id', 'nonce_str', 'sign']) {
      if (!fields[name]) throw new Unsigned('LACK_PARAMS', '缺少参数');
    }
    if (fields['mch_id'] !== merchant.mchId) throw new Unsigned('MCHID_NOT_EXIST', 'MCHID不存在');
    if (!/^wx[0-9A-Za-z]{1,30}$/.test(fields['appid'] ?? '')) throw new Unsigned('APPID_NOT_EXIST', 'APPID不存在');
    if (fields['appid'] !== merchant.appId) throw new Unsigned('APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配');
    if ((fields['nonce_str'] ?? '').length > 32) throw new Unsigned('PARAM_ERROR', 'nonce_str参数长度有误');
    const signType = fields['sign_type'] || 'MD5';
    if (signType !== 'MD5' && signType !== 'HMAC-SHA256') throw new Unsigned('PARAM_ERROR', 'sign_type参数格式错误');
    if (!isSignedBy(fields, merchant.apiKey, signType)) throw new Unsigned('SIGNERROR', '签名错误');
    return signType;
  }

  #perform(operation: GatewayOperation, fields: Fields, signType: SignType): Answer {
    const { now, allowRemoteNotifyUrl } = this.#options;
    const context: FieldContext = { now: now(), allowRemoteNotifyUrl };
    if (operation === 'unifiedorder') return this.#unifiedOrder(fields, context, signType);
    if (operation === 'orderquery') return this.#orderQuery(fields, context);
    return this.#closeOrder(fields, context);
  }

  #unifiedOrder(fields: Fields, context: FieldContext, signType: SignType): Answer {
    const refusal = checkUnifiedOrder(fields, context);
    if (refusal) return { code: refusal.errCode, description: refusal.errCodeDes };
    const placement = this.#options.orders.place(fields, signType);
    if (placement.placed) {
      const { prepayId, mwebUrl } = placement.link;
      return { code: 'SUCCESS', fields: { trade_type: 'MWEB', prepay_id: prepayId, mweb_url: mwebUrl } };
    }
    if (placement.refusal === 'ORDERPAID') return ORDER_PAID;
    if (placement.refusal === 'ORDERCLOSED') return { code: 'ORDERCLOSED', description: '订单已关闭' };
    return { code: 'INVALID_REQUEST', description: '201 商户订单号重复' };
  }

  #orderQuery(fields: Fields, context: FieldContext): Answer {
    const refusal = checkOrderQuery(fields, context);
    if (refusal) return { code: refusal.errCode, description: refusal.errCodeDes };
    const { orders } = this.#options;
    // With both ids the transaction id wins.
    const order = fields['transaction_id']
      ? orders.findByTransaction(fields['transaction_id'])
      : orders.get(fields['out_trade_no'] ?? '');
    if (!order) return { code: 'ORDERNOTEXIST', description: '订单不存在' };
    return { code: 'SUCCESS', fields: { ...queryFields(order), ...tradeState(order) } };
  }

  #closeOrder(fields: Fields, context: FieldContext): Answer {
    const refusal = checkCloseOrder(fields, context);
    if (refusal) return { code: refusal.errCode, description: refusal.errCodeDes };
    const { orders } = this.#options;
    const order = orders.get(fields['out_trade_no'] ?? '');
    const success = { code: 'SUCCESS', fields: { result_msg: 'OK' } } as const;
    // The live gateway reports success for a number it never saw: success proves nothing without a query.
    if (!order) return { ...success, remark: 'no such order; the live gateway reports success too' };
    if (order.tradeState === 'SUCCESS') return ORDER_PAID;
    if (order.tradeState === 'CLOSED') return { code: 'ORDERCLOSED', description: '订单已关闭，无法重复关闭' };
    orders.close(order.outTradeNo);
    const young = context.now.getTime() - order.createdAt.getTime() < NEW_ORDER_MILLISECONDS;
    return young ? { ...success, remark: 'closed within five minutes of creation, which WeChat forbids' } : success;
  }

  #signed(answer: Answer, request: Fields, signType: SignType): Fields {
    const { merchant } = this.#options;
    const fields: Record<string, string> = {
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: merchant.appId,
      mch_id: merchant.mchId,
      ...pick(request, 'sub_appid', 'sub_mch_id', 'device_info'),
      nonce_str: randomToken(16),
      ...('fields' in answer
        ? { result_code: 'SUCCESS', ...answer.fields }
        : { result_code: 'FAIL', err_code: answer.code, err_code_des: answer.description }),
    };
    return { ...fields, sign: sign(fields, merchant.apiKey, signType) };
  }
}

function readMessage(request: HttpRequest): Fields | Unsigned {
  if (request.method !== 'POST') return new Unsigned('REQUIRE_POST_METHOD', '请使用post方法');
  if (request.body.length === 0) return new Unsigned('POST_DATA_EMPTY', 'post数据为空');
  const text = decodeUtf8(request.body);
  if (text === undefined) return new Unsigned('NOT_UTF8', '编码格式错误');
  try {
    return parseXml(text);
  } catch {
    return new Unsigned('XML_FORMAT_ERROR', 'XML格式错误');
  }
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** WeChat leaves out what a payment would have told, as long as there is none. */
function queryFields(order: SimulatedOrder): Fields {
  const { payment } = order;
  return {
    ...pick(order.fields, 'attach'),
    out_trade_no: order.outTradeNo,
    total_fee: String(order.totalFee),
    ...(payment && {
      openid: payment.openId,
      is_subscribe: 'N',
      trade_type: 'MWEB',
      bank_type: payment.bankType,
      fee_type: order.feeType,
      cash_fee: String(order.totalFee),
      cash_fee_type: order.feeType,
      transaction_id: payment.transactionId,
      time_end: beijingTime(payment.paidAt),
    }),
  };
}

function tradeState({ tradeState: state }: SimulatedOrder): Fields {
  return { trade_state: state, trade_state_desc: TRADE_STATE_DESCRIPTIONS[state] };
}

export function pick(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, fields[name]]] : [])));
}

function failure(returnMsg: string): Fields {
  return { return_code: 'FAIL', return_msg: returnMsg };
}

function xmlReply(body: string): HttpReply {
  return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}
