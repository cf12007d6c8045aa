import type { IncomingMessage } from 'node:http';
import { quoted, WechatH5Error } from './errors.js';

export interface RawBodyLimits {
  /** Bytes. Default 65536, the size of the dialect; genuine messages are below 4 KiB. */
  maxBytes?: number;
  /** Until the last byte. Default 3000. */
  timeoutMs?: number;
  /** Called when a stream has to be waited for; what it returns, when that is over. `giveUp` ends it with an error. */
  enter?: (giveUp: (error: WechatH5Error) => void) => () => void;
}

/** What a body parser that ran earlier may have left behind. */
export interface ParsedBody {
  rawBody?: unknown;
  body?: unknown;
}

export type ParsedIncomingMessage = IncomingMessage & ParsedBody;

const NO_BYTES = new Uint8Array();

/**
 * The exact bytes of a request: from the stream if nobody has read it, otherwise from what an earlier
 * parser kept untouched (`rawBody`, or a `body` that is bytes or text). Never re-serialises, never waits for
 * a stream that has ended.
 *
 * @param parsed where parsers leave their result, if that is not the request itself
 * @throws {WechatH5Error} `BODY_ALREADY_READ`, `BODY_TOO_LARGE`, `BODY_ENCODED`, `BODY_TIMEOUT`, `BODY_ABORTED`
 */
export async function readRawBody(
  request: ParsedIncomingMessage,
  limits: RawBodyLimits = {},
  parsed: ParsedBody = request,
): Promise<Uint8Array> {
  const maxBytes = limits.maxBytes ?? 65_536;
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new WechatH5Error('BODY_ENCODED', `The body is encoded as ${quoted(encoding)}`, {
      hint: 'WeChat Pay sends plain XML. Check what stands in front of this server.',
    });
  }
  const kept = keptBytes(request, parsed);
  if (kept !== undefined) {
    if (kept.byteLength > maxBytes) throw tooLarge(maxBytes);
    return kept;
  }
  const announced = Number(request.headers['content-length']);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  // What a decoder has made of the bytes may not be what they were.
  if (request.readableEncoding !== null) throw alreadyRead();
  // Whoever let the stream flow must not have it flow away meanwhile.
  request.pause();
  // What came in one piece with its headers is here as soon as the parser returns: nothing has to be waited for.
  await undefined;
  if (request.destroyed) throw aborted();
  if (request.readableLength !== announced)
    return readStream(request, maxBytes, limits.timeoutMs ?? 3000, limits.enter);
  const bytes = (request.read() as Uint8Array | null) ?? NO_BYTES;
  // To its end, which others may listen for.
  request.resume();
  return bytes;
}

/** `undefined`: nobody has read the stream yet. */
function keptBytes(request: IncomingMessage, parsed: ParsedBody): Uint8Array | undefined {
  if (parsed.rawBody instanceof Uint8Array) return parsed.rawBody;
  if (typeof parsed.rawBody === 'string') return bytesOf(parsed.rawBody, request);
  // `complete` alone is no sign: a short body has arrived whole before anybody reads it.
  if (!request.readableDidRead && !request.readableEnded && !request.destroyed) return undefined;
  if (parsed.body instanceof Uint8Array) return parsed.body;
  if (typeof parsed.body === 'string') return bytesOf(parsed.body, request);
  if (request.destroyed && !request.complete) throw aborted();
  throw alreadyRead();
}

function bytesOf(text: string, { headers }: IncomingMessage): Uint8Array {
  // Read by another alphabet than the one it is written back in, a text is no longer the same bytes.
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw alreadyRead();
  // U+FFFD stands where a parser met bytes it could not read: the original is gone.
  if (text.includes('\ufffd')) throw alreadyRead();
  return Buffer.from(text, 'utf8');
}

function readStream(
  request: IncomingMessage,
  maxBytes: number,
  timeoutMs: number,
  enter: RawBodyLimits['enter'],
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const leave = enter?.((error) => {
      finish();
      reject(error);
    });
    const timer = setTimeout(() => {
      finish();
      reject(
        new WechatH5Error('BODY_TIMEOUT', `The body did not arrive within ${timeoutMs} ms`, {
          hint: 'WeChat Pay repeats the notification. If this happens often, check the network in front of this server.',
        }),
      );
    }, timeoutMs);
    timer.unref();
    const onData = (chunk: Uint8Array): void => {
      size += chunk.byteLength;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      finish();
      reject(tooLarge(maxBytes));
    };
    const onEnd = (): void => {
      finish();
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size));
    };
    const onClose = (): void => {
      finish();
      reject(aborted());
    };
    const finish = (): void => {
      clearTimeout(timer);
      leave?.();
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      // Whoever hangs up later must not become an uncaught error; and what is left unread must not flow into memory.
      request.on('error', () => {});
      request.pause();
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose).resume();
  });
}

function tooLarge(maxBytes: number): WechatH5Error {
  return new WechatH5Error('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes`, {
    hint: 'Genuine notifications are below 4 KiB.',
  });
}

function aborted(): WechatH5Error {
  return new WechatH5Error('BODY_ABORTED', 'The sender hung up before the body was complete', {
    hint: 'WeChat Pay repeats the notification.',
  });
}

function alreadyRead(): WechatH5Error {
  return new WechatH5Error('BODY_ALREADY_READ', 'A body parser has read the notification and its bytes are gone', {
    hint:
      'Mount the notify middleware before body parsers such as express.json(), express.urlencoded() or koa-bodyparser, ' +
      'or let the parser keep the bytes as rawBody. ' +
      '请把支付通知中间件放在 express.json()、express.urlencoded()、koa-bodyparser 等解析中间件之前，或让解析器保留 rawBody。',
  });
}
