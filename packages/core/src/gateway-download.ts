import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { quoted, WechatH5Error } from './errors.js';
import { broken, fileRefused, replyInvalid, timedOut } from './gateway-errors.js';
import { kindOf, MAX_REPLY_BYTES } from './gateway-reply.js';
import { parseXml } from './xml.js';

/** A file of WeChat Pay on its way. */
export interface Download {
  /** Its decoded bytes. Errors: `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`. Destroy it to stop early. */
  readonly body: Readable;
  readonly headers: IncomingMessage['headers'];
}

export interface DownloadOptions {
  host: string;
  /** How long WeChat Pay may send nothing. A reader that takes its time is not counted. */
  idleMs: number;
  /** How long it may be waited for in all, likewise: one that sends a byte now and then must end some day. */
  waitMs: number;
}

/**
 * A reply that is either a file, plain or as GZIP, or an XML error: only its first bytes tell, not its content type.
 *
 * @throws {WechatH5Error} `RETURN_CODE_FAIL` and `GATEWAY_REFUSED` with `errCode`, `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`
 */
export async function openDownload(response: IncomingMessage, options: DownloadOptions): Promise<Download> {
  const decoded = decodedBytes(arriving(response, options));
  const head: Buffer[] = [];
  let size = 0;
  let isXml: boolean | undefined;
  for (let next = await decoded.next(); next.done !== true; next = await decoded.next()) {
    head.push(next.value);
    size += next.value.byteLength;
    isXml ??= startsWithTag(Buffer.concat(head, size));
    if (isXml === false || size > MAX_REPLY_BYTES) break;
  }
  if (isXml !== false || response.statusCode !== 200) {
    response.destroy();
    throw errorReply(Buffer.concat(head, size).subarray(0, MAX_REPLY_BYTES), response.statusCode);
  }
  const body = Readable.from(resumed(head, decoded), { objectMode: false });
  body.once('close', () => response.destroy());
  return { body, headers: response.headers };
}

/** Whether the first character is `<`; `undefined` before there is one. Bills begin with the name of a column. */
function startsWithTag(head: Buffer): boolean | undefined {
  const start = head.toString('latin1', 0, 64);
  // A byte order mark may come in pieces.
  if ('\xEF\xBB\xBF'.startsWith(start)) return undefined;
  const [first] = start.replace(/^\xEF\xBB\xBF/, '').trimStart();
  return first === undefined ? undefined : first === '<';
}

function errorReply(body: Buffer, status: number | undefined): WechatH5Error {
  // Nothing of it is quoted: it may be a bill all the same, and messages end up in logs.
  if (status !== 200) return replyInvalid(`has status ${status}`, kindOf(body));
  let fields: Record<string, string>;
  try {
    fields = parseXml(body);
  } catch {
    return replyInvalid('is neither a bill nor the XML of WeChat Pay', kindOf(body));
  }
  if (fields['return_code'] !== 'SUCCESS') return fileRefused(fields);
  const errCode = fields['err_code'] ?? fields['error_code'] ?? '';
  const errCodeDes = (fields['err_code_des'] ?? '').slice(0, 128);
  return new WechatH5Error(
    'GATEWAY_REFUSED',
    `WeChat Pay refused the file: ${quoted(errCode)} ${quoted(errCodeDes, 128)}`,
    {
      errCode,
      errCodeDes,
      hint: 'The text of WeChat Pay says why.',
    },
  );
}

/** The bytes as they arrive; the clock runs only while they are waited for. */
async function* arriving(response: IncomingMessage, { host, idleMs, waitMs }: DownloadOptions): AsyncGenerator<Buffer> {
  let leftMs = waitMs;
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
  try {
    for (;;) {
      const since = performance.now();
      const late = leftMs < idleMs ? waitMs : idleMs;
      const timer = setTimeout(() => response.destroy(timedOut(host, late)), Math.min(idleMs, leftMs));
      const next = await chunks.next().finally(() => clearTimeout(timer));
      leftMs -= performance.now() - since;
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw error instanceof WechatH5Error ? error : broken(host, error as Error);
  } finally {
    response.destroy();
  }
}

/** Unpacks GZIP, whoever packed it: `tar_type`, or a proxy on the way that says so in a header. */
async function* decodedBytes(arrivals: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  // One chunk may be a single byte; two tell.
  let head = Buffer.alloc(0);
  while (head.byteLength < 2) {
    const next = await arrivals.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const bytes = resumed([head], arrivals);
  if (!isGzip) {
    yield* bytes;
    return;
  }
  const packed = Readable.from(bytes, { objectMode: false });
  const gunzip = createGunzip();
  packed.on('error', (error) => gunzip.destroy(error));
  try {
    for await (const chunk of packed.pipe(gunzip)) yield chunk as Buffer;
  } catch (error) {
    throw error instanceof WechatH5Error ? error : replyInvalid('cannot be unpacked', (error as Error).message);
  } finally {
    packed.destroy();
    gunzip.destroy();
  }
}

async function* resumed(head: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* head;
  yield* rest;
}
