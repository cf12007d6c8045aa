import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClientIpResolver, type ClientIpExplanation, type ClientIpOptions } from './client-ip.js';

/** Sends the lines as a proxy would, and returns what the resolver makes of what Node hands over. */
async function overSocket(
  options: ClientIpOptions,
  listen: ListenOptions,
  lines: readonly string[],
): Promise<ClientIpExplanation & { remoteAddress?: string }> {
  const resolver = createClientIpResolver(options);
  const server = createServer(({ socket: { remoteAddress }, rawHeaders }, response) => {
    response.end(JSON.stringify({ remoteAddress, ...resolver.explain({ remoteAddress, rawHeaders }) }));
  });
  server.listen(listen.path ? listen : { ...listen, port: 0 });
  await once(server, 'listening');
  try {
    const socket = listen.path ? connect(listen.path) : connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(['GET / HTTP/1.1', 'Host: pay.example.com', 'Connection: close', ...lines, '', ''].join('\r\n'));
    let reply = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (reply += chunk));
    await once(socket, 'close');
    return JSON.parse(reply.slice(reply.indexOf('{')));
  } finally {
    server.close();
  }
}

test('I20 a forged header, a line per proxy, over a dual-stack socket', async () => {
  const lines = [
    'X-Forwarded-For: 6.6.6.6, 223.104.111.97',
    'x-real-ip: 6.6.6.6',
    'X-FORWARDED-FOR:\t10.0.0.3 ',
    'X_Forwarded_For: 7.7.7.7',
  ];
  expect(await overSocket({ trust: ['127.0.0.1', '10.0.0.3'] }, { host: '::ffff:127.0.0.1' }, lines)).toMatchObject({
    remoteAddress: '::ffff:127.0.0.1',
    peer: { address: '127.0.0.1', verdict: 'trusted' },
    clientIp: { ip: '223.104.111.97', source: 'x-forwarded-for', hop: 2 },
  });
});

test('I20 the same from a peer that is not trusted', async () => {
  const explanation = await overSocket({ trust: ['127.0.0.2'] }, { host: '127.0.0.1' }, ['X-Forwarded-For: 6.6.6.6']);
  expect(explanation).toMatchObject({ clientIp: { ip: '127.0.0.1', source: 'socket', public: false } });
});

test('I20 over a UNIX socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-'));
  const path = join(folder, 'http.sock');
  try {
    const lines = ['X-Forwarded-For: 6.6.6.6, 223.104.111.97'];
    expect(await overSocket({ trust: ['unix'] }, { path }, lines)).toMatchObject({
      clientIp: { ip: '223.104.111.97' },
    });
    expect(await overSocket({ trust: ['loopback'] }, { path }, lines)).toMatchObject({
      error: { code: 'NO_PEER' },
    });
    expect(await overSocket({ trust: { hops: 1 } }, { path }, lines)).toMatchObject({
      clientIp: { ip: '223.104.111.97' },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
