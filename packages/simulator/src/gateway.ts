import type { EventLog } from './events.js';
import type { FaultScript, GatewayFault, GatewayOperation } from './faults.js';
import { peerOf, type HttpOutcome, type HttpReply, type HttpRequest } from './http-exchange.js';
import type { Answer, Operation } from './operation.js';
import { closeOrder, orderQuery, unifiedOrder } from './order-operations.js';
import type { OrderLedger, SignType } from './orders.js';
import { refundQuery } from './refund-operations.js';
import type { RefundLedger } from './refunds.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { isSignedBy, sign } from './signing.js';
import { pick, type Fields } from './wire-fields.js';
import { buildXml, parseXml } from './xml.js';

/** A reply that cannot be signed: the caller is not known, or what came was no message. */
interface Unsigned {
  readonly code: string;
  readonly returnMsg: string;
}

type Judged<Value> = { readonly ok: true; readonly value: Value } | ({ readonly ok: false } & Unsigned);

interface Answered {
  readonly reply: Fields | 'drop';
  readonly verdict: string;
  readonly reason?: string;
}

const OPERATIONS: Readonly<Record<GatewayOperation, Operation>> = {
  unifiedorder: unifiedOrder,
  orderquery: orderQuery,
  closeorder: closeOrder,
  refundquery: refundQuery,
};

/** The official words for codes that a script may ask for without words of its own. */
const DESCRIPTIONS = new Map([
  ['SYSTEMERROR', '系统错误'],
  ['FREQUENCY_LIMITED', '频率限制'],
  ['NOAUTH', '商户无此接口权限'],
]);

export interface GatewayOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly refunds: RefundLedger;
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
    const operation = operationAt(request.url.pathname);
    if (!operation) return undefined;
    const { events } = this.#options;
    const message = readMessage(request);
    const fields = message.ok ? message.value : undefined;
    const subject = fields ? this.#subject(fields) : {};
    const about = { operation, peer: peerOf(request), ...subject };
    events.record({ type: 'gateway.request', ...about, ...(fields && { fields }) });
    const { reply, verdict, reason } = message.ok
      ? this.#answer(operation, message.value, subject.outTradeNo)
      : unsigned(message);
    events.record({
      type: 'gateway.reply',
      ...about,
      ...(reply !== 'drop' && { status: 200, fields: reply }),
      verdict,
      ...(reason !== undefined && { reason }),
    });
    return reply === 'drop' ? 'drop' : xmlReply(buildXml(reply));
  }

  #answer(operation: GatewayOperation, fields: Fields, outTradeNo: string | undefined): Answered {
    const caller = identify(fields, this.#options.merchant);
    if (!caller.ok) return unsigned(caller);
    const fault = this.#options.faults.takeCall(operation, outTradeNo);
    if (fault) return this.#strike(fault, operation, fields, caller.value);
    return this.#signed(this.#perform(operation, fields, caller.value), fields, caller.value);
  }

  #perform(operation: GatewayOperation, fields: Fields, signType: SignType): Answer {
    const { orders, refunds, now, allowRemoteNotifyUrl } = this.#options;
    return OPERATIONS[operation](fields, { orders, refunds, now: now(), allowRemoteNotifyUrl, signType });
  }

  /** Which order a message is about, and which refund, whatever number it names them by. */
  #subject(fields: Fields): { readonly outTradeNo?: string; readonly outRefundNo?: string } {
    const { orders, refunds } = this.#options;
    const refund = refunds.findByRefundId(fields['refund_id'] ?? '') ?? refunds.get(fields['out_refund_no'] ?? '');
    const outRefundNo = refund?.outRefundNo ?? fields['out_refund_no'];
    const order = refund ?? orders.findByTransaction(fields['transaction_id'] ?? '');
    const outTradeNo = order?.outTradeNo ?? fields['out_trade_no'];
    return { ...(outTradeNo !== undefined && { outTradeNo }), ...(outRefundNo !== undefined && { outRefundNo }) };
  }

  #strike(fault: GatewayFault, operation: GatewayOperation, fields: Fields, signType: SignType): Answered {
    if ('returnMsg' in fault) return unsigned({ code: 'FAIL', returnMsg: fault.returnMsg });
    if ('errCode' in fault) {
      const description = fault.errCodeDes ?? DESCRIPTIONS.get(fault.errCode) ?? fault.errCode;
      return this.#signed({ code: fault.errCode, description }, fields, signType);
    }
    if ('fields' in fault) {
      return this.#signed(this.#perform(operation, fields, signType), fields, signType, fault.fields);
    }
    if (fault.drop === 'ignore') return { reply: 'drop', verdict: 'DROPPED', reason: 'cut before anything was done' };
    const { code } = this.#perform(operation, fields, signType);
    return { reply: 'drop', verdict: 'DROPPED', reason: `cut after the operation ended with ${code}` };
  }

  #signed(answer: Answer, request: Fields, signType: SignType, changes: Fields = {}): Answered {
    const { merchant } = this.#options;
    const complete: Fields = {
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: merchant.appId,
      mch_id: merchant.mchId,
      ...pick(request, 'sub_appid', 'sub_mch_id'),
      nonce_str: randomToken(16),
      ...('fields' in answer
        ? { result_code: 'SUCCESS', ...answer.fields }
        : { result_code: 'FAIL', err_code: answer.code, err_code_des: answer.description }),
      ...changes,
    };
    const fields = Object.fromEntries(Object.entries(complete).filter(([name]) => changes[name] !== ''));
    const reason = 'fields' in answer ? answer.remark : answer.description;
    const reply = { ...fields, sign: sign(fields, merchant.apiKey, signType) };
    return { reply, verdict: answer.code, ...(reason !== undefined && { reason }) };
  }
}

function operationAt(pathname: string): GatewayOperation | undefined {
  const name = /^\/pay\/([a-z]+)$/.exec(pathname)?.[1] ?? '';
  return Object.hasOwn(OPERATIONS, name) ? (name as GatewayOperation) : undefined;
}

function readMessage(request: HttpRequest): Judged<Fields> {
  if (request.method !== 'POST') return refuse('REQUIRE_POST_METHOD', '请使用post方法');
  if (request.body.length === 0) return refuse('POST_DATA_EMPTY', 'post数据为空');
  const text = decodeUtf8(request.body);
  if (text === undefined) return refuse('NOT_UTF8', '编码格式错误');
  try {
    return { ok: true, value: parseXml(text) };
  } catch {
    return refuse('XML_FORMAT_ERROR', 'XML格式错误');
  }
}

/** Who is calling? The value is the type that the message is signed with. */
function identify(fields: Fields, merchant: SimulatedMerchant): Judged<SignType> {
  const { appid = '', mch_id: mchId = '', nonce_str: nonce = '', sign: signature = '' } = fields;
  if (!appid || !mchId || !nonce || !signature) return refuse('LACK_PARAMS', '缺少参数');
  if (mchId !== merchant.mchId) return refuse('MCHID_NOT_EXIST', 'MCHID不存在');
  if (!/^wx[0-9A-Za-z]{1,30}$/.test(appid)) return refuse('APPID_NOT_EXIST', 'APPID不存在');
  if (appid !== merchant.appId) return refuse('APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配');
  if (nonce.length > 32) return refuse('PARAM_ERROR', 'nonce_str参数长度有误');
  const signType = fields['sign_type'] || 'MD5';
  if (signType !== 'MD5' && signType !== 'HMAC-SHA256') return refuse('PARAM_ERROR', 'sign_type参数格式错误');
  if (!isSignedBy(fields, merchant.apiKey, signType)) return refuse('SIGNERROR', '签名错误');
  return { ok: true, value: signType };
}

function refuse(code: string, returnMsg: string): { readonly ok: false } & Unsigned {
  return { ok: false, code, returnMsg };
}

/** `return_code=FAIL` carries two fields and no signature: nobody can tell that it comes from WeChat. */
function unsigned({ code, returnMsg }: Unsigned): Answered {
  return { reply: { return_code: 'FAIL', return_msg: returnMsg }, verdict: code, reason: returnMsg };
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function xmlReply(body: string): HttpReply {
  return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}
