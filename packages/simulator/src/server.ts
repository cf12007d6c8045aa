import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { HttpOutcome, HttpReply, HttpRequest } from './http-exchange.js';

const LARGEST_BODY = 64 * 1024;

export type Handler = (request: HttpRequest) => HttpOutcome | undefined | Promise<HttpOutcome | undefined>;
/** Takes over a response that stays open; true when it did. */
export type StreamHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What answers on http and on https: reads the request, asks each part in turn, writes the reply. */
export function answering(stream: StreamHandler, handlers: readonly Handler[]): RequestListener {
  return (request, response) => {
    if (stream(request, response)) return;
    exchange(request, response, handlers).catch((error: unknown) => {
      // A peer that went away needs no answer; a fault of our own must not look like one of the scripted ones.
      if (request.complete && !response.headersSent) write(response, text(500, `Simulator fault: ${String(error)}`));
      else response.destroy();
    });
  };
}

/** @returns the address that it listens on, as the authority of a URL */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function exchange(
  incoming: IncomingMessage,
  response: ServerResponse,
  handlers: readonly Handler[],
): Promise<void> {
  const target = incoming.url ?? '/';
  const base = 'http://simulator.localhost';
  const body = await readBody(incoming);
  if (body === undefined) return write(response, text(413, 'The body is larger than 64 KiB.'));
  if (!target.startsWith('/') || !URL.canParse(target, base)) return write(response, text(400, 'Not a path.'));
  const request: HttpRequest = {
    method: incoming.method ?? 'GET',
    url: new URL(`${base}${target}`),
    target,
    headers: incoming.headers,
    remoteAddress: incoming.socket.remoteAddress ?? '',
    remotePort: incoming.socket.remotePort ?? 0,
    ...(incoming.socket instanceof TLSSocket && { clientCertificate: certificateOf(incoming.socket) }),
    body,
  };
  for (const handle of handlers) {
    const outcome = await handle(request);
    if (outcome === 'drop') return void response.destroy();
    if (outcome) return write(response, outcome);
  }
  write(response, text(404, 'Nothing here.'));
}

function certificateOf(socket: TLSSocket): NonNullable<HttpRequest['clientCertificate']> {
  // Node calls a resumed TLS 1.3 session authorized, whether or not it began with a certificate.
  if (!socket.getPeerX509Certificate()) return 'none';
  return socket.authorized ? 'trusted' : 'foreign';
}

/** The whole body, or `undefined` when it is too large. Rejects when the peer goes away. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    // What is too much is still read to its end, so that the peer gets to see the reply.
    if (length <= LARGEST_BODY) chunks.push(chunk);
  }
  return length > LARGEST_BODY ? undefined : Buffer.concat(chunks);
}

function text(status: number, body: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function write(response: ServerResponse, { status, headers, body }: HttpReply): void {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  response.writeHead(status, { ...headers, 'content-length': bytes.length, 'cache-control': 'no-store' });
  response.end(bytes);
}
