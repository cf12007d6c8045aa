import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { openDownload } from './gateway-download.js';
import { Gateway, type GatewayOptions } from './gateway.js';
import { KnownMerchant } from './merchant.js';

const IDS = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const merchant = new KnownMerchant(IDS, 'merchant');
const BILL = '\uFEFF交易时间,公众账号ID\r\n`2026-11-22 10:00:00,`wx2421b1c4370ec43b\r\n';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => listener(request, response));
  });
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function gatewayTo(listener: RequestListener, options: Pick<GatewayOptions, 'now'> = {}): Promise<Gateway> {
  const gateway = new Gateway({ bases: [await serve(listener)], ...options });
  stops.push(() => gateway.close());
  return gateway;
}

/** Until all buffers between a sender and a reader that has stopped are full. */
async function standstill(sent: () => number): Promise<void> {
  let before = -1;
  while (before !== sent()) {
    before = sent();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const download = (gateway: Gateway, of = merchant): ReturnType<Gateway['download']> =>
  gateway.download('/pay/downloadbill', of, { bill_date: '20261122', bill_type: 'ALL' });

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

test.each([
  ['as it is', Buffer.from(BILL)],
  ['as GZIP', gzipSync(BILL)],
])('a bill, sent %s, arrives decoded', async (_how, bytes) => {
  const { body, headers } = await download(
    await gatewayTo((_request, response) => response.setHeader('x-wxpay', '1').end(bytes)),
  );
  expect(await textOf(body)).toBe(BILL);
  expect(headers['x-wxpay']).toBe('1');
});

test('a bill that arrives byte by byte', async () => {
  const { body } = await download(
    await gatewayTo((_request, response) => {
      const bytes = gzipSync(BILL);
      let at = 0;
      const next = (): void => {
        if (at === bytes.byteLength) response.end();
        else response.write(bytes.subarray(at, ++at), () => setImmediate(next));
      };
      next();
    }),
  );
  expect(await textOf(body)).toBe(BILL);
});

test('a reader that stops holds the sender back', async () => {
  let sent = 0;
  const block = Buffer.alloc(64 * 1024, 'a');
  const { body } = await download(
    await gatewayTo((_request, response) => {
      const send = (): void => {
        while (!response.destroyed && response.write(block)) sent += block.byteLength;
        response.once('drain', send);
      };
      send();
    }),
  );
  // One chunk and no more; an endless sender would otherwise fill the memory.
  await once(body, 'readable');
  await standstill(() => sent);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  body.destroy();
  await once(body, 'close');
});

test.each([
  [
    'a number of its own',
    '<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>20002</error_code></xml>',
    { code: 'RETURN_CODE_FAIL', errCode: '20002', errCodeDes: 'No Bill Exist' },
  ],
  [
    'a business code',
    '<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code><err_code>NO_BILL_EXIST</err_code><err_code_des>none</err_code_des></xml>',
    { code: 'GATEWAY_REFUSED', errCode: 'NO_BILL_EXIST', errCodeDes: 'none' },
  ],
  ['a login page', '<html><body>Sign in</body></html>', { code: 'GATEWAY_REPLY_INVALID' }],
  ['nothing', '', { code: 'GATEWAY_REPLY_INVALID' }],
])('an error instead of a bill: %s', async (_what, reply, error) => {
  for (const bytes of [Buffer.from(reply), gzipSync(reply)]) {
    await expect(download(await gatewayTo((_request, response) => response.end(bytes)))).rejects.toMatchObject(error);
  }
});

test.each([
  [
    'by its code',
    '<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code><err_code>FREQUENCY_LIMITED</err_code></xml>',
  ],
  ['in words', '<xml><return_code>FAIL</return_code><return_msg>频率限制</return_msg></xml>'],
])('N21: too many files were asked for, said %s: the rate is halved', async (_how, refusal) => {
  let asked = 0;
  let time = performance.now();
  const listener: RequestListener = (_request, response) => {
    asked++;
    response.end(refusal);
  };
  const gateway = await gatewayTo(listener, { now: () => time });
  const refused = { code: expect.stringMatching(/^(?:GATEWAY_REFUSED|RETURN_CODE_FAIL)$/) };
  await expect(download(gateway)).rejects.toMatchObject(refused);
  // While the clock stands still, nothing is left for this merchant, and all for another.
  const next = download(gateway);
  const other = new KnownMerchant({ ...IDS, mchId: '10000101' }, 'merchant');
  await expect(download(gateway, other)).rejects.toMatchObject(refused);
  expect(asked).toBe(2);
  time += 1000;
  await expect(next).rejects.toMatchObject(refused);
  expect(asked).toBe(3);
});

test.each([
  [502, '交易时间,`oUpF8uMEb4qRXf22hE3X68TekukE', 'has status 502'],
  [200, '<html>oUpF8uMEb4qRXf22hE3X68TekukE</html>', 'of HTML'],
])('with status %i and %j it is no bill, and nothing of it is quoted', async (status, body, said) => {
  const gateway = await gatewayTo((_request, response) => response.writeHead(status).end(body));
  const error = await download(gateway).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: 'GATEWAY_REPLY_INVALID', message: expect.stringContaining(said) });
  expect(error?.message).not.toContain('oUpF8u');
});

test('an error behind a byte order mark whose bytes come one by one', async () => {
  const bytes = Buffer.from('\uFEFF<xml><return_code>FAIL</return_code><error_code>20002</error_code></xml>');
  const gateway = await gatewayTo((_request, response) => {
    let at = 0;
    const next = (): void => {
      if (at === bytes.byteLength) response.end();
      else response.write(bytes.subarray(at, ++at), () => setImmediate(next));
    };
    next();
  });
  await expect(download(gateway)).rejects.toMatchObject({ code: 'RETURN_CODE_FAIL', errCode: '20002' });
});

test.each([
  ['as it is', Buffer.from(BILL.repeat(100))],
  ['as GZIP', gzipSync(Buffer.from(Array.from({ length: 20_000 }, (_, n) => `${n * 7919}`).join()))],
])('N02: a connection that ends within a bill, sent %s, is an error', async (_how, bytes) => {
  const gateway = await gatewayTo((_request, response) => {
    response.setHeader('content-length', bytes.byteLength).write(bytes.subarray(0, bytes.byteLength / 2), () => {
      setImmediate(() => response.destroy());
    });
  });
  // Of the call or of the stream, by how much had been unpacked.
  const read = async (): Promise<string> => textOf((await download(gateway)).body);
  await expect(read()).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
});

describe('how long WeChat Pay is waited for in all', () => {
  async function responseOf(listener: RequestListener): Promise<IncomingMessage> {
    // As the gateway has it: whoever reads the file hears of the error.
    const request = get(await serve(listener)).on('error', () => {});
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }
  const LIMITS = { host: 'api.mch.weixin.qq.com', idleMs: 60_000 };

  test('has an end, though a byte comes now and then', async () => {
    const dripping = await responseOf((_request, response) => {
      const timer = setInterval(() => response.write('a'), 10);
      response.once('close', () => clearInterval(timer));
    });
    const read = async (): Promise<string> => textOf((await openDownload(dripping, { ...LIMITS, waitMs: 200 })).body);
    await expect(read()).rejects.toMatchObject({
      code: 'GATEWAY_TIMEOUT',
      message: 'api.mch.weixin.qq.com did not answer within 200 ms',
    });
    expect(dripping.destroyed).toBe(true);
  });

  test('does not count the time that the reader takes', async () => {
    const block = Buffer.alloc(64 * 1024, 'a');
    const BLOCKS = 256;
    let sent = 0;
    const asked = await responseOf((_request, response) => {
      const send = (): void => {
        // The end has to be waited for.
        if (sent++ === BLOCKS) setTimeout(() => response.end('z'), 50);
        else if (response.write(block)) send();
        else response.once('drain', send);
      };
      send();
    });
    const real = performance.now.bind(performance);
    let jumpedMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => real() + jumpedMs);
    try {
      const { body } = await openDownload(asked, { ...LIMITS, waitMs: 30_000 });
      await once(body, 'readable');
      await standstill(() => sent);
      // Nobody waits for WeChat Pay.
      expect(sent).toBeLessThan(BLOCKS);
      jumpedMs = 3_600_000;
      expect((await textOf(body)).at(-1)).toBe('z');
    } finally {
      clock.mockRestore();
    }
  });
});
