import type { IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { quoted } from './errors.js';
import { broken, replyInvalid, timedOut } from './gateway-errors.js';
import type { Deadline } from './gateway-request.js';

/** The longest reply that is read, before and after decoding. Real ones have about 1 KB. */
export const MAX_REPLY_BYTES = 256 * 1024;

const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

export interface ReadOptions {
  host: string;
  deadline: Deadline;
}

/**
 * The whole body of a reply, decoded, with status 200.
 * @throws {WechatH5Error} `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`
 */
export async function readReply(response: IncomingMessage, options: ReadOptions): Promise<Buffer> {
  const bytes = await readBytes(response, options);
  const encoding = response.headers['content-encoding'] ?? 'identity';
  let body = bytes;
  if (encoding !== 'identity') {
    // Nobody asked for it: a proxy on the way did it on its own account.
    const decode = DECODERS[encoding];
    if (decode === undefined) throw replyInvalid('has an unknown encoding', quoted(encoding));
    try {
      body = decode(bytes, { maxOutputLength: MAX_REPLY_BYTES });
    } catch (error) {
      throw replyInvalid('cannot be decoded', error instanceof Error ? error.message : String(error));
    }
  }
  // A redirect is one of them: it is never followed, since the request holds what only WeChat Pay may see.
  if (response.statusCode !== 200) {
    throw replyInvalid(`has status ${response.statusCode}`, kindOf(body));
  }
  return body;
}

/**
 * What a reply looks like, for a message. Nothing of it is quoted: even a broken one may name a payer, and messages end up
 * in logs.
 */
export function kindOf(body: Buffer): string {
  const start = body
    .toString('latin1', 0, 64)
    .replace(/^\xEF\xBB\xBF/, '')
    .trimStart();
  const [, kind] = KINDS.find(([begins]) => begins.test(start)) ?? [undefined, 'no text'];
  return `${body.byteLength} bytes of ${kind}`;
}

const KINDS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^$/, 'nothing'],
  [/^<(?:!doctype html|html|head|body)\b/i, 'HTML'],
  [/^</, 'XML or the like'],
  [/^[{[]/, 'JSON or the like'],
  // oxlint-disable-next-line no-control-regex
  [/^[^\x00-\x08\x0E-\x1F]+$/, 'text'],
];

function readBytes(response: IncomingMessage, { host, deadline }: ReadOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let timer: NodeJS.Timeout | undefined;
    // Most replies came whole with their head, and then nothing is waited for.
    if (!response.complete) {
      timer = setTimeout(() => fail(timedOut(host, deadline.ms)), Math.max(0, deadline.at - performance.now()));
    }
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      response.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > MAX_REPLY_BYTES) fail(replyInvalid('is too large', `more than ${MAX_REPLY_BYTES} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', (error) => fail(broken(host, error)));
    response.on('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks, size));
    });
  });
}
