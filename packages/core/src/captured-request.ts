import type { IncomingMessage } from 'node:http';
import type { PageRequest } from './page.js';

/** What is read from a request at once, on entry: a socket forgets its peer when the peer hangs up. */
export interface CapturedRequest extends Readonly<PageRequest> {
  readonly receivedAt: number;
}

/** @param url the URL as the client sent it, when the framework has rewritten `request.url` */
export function captureRequest(request: IncomingMessage, url: string = request.url ?? '/'): CapturedRequest {
  const { socket } = request;
  // A request line may carry the whole URL (RFC 9112 §3.2.2), though only proxies send it.
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '');
  const query = target.indexOf('?');
  return {
    method: request.method ?? '',
    path: query === -1 ? target : target.slice(0, query),
    query: query === -1 ? '' : target.slice(query + 1),
    rawHeaders: request.rawHeaders,
    remoteAddress: socket.remoteAddress ?? (isUnixSocket(socket) ? undefined : ''),
    receivedAt: performance.now(),
  };
}

/** A UNIX socket has no addresses at all; a TCP socket whose peer has gone has none any more. */
function isUnixSocket(socket: object): boolean {
  const { server } = socket as { server?: { address?: () => unknown } };
  return typeof server?.address?.() === 'string';
}
