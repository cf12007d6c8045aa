import { createHmac, timingSafeEqual } from 'node:crypto';
import { checkSecret } from './operator-secret.js';
import type { KnownMerchant, Merchants } from './merchant.js';
import { outTradeNo as checkedOutTradeNo } from './new-order.js';

/** An order with the merchant it belongs to. */
export interface HandledOrder {
  outTradeNo: string;
  mchId: string;
  appId: string;
  subMchId?: string;
}

/** Keeps the signatures made here apart from everything else that is signed with the same key. */
const PURPOSE = 'wechat-h5 payer handle 1';
const MAC_BYTES = 16;

/** The key for handles that comes of an API key, or of a secret of their own. */
export function handleKey(secret: string): Buffer {
  return createHmac('sha256', secret).update(PURPOSE).digest();
}

/**
 * What a payer's browser carries to name its order: the number and a signature. Who has no handle cannot ask about an
 * order, however well its number can be guessed.
 */
export class PayerHandles {
  readonly #merchants: Merchants;
  readonly #ownKey: Buffer | undefined;

  /** @param secret signs in place of the API keys; at least 16 characters, the same on every machine */
  constructor(merchants: Merchants, secret: string | undefined) {
    this.#merchants = merchants;
    this.#ownKey = secret === undefined ? undefined : handleKey(checkSecret(secret, 'checkout.handleSecret'));
  }

  /** @throws {WechatH5Error} `ORDER_FIELD_INVALID`, `MERCHANT_UNKNOWN` */
  sign(order: { outTradeNo: string; mchId?: string; subMchId?: string; appId?: string }): string {
    const merchant = this.#merchants.named(order);
    const number = checkedOutTradeNo(order.outTradeNo);
    const [key] = this.#keysOf(merchant);
    return `${number}.${macOf(key as Buffer, merchant, number).toString('base64url')}`;
  }

  /** The order that a handle names; `undefined` for anything that was not signed here. */
  read(handle: string): HandledOrder | undefined {
    const [, number, mac] = /^([0-9A-Za-z_\-|*]{6,32})\.([\w-]{22})$/.exec(handle) ?? [];
    if (number === undefined || mac === undefined) return undefined;
    const given = Buffer.from(mac, 'base64url');
    let order: HandledOrder | undefined;
    for (const merchant of this.#merchants.all) {
      for (const key of this.#keysOf(merchant)) {
        if (!timingSafeEqual(given, macOf(key, merchant, number))) continue;
        const { mchId, appId, subMchId } = merchant;
        order = { outTradeNo: number, mchId, appId, ...(subMchId === undefined ? {} : { subMchId }) };
      }
    }
    return order;
  }

  /** The one that signs first. */
  #keysOf(merchant: KnownMerchant): readonly Buffer[] {
    return this.#ownKey === undefined ? merchant.handleKeys : [this.#ownKey];
  }
}

/** No id and no number holds a line break: the parts cannot be mistaken for each other. */
function macOf(key: Buffer, { mchId, subMchId = '', appId }: KnownMerchant, number: string): Buffer {
  const signed = [mchId, subMchId, appId, number].join('\n');
  return createHmac('sha256', key).update(signed).digest().subarray(0, MAC_BYTES);
}
