import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { parseXml } from './xml.js';

/** WeChat waits this long for the whole reply. */
const REPLY_MILLISECONDS = 5_000;
const LARGEST_REPLY = 64 * 1024;

export interface DeliveryResult {
  readonly replyStatus?: number;
  readonly replyBody?: string;
  readonly verdict: 'acknowledged' | 'refused';
  readonly reason: string;
}

/** Posts one notification over a socket of its own and judges the answer. Never rejects. */
export async function deliver(url: URL, body: string, stopped: AbortSignal): Promise<DeliveryResult> {
  try {
    const reply = await post(url, body, stopped);
    const reason = judge(reply.status, reply.body);
    return {
      replyStatus: reply.status,
      replyBody: reply.body.toString('utf8'),
      verdict: reason === 'OK' ? 'acknowledged' : 'refused',
      reason,
    };
  } catch (error) {
    // Both families refused is an AggregateError, whose message is empty.
    const { message, code } = error as NodeJS.ErrnoException;
    return { verdict: 'refused', reason: message || code || 'no reply' };
  }
}

/** WeChat takes nothing but HTTP 200 with the documented success document for a yes. */
function judge(status: number, body: Buffer): string {
  if (status !== 200) return `HTTP status ${status} instead of 200`;
  try {
    const fields = parseXml(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (fields['return_code'] !== 'SUCCESS') return 'return_code is not SUCCESS';
    // The field is optional, and if it says something it says what went wrong.
    return (fields['return_msg'] || 'OK') === 'OK' ? 'OK' : 'return_msg is not OK';
  } catch {
    return 'the body is not the success XML';
  }
}

function post(url: URL, body: string, stopped: AbortSignal): Promise<{ status: number; body: Buffer }> {
  const bytes = Buffer.from(body, 'utf8');
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    // No agent: WeChat notifies from many machines, so no two deliveries share a connection.
    const request = send(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'text/xml', 'content-length': bytes.length, accept: '*/*' },
    });
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', abort);
      settle();
    };
    const fail = (error: Error): void => {
      end(() => reject(error));
      request.destroy();
    };
    const abort = (): void => fail(new Error('the simulator was stopped'));
    const timer = setTimeout(
      () => fail(new Error(`no complete reply within ${REPLY_MILLISECONDS} ms`)),
      REPLY_MILLISECONDS,
    );
    stopped.addEventListener('abort', abort);
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > LARGEST_REPLY) fail(new Error(`a reply of more than ${LARGEST_REPLY} bytes`));
      });
      response.on('error', fail);
      response.on('end', () => end(() => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) })));
    });
    if (stopped.aborted) abort();
    else request.end(bytes);
  });
}
