import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A network that a phone is in: what its requests to other hosts come from. */
export interface ForwardProxy {
  /** What the browser is given as its proxy. */
  readonly url: string;
  /** Which of this machine's addresses requests to a host leave from. Change it, and the phone has changed networks. */
  addressFor: (host: string) => string;
  stop(): Promise<void>;
}

/**
 * A forward proxy for plain http that connects from another of this machine's addresses (127.0.0.x): to whom it
 * connects it looks like another network.
 */
export async function startForwardProxy(addressFor: ForwardProxy['addressFor']): Promise<ForwardProxy> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '');
    const { 'proxy-connection': _, ...headers } = request.headers;
    const onward = httpRequest(
      url,
      { method: request.method, headers, localAddress: proxy.addressFor(url.host), agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      },
    );
    onward.once('error', () => response.destroy());
    request.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: ForwardProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addressFor,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
