import { describeWithStores, startRedis, type RedisServer } from '@wechat-h5/testkit/stores';
import { connect, type Connected } from './book.fixture.js';
import { RedisOrderBook } from './redis-order-book.js';

const MCH_ID = '1900000109';

describeWithStores(['redis'], 'the attempts of one purchase', () => {
  let server: RedisServer;
  let connected: Connected;
  beforeAll(async () => {
    server = await startRedis();
    connected = await connect('ioredis', server.url);
  });
  afterAll(async () => {
    connected.end();
    await server.stop();
  });

  test('are found without reading the other orders', async () => {
    let commands = 0;
    const { client } = connected;
    if (!('call' in client)) throw new Error('not ioredis');
    const call = (command: string, ...args: (string | number)[]): Promise<unknown> => {
      commands++;
      return client.call(command, ...args);
    };
    const book = new RedisOrderBook({ client: { call } });
    await book.migrate();
    const place = async (outTradeNo: string, orderRef: string | undefined): Promise<void> => {
      const intent = {
        appId: 'wx',
        totalFee: 1,
        feeType: 'CNY',
        attach: '',
        params: {},
        clientIp: '127.0.0.1',
        orderRef,
      };
      await book.apply({ mchId: MCH_ID, outTradeNo }, { type: 'intend', intent });
    };
    await place('CART-7', 'cart/7');
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => place(`OTHER-${n}`, n % 2 === 0 ? `cart/7${n}` : undefined)),
    );
    for (const n of [2, 3, 4]) await place(`CART-7-${n}`, 'cart/7');

    commands = 0;
    const first = await book.list({ mchId: MCH_ID, orderRef: 'cart/7' }, { limit: 3 });
    const rest = await book.list({ mchId: MCH_ID, orderRef: 'cart/7' }, { limit: 3, after: first.next ?? '' });
    expect(commands).toBeLessThan(20);
    const found = [...first.orders, ...rest.orders].map(({ key }) => key.outTradeNo);
    expect(found.sort()).toEqual(['CART-7', 'CART-7-2', 'CART-7-3', 'CART-7-4']);
    expect(rest.next).toBeUndefined();
    expect((await book.list({ orderRef: 'cart/' })).orders).toEqual([]);
    expect((await book.list({}, { limit: 200 })).orders).toHaveLength(104);
  });
});
