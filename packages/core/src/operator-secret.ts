import { createHash, timingSafeEqual } from 'node:crypto';
import { WechatH5Error } from './errors.js';

/** Long enough that nobody guesses it over the network. */
const MIN_LENGTH = 16;

/** @throws {WechatH5Error} `OPTIONS_INVALID` */
export function checkSecret(secret: unknown, option: string): string {
  if (typeof secret === 'string' && secret.length >= MIN_LENGTH) return secret;
  throw new WechatH5Error('OPTIONS_INVALID', `${option} is shorter than ${MIN_LENGTH} characters`, {
    field: option,
    hint: `Use at least ${MIN_LENGTH} random characters, such as the output of: openssl rand -hex 16. 请使用至少 ${MIN_LENGTH} 位随机字符。`,
  });
}

/** Whether `Authorization` carries the secret: as a bearer token, or as the password of a browser's login, whatever the user name. */
export function isAuthorized(rawHeaders: readonly string[], secret: string): boolean {
  const [scheme = '', credentials = ''] = (headerValue(rawHeaders, 'authorization') ?? '').split(' ');
  let given = '';
  if (scheme.toLowerCase() === 'bearer') given = credentials;
  else if (scheme.toLowerCase() === 'basic') {
    const login = Buffer.from(credentials, 'base64').toString('utf8');
    given = login.slice(login.indexOf(':') + 1);
  }
  // Digests have one length, whatever was sent.
  return timingSafeEqual(sha256(given), sha256(secret));
}

/** The first value of a header, or `undefined`. */
export function headerValue(rawHeaders: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if ((rawHeaders[i] as string).toLowerCase() === name) return rawHeaders[i + 1];
  }
  return undefined;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
