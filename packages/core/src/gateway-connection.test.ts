import { startFaultProxy, type FaultProxy } from '@wechat-h5/testkit/fault-proxy';
import { spawn } from 'node:child_process';
import { lookup as dnsLookup } from 'node:dns';
import { once } from 'node:events';
import http from 'node:http';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { answering, atEnd, call, closedPort, gatewayTo, httpServer, rawServer, reply } from './gateway.fixture.js';

const UNREACHABLE = { code: 'GATEWAY_UNREACHABLE', cause: expect.anything(), hint: expect.stringContaining('Nothing') };

const answer = (): string => {
  const body = reply();
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

async function proxyTo({ port }: URL): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: Number(port) } });
  atEnd(() => proxy.stop());
  return proxy;
}

/** The base by name instead of by address, so that `lookup` is asked. */
const named = ({ port }: URL): URL => new URL(`http://localhost:${port}`);

/** Answers every question with these addresses. */
const resolving =
  (...addresses: string[]): LookupFunction =>
  (_host, options, done) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all === true) done(null, found);
    else done(null, found[0]!.address, found[0]!.family);
  };

describe('no connection: nothing was sent', () => {
  test('N09: refused: tried three times, and told', async () => {
    let attempts = 0;
    const lookup: LookupFunction = (host, options, done) => {
      attempts++;
      resolving('127.0.0.1')(host, options, done);
    };
    const gateway = gatewayTo([named(await closedPort())], { lookup, repeatAfterMs: [1, 3] });
    await expect(call(gateway)).rejects.toMatchObject(UNREACHABLE);
    expect(attempts).toBe(3);
  });

  test('N09: refused, and back a moment later', async () => {
    const proxy = await proxyTo(await answering(reply()));
    await proxy.down();
    let attempts = 0;
    const lookup: LookupFunction = (host, options, done) => {
      void (++attempts === 2 ? proxy.up() : Promise.resolve()).then(() => resolving('127.0.0.1')(host, options, done));
    };
    const gateway = gatewayTo([named(new URL(proxy.url))], { lookup, repeatAfterMs: [1, 3] });
    await expect(call(gateway)).resolves.toBeDefined();
    expect(attempts).toBe(2);
  });

  test('N09: waits of its own default, 1 s and 3 s, only within the deadline', async () => {
    const started = performance.now();
    const gateway = gatewayTo([await closedPort()], { repeatAfterMs: [1000, 3000], timeoutMs: 900 });
    await expect(call(gateway)).rejects.toMatchObject(UNREACHABLE);
    // It does not sit out a wait after which there is no time for an attempt.
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test('N10: a host that takes no connection is given up after the connect timeout, and the next one asked', async () => {
    const port = await fullAcceptQueue();
    const silent = new URL(`http://127.0.0.1:${port}`);
    await expect(call(gatewayTo([silent], { connectTimeoutMs: 200, timeoutMs: 20_000 }))).rejects.toMatchObject({
      ...UNREACHABLE,
      cause: expect.objectContaining({ message: 'no connection within 200 ms' }),
    });
    const gateway = gatewayTo([silent, await answering(reply())], { connectTimeoutMs: 200, timeoutMs: 20_000 });
    await expect(call(gateway)).resolves.toBeDefined();
  });

  test.each(['ENOTFOUND', 'EAI_AGAIN'])('N11: the name does not resolve (%s)', async (code) => {
    const lookup: LookupFunction = (host, _options, done) =>
      done(Object.assign(new Error(`${code} ${host}`), { code }), '', 4);
    await expect(call(gatewayTo([new URL('https://api.mch.weixin.qq.com')], { lookup }))).rejects.toMatchObject({
      ...UNREACHABLE,
      cause: expect.objectContaining({ code }),
    });
  });

  test('N11: the resolver never answers: only the calls that need it wait, and not for ever', async () => {
    const answers = await answering(reply());
    const stuck = gatewayTo([named(answers)], { lookup: () => {}, connectTimeoutMs: 300 });
    const waiting = call(stuck);
    await expect(call(gatewayTo([answers]))).resolves.toBeDefined();
    await expect(waiting).rejects.toMatchObject(UNREACHABLE);
  });

  test('N11: the user’s own lookup is asked, and dns.lookup fits', async () => {
    const base = named(await answering(reply()));
    await expect(call(gatewayTo([base], { lookup: dnsLookup }))).resolves.toBeDefined();
    await expect(call(gatewayTo([base], { lookup: resolving('127.0.0.1') }))).resolves.toBeDefined();
  });

  test('N12: IPv6 comes first and is dead: the IPv4 address is tried, too', async () => {
    const base = named(await answering(reply()));
    await expect(call(gatewayTo([base], { lookup: resolving('::1', '127.0.0.1') }))).resolves.toBeDefined();
  });

  test('N12: IPv6 comes first and is silent: the IPv4 address is tried without waiting for it', async () => {
    const base = await answering(reply());
    await fullAcceptQueue(Number(base.port), '::1');
    const gateway = gatewayTo([named(base)], {
      lookup: resolving('::1', '127.0.0.1'),
      connectTimeoutMs: 10_000,
      timeoutMs: 20_000,
    });
    await expect(call(gateway)).resolves.toBeDefined();
  });

  test.each<[string, (socket: Socket) => void]>([
    ['stalls', () => {}],
    ['ends at once', (socket) => socket.end()],
    ['is answered with something else', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('N14: a TLS handshake that %s', async (_how, act) => {
    const { port } = await rawServer((socket) => void socket.once('data', () => act(socket)));
    await expect(call(gatewayTo([new URL(`https://127.0.0.1:${port}`)]))).rejects.toMatchObject(UNREACHABLE);
  });
});

describe('a kept connection that died meanwhile', () => {
  /** Answers the first request on each connection, and does `act` with the second one. */
  async function serverWith(act: (socket: Socket) => void): Promise<{ base: URL; requests: () => number }> {
    let requests = 0;
    const base = await rawServer((socket) => {
      socket.on('data', () => {
        requests++;
        if (requests === 2) act(socket);
        else socket.write(answer());
      });
    });
    return { base, requests: () => requests };
  }

  test('N27: reset before a byte of the reply: once more, on a fresh one', async () => {
    const { base, requests } = await serverWith((socket) => socket.resetAndDestroy());
    const gateway = gatewayTo([base]);
    await call(gateway);
    await expect(call(gateway)).resolves.toBeDefined();
    expect(requests()).toBe(3);
  });

  test('N27: reset after a byte of the reply: never again by itself', async () => {
    const { base, requests } = await serverWith((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<xml>', () => socket.destroy());
    });
    const gateway = gatewayTo([base]);
    await call(gateway);
    await expect(call(gateway)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    expect(requests()).toBe(2);
  });

  test.each([
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['silent', () => {}],
  ])('N27: %s within the head of the reply: never again by itself', async (_how, act) => {
    const { base, requests } = await serverWith((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Le', () => setTimeout(() => act(socket), 50));
    });
    const gateway = gatewayTo([base], { timeoutMs: 2000 });
    await call(gateway);
    await expect(call(gateway)).rejects.toMatchObject({
      code: expect.stringMatching(/^GATEWAY_(?:REPLY_INVALID|TIMEOUT)$/),
    });
    expect(requests()).toBe(2);
  });

  test('N27: half open: it says nothing at all, and a fresh one answers', async () => {
    const proxy = await proxyTo(await answering(reply()));
    const gateway = gatewayTo([new URL(proxy.url)], { timeoutMs: 3000 });
    await call(gateway);
    for (const stream of ['upstream', 'downstream'] as const) {
      proxy.add({ type: 'half_open', stream, connections: (index) => index === 0 });
    }
    await expect(call(gateway)).resolves.toBeDefined();
    expect(proxy.accepted).toBe(2);
  });

  test('N27: sent on a kept connection, and then nobody is there: unknown, not "nothing was sent"', async () => {
    const proxy = await proxyTo(
      await httpServer((request, response) => {
        request.resume();
        if (served++ === 0) response.end(reply());
        else void proxy.down();
      }),
    );
    let served = 0;
    const gateway = gatewayTo([new URL(proxy.url)]);
    await call(gateway);
    await expect(call(gateway)).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    expect(served).toBe(2);
  });
});

describe('N28: an HTTP proxy on the way, by an agent of the user', () => {
  /** Tunnels by CONNECT. */
  class TunnelAgent extends http.Agent {
    readonly #port: string;
    constructor(port: string) {
      super({ keepAlive: true });
      this.#port = port;
    }
    override createConnection(
      { host, port }: http.ClientRequestArgs,
      done?: (error: Error | null, socket: Duplex) => void,
    ): undefined {
      http
        .request({ port: this.#port, host: '127.0.0.1', method: 'CONNECT', path: `${host}:${port}` })
        .on('connect', (_reply, socket) => done?.(null, socket))
        .on('error', (error) => done?.(error, new Duplex()))
        .end();
    }
  }

  async function tunnel(): Promise<URL> {
    const open = new Set<Socket>();
    const server = http.createServer().on('connect', (request, client) => {
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      for (const socket of [client as Socket, upstream]) open.add(socket.on('error', () => {}));
      client.pipe(upstream).pipe(client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(async () => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    return new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  }

  function through(proxy: FaultProxy, base: URL): ReturnType<typeof gatewayTo> {
    const agent = new TunnelAgent(String(proxy.port));
    atEnd(async () => agent.destroy());
    return gatewayTo([base], { agent });
  }

  test('N28: works, dies within a call (unknown), is gone (nothing was sent), and comes back', async () => {
    const proxy = await proxyTo(await tunnel());
    let dying = false;
    const base = await httpServer((request, response) => {
      request.resume();
      if (dying) void proxy.down();
      else response.end(reply());
    });
    await call(through(proxy, base));
    dying = true;
    await expect(call(through(proxy, base))).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    await expect(call(through(proxy, base))).rejects.toMatchObject(UNREACHABLE);
    dying = false;
    await proxy.up();
    await expect(call(through(proxy, base))).resolves.toBeDefined();
  });

  test('N28: after a kept connection died, nothing goes past the proxy', async () => {
    const proxy = await proxyTo(await tunnel());
    const gateway = through(proxy, await answering(reply()));
    await call(gateway);
    for (const stream of ['upstream', 'downstream'] as const) {
      proxy.add({ type: 'half_open', stream, connections: (index) => index === 0 });
    }
    await expect(call(gateway)).resolves.toBeDefined();
    expect(proxy.accepted).toBe(2);
  });
});

test('N30: long round trips and lost packets: every call is answered within its deadline', async () => {
  const proxy = await proxyTo(
    await httpServer((request, response) => request.resume().on('end', () => response.end(reply()))),
  );
  // 300 ms there and back; a fifth of the connections wait for a packet to be sent again, which takes TCP 200 ms or more.
  for (const stream of ['upstream', 'downstream'] as const) {
    proxy.add({ type: 'latency', latency: 150, jitter: 50, stream });
    proxy.add({ type: 'latency', latency: 400, jitter: 150, stream, toxicity: 0.2 });
    proxy.add({ type: 'slicer', averageSize: 200, sizeVariation: 150, stream });
  }
  const gateway = gatewayTo([new URL(proxy.url)], { timeoutMs: 20_000, connectTimeoutMs: 10_000 });
  const calls = await Promise.all(Array.from({ length: 20 }, (_, n) => call(gateway, `ORDER-${n}`)));
  expect(calls.every(({ refusal }) => refusal === undefined)).toBe(true);
});

/** A port whose listener never accepts and whose queue is full: what is sent there vanishes, as behind a firewall. */
async function fullAcceptQueue(port = 0, host = '127.0.0.1'): Promise<number> {
  const listener = spawn(
    process.execPath,
    [
      '-e',
      `const server = require('node:net').createServer().listen({ port: ${port}, host: '${host}', backlog: 1 }, () => {
        require('node:fs').writeSync(1, String(server.address().port));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      })`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const fillers: Socket[] = [];
  atEnd(async () => {
    for (const filler of fillers) filler.destroy();
    listener.kill('SIGKILL');
    await once(listener, 'exit');
  });
  const [output] = (await once(listener.stdout, 'data')) as [Buffer];
  for (;;) {
    const filler = connect({ port: Number(output), host }).on('error', () => {});
    fillers.push(filler);
    const late = new Promise<'full'>((resolve) => setTimeout(() => resolve('full'), 500).unref());
    if ((await Promise.race([once(filler, 'connect'), late])) === 'full') return Number(output);
  }
}
