import { hash, timingSafeEqual } from 'node:crypto';
import { quoted, WechatH5Error } from './errors.js';
import { isFieldName } from './field-name.js';
import type { FlatXml } from './flat-xml.js';
import { MAX_BYTES, scanXml, type RefusedXml } from './xml-scanner.js';

/** How a V2 message is signed. `MD5` is WeChat Pay's default. */
export type SignType = 'MD5' | 'HMAC-SHA256';

/** Why a message cannot have a valid signature, whatever the key: it has none, or not 32 or 64 upper-case hexadecimal digits. */
export type SignRefusal = 'SIGN_MISSING' | 'SIGN_MALFORMED';

const WELL_FORMED_SIGN = /^(?:[0-9A-F]{32}|[0-9A-F]{64})$/;

/** Bytes in a block of SHA-256: as long as the padded key of an HMAC. */
const BLOCK = 64;
const MD5_BYTES = 16;
const SHA256_BYTES = 32;

/** Where the string to sign is put together, behind room for the padded key. It never leaves this module. */
const workspace = Buffer.alloc(BLOCK + MAX_BYTES + BLOCK);

/** Two digests of equal length, for {@link timingSafeEqual}. */
const DIGESTS = {
  MD5: { expected: Buffer.alloc(MD5_BYTES), received: Buffer.alloc(MD5_BYTES) },
  'HMAC-SHA256': { expected: Buffer.alloc(SHA256_BYTES), received: Buffer.alloc(SHA256_BYTES) },
} as const;

/**
 * An API key made ready for many messages. Shows itself in no inspection and no JSON.
 *
 * `crypto.hash` over bytes costs about half of `createHash` and of `createHmac`; an HMAC is therefore computed as
 * its definition says (RFC 2104): `H(key ⊕ opad, H(key ⊕ ipad, text))`.
 */
class PreparedKey {
  /** The end of every string to sign. */
  readonly #suffix: Buffer;
  readonly #innerPad: Buffer;
  /** The outer padded key, and behind it room for the inner digest. */
  readonly #outer: Buffer;

  constructor(apiKey: string) {
    if (typeof apiKey !== 'string' || apiKey === '') {
      throw new WechatH5Error('OPTIONS_INVALID', 'The API key is missing', {
        field: 'apiKey',
        hint: 'Pass the API v2 key: 32 letters and digits. 请填写 32 位的 APIv2 密钥。',
      });
    }
    const key = Buffer.from(apiKey);
    const blockKey = key.length > BLOCK ? hash('sha256', key, 'buffer') : key;
    this.#suffix = Buffer.concat([Buffer.from('key='), key]);
    this.#innerPad = Buffer.alloc(BLOCK, 0x36);
    this.#outer = Buffer.alloc(BLOCK + SHA256_BYTES, 0x5c);
    blockKey.forEach((byte, index) => {
      this.#innerPad[index]! ^= byte;
      this.#outer[index]! ^= byte;
    });
  }

  /** @param pairs `name=value&` in order @returns the digest's bytes, as characters */
  digest(signType: SignType, pairs: string, encoding: 'utf8' | 'latin1'): string {
    const room = BLOCK + pairs.length * (encoding === 'utf8' ? 3 : 1) + this.#suffix.length;
    const space = room <= workspace.length ? workspace : Buffer.alloc(room);
    const pairsEnd = BLOCK + space.write(pairs, BLOCK, encoding);
    const end = pairsEnd + this.#suffix.length;
    space.set(this.#suffix, pairsEnd);
    if (signType === 'MD5') return hash('md5', space.subarray(BLOCK, end), 'binary');
    space.set(this.#innerPad);
    this.#outer.write(hash('sha256', space.subarray(0, end), 'binary'), BLOCK, 'binary');
    return hash('sha256', this.#outer, 'binary');
  }

  /** Whether `sign` (well-formed) is the signature of `pairs`. Takes as long for every wrong `sign` of a length. */
  signed(sign: string, signType: SignType, pairs: string, encoding: 'utf8' | 'latin1'): boolean {
    const { expected, received } = DIGESTS[signType];
    if (sign.length !== received.length * 2) return false;
    received.write(sign, 'hex');
    expected.write(this.digest(signType, pairs, encoding), 'binary');
    return timingSafeEqual(expected, received);
  }
}

export type { PreparedKey };

/** @throws {WechatH5Error} `OPTIONS_INVALID` for a key that is missing or empty */
export function prepareKey(apiKey: string): PreparedKey {
  return new PreparedKey(apiKey);
}

/**
 * Signs the fields of a V2 message: those that are not empty, without `sign`, in ascending order of their names.
 *
 * `sign_type` is an ordinary field: when it is sent, put it among the fields.
 *
 * @param apiKey the API v2 key
 * @returns 32 (MD5) or 64 (HMAC-SHA256) upper-case hexadecimal digits
 * @throws {WechatH5Error} `FIELD_INVALID` for a name that no message can have or a value that is not a string,
 *   `OPTIONS_INVALID` for a missing key or an unknown sign type
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985891
 */
export function sign(fields: Readonly<Record<string, string>>, apiKey: string, signType: SignType = 'MD5'): string {
  if (signType !== 'MD5' && signType !== 'HMAC-SHA256') {
    throw new WechatH5Error('OPTIONS_INVALID', `The sign type is ${quoted(String(signType))}`, {
      field: 'signType',
      hint: "Use 'MD5' or 'HMAC-SHA256'.",
    });
  }
  const unsignable = unsignableField(fields);
  if (unsignable !== undefined) {
    throw new WechatH5Error('FIELD_INVALID', `${quoted(unsignable)} cannot be signed`, {
      field: unsignable,
      hint: 'Give official field names with string values; leave out what is absent. 字段值必须是字符串,没有值的字段请不要传。',
    });
  }
  const digest = prepareKey(apiKey).digest(signType, pairsOf(fields), 'utf8');
  return Buffer.from(digest, 'binary').toString('hex').toUpperCase();
}

/**
 * Whether the fields of a V2 message carry a signature made with one of these keys.
 *
 * The algorithm is the message's `sign_type` if that is present and known, otherwise it follows from the length of
 * `sign`: notifications signed with HMAC-SHA256 usually carry no `sign_type`. A missing `sign`, one in lower case
 * (WeChat Pay writes upper case) and a field that is not a string make it `false`. The comparison takes constant time.
 *
 * A valid signature says who sent the message, and nothing about which order it is for: see `verifyNotification`.
 *
 * @param apiKeys the API v2 key; during a rotation all keys that may have signed
 * @throws {WechatH5Error} `OPTIONS_INVALID` if a key is missing
 */
export function verifySign(fields: Readonly<Record<string, string>>, apiKeys: string | readonly string[]): boolean {
  const keys = (typeof apiKeys === 'string' ? [apiKeys] : [...(apiKeys ?? [])]).map(prepareKey);
  // No key at all is a mistake in the program; `false` would blame the sender.
  if (keys.length === 0) prepareKey('');
  return signingKey(fields, keys) !== -1;
}

/** {@link verifySign} that says which key: its index, or -1. */
export function signingKey(fields: Readonly<Record<string, string>>, keys: readonly PreparedKey[]): number {
  const { sign: given, sign_type: declared } = fields;
  if (typeof given !== 'string' || !WELL_FORMED_SIGN.test(given)) return -1;
  if (unsignableField(fields) !== undefined) return -1;
  const signType = signTypeOf(given, declared);
  const pairs = pairsOf(fields);
  return keys.findIndex((key) => key.signed(given, signType, pairs, 'utf8'));
}

/**
 * Reads a signed V2 message. It is not believed yet: choose the merchant by its ids, then {@link SignedMessage.verify}.
 *
 * @param rootName the name of the root element
 */
export function readSigned(body: Uint8Array | string, rootName = 'xml'): SignedMessage | RefusedXml {
  const document = scanXml(body, rootName);
  return document.ok ? new SignedMessage(document) : document;
}

/** A V2 message as received. Everything in it is a claim until {@link verify} has named a key. */
export class SignedMessage {
  readonly ok = true;
  /** Why no key can verify the message, if so. */
  readonly signRefusal: SignRefusal | undefined;
  /** How the message says it is signed: `sign_type` if present and known, otherwise by the length of `sign`. */
  readonly signType: SignType;
  readonly #document: FlatXml;
  readonly #sign: string;
  #fields: Record<string, string> | undefined;

  constructor(document: FlatXml) {
    this.#document = document;
    this.#sign = document.get('sign') ?? '';
    this.signRefusal =
      this.#sign === '' ? 'SIGN_MISSING' : WELL_FORMED_SIGN.test(this.#sign) ? undefined : 'SIGN_MALFORMED';
    this.signType = signTypeOf(this.#sign, document.get('sign_type'));
  }

  /** The value of one field. Cheaper than {@link fields} for a message that may be refused. */
  get(name: string): string | undefined {
    return this.#document.get(name);
  }

  /** Every field, exact, in a record without a prototype. Made when first read. */
  get fields(): Record<string, string> {
    this.#fields ??= this.#document.toRecord();
    return this.#fields;
  }

  /** The index of the key that signed the message, or -1. */
  verify(keys: readonly PreparedKey[]): number {
    if (this.signRefusal !== undefined) return -1;
    const pairs = this.#document.pairs('sign');
    for (let index = 0; index < keys.length; index++) {
      if (keys[index]!.signed(this.#sign, this.signType, pairs, 'latin1')) return index;
    }
    return -1;
  }
}

function signTypeOf(sign: string, declared: string | undefined): SignType {
  if (declared === 'MD5' || declared === 'HMAC-SHA256') return declared;
  return sign.length === SHA256_BYTES * 2 ? 'HMAC-SHA256' : 'MD5';
}

function unsignableField(fields: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(fields).find((name) => !isFieldName(name) || typeof fields[name] !== 'string');
}

/** The string to sign without the key. Names are ASCII, so that the order of JavaScript is the order of the bytes. */
function pairsOf(fields: Readonly<Record<string, string>>): string {
  let pairs = '';
  for (const name of Object.keys(fields).sort()) {
    if (name !== 'sign' && fields[name] !== '') pairs += `${name}=${fields[name]}&`;
  }
  return pairs;
}
