/*
 * DER (ITU-T X.690), as much of it as a certificate and a PKCS#12 file need. Node writes keys in it, but neither of
 * those two.
 */

const TAGS = { integer: 2, bitString: 3, octetString: 4, null: 5, objectId: 6, utf8: 12, sequence: 0x30, set: 0x31 };

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 128) return Buffer.from([length]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => element(TAGS.sequence, ...items);
export const setOf = (...items: readonly Uint8Array[]): Buffer => element(TAGS.set, ...items);
export const octetString = (content: Uint8Array): Buffer => element(TAGS.octetString, content);
export const utf8String = (text: string): Buffer => element(TAGS.utf8, Buffer.from(text, 'utf8'));
export const nothing = (): Buffer => element(TAGS.null);
export const yes = (): Buffer => element(1, Buffer.from([0xff]));

/** `[number]`, around a whole element. */
export const tagged = (number: number, content: Uint8Array): Buffer => element(0xa0 | number, content);

/** `[number]`, in place of the tag of a plain value. */
export const implicit = (number: number, content: Uint8Array): Buffer => element(0x80 | number, content);

/** A number that is not negative, most significant byte first. */
export function integer(value: number | Uint8Array): Buffer {
  const bytes = typeof value === 'number' ? numberBytes(value) : Buffer.from(value);
  // With the top bit set it would be read as a negative number.
  return element(TAGS.integer, (bytes[0] ?? 0) & 0x80 ? Buffer.from([0, ...bytes]) : bytes);
}

function numberBytes(value: number): Buffer {
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 ? `0${digits}` : digits, 'hex');
}

/** `unused`: how many of the last byte's low bits do not count. */
export function bitString(content: Uint8Array, unused = 0): Buffer {
  return element(TAGS.bitString, Buffer.from([unused]), content);
}

/** From the dotted form. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAGS.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const bytes = [arc & 0x7f];
  for (let left = arc >> 7; left > 0; left >>= 7) bytes.unshift(0x80 | (left & 0x7f));
  return bytes;
}

/** To the second. Certificates write years up to 2049 with two digits. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}

export function pem(label: string, content: Uint8Array): string {
  const lines =
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
