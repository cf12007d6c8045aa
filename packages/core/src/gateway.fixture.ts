import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Gateway, type GatewayOptions } from './gateway.js';
import { KnownMerchant } from './merchant.js';
import { sign } from './signature.js';
import { buildXml } from './xml.js';

export const API_KEY = '192006250b4c09247ec02edce69f6a2d';
export const merchant = new KnownMerchant(
  { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: API_KEY },
  'merchant',
);
const ORDER = { out_trade_no: 'ORDER-0001', total_fee: '1' };

const stops: (() => Promise<unknown>)[] = [];

/** What a test started is stopped when it ends. */
export function atEnd(stop: () => Promise<unknown>): void {
  stops.push(stop);
}

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A WeChat Pay that speaks raw bytes: what it does with each connection is the test's to say. */
export async function rawServer(onConnection: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return new URL(`http://127.0.0.1:${await portOf(server)}`);
}

export async function httpServer(listener: RequestListener): Promise<URL> {
  const server = createHttpServer(listener);
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${await portOf(server)}`);
}

export const answering = (body: string | Buffer, status = 200, headers: Record<string, string> = {}): Promise<URL> =>
  httpServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, headers).end(body));
  });

/** A port on which nobody listens. */
export async function closedPort(): Promise<URL> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return new URL(`http://127.0.0.1:${port}`);
}

export function gatewayTo(bases: URL[], options: Partial<GatewayOptions> = {}): Gateway {
  const gateway = new Gateway({ bases, timeoutMs: 2000, connectTimeoutMs: 500, repeatAfterMs: [], ...options });
  atEnd(() => gateway.close());
  return gateway;
}

let nonces = 0;

export function reply(fields: Record<string, string> = {}, key = API_KEY): string {
  const all: Record<string, string> = {
    return_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: `IITRi8Iabbblz1Jc${nonces++}`,
    result_code: 'SUCCESS',
    prepay_id: 'wx201411101639507cbf6ffd8b0779950874',
    ...fields,
  };
  return buildXml({ ...all, sign: sign(all, key) });
}

export const call = (gateway: Pick<Gateway, 'call'>, subject = 'ORDER-0001'): ReturnType<Gateway['call']> =>
  gateway.call('/pay/unifiedorder', merchant, ORDER, subject);
