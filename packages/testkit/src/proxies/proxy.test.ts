import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from '../workspace.js';
import { startProxy, versionOf, type ProxyOptions } from './proxy.js';
import { runnable } from './runnable.js';
import type { Endpoint } from '../servers/server-process.js';

const ADDRESS = '127.0.0.41';
const NOBODY: Endpoint = { host: '127.0.0.42', port: 9 };

type Case = ProxyOptions & { readonly name: string };

const EDGES: readonly Case[] = [
  { name: 'nginx', software: 'nginx', file: 'examples/proxies/nginx/edge.conf', address: ADDRESS, next: NOBODY },
  { name: 'Apache', software: 'apache', file: 'examples/proxies/apache/edge.conf', address: ADDRESS, next: NOBODY },
  { name: 'HAProxy', software: 'haproxy', file: 'examples/proxies/haproxy/edge.cfg', address: ADDRESS, next: NOBODY },
  {
    name: 'Caddy',
    software: 'caddy',
    file: 'examples/proxies/caddy/edge.Caddyfile',
    address: '127.0.0.1',
    next: NOBODY,
  },
];

const softwareOf = ({ software }: Case) => [software];

for (const edge of runnable(EDGES, softwareOf)) {
  describe(`${edge.name}`, () => {
    test('listens when it is started, and leaves neither a listener nor a file when it is stopped', async () => {
      const proxy = await startProxy(edge);
      expect(await accepts(proxy)).toBe(true);
      expect(existsSync(proxy.folder)).toBe(true);
      await proxy.stop();
      await proxy.stop();
      expect(await accepts(proxy)).toBe(false);
      expect(existsSync(proxy.folder)).toBe(false);
    });

    test('says what it dislikes in a configuration', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-nonsense-'));
      const file = join(folder, 'nonsense.conf');
      writeFileSync(file, 'nonsense_directive 1;\n');
      const started = startProxy({ ...edge, file: relative(ROOT, file) });
      // Caddy takes the first word for a host name.
      await expect(started).rejects.toThrow(/nonsense_directive|'1;'/);
      rmSync(folder, { recursive: true });
    });

    test('has a version', () => {
      expect(versionOf(edge.software)).toMatch(/^\d+\.\d+\.\d+$/);
    });
  });
}

describe('what reaches the application', () => {
  const append: readonly Case[] = [
    {
      name: 'HAProxy adds a line of its own below those of the visitor',
      software: 'haproxy',
      file: 'examples/proxies/haproxy/append.cfg',
      address: ADDRESS,
      next: NOBODY,
    },
    {
      name: 'nginx makes one line of them',
      software: 'nginx',
      file: 'examples/proxies/nginx/append.conf',
      address: ADDRESS,
      next: NOBODY,
    },
  ];
  const expected = {
    haproxy: ['203.0.113.66', '198.51.100.7', '127.0.0.1'],
    nginx: ['203.0.113.66, 198.51.100.7, 127.0.0.1'],
  };

  for (const proxy of runnable(append, softwareOf)) {
    test(`${proxy.name}`, async () => {
      const lines = await forwardedLines(proxy, ['X-Forwarded-For', '203.0.113.66', 'X-Forwarded-For', '198.51.100.7']);
      expect(lines).toEqual(expected[proxy.software as keyof typeof expected]);
    });
  }

  for (const proxy of runnable(EDGES, softwareOf).filter(({ address }) => address === ADDRESS)) {
    test(`${proxy.name} connects from the address it was given`, async () => {
      const peers: (string | undefined)[] = [];
      await forwardedLines(proxy, [], (request) => peers.push(request.socket.remoteAddress));
      expect(peers).toEqual([ADDRESS]);
    });
  }
});

for (const caddy of runnable(EDGES, softwareOf).filter(({ software }) => software === 'caddy')) {
  test('Caddy, which cannot choose, is not taken to connect from another address', async () => {
    await expect(startProxy({ ...caddy, address: ADDRESS })).rejects.toThrow('connects from 127.0.0.1');
  });
}

/** The lines of X-Forwarded-For that an application behind the proxy is given. */
async function forwardedLines(
  options: ProxyOptions,
  headers: readonly string[],
  see: (request: IncomingMessage) => void = () => {},
): Promise<string[]> {
  const lines: string[] = [];
  const server = createServer((request, response) => {
    see(request);
    const { rawHeaders } = request;
    rawHeaders.forEach((name, i) => {
      if (i % 2 === 0 && name.toLowerCase() === 'x-forwarded-for') lines.push(rawHeaders[i + 1] as string);
    });
    response.end();
  });
  server.listen(0, NOBODY.host);
  await once(server, 'listening');
  const proxy = await startProxy({
    ...options,
    next: { host: NOBODY.host, port: (server.address() as AddressInfo).port },
  });
  try {
    const asked = get({ ...proxyEndpoint(proxy), agent: false, headers: ['Host', 'shop.example', ...headers] });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return lines;
  } finally {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
  }
}

function proxyEndpoint({ host, port }: Endpoint): Endpoint {
  return { host, port };
}

async function accepts({ host, port }: Endpoint): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
