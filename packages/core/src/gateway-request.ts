import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { broken, NotConnected, timedOut } from './gateway-errors.js';

/** What a merchant shows in mutual TLS: the names of `node:tls`. */
export type CertificateOptions =
  | { readonly cert: string | Buffer; readonly key: string | Buffer }
  | { readonly pfx: Buffer; readonly passphrase: string };

export interface PostOptions {
  /** `false`: a connection of its own. */
  agent: http.Agent | false;
  lookup: LookupFunction | undefined;
  certificate: CertificateOptions | undefined;
  connectTimeoutMs: number;
  /** On the clock of `performance.now()`; the reply's head has to be there by then. */
  deadline: number;
  /** The length of the whole call, for messages. */
  timeoutMs: number;
}

/**
 * One POST on one host, up to the head of the reply. Redirects are replies like any other: the body holds what
 * only WeChat Pay may see.
 *
 * @throws {NotConnected} nothing was sent, or on a kept connection that turned out to be closed
 * @throws {WechatH5Error} `GATEWAY_TIMEOUT`, `GATEWAY_REPLY_INVALID`
 */
export function post(base: URL, path: string, body: Buffer, options: PostOptions): Promise<IncomingMessage> {
  const { agent, lookup, certificate, connectTimeoutMs, deadline, timeoutMs } = options;
  const isTls = base.protocol === 'https:';
  return new Promise((resolve, reject) => {
    let connected = false;
    const request = (isTls ? https : http).request({
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      path: base.pathname.replace(/\/$/, '') + path,
      method: 'POST',
      agent,
      headers: { 'content-type': 'text/xml; charset=utf-8', 'content-length': body.byteLength, accept: 'text/xml' },
      ...(lookup === undefined ? {} : { lookup }),
      ...(isTls ? { minVersion: 'TLSv1.2' as const, ...certificate } : {}),
    });
    let connectTimer: NodeJS.Timeout | undefined;
    const deadlineTimer = setTimeout(
      () =>
        fail(
          connected
            ? timedOut(base.host, timeoutMs)
            : new NotConnected(new Error(`no connection within ${timeoutMs} ms`)),
        ),
      Math.max(0, deadline - performance.now()),
    );
    const settle = (): void => {
      clearTimeout(connectTimer);
      clearTimeout(deadlineTimer);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
      request.destroy();
    };
    request.on('socket', (socket) => {
      const onConnected = (): void => {
        connected = true;
        clearTimeout(connectTimer);
      };
      if (!isConnecting(socket)) return onConnected();
      socket.once(isTls ? 'secureConnect' : 'connect', onConnected);
      connectTimer = setTimeout(
        () => fail(new NotConnected(new Error(`no connection within ${connectTimeoutMs} ms`))),
        connectTimeoutMs,
      );
    });
    request.on('error', (error) => {
      const stale = connected && request.reusedSocket;
      fail(connected && !stale ? broken(base.host, error) : new NotConnected(error, stale));
    });
    request.on('response', (response) => {
      settle();
      resolve(response);
    });
    request.end(body);
  });
}

/** An agent may hand over a socket in any state: one still to be connected, one in its TLS handshake, a kept one. */
function isConnecting(socket: Socket & { secureConnecting?: boolean }): boolean {
  return socket.connecting || socket.secureConnecting === true;
}
