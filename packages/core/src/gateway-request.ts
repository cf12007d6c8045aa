import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { broken, CertificateRefused, NoneFree, NotConnected, timedOut } from './gateway-errors.js';

/** What a merchant shows in mutual TLS: the names of `node:tls`. */
export type CertificateOptions =
  | { readonly cert: string | Buffer; readonly key: string | Buffer }
  | { readonly pfx: Buffer; readonly passphrase: string };

/** Until when a whole call has to be done. */
export interface Deadline {
  /** On the clock of `performance.now()`. */
  readonly at: number;
  /** How long that was from the beginning, for messages. */
  readonly ms: number;
  /** Nobody waits for it: calls that somebody waits for go first. */
  readonly isBackground?: boolean;
}

export interface PostOptions {
  /** `false`: a connection of its own. */
  agent: http.Agent | false;
  lookup: LookupFunction | undefined;
  certificate: CertificateOptions | undefined;
  connectTimeoutMs: number;
  /** The reply's head has to be there by then. */
  deadline: Deadline;
}

/**
 * One POST on one host, up to the head of the reply. Redirects are replies like any other: the body holds what
 * only WeChat Pay may see.
 *
 * @throws {NotConnected} nothing was sent; or, `stale`, on a kept connection that broke or stayed silent
 * @throws {WechatH5Error} `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`
 */
export function post(base: URL, path: string, body: string, options: PostOptions): Promise<IncomingMessage> {
  const { agent, lookup, certificate, connectTimeoutMs, deadline } = options;
  const isTls = base.protocol === 'https:';
  return new Promise((resolve, reject) => {
    let connected = false;
    let heardBefore: number | undefined;
    const request = (isTls ? https : http).request({
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      path: base.pathname.replace(/\/$/, '') + path,
      method: 'POST',
      agent,
      headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml' },
      ...(lookup === undefined ? {} : { lookup }),
      ...(isTls ? { minVersion: 'TLSv1.2' as const, ...certificate } : {}),
    });
    const hadToQueue = isQueued(request, agent);
    let connectTimer: NodeJS.Timeout | undefined;
    let silenceTimer: NodeJS.Timeout | undefined;
    const deadlineTimer = setTimeout(
      () => {
        if (connected) fail(timedOut(base.host, deadline.ms));
        // It may have got one at the last moment. That it is not open yet says nothing of the host.
        else if (hadToQueue) fail(new NotConnected(new NoneFree()));
        else fail(new NotConnected(new Error(`no connection within ${deadline.ms} ms`)));
      },
      Math.max(0, deadline.at - performance.now()),
    );
    // Once a byte of a reply is there, WeChat Pay has heard the message: then it is never sent again from here.
    const isSilent = (): boolean => request.reusedSocket && request.socket?.bytesRead === heardBefore;
    const settle = (): void => {
      clearTimeout(connectTimer);
      clearTimeout(silenceTimer);
      clearTimeout(deadlineTimer);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
      request.destroy();
    };
    // A kept connection whose other end has vanished says nothing at all. Half of the time is for it, half for a fresh one.
    const watchSilence = (): void => {
      silenceTimer = setTimeout(
        () => {
          if (isSilent()) fail(new NotConnected(new Error('the kept connection stayed silent'), true));
        },
        (deadline.at - performance.now()) / 2,
      );
    };
    request.on('socket', (socket) => {
      const onConnected = (): void => {
        connected = true;
        clearTimeout(connectTimer);
      };
      // Without a descriptor left it has failed already, and will say so.
      if (socket.destroyed) return;
      if (!isConnecting(socket)) {
        onConnected();
        heardBefore = socket.bytesRead;
        if (request.reusedSocket) watchSilence();
        return;
      }
      socket.once(isTls ? 'secureConnect' : 'connect', onConnected);
      connectTimer = setTimeout(
        () => fail(new NotConnected(new Error(`no connection within ${connectTimeoutMs} ms`))),
        connectTimeoutMs,
      );
    });
    request.on('error', (error) => {
      const stale = connected && isSilent();
      const refused = !connected && request.socket instanceof TLSSocket && Boolean(request.socket.authorizationError);
      fail(
        connected && !stale
          ? broken(base.host, error)
          : new NotConnected(refused ? new CertificateRefused(error) : error, stale),
      );
    });
    request.on('response', (response) => {
      settle();
      resolve(response);
    });
    // A string goes out in one piece with the head, and Node counts its bytes; bytes would be a second piece.
    request.end(body);
  });
}

/** An agent may hand over a socket in any state: one still to be connected, one in its TLS handshake, a kept one. */
function isConnecting(socket: Socket & { secureConnecting?: boolean }): boolean {
  return socket.connecting || socket.secureConnecting === true;
}

/** Whether it still waits for one of the connections that the agent may have. */
function isQueued(request: http.ClientRequest, agent: http.Agent | false): boolean {
  if (agent === false) return false;
  return Object.values(agent.requests ?? {}).some((waiting) => (waiting as unknown[] | undefined)?.includes(request));
}
