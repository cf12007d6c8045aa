import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import type { Socket } from 'node:net';
import { answering, API_KEY, call, gatewayTo, httpServer, merchant, rawServer, reply } from './gateway.fixture.js';
import { gatewayBases } from './gateway-hosts.js';
import { buildXml } from './xml.js';

const http = (head: string, body = ''): string => `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`;
const afterRequest = (send: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => send(socket));
};

test('what is sent: strict XML, signed, with a fresh nonce, over a kept connection', async () => {
  const bodies: string[] = [];
  const connections = new Set<Socket>();
  const base = await httpServer((request, response) => {
    connections.add(request.socket);
    let body = '';
    request
      .on('data', (chunk) => (body += chunk))
      .on('end', () => {
        bodies.push(body);
        expect([request.method, request.url, request.headers['content-type']]).toEqual([
          'POST',
          '/pay/unifiedorder',
          'text/xml; charset=utf-8',
        ]);
        response.end(reply());
      });
  });
  const gateway = gatewayTo([base]);
  expect((await call(gateway)).raw['prepay_id']).toBe('wx201411101639507cbf6ffd8b0779950874');
  await call(gateway);
  expect(connections.size).toBe(1);
  const [first, second] = bodies.map((body) => /<nonce_str><!\[CDATA\[([0-9a-f]{32})\]\]>/.exec(body)?.[1]);
  expect(first).toBeDefined();
  expect(second).not.toBe(first);
});

describe('replies that are not believed', () => {
  test.each([
    ['N17', 'a login page', () => answering('<!DOCTYPE html><html><body>Sign in</body></html>')],
    ['N16', 'a 502 in HTML', () => answering('<html>Bad Gateway</html>', 502)],
    ['N16', 'a 503 around a reply that is genuine', () => answering(reply(), 503)],
    ['N18', 'a redirect', () => answering('', 302, { location: 'https://evil.example/' })],
    ['N18', 'a redirect around a reply that is genuine', () => answering(reply(), 307, { location: '/elsewhere' })],
    [
      'N24',
      'no signature',
      () =>
        answering(
          buildXml({ return_code: 'SUCCESS', result_code: 'SUCCESS', appid: merchant.appId, mch_id: merchant.mchId }),
        ),
    ],
    ['N24', "a stranger's signature", () => answering(reply({}, 'x'.repeat(32)))],
    ['re-cut', 'a value that hides a field', () => answering(reply({ attach: 'x&total_fee=1990' }))],
    ['N23', 'for another merchant', () => answering(reply({ mch_id: '10000101' }))],
    ['N23', 'for another application', () => answering(reply({ appid: 'wx0000000000000000' }))],
    ['N23', 'no nonce', () => answering(reply({ nonce_str: '' }))],
    ['N25', 'larger than any reply', () => answering(`<xml>${' '.repeat(300_000)}</xml>`)],
    [
      'N26',
      'compressed unasked, and not even that',
      () => answering('\u001f\u008b', 200, { 'content-encoding': 'gzip' }),
    ],
    ['N26', 'compressed in a way nobody knows', () => answering('x', 200, { 'content-encoding': 'zstd' })],
    ['N05', 'nothing', () => answering('')],
    [
      'N06',
      'garbage instead of HTTP',
      () => rawServer(afterRequest((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))),
    ],
    ['N05', 'the connection closed without a word', () => rawServer(afterRequest((socket) => socket.end()))],
    [
      'N01',
      'reset within the body',
      () =>
        rawServer(
          afterRequest((socket) =>
            socket.write(http('Content-Length: 500', '<xml>'), () => setTimeout(() => socket.resetAndDestroy(), 20)),
          ),
        ),
    ],
    [
      'N02',
      'closed within the announced body',
      () => rawServer(afterRequest((socket) => socket.end(http('Content-Length: 500', '<xml>')))),
    ],
    [
      'N03',
      'closed within a body without a length',
      () => rawServer(afterRequest((socket) => socket.end(http('Connection: close', reply().slice(0, -20))))),
    ],
    [
      'N04',
      'a truncated chunk',
      () => rawServer(afterRequest((socket) => socket.end(http('Transfer-Encoding: chunked', '500\r\n<xml>')))),
    ],
    [
      'N04',
      'a chunk size that is none',
      () => rawServer(afterRequest((socket) => socket.end(http('Transfer-Encoding: chunked', 'zz\r\n<xml>')))),
    ],
  ])('%s: %s', async (_id, _title, start) => {
    await expect(call(gatewayTo([await start()]))).rejects.toMatchObject({
      code: 'GATEWAY_REPLY_INVALID',
      hint: expect.stringMatching(/./),
    });
  });

  test.each([
    ['<html><body>oUpF8uMEb4qRXf22hE3X68TekukE</body></html>', 200, '54 bytes of HTML'],
    ['<xml><openid>oUpF8uMEb4qRXf22hE3X68TekukE</openid>', 200, '50 bytes of XML or the like'],
    ['{"openid":"oUpF8uMEb4qRXf22hE3X68TekukE"}', 502, '41 bytes of JSON or the like'],
    ['oUpF8uMEb4qRXf22hE3X68TekukE', 503, '28 bytes of text'],
    [Buffer.from([0x1f, 0x8b, 8, 0]), 200, '4 bytes of no text'],
    ['', 500, '0 bytes of nothing'],
  ])('%j with status %i: the error says what it looks like and quotes nothing of it', async (body, status, kind) => {
    const error = await call(gatewayTo([await answering(body, status)])).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'GATEWAY_REPLY_INVALID', message: expect.stringContaining(kind) });
    expect(inspect(error, { depth: null })).not.toContain('oUpF8');
  });

  test('N19: return_code FAIL says why, and is not signed', async () => {
    const base = await answering(buildXml({ return_code: 'FAIL', return_msg: '签名错误' }));
    await expect(call(gatewayTo([base]))).rejects.toMatchObject({ code: 'RETURN_CODE_FAIL', errCodeDes: '签名错误' });
  });

  test('N19: what nobody signed is no verdict: a code in it is only told', async () => {
    const base = await answering(buildXml({ return_code: 'FAIL', return_msg: 'no', err_code: 'ORDERNOTEXIST' }));
    const error = await call(gatewayTo([base])).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'RETURN_CODE_FAIL', errCodeDes: 'no ORDERNOTEXIST' });
    expect(error).toHaveProperty('errCode', undefined);
  });

  test('the early refusal of the edge has other names', async () => {
    const base = await answering(
      '<xml><return_code>FAIL</return_code><retmsg>XML parse</retmsg><retcode>1</retcode></xml>',
    );
    await expect(call(gatewayTo([base]))).rejects.toMatchObject({ code: 'RETURN_CODE_FAIL', errCodeDes: 'XML parse' });
  });

  test('N23: a reply that was given for another order', async () => {
    const gateway = gatewayTo([await answering(reply())]);
    await call(gateway, 'ORDER-0001');
    await expect(call(gateway, 'ORDER-0002')).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    await expect(call(gateway, 'ORDER-0001')).resolves.toBeDefined();
  });
});

test('result_code FAIL is an answer', async () => {
  const base = await answering(reply({ result_code: 'FAIL', err_code: 'NOAUTH', err_code_des: '商户无此接口权限' }));
  expect((await call(gatewayTo([base]))).refusal).toEqual({ errCode: 'NOAUTH', errCodeDes: '商户无此接口权限' });
});

describe('time', () => {
  test('N07: accepts, never answers', async () => {
    const base = await rawServer(() => {});
    await expect(call(gatewayTo([base], { timeoutMs: 1000 }))).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
  });

  test('N08: a byte now and then does not extend the deadline', async () => {
    const base = await rawServer(
      afterRequest((socket) => {
        socket.write(http('Content-Length: 500'));
        const drip = setInterval(() => socket.write(' '), 20);
        socket.on('close', () => clearInterval(drip));
      }),
    );
    await expect(call(gatewayTo([base], { timeoutMs: 1000 }))).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
  });
});

test('closing waits for the calls in flight, takes no more, and ends kept connections', async () => {
  let arrive = (_response: ServerResponse): void => {};
  const arrived = new Promise<ServerResponse>((resolve) => (arrive = resolve));
  const base = await httpServer((request, response) => {
    request.resume().on('end', () => arrive(response));
  });
  const gateway = gatewayTo([base]);
  const inFlight = call(gateway);
  const response = await arrived;
  const disconnected = once(response.socket!, 'close');
  const closing = gateway.close();
  await expect(call(gateway)).rejects.toMatchObject({
    code: 'GATEWAY_UNREACHABLE',
    message: expect.stringContaining('closed'),
  });
  response.end(reply());
  await expect(inFlight).resolves.toMatchObject({ refusal: undefined });
  await closing;
  await disconnected;
});

describe('closing does not wait', () => {
  const closed = { code: 'GATEWAY_UNREACHABLE', message: expect.stringContaining('closed') };

  test('for a turn among machines', async () => {
    let asked = (): void => {};
    const asking = new Promise<void>((resolve) => (asked = resolve));
    const turn = async (): Promise<number> => {
      asked();
      return 60_000;
    };
    const gateway = gatewayTo([await answering(reply())], { turns: { turn } });
    const waiting = call(gateway.background).catch((error: unknown) => error);
    await asking;
    await gateway.close();
    expect(await waiting).toMatchObject(closed);
  });

  test('for a turn in the background on this machine', async () => {
    const gateway = gatewayTo([await answering(reply())], { callsPerSecond: 0.01, timeoutMs: 300_000 });
    const waiting = call(gateway.background).catch((error: unknown) => error);
    gateway.endBackground();
    expect(await waiting).toMatchObject(closed);
  });

  test('longer than for calls in flight for a turn of a payer', async () => {
    const gateway = gatewayTo([await answering(reply())], { callsPerSecond: 0.01, timeoutMs: 300_000 });
    const waiting = call(gateway).catch((error: unknown) => error);
    await gateway.close();
    expect(await waiting).toMatchObject(closed);
  }, 30_000);
});

describe('gatewayBases', () => {
  test('names', () => {
    expect(gatewayBases('mainland').map(String)).toEqual([
      'https://api.mch.weixin.qq.com/',
      'https://api2.mch.weixin.qq.com/',
    ]);
    expect(gatewayBases('global')[0]?.host).toBe('apihk.mch.weixin.qq.com');
    expect(gatewayBases(['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://localhost']).length).toBe(3);
  });

  test.each([
    'http://api.mch.weixin.qq.com',
    'http://127.0.0.1.evil.example',
    'ftp://127.0.0.1',
    'mainlnd',
    '',
    'https://user@api.example',
    'https://api.example?x=1',
  ])('%j is refused', (gateway) => {
    expect(() => gatewayBases(gateway)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID', field: 'gateway' }));
  });
});

test('X11: no error of a call holds the key', async () => {
  const base = await answering(reply({}, 'x'.repeat(32)));
  const error = (await call(gatewayTo([base])).catch((thrown: unknown) => thrown)) as Error;
  const { inspect } = await import('node:util');
  for (const sink of [
    inspect(error, { depth: 10 }),
    JSON.stringify(error),
    String(error.stack),
    inspect(merchant, { depth: 10, showHidden: true }),
    JSON.stringify(merchant),
  ]) {
    expect(sink).not.toContain(API_KEY);
  }
});
