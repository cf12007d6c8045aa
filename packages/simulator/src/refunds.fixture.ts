import { createDecipheriv, createHash } from 'node:crypto';
import { parseXml } from './xml.js';

/** What a notification's `req_info` holds, opened as the documentation says and with none of the code under test. */
export function openReqInfo(body: string, apiKey: string): { text: string; fields: Record<string, string> } {
  const key = createHash('md5').update(apiKey).digest('hex');
  const decipher = createDecipheriv('aes-256-ecb', key, null);
  const reqInfo = parseXml(body)['req_info'] ?? '';
  const text = decipher.update(reqInfo, 'base64', 'utf8') + decipher.final('utf8');
  const flat = /^<root>([^]*)<\/root>$/.exec(text)?.[1];
  if (flat === undefined) throw new Error('the root is not <root>');
  return { text, fields: { ...parseXml(`<xml>${flat}</xml>`) } };
}
