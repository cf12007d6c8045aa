import { hash, timingSafeEqual } from 'node:crypto';
import { quoted, WechatH5Error } from './errors.js';
import { indexOfName, isFieldName, type DocumentedName } from './field-name.js';
import * as store from './scanned-fields.js';
import { END, KEY_ROOM, MAX_BYTES, PAIRS_START, scanned, VALUE_START } from './scanned-fields.js';
import type { Alphabet, Values } from './payment-fields.js';
import type { RefusedXml } from './xml-refusal.js';
import { scanXml } from './xml-scanner.js';

/** How a V2 message is signed. `MD5` is WeChat Pay's default. */
export type SignType = 'MD5' | 'HMAC-SHA256';

const SIGN_TYPES: readonly SignType[] = ['MD5', 'HMAC-SHA256'];
const SIGN = indexOfName('sign');
const SIGN_TYPE = indexOfName('sign_type');

/** Why no key can verify a message: it has no `sign`, or one that is not 32 or 64 upper-case hexadecimal digits. */
export type SignRefusal = 'SIGN_MISSING' | 'SIGN_MALFORMED';

/** Bytes in a block of SHA-256: as long as the padded key of an HMAC. */
const BLOCK = 64;
const MD5_BYTES = 16;
const SHA256_BYTES = 32;

const { text } = store;
/** Where a string to sign is put together that is not in the scanned text. */
const workspace = Buffer.alloc(PAIRS_START + MAX_BYTES + KEY_ROOM);
/** The workspace once more, for what is worth doing four bytes at a time; and the pairs in it, for reading alone. */
const workspaceWords = new DataView(workspace.buffer, workspace.byteOffset, workspace.length);
const pairWords = new Int32Array(workspace.buffer, workspace.byteOffset + PAIRS_START, (MAX_BYTES + KEY_ROOM) >> 2);
const AMPERSAND = 0x26;

/** Digests of equal length, for `timingSafeEqual`: the one a message carries, and the one it ought to carry. */
const DIGESTS = {
  MD5: { received: Buffer.alloc(MD5_BYTES), expected: Buffer.alloc(MD5_BYTES) },
  'HMAC-SHA256': { received: Buffer.alloc(SHA256_BYTES), expected: Buffer.alloc(SHA256_BYTES) },
} as const;

const NOT_A_DIGIT = 16;
/** The value of each upper-case hexadecimal digit; WeChat Pay writes no others. */
const DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = '0123456789ABCDEF'.indexOf(String.fromCharCode(byte));
  return value === -1 ? NOT_A_DIGIT : value;
});

/**
 * An API key made ready for many messages. Shows itself in no inspection and no JSON.
 *
 * One-shot `crypto.hash` costs about half of `createHash` and of `createHmac`; an HMAC is therefore computed as RFC
 * 2104 defines it: `H(key ⊕ opad, H(key ⊕ ipad, message))`.
 */
class PreparedKey {
  /** The end of every string to sign: `key=` and the key. */
  readonly #suffix: Buffer;
  readonly #innerPad: Buffer;
  /** The outer pad, and behind it room for the inner digest. */
  readonly #outer: Buffer;

  constructor(apiKey: string) {
    const key = Buffer.from(apiKey);
    this.#suffix = Buffer.concat([Buffer.from('key='), key]);
    this.#innerPad = Buffer.alloc(BLOCK, 0x36);
    this.#outer = Buffer.alloc(BLOCK + SHA256_BYTES, 0x5c);
    for (let i = 0; i < key.length; i++) {
      this.#innerPad[i]! ^= key[i]!;
      this.#outer[i]! ^= key[i]!;
    }
  }

  /**
   * The digest over the pairs that stand in `bytes` from {@link PAIRS_START} to `pairsEnd`. Writes the padded key
   * before them and the key behind them.
   *
   * @param encoding `binary`: one character for each byte of the digest
   */
  digest(signType: SignType, bytes: Buffer, pairsEnd: number, encoding: 'binary' | 'hex' = 'binary'): string {
    bytes.set(this.#suffix, pairsEnd);
    const end = pairsEnd + this.#suffix.length;
    if (signType === 'MD5') return hash('md5', view(bytes, PAIRS_START, end), encoding);
    bytes.set(this.#innerPad, PAIRS_START - BLOCK);
    const inner = hash('sha256', view(bytes, PAIRS_START - BLOCK, end), 'binary');
    copyCharacters(inner, this.#outer, BLOCK);
    return hash('sha256', this.#outer, encoding);
  }
}

export type { PreparedKey };

/** @throws {WechatH5Error} `OPTIONS_INVALID` for a key that is missing, empty or longer than 64 bytes */
export function prepareKey(apiKey: string): PreparedKey {
  // A longer key would have to be hashed before it could pad a block; WeChat Pay's have 32 characters.
  if (typeof apiKey === 'string' && apiKey !== '' && Buffer.byteLength(apiKey) <= BLOCK) return new PreparedKey(apiKey);
  throw new WechatH5Error('OPTIONS_INVALID', `The API key is missing or longer than ${BLOCK} bytes`, {
    field: 'apiKey',
    hint: 'Pass the API v2 key: 32 letters and digits. 请填写 32 位的 APIv2 密钥。',
  });
}

/**
 * Signs the fields of a V2 message: all that are not empty, except `sign`, in ascending order of their names.
 * `sign_type` is a field like any other: if it is sent, put it among the fields.
 *
 * @param apiKey the API v2 key
 * @returns 32 (MD5) or 64 (HMAC-SHA256) upper-case hexadecimal digits
 * @throws {WechatH5Error} `FIELD_INVALID` for a name that no message can have, a value that is not a string, or more than
 *   64 KiB; `OPTIONS_INVALID` for a missing key or an unknown sign type
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985891
 */
export function sign(fields: Readonly<Record<string, string>>, apiKey: string, signType: SignType = 'MD5'): string {
  if (!SIGN_TYPES.includes(signType)) {
    throw new WechatH5Error('OPTIONS_INVALID', `The sign type is ${quoted(String(signType))}`, {
      field: 'signType',
      hint: "Use 'MD5' or 'HMAC-SHA256'.",
    });
  }
  const key = prepareKey(apiKey);
  const unsignable = unsignableField(fields);
  if (unsignable !== undefined) {
    throw new WechatH5Error('FIELD_INVALID', `${quoted(unsignable)} cannot be signed`, {
      field: unsignable,
      hint: 'Give official field names with string values; leave out what is absent. 字段值必须是字符串，没有值的字段请不要传。',
    });
  }
  const pairs = pairsOf(fields);
  if (Buffer.byteLength(pairs) > MAX_BYTES) {
    throw new WechatH5Error('FIELD_INVALID', `The fields have more than ${MAX_BYTES} bytes`, {
      hint: 'WeChat Pay takes far smaller messages: look for a value that does not belong here.',
    });
  }
  const digest = key.digest(signType, workspace, PAIRS_START + workspace.write(pairs, PAIRS_START));
  return Buffer.from(digest, 'binary').toString('hex').toUpperCase();
}

/**
 * The signature over pairs that are in order, each with `&` before it. `undefined` for more than 64 KiB of them, and for
 * characters that may not be XML's: what those are, {@link sign} and `buildXml` tell.
 */
export function signPairs(pairs: string, key: PreparedKey, signType: SignType): string | undefined {
  // A character of UTF-16 has at most three bytes in UTF-8.
  if (pairs.length * 3 > MAX_BYTES) return undefined;
  // The first `&` is one too many, and the last one is missing.
  const end = PAIRS_START - 1 + workspace.write(pairs, PAIRS_START - 1);
  if (end < PAIRS_START) return key.digest(signType, workspace, PAIRS_START, 'hex').toUpperCase();
  workspace[end] = AMPERSAND;
  if (hasUnusualBytes(end + 1)) return undefined;
  return key.digest(signType, workspace, end + 1, 'hex').toUpperCase();
}

/**
 * Whether the pairs in the workspace hold a control character other than TAB and LF, or U+FFFD and its neighbours, which
 * may have been half of a surrogate pair. Looks at four bytes at a time: this sees every byte of every order.
 */
function hasUnusualBytes(pairsEnd: number): boolean {
  const wordsEnd = (pairsEnd - PAIRS_START + 3) >> 2;
  for (let i = 0; i < wordsEnd; i++) {
    const word = pairWords[i]!;
    const noThreeByteLead = word ^ 0xefefefef;
    const isSuspect = ((word - 0x20202020) & ~word) | ((noThreeByteLead - 0x01010101) & ~noThreeByteLead);
    if ((isSuspect & 0x80808080) !== 0 && isUnusualFrom(PAIRS_START + 4 * i, pairsEnd)) return true;
  }
  return false;
}

/** The same for the four bytes from here on. */
function isUnusualFrom(start: number, pairsEnd: number): boolean {
  for (let at = start; at < Math.min(start + 4, pairsEnd); at++) {
    const byte = workspace[at]!;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a) return true;
    // U+FFFD to U+FFFF: the first is what becomes of half a pair.
    if (byte === 0xef && workspace[at + 1] === 0xbf && workspace[at + 2]! >= 0xbd) return true;
  }
  return false;
}

/**
 * Whether the fields of a V2 message carry a signature made with one of these keys.
 *
 * The algorithm is the message's `sign_type` if that is present and known, otherwise it follows from the length of
 * `sign`: notifications signed with HMAC-SHA256 usually carry no `sign_type`. `false` as well for a missing `sign`, one
 * in lower case (WeChat Pay writes upper case) and a value that is not a string. The comparison takes constant time.
 *
 * A valid signature tells who sent the message, not which order it is for: see `verifyNotification`.
 *
 * @param apiKeys the API v2 key; during a rotation, every key that may have signed
 * @throws {WechatH5Error} `OPTIONS_INVALID` if a key is missing: that is a mistake of the program, not of the sender
 */
export function verifySign(fields: Readonly<Record<string, string>>, apiKeys: string | readonly string[]): boolean {
  const keys = typeof apiKeys === 'string' ? [apiKeys] : [...(apiKeys ?? [])];
  if (keys.length === 0) keys.push('');
  return signingKey(fields, keys.map(prepareKey)) !== -1;
}

/** {@link verifySign} that says which key signed: its index, or -1. */
function signingKey(fields: Readonly<Record<string, string>>, keys: readonly PreparedKey[]): number {
  const { sign: given, sign_type: declared } = fields;
  if (typeof given !== 'string' || unsignableField(fields) !== undefined) return -1;
  const bytes = Buffer.from(given);
  if (!isWellFormedSign(bytes, 0, bytes.length)) return -1;
  const pairs = pairsOf(fields);
  if (Buffer.byteLength(pairs) > MAX_BYTES) return -1;
  const signType = SIGN_TYPES.find((type) => type === declared) ?? signTypeByLength(given.length);
  if (!receive(signType, bytes, 0, bytes.length)) return -1;
  return signerOf(workspace, PAIRS_START + workspace.write(pairs, PAIRS_START), signType, keys);
}

/**
 * Reads a signed V2 message. It is not believed yet: choose the merchant by its ids, then {@link SignedMessage.verify}.
 *
 * @param body must not be changed while the message is in use
 * @param rootName the name of the root element
 */
export function readSigned(body: Uint8Array | string, rootName = 'xml'): SignedMessage | RefusedXml {
  return scanXml(body, rootName) ?? new SignedMessage(body, rootName);
}

/**
 * A V2 message as received: everything in it is a claim until {@link verify} has named a key.
 *
 * Its fields are where the scanner left them. If another document has been read since, this one is read again.
 */
export class SignedMessage implements Values {
  readonly ok = true;
  /** Why no key can verify the message, if so. */
  readonly signRefusal: SignRefusal | undefined;
  /** How the message says it is signed: `sign_type` if present and known, otherwise by the length of `sign`. */
  readonly signType: SignType;
  /** Whether any value contains `&`. If none does, the signed string can be cut into fields in one way only. */
  readonly hasAmpersand: boolean;
  readonly #body: Uint8Array | string;
  readonly #rootName: string;
  #serial: number;
  #fields: Record<string, string> | undefined;

  /** Made by {@link readSigned}, right behind the scan. */
  constructor(body: Uint8Array | string, rootName: string) {
    this.#body = body;
    this.#rootName = rootName;
    this.#serial = scanned.serial;
    this.hasAmpersand = scanned.hasAmpersand;
    const start = signStart();
    const end = signEnd();
    this.signRefusal =
      start === end ? 'SIGN_MISSING' : isWellFormedSign(text, start, end) ? undefined : 'SIGN_MALFORMED';
    const declared = store.fieldOf[SIGN_TYPE]!;
    this.signType =
      (declared === -1 ? undefined : SIGN_TYPES.find((type) => store.hasValue(declared, type))) ??
      signTypeByLength(end - start);
  }

  /** The value of one field. Cheaper than {@link fields}, for a message that may yet be refused. */
  get(name: string): string | undefined {
    this.#load();
    const field = store.findField(name);
    return field === -1 ? undefined : store.valueOf(field);
  }

  /** Whether the field has this ASCII value; `undefined`: whether it is absent or empty. Cheaper than {@link get}. */
  is(name: DocumentedName, value: string | undefined): boolean {
    this.#load();
    const field = store.fieldOf[name]!;
    return field === -1 ? value === undefined : store.hasValue(field, value ?? '');
  }

  /** Whether the message has this field, be it empty. */
  has(name: DocumentedName): boolean {
    this.#load();
    return store.fieldOf[name] !== -1;
  }

  /** See {@link Values}. */
  lengthIn(name: DocumentedName, alphabet: Alphabet, first: Alphabet = alphabet): number {
    this.#load();
    const field = store.fieldOf[name]!;
    return field === -1 ? 0 : store.lengthIn(field, alphabet, first);
  }

  /** Every field, exact, in a record without a prototype. Made when first read. */
  get fields(): Record<string, string> {
    if (this.#fields === undefined) {
      this.#load();
      this.#fields = store.scannedRecord();
    }
    return this.#fields;
  }

  /** The index of the key that signed the message, or -1. */
  verify(keys: readonly PreparedKey[]): number {
    if (this.signRefusal !== undefined) return -1;
    this.#load();
    if (!receive(this.signType, text, signStart(), signEnd())) return -1;
    if (scanned.isAscending) return signerOf(text, scanned.pairsEnd, this.signType, keys);
    return signerOf(workspace, store.copyPairsInOrder(workspace, workspaceWords), this.signType, keys);
  }

  #load(): void {
    if (scanned.serial === this.#serial) return;
    const refused = scanXml(this.#body, this.#rootName);
    if (refused !== undefined) {
      throw new WechatH5Error('XML_INVALID', `The message was changed while it was in use: ${refused.reason}`, {
        hint: 'Do not write to the body of a request before it is answered. 应答之前请勿修改请求报文。',
      });
    }
    this.#serial = scanned.serial;
  }
}

/** Where the value of `sign` begins and ends in the scanned text; both 0, if there is none. */
function signStart(): number {
  const field = store.fieldOf[SIGN]!;
  return field === -1 ? 0 : store.numbers[field + VALUE_START]!;
}

function signEnd(): number {
  const field = store.fieldOf[SIGN]!;
  return field === -1 ? 0 : store.numbers[field + END]!;
}

function signTypeByLength(signLength: number): SignType {
  return signLength === SHA256_BYTES * 2 ? 'HMAC-SHA256' : 'MD5';
}

function isWellFormedSign(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== MD5_BYTES * 2 && end - start !== SHA256_BYTES * 2) return false;
  for (let i = start; i < end; i++) {
    if (DIGIT[bytes[i]!] === NOT_A_DIGIT) return false;
  }
  return true;
}

/** Takes over the digest that a message carries, from its (well-formed) `sign`. `false` if it has another length. */
function receive(signType: SignType, sign: Uint8Array, start: number, end: number): boolean {
  const { received } = DIGESTS[signType];
  if (end - start !== received.length * 2) return false;
  for (let i = 0; i < received.length; i++) {
    received[i] = (DIGIT[sign[start + 2 * i]!]! << 4) | DIGIT[sign[start + 2 * i + 1]!]!;
  }
  return true;
}

/** The index of the key whose digest of the pairs is the received one, or -1. */
function signerOf(bytes: Buffer, pairsEnd: number, signType: SignType, keys: readonly PreparedKey[]): number {
  const { received, expected } = DIGESTS[signType];
  for (let index = 0; index < keys.length; index++) {
    copyCharacters(keys[index]!.digest(signType, bytes, pairsEnd), expected, 0);
    if (timingSafeEqual(received, expected)) return index;
  }
  return -1;
}

/** `bytes.subarray(start, end)`, which costs three times as much. */
function view(bytes: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

/** `target.write(characters, at, 'binary')`, which for so few costs four times as much. */
function copyCharacters(characters: string, target: Uint8Array, at: number): void {
  for (let i = 0; i < characters.length; i++) target[at + i] = characters.charCodeAt(i);
}

function unsignableField(fields: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(fields).find((name) => !isFieldName(name) || typeof fields[name] !== 'string');
}

/** The string to sign without the key. Names are ASCII, so JavaScript's order is that of their bytes. */
function pairsOf(fields: Readonly<Record<string, string>>): string {
  let pairs = '';
  for (const name of Object.keys(fields).sort()) {
    if (name !== 'sign' && fields[name] !== '') pairs += `${name}=${fields[name]}&`;
  }
  return pairs;
}
