import { assertAttemptsFound } from '@wechat-h5/testkit/order-book';
import { describeWithStores, startRedis, type RedisServer } from '@wechat-h5/testkit/stores';
import { connect, type Connected } from './book.fixture.js';
import { RedisOrderBook } from './redis-order-book.js';

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
    await assertAttemptsFound(book, () => commands, 20);
  });
});
