import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { answering, call, gatewayTo, httpServer, reply } from './gateway.fixture.js';
import type { GatewayOptions } from './gateway.js';
import { MAX_REPLY_BYTES } from './gateway-reply.js';
import { nextTurn } from './order-book.js';
import { buildXml } from './xml.js';

describe('N25: a reply without end', () => {
  test('N25: 200 MB: cut off near the cap', async () => {
    let sent = 0;
    const block = Buffer.alloc(64 * 1024, ' ');
    const base = await httpServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/xml' }).write('<xml>');
      const send = (): void => {
        while (sent < 200e6 && !response.destroyed) {
          sent += block.byteLength;
          if (!response.write(block)) return void response.once('drain', send);
        }
        response.end();
      };
      send();
    });
    await expect(call(gatewayTo([base], { timeoutMs: 20_000 }))).rejects.toMatchObject({
      code: 'GATEWAY_REPLY_INVALID',
      message: expect.stringContaining('too large'),
    });
    // What the sockets' buffers hold comes on top of the cap.
    expect(sent).toBeLessThan(50e6);
  });

  test.each(['gzip', 'deflate', 'br'])('N25: a bomb in %s does not unfold', async (encoding) => {
    const { brotliCompressSync, deflateSync } = await import('node:zlib');
    const compress = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[encoding]!;
    const bomb = compress(Buffer.alloc(20 * MAX_REPLY_BYTES, ' '));
    expect(bomb.byteLength).toBeLessThan(MAX_REPLY_BYTES);
    const base = await answering(bomb, 200, { 'content-encoding': encoding });
    await expect(call(gatewayTo([base]))).rejects.toMatchObject({
      code: 'GATEWAY_REPLY_INVALID',
      message: expect.stringContaining('decoded'),
    });
  });

  test('N26: a genuine reply that somebody compressed on the way is read', async () => {
    const base = await answering(gzipSync(reply()), 200, { 'content-encoding': 'gzip' });
    await expect(call(gatewayTo([base]))).resolves.toMatchObject({ refusal: undefined });
  });
});

describe('N21: too many calls', () => {
  test.each([
    ['FREQUENCY_LIMITED', () => reply({ result_code: 'FAIL', err_code: 'FREQUENCY_LIMITED' })],
    ['频率限制, unsigned', () => buildXml({ return_code: 'FAIL', return_msg: '频率限制' })],
  ])('N21: %s halves the rate, so that calls which do not fit any more are told', async (_how, body) => {
    let answers = 0;
    const base = await httpServer((request, response) => {
      request.resume().on('end', () => response.end(answers++ === 0 ? body() : reply()));
    });
    const gateway = gatewayTo([base], { callsPerSecond: 2, timeoutMs: 1900 });
    await call(gateway).catch(() => {});
    // No burst is left, and one a second: one of these comes in time.
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, (_, n) => call(gateway, `ORDER-${n}`)));
    const told = outcomes.filter(({ status }) => status === 'rejected');
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told).toEqual(
      told.map(() => expect.objectContaining({ reason: expect.objectContaining({ code: 'RATE_LIMITED' }) })),
    );
    expect(answers).toBe(5 - told.length);
  });

  test('N21: any other refusal leaves the rate alone', async () => {
    const base = await httpServer((request, response) => {
      request.resume().on('end', () => response.end(reply({ result_code: 'FAIL', err_code: 'NOAUTH' })));
    });
    const gateway = gatewayTo([base], { callsPerSecond: 5, timeoutMs: 5000 });
    const calls = await Promise.all(Array.from({ length: 5 }, (_, n) => call(gateway, `ORDER-${n}`)));
    expect(calls).toHaveLength(5);
  });
});

describe('calls in the background', () => {
  const everyone = async (): Promise<{ base: URL; heard: () => number }> => {
    let heard = 0;
    const base = await httpServer((request, response) => {
      heard++;
      request.resume().on('end', () => response.end(reply()));
    });
    return { base, heard: () => heard };
  };
  /** What a store does that machines share. */
  const shared = (): Required<NonNullable<GatewayOptions['turns']>> => {
    let freeAt: number | undefined;
    return {
      turn: async (_mchId, options) => {
        const turn = nextTurn(freeAt, Date.now(), options);
        freeAt = turn?.freeAt ?? freeAt;
        return turn?.waitMs;
      },
    };
  };

  test('of all machines keep one pace; a caller who waits does not ask for a turn', async () => {
    const { base, heard } = await everyone();
    const turns = shared();
    // Four fifths of one a second: the next turn is later than a call may last.
    const [one, other] = [1, 2].map(() => gatewayTo([base], { turns, callsPerSecond: 1, timeoutMs: 1000 }));
    await call(one!.background);
    await expect(call(other!.background)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(heard()).toBe(1);
    await call(other!);
    expect(heard()).toBe(2);
  });

  test('wait for their turn', async () => {
    const { base, heard } = await everyone();
    const gateway = gatewayTo([base], { turns: { turn: async () => 200 }, timeoutMs: 20_000 });
    const calling = call(gateway.background);
    await delay(100);
    expect(heard()).toBe(0);
    await calling;
    expect(heard()).toBe(1);
  });

  test('keep to their own pace while the book is away', async () => {
    const { base, heard } = await everyone();
    const gateway = gatewayTo([base], { turns: { turn: () => Promise.reject(new Error('away')) } });
    await call(gateway.background);
    expect(heard()).toBe(1);
  });
});

test('N31: no more connections than it may have; the other calls wait for one', async () => {
  let open = 0;
  let most = 0;
  const base = await httpServer((request, response) => {
    most = Math.max(most, ++open);
    request.resume().on('end', () =>
      setImmediate(() => {
        open--;
        response.end(reply());
      }),
    );
  });
  const gateway = gatewayTo([base], { maxSockets: 3, timeoutMs: 20_000 });
  await Promise.all(Array.from({ length: 30 }, (_, n) => call(gateway, `ORDER-${n}`)));
  expect(most).toBeLessThanOrEqual(3);
});
