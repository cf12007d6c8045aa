import { replyInvalid, returnCodeFail } from './gateway-errors.js';
import { kindOf } from './gateway-reply.js';
import type { KnownMerchant } from './merchant.js';
import { readSigned } from './signature.js';
import { recutField } from './signed-fields.js';

/** A reply whose signature and ids were checked: every field as received. */
export interface GatewayReply {
  readonly raw: Readonly<Record<string, string>>;
  /** `undefined`: `result_code` is SUCCESS. */
  readonly refusal: { readonly errCode: string; readonly errCodeDes: string } | undefined;
}

/** How many replies are remembered to recognise one that belongs to another order. */
const REMEMBERED_REPLIES = 1000;

/** Believes a reply only once it parses strictly, is signed with the merchant's key and names the merchant. */
export class Belief {
  readonly #replies = new Map<string, string>();

  /**
   * @param subject the number the call was about
   * @throws {WechatH5Error} `GATEWAY_REPLY_INVALID`, `RETURN_CODE_FAIL`
   */
  believe(body: Buffer, merchant: KnownMerchant, subject: string, hasNonce: boolean): GatewayReply {
    const message = readSigned(body);
    if (!message.ok) {
      throw replyInvalid('is not the XML of WeChat Pay', `${message.reason}; it is ${kindOf(body)}`);
    }
    const { fields } = message;
    if (fields['return_code'] !== 'SUCCESS') throw returnCodeFail(fields);
    if (message.verify(merchant.keys) === -1) throw replyInvalid("is not signed with the merchant's key", 'sign');
    const foreign = merchant.foreignId(message);
    if (foreign !== undefined) throw replyInvalid('is for another merchant', foreign);
    const recut = recutField(message);
    if (recut !== undefined) throw replyInvalid('can be read in two ways', `${recut.name} contains &${recut.hidden}=`);
    if (hasNonce) this.#checkNonce(fields['nonce_str'], subject);
    if (fields['result_code'] === 'SUCCESS') return { raw: fields, refusal: undefined };
    // The documented reply with an exchange rate has no `result_code` either: the rate is there, or it is refused.
    const bare = !hasNonce && fields['result_code'] === undefined && fields['err_code'] === undefined;
    if (bare) return { raw: fields, refusal: undefined };
    if (fields['result_code'] !== 'FAIL') throw replyInvalid('has no result', 'result_code');
    return {
      raw: fields,
      refusal: { errCode: fields['err_code'] ?? '', errCodeDes: (fields['err_code_des'] ?? '').slice(0, 128) },
    };
  }

  // The reply's nonce is WeChat Pay's own, not an echo of ours: all it can prove is that a reply, genuine and
  // signed, was handed out before, for another order, by whatever stands in between.
  #checkNonce(value: string | undefined, subject: string): void {
    if (value === undefined || value === '' || value.length > 32) throw replyInvalid('has no nonce', 'nonce_str');
    const before = this.#replies.get(value);
    if (before !== undefined && before !== subject) throw replyInvalid('belongs to another order', 'nonce_str');
    this.#replies.set(value, subject);
    if (this.#replies.size > REMEMBERED_REPLIES) this.#replies.delete(this.#replies.keys().next().value as string);
  }
}
