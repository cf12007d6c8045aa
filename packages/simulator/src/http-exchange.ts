import type { IncomingHttpHeaders } from 'node:http';

/** One request as the simulator's parts see it: the whole body, and the peer from the socket. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** The request target exactly as it was sent: `URL` decodes and repairs. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /**
   * What the client showed while the connection was made: `trusted` comes from this simulator's authority. Absent on
   * plain http, where nobody can show one.
   */
  readonly clientCertificate?: 'trusted' | 'foreign' | 'none';
  readonly body: Buffer;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** `drop`: cut the connection without a byte of reply. */
export type HttpOutcome = HttpReply | 'drop';

export function peerOf(request: HttpRequest): string {
  const address = request.remoteAddress.includes(':') ? `[${request.remoteAddress}]` : request.remoteAddress;
  return `${address}:${request.remotePort}`;
}
