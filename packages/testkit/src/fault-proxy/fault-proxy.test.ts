import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';
import { seededRandom } from './seeded-random.js';

/** The server's end of each connection, in the order in which they came. */
const serverSockets: Socket[] = [];
const clients: Socket[] = [];
let server: Server;
let proxy: FaultProxy;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    serverSockets.push(socket);
    socket.on('error', () => {});
    // An echo that closes when its client does.
    socket.on('data', (bytes) => socket.write(bytes));
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } });
});

afterEach(async () => {
  for (const socket of [...clients.splice(0), ...serverSockets.splice(0)]) socket.destroy();
  await proxy.stop();
  server.close();
  await once(server, 'close');
});

interface Client {
  readonly socket: Socket;
  /** What has arrived so far. */
  received(): Buffer;
  /** How the connection ended: an error's code, or `closed`. */
  readonly ended: Promise<string>;
  /** Resolves when so many bytes have arrived. */
  has(bytes: number): Promise<void>;
}

async function client(): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  clients.push(socket);
  const chunks: Buffer[] = [];
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.byteLength;
    socket.emit('more');
  });
  let code = 'closed';
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(code)));
  await once(socket, 'connect');
  return {
    socket,
    received: () => Buffer.concat(chunks),
    ended,
    async has(bytes) {
      while (received < bytes) await once(socket, 'more');
    },
  };
}

const round = async ({ socket, has, received }: Client, text = 'ping'): Promise<string> => {
  const before = received().byteLength;
  socket.write(text);
  await has(before + text.length);
  return received().subarray(before).toString();
};

test('without toxics, bytes and the end of a stream pass both ways', async () => {
  const one = await client();
  expect(await round(one)).toBe('ping');
  one.socket.end('last');
  expect(await one.ended).toBe('closed');
  expect(one.received().toString()).toBe('pinglast');
  expect([proxy.accepted, proxy.open]).toEqual([1, expect.any(Number)]);
});

test('a megabyte arrives whole, whatever cuts, slows and delays it', async () => {
  proxy.add({ type: 'slicer', averageSize: 20_000, sizeVariation: 19_000 });
  proxy.add({ type: 'latency', latency: 5, jitter: 5 });
  proxy.add({ type: 'bandwidth', rate: 20_000, stream: 'upstream' });
  const sent = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => (index * 31) & 0xff));
  const one = await client();
  one.socket.write(sent);
  await one.has(sent.byteLength);
  expect(one.received().equals(sent)).toBe(true);
});

test('latency: bytes take at least as long as it says', async () => {
  proxy.add({ type: 'latency', latency: 100, stream: 'upstream' });
  const one = await client();
  const start = performance.now();
  await round(one);
  expect(performance.now() - start).toBeGreaterThanOrEqual(99);
});

test('bandwidth: a stream takes at least as long as the rate says', async () => {
  proxy.add({ type: 'bandwidth', rate: 100 });
  const one = await client();
  const start = performance.now();
  await round(one, 'x'.repeat(20_000));
  expect(performance.now() - start).toBeGreaterThanOrEqual(150);
});

test('slow_close: the end comes late, the bytes before it do not', async () => {
  proxy.add({ type: 'slow_close', delay: 150 });
  const one = await client();
  const start = performance.now();
  one.socket.end('last');
  await one.has(4);
  expect(await one.ended).toBe('closed');
  expect(performance.now() - start).toBeGreaterThanOrEqual(149);
});

test('timeout: nothing gets through, then the connection closes', async () => {
  proxy.add({ type: 'timeout', timeout: 50 });
  const one = await client();
  one.socket.write('ping');
  expect(await one.ended).toBe('closed');
  expect(one.received().byteLength).toBe(0);
});

test('reset_peer: by time, even when nothing is sent', async () => {
  proxy.add({ type: 'reset_peer', timeout: 20 });
  const one = await client();
  expect(await one.ended).toBe('ECONNRESET');
});

test('reset_peer: after so many bytes', async () => {
  proxy.add({ type: 'reset_peer', bytes: 10 });
  const one = await client();
  expect(await round(one)).toBe('ping');
  one.socket.write('more than ten');
  expect(await one.ended).toBe('ECONNRESET');
});

test('slicer: one write arrives in pieces, in order', async () => {
  proxy.add({ type: 'slicer', averageSize: 2, delay: 10 });
  const one = await client();
  one.socket.setNoDelay();
  let pieces = 0;
  one.socket.on('data', () => pieces++);
  expect(await round(one, 'abcdefgh')).toBe('abcdefgh');
  expect(pieces).toBeGreaterThan(1);
});

test('limit_data: so many bytes, then a proper end', async () => {
  proxy.add({ type: 'limit_data', bytes: 5 });
  const one = await client();
  one.socket.write('0123456789');
  expect(await one.ended).toBe('closed');
  expect(one.received().toString()).toBe('01234');
});

test('corrupt: one byte, at its offset in the stream', async () => {
  proxy.add({ type: 'corrupt', at: 5 });
  const one = await client();
  await round(one, 'abcd');
  await round(one, 'efgh');
  const expected = Buffer.from('abcdefgh');
  expected[5]! ^= 0xff;
  expect(one.received()).toEqual(expected);
});

test('half_open: the server is gone, and the client is not told', async () => {
  const one = await client();
  await round(one);
  proxy.add({ type: 'half_open' });
  proxy.add({ type: 'half_open', stream: 'upstream' });
  const gone = once(serverSockets[0]!, 'close');
  serverSockets[0]!.resetAndDestroy();
  await gone;
  one.socket.write('anybody there?');
  const other = await client();
  other.socket.write('another round, while the first one could have ended');
  expect([one.socket.destroyed, one.received().toString()]).toEqual([false, 'ping']);
});

test('down: connecting is refused and open connections are reset; up: the same port listens again', async () => {
  const one = await client();
  await round(one);
  await proxy.down();
  expect(await one.ended).toBe('ECONNRESET');
  await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxy.up();
  expect(await round(await client())).toBe('ping');
});

test('toxics come and go on open connections', async () => {
  const one = await client();
  await round(one);
  const remove = proxy.add({ type: 'timeout', timeout: 0 });
  one.socket.write('lost');
  await once(serverSockets[0]!, 'data');
  // What the echo sent while nothing got through is lost; the next bytes are not.
  await new Promise((resolve) => setTimeout(resolve, 50));
  remove();
  expect(await round(one)).toBe('ping');
  proxy.add({ type: 'reset_peer', timeout: 0 });
  expect(await one.ended).toBe('ECONNRESET');
  proxy.clear();
  expect(await round(await client())).toBe('ping');
});

test('upstream and downstream are affected apart', async () => {
  proxy.add({ type: 'corrupt', at: 0, stream: 'upstream' });
  proxy.add({ type: 'limit_data', bytes: 3, stream: 'downstream' });
  const one = await client();
  one.socket.write('abcd');
  await one.ended;
  expect([...one.received()]).toEqual([0x61 ^ 0xff, 0x62, 0x63]);
});

test('one connection may be affected, and the next one not', async () => {
  proxy.add({ type: 'reset_peer', timeout: 0, connections: (index) => index === 0 });
  expect(await (await client()).ended).toBe('ECONNRESET');
  expect(await round(await client())).toBe('ping');
});

test('toxicity is a share of the connections, and the same for the same seed', async () => {
  proxy.add({ type: 'corrupt', at: 0, toxicity: 0.5 });
  const hit: boolean[] = [];
  for (let n = 0; n < 20; n++) hit.push((await round(await client())) !== 'ping');
  const random = seededRandom(1);
  expect(hit).toEqual(Array.from({ length: 20 }, () => random() < 0.5));
  expect(new Set(hit).size).toBe(2);
});
