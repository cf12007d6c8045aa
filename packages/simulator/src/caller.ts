import type { HttpRequest } from './http-exchange.js';
import type { SignType } from './orders.js';
import type { Route } from './routes.js';
import type { SimulatedMerchant } from './simulated-merchant.js';
import { isSignedBy } from './signing.js';
import type { Fields } from './wire-fields.js';
import { parseXml } from './xml.js';

/** Why a caller cannot be given a signed reply: it is not known, or what came was no message. */
export interface CallerRefusal {
  readonly ok: false;
  readonly code: string;
  readonly returnMsg: string;
}

type Judged<Value> = { readonly ok: true; readonly value: Value } | CallerRefusal;

export function readMessage(request: HttpRequest): Judged<Fields> {
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
export function identify(fields: Fields, merchant: SimulatedMerchant, route: Route): Judged<SignType> {
  const { appid = '', nonce_str: nonce = '', sign: signature = '' } = fields;
  const mchId = fields[route.mchIdField ?? 'mch_id'] ?? '';
  if (!appid || !mchId || (!nonce && !route.nonceless) || !signature) return refuse('LACK_PARAMS', '缺少参数');
  if (mchId !== merchant.mchId) return refuse('MCHID_NOT_EXIST', 'MCHID不存在');
  if (!/^wx[0-9A-Za-z]{1,30}$/.test(appid)) return refuse('APPID_NOT_EXIST', 'APPID不存在');
  if (appid !== merchant.appId) return refuse('APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配');
  if (nonce.length > 32) return refuse('PARAM_ERROR', 'nonce_str参数长度有误');
  const signType = fields['sign_type'] || 'MD5';
  if (signType !== 'MD5' && signType !== 'HMAC-SHA256') return refuse('PARAM_ERROR', 'sign_type参数格式错误');
  if (!isSignedBy(fields, merchant.apiKey, signType)) return refuse('SIGNERROR', '签名错误');
  return { ok: true, value: signType };
}

function refuse(code: string, returnMsg: string): CallerRefusal {
  return { ok: false, code, returnMsg };
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
