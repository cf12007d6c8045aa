import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { orderId } from '@wechat-h5/core/order-book';
import { sharedOrderBookCases, type SharedOrderBookHarness } from '@wechat-h5/testkit/order-book';
import { describeWithStores, startRedis, type RedisServer } from '@wechat-h5/testkit/stores';
import { Redis } from 'ioredis';
import { connect } from './book.fixture.js';
import { RedisOrderBook } from './index.js';

describeWithStores(['redis'], 'redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  describe.each(['ioredis', 'redis'] as const)('with %s', (library) => {
    test.each(sharedOrderBookCases)(
      '$id $title',
      ({ run }) => run({ name: library, create: () => createStore(server, library) }),
      180_000,
    );
  });
});

async function createStore(
  { url }: RedisServer,
  library: 'ioredis' | 'redis',
): Promise<Awaited<ReturnType<SharedOrderBookHarness['create']>>> {
  const prefix = `t${randomBytes(6).toString('hex')}`;
  const ends: (() => void)[] = [];
  const open = async (): Promise<RedisOrderBook> => {
    const { client, end } = await connect(library, url);
    ends.push(end);
    return new RedisOrderBook({ client, prefix });
  };
  await (await open()).migrate();
  // Around the back: with a client and commands of its own.
  const raw = new Redis(url);
  return {
    program: { module: join(__dirname, 'book.fixture.ts'), options: { url, prefix, library } },
    open,
    async stored(key) {
      const id = orderId(key);
      const record = await raw.hget(`{${prefix}}:order:${id}`, 'record');
      if (record === null) return undefined;
      const due = await raw.zscore(`{${prefix}}:due`, id);
      const owners = Object.entries(await raw.hgetall(`{${prefix}}:names`));
      return {
        record,
        dueAt: due === null ? undefined : Number(due),
        names: owners
          .filter(([, owner]) => owner === id)
          .map(([name]) => name)
          .sort(),
      };
    },
    async remove() {
      for (const end of ends) end();
      raw.disconnect();
    },
  };
}
