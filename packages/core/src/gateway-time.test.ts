import { createSimulator } from '@wechat-h5/simulator';
import { answering, atEnd, call, gatewayTo, httpServer, rawServer, reply } from './gateway.fixture.js';
import { createWechatH5, MemoryOrderBook, type WechatH5 } from './index.js';
import { signedNotification } from './testing.js';
import { partsOf } from './wechat-h5.js';

const DAY = 86_400_000;
const realNow = Date.now;
afterEach(() => jest.restoreAllMocks());

/** Sets the machine's clock: what counts time must not ask it. */
const setClock = (offset: number): void => void jest.spyOn(Date, 'now').mockImplementation(() => realNow() + offset);

test.each([-DAY, DAY])('T02: the clock jumps by %i ms within a call: its deadline stays where it was', async (jump) => {
  const silent = await rawServer((socket) => void socket.on('data', () => setClock(jump)));
  await expect(call(gatewayTo([silent], { timeoutMs: 1000 }))).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
  jest.restoreAllMocks();
  const slow = await httpServer((request, response) => {
    setClock(jump);
    request.resume().on('end', () => setTimeout(() => response.end(reply()), 100));
  });
  await expect(call(gatewayTo([slow], { timeoutMs: 20_000 }))).resolves.toBeDefined();
});

test('T02: the clock jumps back while calls wait for their turn: they get it', async () => {
  const gateway = gatewayTo(
    [await httpServer((request, response) => request.resume().on('end', () => response.end(reply())))],
    {
      callsPerSecond: 5,
      timeoutMs: 20_000,
    },
  );
  const calls = Array.from({ length: 7 }, (_, n) => call(gateway, `ORDER-${n}`));
  setClock(-DAY);
  expect(await Promise.all(calls)).toHaveLength(7);
});

describe('T07: no timer is longer than Node can count', () => {
  const LONGEST = 2 ** 31 - 1;

  test('T07: a call sets none', async () => {
    const set = jest.spyOn(globalThis, 'setTimeout');
    await call(gatewayTo([await answering(reply())]));
    const delays = set.mock.calls.map(([, delay]) => delay ?? 0);
    expect(delays.length).toBeGreaterThan(0);
    expect(Math.max(...delays)).toBeLessThan(LONGEST);
  });

  test.each(['timeoutMs', 'connectTimeoutMs'])('T07: http.%s beyond it is refused at start', (name) => {
    const merchant = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
    const make = (http: object): WechatH5 =>
      createWechatH5({ merchant, notifyUrl: 'https://pay.example.com/notify', http });
    expect(() => make({ [name]: 2 ** 31 })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', field: `http.${name}` }),
    );
    expect(() => make({ [name]: 1000 })).not.toThrow();
  });
});

describe('against a simulator whose clock and ours are set together', () => {
  const ORDER = { outTradeNo: 'ORDER-0001', body: 'Shop - tea', totalFee: 1990, clientIp: '127.0.0.1' };

  async function shop() {
    let offset = 0;
    const now = (): Date => new Date(realNow() + offset);
    const simulator = await createSimulator({ now });
    const paid: string[] = [];
    const wechatH5 = createWechatH5({
      merchant: simulator.merchant,
      gateway: simulator.url,
      notifyUrl: 'http://127.0.0.1:9/notify',
      orderBook: new MemoryOrderBook({ now }),
      onPaid: ({ transactionId }) => void paid.push(transactionId),
    });
    atEnd(async () => {
      await partsOf(wechatH5)?.close();
      await simulator.stop();
    });
    return {
      simulator,
      wechatH5,
      paid,
      at(milliseconds: number) {
        offset = milliseconds;
        setClock(milliseconds);
      },
    };
  }

  test('T09: a link is handed out again up to four minutes, opens at 4:59 and no more at 5:01', async () => {
    const { simulator, wechatH5, at } = await shop();
    const first = await wechatH5.createOrder(ORDER);
    at(239_000);
    expect(await wechatH5.createOrder(ORDER)).toMatchObject({ reused: true, mwebUrl: first.mwebUrl });
    const open = async (): Promise<string> =>
      (await fetch(first.mwebUrl, { headers: { referer: `https://${simulator.merchant.h5Domains[0]}/` } })).text();
    at(299_000);
    const inTime = await open();
    at(301_000);
    const late = await open();
    expect([inTime, late].map((page) => /支付已过期|已过期|失效|超时/.test(page))).toEqual([false, true]);
    at(241_000);
    const fresh = await wechatH5.createOrder(ORDER);
    expect(fresh).toMatchObject({ reused: false, outTradeNo: ORDER.outTradeNo });
    expect(fresh.mwebUrl).not.toBe(first.mwebUrl);
    expect(simulator.orders.list()).toHaveLength(1);
  });

  test('T10: a notification that is 24 hours late, the last of fifteen, does what the first would have done', async () => {
    const { simulator, wechatH5, paid, at } = await shop();
    await wechatH5.createOrder(ORDER);
    simulator.faults.loseNotification();
    const { order } = await simulator.pay(ORDER.outTradeNo);
    const body = signedNotification(
      {
        out_trade_no: ORDER.outTradeNo,
        total_fee: '1990',
        cash_fee: '1990',
        transaction_id: order.payment?.transactionId ?? '',
      },
      simulator.merchant,
    );
    at(DAY);
    const notify = async (): Promise<unknown> =>
      (
        await wechatH5.handleNotification({
          method: 'POST',
          rawHeaders: [],
          remoteAddress: '127.0.0.1',
          body: Buffer.from(body),
        })
      ).body;
    const replies = [];
    for (let n = 0; n < 15; n++) replies.push(String(await notify()));
    expect(new Set(replies).size).toBe(1);
    expect(replies[0]).toContain('SUCCESS');
    expect(paid).toEqual([order.payment?.transactionId]);
  });
});
