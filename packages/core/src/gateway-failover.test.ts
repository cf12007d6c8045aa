import { EventEmitter } from 'node:events';
import { startFaultProxy, type FaultProxy } from '@wechat-h5/testkit/fault-proxy';
import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { Gateway } from './gateway.js';
import { KnownMerchant } from './merchant.js';
import {
  answering,
  atEnd,
  call,
  closedPort,
  gatewayTo,
  httpServer,
  merchant as api,
  reply,
} from './gateway.fixture.js';

const REST_MS = 30_000;

describe('N29: two simulators, the first one behind a line that fails', () => {
  let primary: Simulator;
  let backup: Simulator;
  let line: FaultProxy;
  let gateway: Gateway;
  let merchant: KnownMerchant;
  let now: number;

  beforeEach(async () => {
    primary = await createSimulator();
    backup = await createSimulator({ merchant: primary.merchant });
    line = await startFaultProxy({ target: { host: '127.0.0.1', port: Number(new URL(primary.url).port) } });
    merchant = new KnownMerchant(primary.merchant, 'merchant');
    now = 0;
    gateway = gatewayTo([new URL(line.url), new URL(backup.url)], { now: () => now, repeatAfterMs: [] });
    atEnd(async () => {
      await line.stop();
      await Promise.all([primary.stop(), backup.stop()]);
    });
  });

  const ask = async (): Promise<string | undefined> =>
    (await gateway.call('/pay/orderquery', merchant, { out_trade_no: 'NONE' }, 'NONE')).refusal?.errCode;
  const heard = (): number[] =>
    [primary, backup].map(({ events }) => events.list().filter(({ type }) => type === 'gateway.request').length);

  test('N29: switches when the first cannot be reached, and comes back', async () => {
    await ask();
    expect(heard()).toEqual([1, 0]);
    await line.down();
    expect(await ask()).toBe('ORDERNOTEXIST');
    expect(heard()).toEqual([1, 1]);

    // It has come back, but rests: nobody pays for another attempt with his time.
    await line.up();
    now = REST_MS - 1;
    await ask();
    expect(heard()).toEqual([1, 2]);
    now = REST_MS;
    await ask();
    await ask();
    expect(heard()).toEqual([3, 2]);
  });

  test('N29: while one call tries the first host again, the others keep to the second', async () => {
    await line.down();
    await ask();
    await line.up();
    line.add({ type: 'timeout', timeout: 0 });
    now = REST_MS;
    const probe = ask();
    await Promise.all([ask(), ask(), ask()]);
    expect(heard()[1]).toBe(4);
    line.clear();
    line.reset();
    // It was connected, so what became of it is unknown; no other host is asked in its place.
    await expect(probe).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    expect(heard()[1]).toBe(4);
  });

  test('N29: still down when it is tried again: it rests anew', async () => {
    await line.down();
    await ask();
    now = REST_MS;
    await ask();
    await line.up();
    now = 2 * REST_MS - 1;
    await ask();
    expect(heard()).toEqual([0, 3]);
    now = 2 * REST_MS;
    await ask();
    expect(heard()).toEqual([1, 3]);
  });
});

test.each([
  ['a 500', () => answering('', 500), 'GATEWAY_REPLY_INVALID'],
  ['return_code FAIL', () => answering('<xml><return_code>FAIL</return_code></xml>'), 'RETURN_CODE_FAIL'],
])('N29: %s is an answer: the second host is not asked', async (_what, first, code) => {
  let asked = 0;
  const lookup: NonNullable<ConstructorParameters<typeof Gateway>[0]['lookup']> = (_host, _options, done) => {
    asked++;
    done(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  const second = new URL((await answering(reply())).href.replace('127.0.0.1', 'localhost'));
  await expect(call(gatewayTo([await first(), second], { lookup }))).rejects.toMatchObject({ code });
  expect(asked).toBe(0);
});

test('N29: both hosts down: each is tried, and resting hosts as well', async () => {
  const gateway = gatewayTo([await closedPort(), await closedPort()]);
  for (let n = 0; n < 2; n++) await expect(call(gateway)).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' });
});

describe('N29: every connection in use until the deadline: the host is not one that cannot be reached', () => {
  const SHORT_MS = 300;
  const withDeadline = (gateway: Gateway, ms: number, subject: string): ReturnType<Gateway['call']> =>
    gateway.call('/pay/orderquery', api, { out_trade_no: subject }, subject, { at: performance.now() + ms, ms });
  const noneFree = { code: 'GATEWAY_UNREACHABLE', hint: expect.stringContaining('http.maxSockets') as string };

  test('N29: still in the queue', async () => {
    const asked = [0, 0];
    const release = new EventEmitter();
    const first = await httpServer((request, response) => {
      const answer = (): void => void response.end(reply());
      request.resume().on('end', asked[0]!++ === 0 ? () => release.once('now', answer) : answer);
    });
    const second = await httpServer((request, response) => {
      asked[1]!++;
      request.resume().on('end', () => response.end(reply()));
    });
    const gateway = gatewayTo([first, second], { maxSockets: 1 });
    const slow = withDeadline(gateway, 60_000, 'ORDER-0');
    const late = Array.from({ length: 3 }, (_, n) => withDeadline(gateway, SHORT_MS, `ORDER-${n + 1}`));
    for (const outcome of await Promise.allSettled(late)) expect(outcome).toMatchObject({ reason: noneFree });
    release.emit('now');
    await slow;
    await withDeadline(gateway, 60_000, 'ORDER-9');
    expect(asked).toEqual([2, 0]);
  });

  test('N29: with one that came too late to be opened', async () => {
    const asked: string[] = [];
    let opens = true;
    const first = await httpServer((request, response) => {
      asked.push('first');
      request.resume().on('end', () => response.writeHead(200, { connection: 'close' }).end(reply()));
    });
    const second = await httpServer((request, response) => {
      asked.push('second');
      request.resume().on('end', () => response.end(reply()));
    });
    first.hostname = 'localhost';
    const gateway = gatewayTo([first, second], {
      maxSockets: 1,
      connectTimeoutMs: 60_000,
      // A lookup that never ends: a connection that is handed out and does not open.
      lookup: (_host, _options, done) => {
        if (opens) done(null, [{ address: '127.0.0.1', family: 4 }]);
        opens = false;
      },
    });
    const before = withDeadline(gateway, 60_000, 'ORDER-0');
    const late = withDeadline(gateway, SHORT_MS, 'ORDER-1');
    await before;
    await expect(late).rejects.toMatchObject(noneFree);
    opens = true;
    await withDeadline(gateway, 60_000, 'ORDER-9');
    expect(asked).toEqual(['first', 'first']);
  });
});
