import { createCipheriv, createHash } from 'node:crypto';

/** ECB enciphers each block of this many bytes by itself: that is why blocks of two messages can be exchanged. */
export const BLOCK_BYTES = 16;

/**
 * `req_info`: AES-256-ECB with PKCS#7 padding, in base64. The key is the API key's MD5 written as 32 lower-case
 * hexadecimal characters, and it is those characters, not the 16 bytes they stand for.
 */
export function sealReqInfo(text: string, apiKey: string): string {
  return encryptEcb(text, createHash('md5').update(apiKey, 'utf8').digest('hex'));
}

/** @param key 32 ASCII characters */
export function encryptEcb(text: string, key: string): string {
  const cipher = createCipheriv('aes-256-ecb', Buffer.from(key, 'ascii'), null);
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
}
