import type { IncomingMessage } from 'node:http';
import { parseXml } from '@wechat-h5/core';

/** Fields of a form or of WeChat Pay's XML. */
export type Fields = Readonly<Record<string, string>>;

/**
 * Listens in on a message without reading it: the bytes are kept as they come off the socket, and whoever the message
 * is for still gets every one of them.
 *
 * @param received called with the body's fields once the last byte is there
 */
export function listenIn(message: IncomingMessage, received: (fields: Fields) => void): void {
  const chunks: Buffer[] = [];
  const { push } = message;
  // `push` is how the HTTP parser hands over bytes. A `data` listener would set the stream flowing.
  message.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (chunk !== null) chunks.push(Buffer.from(chunk));
    else received(readFields(message.headers['content-type'] ?? '', Buffer.concat(chunks)));
    return push.call(message, chunk, encoding);
  };
}

function readFields(contentType: string, body: Buffer): Fields {
  if (/^application\/x-www-form-urlencoded/i.test(contentType)) {
    return Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  }
  if (!/^(?:text|application)\/xml/i.test(contentType)) return {};
  try {
    return parseXml(body);
  } catch {
    return {};
  }
}
