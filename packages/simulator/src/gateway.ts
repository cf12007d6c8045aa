import { gzipSync } from 'node:zlib';
import type { BillColumns } from './bill.js';
import { identify, readMessage, type CallerRefusal } from './caller.js';
import type { EventLog } from './events.js';
import type { FaultScript, GatewayFault, GatewayOperation } from './faults.js';
import { peerOf, type HttpOutcome, type HttpReply, type HttpRequest } from './http-exchange.js';
import { officialDescription } from './official-descriptions.js';
import type { Answer, Refusal } from './operation.js';
import type { OrderLedger, SignType } from './orders.js';
import type { RefundDesk } from './refund-desk.js';
import type { RefundLedger } from './refunds.js';
import { refusedCertificate } from './refused-certificate.js';
import { operationAt, ROUTES } from './routes.js';
import { randomToken, type SimulatedMerchant } from './simulated-merchant.js';
import { sign } from './signing.js';
import { billRefusal } from './statement-refusals.js';
import { pick, type Fields } from './wire-fields.js';
import { buildXml } from './xml.js';

interface Answered {
  readonly reply: Fields | HttpReply | 'drop';
  readonly verdict: string;
  readonly reason?: string;
}

/** One call of a known merchant. */
interface Call {
  readonly operation: GatewayOperation;
  readonly fields: Fields;
  readonly signType: SignType;
}

export interface GatewayOptions {
  readonly merchant: SimulatedMerchant;
  readonly orders: OrderLedger;
  readonly refunds: RefundLedger;
  readonly refundDesk: RefundDesk;
  readonly events: EventLog;
  readonly faults: FaultScript;
  readonly now: () => Date;
  readonly allowRemoteNotifyUrl: boolean;
  readonly billColumns: BillColumns;
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
    const { reply, verdict, reason } =
      certificateRefusal(operation, request) ??
      (message.ok ? this.#answer(operation, message.value, subject.outTradeNo) : refused(operation, message));
    const seen = reply === 'drop' ? {} : isHttp(reply) ? { status: reply.status } : { status: 200, fields: reply };
    events.record({
      type: 'gateway.reply',
      ...about,
      ...seen,
      verdict,
      ...(reason !== undefined && { reason }),
    });
    return reply === 'drop' || isHttp(reply) ? reply : xmlReply(buildXml(reply));
  }

  #answer(operation: GatewayOperation, fields: Fields, outTradeNo: string | undefined): Answered {
    const caller = identify(fields, this.#options.merchant, ROUTES[operation]);
    if (!caller.ok) return refused(operation, caller);
    const call: Call = { operation, fields, signType: caller.value };
    const fault = this.#options.faults.takeCall(operation, outTradeNo);
    return fault ? this.#strike(fault, call) : this.#reply(this.#perform(call), call);
  }

  #perform({ operation, fields, signType }: Call): Answer {
    const { refundDesk, merchant, now } = this.#options;
    refundDesk.settleDue();
    const { currencies } = merchant;
    return ROUTES[operation].perform(fields, { ...this.#options, currencies, now: now(), signType });
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

  #strike(fault: GatewayFault, call: Call): Answered {
    if ('returnMsg' in fault) return unsigned({ code: 'FAIL', returnMsg: fault.returnMsg });
    if ('status' in fault) return httpFault(fault);
    if ('fields' in fault) return this.#reply(this.#perform(call), call, fault.fields);
    if ('signType' in fault) return this.#reply(this.#perform(call), { ...call, signType: fault.signType });
    if ('drop' in fault) {
      if (fault.drop === 'ignore') return { reply: 'drop', verdict: 'DROPPED', reason: 'cut before anything was done' };
      const { code } = this.#perform(call);
      return { reply: 'drop', verdict: 'DROPPED', reason: `cut after the operation ended with ${code}` };
    }
    if (fault.apply) this.#perform(call);
    const description = fault.errCodeDes ?? officialDescription(fault.errCode);
    return this.#reply({ code: fault.errCode, description }, call);
  }

  #reply(answer: Answer, { operation, fields: request, signType }: Call, changes: Fields = {}): Answered {
    if ('returnMsg' in answer) return unsigned(answer);
    if ('text' in answer) return { reply: statementReply(answer.text, answer.gzip), verdict: 'SUCCESS' };
    const { unsignedRefusal, nonceless } = ROUTES[operation];
    if (unsignedRefusal && !('fields' in answer)) return refusedUnsigned(unsignedRefusal, answer);
    const { merchant } = this.#options;
    const complete: Fields = {
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: merchant.appId,
      mch_id: merchant.mchId,
      ...pick(request, 'sub_appid', 'sub_mch_id'),
      ...(!nonceless && { nonce_str: randomToken(16) }),
      ...('fields' in answer
        ? { ...(!nonceless && { result_code: 'SUCCESS' }), ...answer.fields }
        : { result_code: 'FAIL', err_code: answer.code, err_code_des: answer.description }),
      ...changes,
    };
    const fields = Object.fromEntries(Object.entries(complete).filter(([name]) => changes[name] !== ''));
    const reason = 'fields' in answer ? answer.remark : answer.description;
    const reply = 'sign' in changes ? fields : { ...fields, sign: sign(fields, merchant.apiKey, signType) };
    return { reply, verdict: answer.code, ...(reason !== undefined && { reason }) };
  }
}

function isHttp(reply: Fields | HttpReply): reply is HttpReply {
  return typeof reply['status'] === 'number';
}

function certificateRefusal(operation: GatewayOperation, request: HttpRequest): Answered | undefined {
  const refusal = ROUTES[operation].certificate && refusedCertificate(request);
  if (!refusal) return undefined;
  const { reason, ...reply } = refusal;
  return { reply, verdict: 'NO_CERTIFICATE', reason };
}

function refused(operation: GatewayOperation, { code, returnMsg }: CallerRefusal): Answered {
  // Only bills have a form of their own for what cannot be authenticated.
  return operation === 'downloadbill'
    ? refusedUnsigned(billRefusal, { code, description: returnMsg })
    : unsigned({ code, returnMsg });
}

function refusedUnsigned(told: typeof billRefusal, { code, description }: Refusal): Answered {
  const reply = told(code, description);
  return { reply, verdict: code, reason: reply['err_code_des'] ?? reply['return_msg'] ?? description };
}

function statementReply(text: string, gzip: boolean): HttpReply {
  const headers = { 'content-type': gzip ? 'application/x-gzip' : 'text/plain; charset=utf-8' };
  return { status: 200, headers, body: gzip ? gzipSync(text) : text };
}

/** `return_code=FAIL` carries two fields and no signature: nobody can tell that it comes from WeChat. */
function unsigned({ code, returnMsg }: { readonly code: string; readonly returnMsg: string }): Answered {
  return { reply: { return_code: 'FAIL', return_msg: returnMsg }, verdict: code, reason: returnMsg };
}

function httpFault({ status, body = '' }: { readonly status: number; readonly body?: string }): Answered {
  const headers = { 'content-type': 'text/html; charset=utf-8' };
  return { reply: { status, headers, body }, verdict: 'HTTP', reason: `${status}, as a fault asked for` };
}

function xmlReply(body: string): HttpReply {
  return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}
