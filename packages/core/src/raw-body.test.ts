import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { readRawBody, type ParsedBody, type ParsedIncomingMessage, type RawBodyLimits } from './raw-body.js';

type Result = { body: string } | { code: string };

let server: Server;
let prepare: (request: ParsedIncomingMessage) => Promise<void> | void;
let limits: RawBodyLimits;
let results: Result[];
let settled: (() => void) | undefined;

beforeEach(async () => {
  prepare = () => {};
  limits = {};
  results = [];
  server = createServer((request, response) => {
    void (async () => {
      await prepare(request);
      const result: Result = await readRawBody(request, limits).then(
        (body) => ({ body: Buffer.from(body).toString('utf8') }),
        (error: { code: string }) => ({ code: error.code }),
      );
      results.push(result);
      settled?.();
      response.end(JSON.stringify(result));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function open(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends raw bytes; the result of the one request they make. */
async function send(head: string, ...pieces: (string | Uint8Array)[]): Promise<Result> {
  const done = new Promise<void>((resolve) => {
    settled = resolve;
  });
  const socket = await open();
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`);
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await done;
  socket.destroy();
  return results[0] as Result;
}

const post = (body: string | Uint8Array, head = ''): Promise<Result> =>
  send(`Content-Length: ${Buffer.byteLength(body)}${head}`, body);

test('a body in one piece', async () => {
  expect(await post('<xml></xml>')).toEqual({ body: '<xml></xml>' });
});

describe('all in one piece with its headers', () => {
  const whole = (head: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString('utf8')));
      socket.on('end', () => resolve(answer)).on('error', reject);
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n\r\n${body}`);
    });
  const announced = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}`;

  /** Called in the very turn in which the request arrives, as middleware is. */
  function readAtOnce(before: (request: IncomingMessage) => void = () => {}): { taken: number; ended: number } {
    const seen = { taken: 0, ended: 0 };
    server.removeAllListeners('request').on('request', (request, response) => {
      request.on('end', () => seen.ended++);
      before(request);
      const enter = (): (() => void) => {
        seen.taken++;
        return () => {};
      };
      readRawBody(request, { enter }).then(
        (body) => results.push({ body: Buffer.from(body).toString('utf8') }),
        (error: { code: string }) => results.push({ code: error.code }),
      );
      // The stream comes to its end, whoever listens.
      request.on('close', () => response.end());
    });
    return seen;
  }

  test('it waits for nothing, and takes no place among those who do', async () => {
    const seen = readAtOnce();
    await whole(announced('<a>支付</a>'), '<a>支付</a>');
    expect([results, seen]).toEqual([[{ body: '<a>支付</a>' }], { taken: 0, ended: 1 }]);
  });

  test('no body', async () => {
    readAtOnce();
    await whole('Content-Length: 0', '');
    expect(results).toEqual([{ body: '' }]);
  });

  test('chunked', async () => {
    readAtOnce();
    await whole('Transfer-Encoding: chunked', '3\r\n<a>\r\n4\r\n</a>\r\n0\r\n\r\n');
    expect(results).toEqual([{ body: '<a></a>' }]);
  });

  test('a stream that somebody has let flow', async () => {
    readAtOnce((request) => request.resume());
    await whole(announced('<a></a>'), '<a></a>');
    expect(results).toEqual([{ body: '<a></a>' }]);
  });

  test('somebody who listens in hears it, too', async () => {
    const heard: string[] = [];
    readAtOnce((request) => request.on('data', (chunk: Buffer) => heard.push(chunk.toString('utf8'))));
    await whole(announced('<a></a>'), '<a></a>');
    expect([results, heard]).toEqual([[{ body: '<a></a>' }], ['<a></a>']]);
  });

  test('I03: broken off at once', async () => {
    readAtOnce((request) => void request.on('error', () => {}));
    await whole('Transfer-Encoding: chunked', '3\r\n<a>\r\nzz\r\n').catch(() => {});
    expect(results).toEqual([{ code: 'BODY_ABORTED' }]);
  });
});

test('no body at all is no bytes', async () => {
  expect(await send('Content-Length: 0')).toEqual({ body: '' });
});

test('split inside a UTF-8 character', async () => {
  const bytes = Buffer.from('<a>支付</a>');
  expect(
    await send(`Content-Length: ${bytes.length}`, bytes.subarray(0, 4), bytes.subarray(4, 5), bytes.subarray(5)),
  ).toEqual({ body: '<a>支付</a>' });
});

test('I05: chunked', async () => {
  expect(await send('Transfer-Encoding: chunked', '3\r\n<a>\r\n', '4\r\n</a>\r\n0\r\n\r\n')).toEqual({
    body: '<a></a>',
  });
});

test('I07: one byte over the limit, announced', async () => {
  expect(await send('Content-Length: 65537')).toEqual({ code: 'BODY_TOO_LARGE' });
});

test('I07: over the limit without announcing it', async () => {
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
  expect(await send('Transfer-Encoding: chunked', chunk, chunk, chunk)).toEqual({ code: 'BODY_TOO_LARGE' });
});

test('I07: exactly the limit', async () => {
  expect(await post('x'.repeat(65_536))).toEqual({ body: 'x'.repeat(65_536) });
});

test('I07: a gigabyte that is offered is not taken in', async () => {
  const socket = await open();
  const done = new Promise<void>((resolve) => {
    settled = resolve;
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = Buffer.from(`100000\r\n${'x'.repeat(0x100000)}\r\n`);
  let written = 0;
  const pump = (): void => {
    while (written < 1024 && !socket.destroyed) {
      written++;
      if (!socket.write(chunk)) {
        socket.once('drain', pump);
        return;
      }
    }
  };
  pump();
  await done;
  // The reader has stopped: what the system's buffers hold is all that was taken.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(results).toEqual([{ code: 'BODY_TOO_LARGE' }]);
  expect(written).toBeLessThan(64);
  socket.destroy();
});

test('I08: compressed', async () => {
  expect(await post(gzipSync('<xml></xml>'), '\r\nContent-Encoding: gzip')).toEqual({ code: 'BODY_ENCODED' });
  results = [];
  expect(await post('<xml></xml>', '\r\nContent-Encoding: identity')).toEqual({ body: '<xml></xml>' });
});

test('I02: a body that does not come in time', async () => {
  limits = { timeoutMs: 50 };
  expect(await send('Content-Length: 100', '<xml>')).toEqual({ code: 'BODY_TIMEOUT' });
});

test('I04: a Content-Length larger than the body waits for the deadline only', async () => {
  limits = { timeoutMs: 50 };
  expect(await send('Content-Length: 12', '<xml></xml>')).toEqual({ code: 'BODY_TIMEOUT' });
});

test('I04: a Content-Length smaller than the body cuts it', async () => {
  expect(await send('Content-Length: 5', '<xml></xml>')).toEqual({ body: '<xml>' });
});

test('I03: reset within the body', async () => {
  const done = new Promise<void>((resolve) => {
    settled = resolve;
  });
  const socket = await open();
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n<xml>');
  await once(server, 'request');
  socket.resetAndDestroy();
  await done;
  expect(results).toEqual([{ code: 'BODY_ABORTED' }]);
});

test('I11: Expect: 100-continue', async () => {
  const socket = await open();
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('100 Continue');
  const done = new Promise<void>((resolve) => {
    settled = resolve;
  });
  socket.write('abc');
  await done;
  expect(results).toEqual([{ body: 'abc' }]);
  socket.destroy();
});

describe('I12: somebody has read the stream before', () => {
  async function consume(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  test.each<[string, (request: ParsedBody, bytes: Buffer) => void, Result]>([
    ['bytes in rawBody', (request, bytes) => (request.rawBody = bytes), { body: '<a>支付</a>' }],
    ['text in rawBody', (request, bytes) => (request.rawBody = bytes.toString('utf8')), { body: '<a>支付</a>' }],
    ['bytes in body', (request, bytes) => (request.body = bytes), { body: '<a>支付</a>' }],
    ['text in body', (request, bytes) => (request.body = bytes.toString('utf8')), { body: '<a>支付</a>' }],
    [
      'text that lost bytes',
      (request, bytes) => (request.body = bytes.subarray(0, 4).toString('utf8')),
      { code: 'BODY_ALREADY_READ' },
    ],
    ['an object', (request) => (request.body = { '<a>': '' }), { code: 'BODY_ALREADY_READ' }],
    ['nothing', () => {}, { code: 'BODY_ALREADY_READ' }],
  ])('%s', async (_title, leave, expected) => {
    prepare = async (request) => leave(request, await consume(request));
    expect(await post('<a>支付</a>')).toEqual(expected);
  });

  test('a stream that somebody has told to make text of its bytes is not read as bytes', async () => {
    prepare = (request: IncomingMessage) => void request.setEncoding('utf8');
    expect(await post('<a>支付</a>')).toEqual({ code: 'BODY_ALREADY_READ' });
  });

  test('kept bytes obey the limit', async () => {
    prepare = (request: ParsedBody) => {
      request.rawBody = Buffer.alloc(65_537);
    };
    expect(await post('x')).toEqual({ code: 'BODY_TOO_LARGE' });
  });

  test('a parser that left an empty object but read nothing is no obstacle', async () => {
    prepare = (request) => {
      request.body = {};
    };
    expect(await post('<xml></xml>')).toEqual({ body: '<xml></xml>' });
  });
});
