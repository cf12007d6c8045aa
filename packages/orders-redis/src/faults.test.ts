import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { applyAll, claim, eventually, intend, newKey, newKeys, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores, startRedis, type RedisOptions, type RedisServer } from '@wechat-h5/testkit/stores';
import { Redis } from 'ioredis';
import { connect } from './book.fixture.js';
import { RedisOrderBook, type RedisOrderBookOptions } from './index.js';

const FAILED = { code: 'ORDER_BOOK_FAILED' };

test.each([
  [{ client: undefined as never }, 'client'],
  [{ client: {} as never }, 'client'],
  [{ prefix: '' }, 'prefix'],
  [{ prefix: 'a}b' }, 'prefix'],
  [{ timeoutMs: 99 }, 'timeoutMs'],
  [{ replicas: -1 }, 'replicas'],
  [{ leaseMs: 499 }, 'leaseMs'],
])('the option %j is refused at start', (options, field) => {
  const client = { call: () => Promise.resolve() };
  expect(() => new RedisOrderBook({ client, ...options })).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', field }),
  );
});

describeWithStores(['redis'], 'Redis fails', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const start = async (options?: RedisOptions): Promise<RedisServer> => {
    const server = await startRedis(options);
    ends.push(() => server.stop());
    return server;
  };
  const open = async (
    { url }: { url: string },
    options: Partial<RedisOrderBookOptions> = {},
    library: 'ioredis' | 'redis' = 'ioredis',
  ): Promise<RedisOrderBook> => {
    const { client, end } = await connect(library, url);
    ends.push(end);
    return new RedisOrderBook({ client, ...options });
  };

  test.each([
    ['S12: evicts', { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' }, 'maxmemory-policy'],
    ['S12: evicts what has a time to live', { 'maxmemory-policy': 'volatile-ttl' }, 'maxmemory-policy'],
    ['S12: keeps nothing on a disk', { appendonly: 'no' }, 'appendonly'],
    ['S12: leaves it to the system when', { appendfsync: 'no' }, 'appendfsync'],
  ])('%s: a server that does so is refused, with the setting to change', async (_what, settings, field) => {
    const book = await open(await start({ settings }));
    const key = newKey();
    for (const step of [
      book.migrate(),
      book.open(),
      book.apply(key, intend(key)),
      book.claimDue({ limit: 1, leaseMs: 1 }),
    ]) {
      await expect(step).rejects.toMatchObject({ ...FAILED, field });
    }
  });

  test('a server that hides its configuration is judged by what it tells of itself', async () => {
    const server = await start();
    server.command('ACL', 'SETUSER', 'shop', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const book = await open({ url: server.url.replace('//', '//shop:secret@') });
    await book.migrate();
    const key = newKey();
    expect((await book.apply(key, intend(key))).outcome).toBe('applied');
  });

  test('S13: an emptied server is told from a new one: nothing is done until somebody says so', async () => {
    const server = await start();
    const book = await open(server);
    const key = newKey();
    await expect(book.open()).rejects.toMatchObject({
      ...FAILED,
      hint: expect.stringContaining('migrate()') as string,
    });
    await book.migrate();
    await applyAll(book, key, [intend(key), paid(key), claim, { type: 'complete', attempt: 1 }]);
    server.command('FLUSHALL');
    for (const step of [
      book.get(key),
      book.apply(key, paid(key)),
      book.claimDue({ limit: 1, leaseMs: 1 }),
      book.list({}),
    ]) {
      await expect(step).rejects.toMatchObject(FAILED);
    }
    expect(server.command('KEYS', '*')).toBe('');
    await book.migrate();
    expect((await book.apply(key, paid(key))).order?.state).toBe('ORPHAN');
  });

  test('S14: killed with appendfsync everysec, it has everything it acknowledged', async () => {
    const server = await start();
    const book = await open(server);
    await book.migrate();
    const keys = newKeys(200);
    const done: string[] = [];
    const settle = (): Promise<unknown> =>
      Promise.all(
        keys.map(async (key) => {
          try {
            await applyAll(book, key, [intend(key), paid(key)]);
            const { outcome, order } = await book.apply(key, { type: 'claim', leaseMs: 1 });
            const complete = { type: 'complete', attempt: order?.delivery.attempt ?? 0 } as const;
            if (outcome === 'applied' && (await book.apply(key, complete)).outcome === 'applied')
              done.push(key.outTradeNo);
          } catch {
            // As after a FAIL: it comes again.
          }
        }),
      );
    await Promise.all([settle(), server.restart('kill')]);
    await eventually('all are delivered', async () => {
      await settle();
      const { orders } = await book.list({ delivery: 'DONE' }, { limit: 500 });
      return orders.length === keys.length ? true : undefined;
    });
    expect(new Set(done).size).toBe(done.length);
    for (const key of keys) {
      const order = await book.get(key);
      expect(order?.history.filter(({ what }) => what === 'complete')).toHaveLength(1);
    }
  });

  test('S15: with a replica that has to have it, a change that the replica lacks is not acknowledged', async () => {
    const primary = await start();
    const replica = await start({ settings: { replicaof: `127.0.0.1 ${primary.port}` } });
    await eventually('it follows', async () =>
      replica.command('INFO', 'replication').includes('master_link_status:up') ? true : undefined,
    );
    const book = await open(primary, { replicas: 1, timeoutMs: 2000 });
    await book.migrate();
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    const follower = await open(replica);
    await expect(follower.open()).rejects.toMatchObject({ ...FAILED, field: 'replicaof' });
    process.kill(replica.pid, 'SIGSTOP');
    const hasty = await open(primary, { replicas: 1, timeoutMs: 100 });
    await expect(hasty.apply(key, { type: 'complete', attempt: 1 })).rejects.toMatchObject(FAILED);
    process.kill(replica.pid, 'SIGCONT');
    await primary.halt('kill');
    replica.command('REPLICAOF', 'NO', 'ONE');
    // Everything that was acknowledged is there.
    const heir = await open(replica);
    const order = await heir.get(key);
    expect(['LEASED', 'DONE']).toContain(order?.delivery.state);
  });

  test('S16: in a cluster all keys of a book lie in one slot', async () => {
    const server = await start({ settings: { 'cluster-enabled': 'yes' } });
    server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually('the cluster is up', async () =>
      server.command('CLUSTER', 'INFO').includes('cluster_state:ok') ? true : undefined,
    );
    const book = await open(server);
    await book.migrate();
    const key = newKey();
    await applyAll(book, key, [intend(key, { orderRef: 'cart {7}' }), paid(key), claim]);
    expect((await book.list({})).orders).toHaveLength(1);
    const keys = server.command('KEYS', '*').split('\n');
    expect(keys).toHaveLength(6);
    const slots = keys.map((name) => server.command('CLUSTER', 'KEYSLOT', name));
    expect(new Set(slots).size).toBe(1);
  });

  test('S17: -OOM, -READONLY and -BUSY are failures that pass', async () => {
    const server = await start();
    const book = await open(server);
    await book.migrate();
    const key = newKey();
    await book.apply(key, intend(key));
    const failsWith = async (word: string): Promise<void> => {
      await expect(book.apply(key, { type: 'create-unknown', reason: 'timeout' })).rejects.toMatchObject({
        ...FAILED,
        message: expect.stringContaining(word) as string,
      });
    };
    server.command('CONFIG', 'SET', 'maxmemory', '1');
    await failsWith('OOM');
    server.command('CONFIG', 'SET', 'maxmemory', '0');
    server.command('REPLICAOF', '127.0.0.1', '1');
    await failsWith('READONLY');
    server.command('REPLICAOF', 'NO', 'ONE');
    server.command('CONFIG', 'SET', 'busy-reply-threshold', '10');
    const endless = new Redis(server.url, { retryStrategy: () => null });
    const stuck = endless.eval('while true do end', 0).catch(() => {});
    await eventually('it is busy', async () => {
      const error = await book.get(key).then(
        () => '',
        (thrown: Error) => thrown.message,
      );
      return error.includes('BUSY') ? true : undefined;
    });
    server.command('SCRIPT', 'KILL');
    await stuck;
    endless.disconnect();
    expect((await book.apply(key, paid(key))).outcome).toBe('applied');
  });

  test.each(['ioredis', 'redis'] as const)('S17: -LOADING is a failure, with %s', async (library) => {
    const loading = createServer((socket) => {
      socket.on('data', () => socket.write('-LOADING Redis is loading the dataset in memory\r\n'));
      socket.on('error', () => {});
    });
    loading.listen(0, '127.0.0.1');
    await once(loading, 'listening');
    ends.push(() => loading.close());
    const { port } = loading.address() as AddressInfo;
    const { client, end } =
      library === 'redis' ? await connectLoading(port) : await connect('ioredis', `redis://127.0.0.1:${port}`);
    ends.push(end);
    const book = new RedisOrderBook({ client, timeoutMs: 300 });
    await expect(book.get(newKey())).rejects.toMatchObject(FAILED);
  });

  test.each(['ioredis', 'redis'] as const)(
    'S20: a server that does not answer fails in time, with %s',
    async (library) => {
      const server = await start();
      const book = await open(server, { timeoutMs: 1000 }, library);
      await book.migrate();
      process.kill(server.pid, 'SIGSTOP');
      const key = newKey();
      await expect(book.apply(key, intend(key))).rejects.toMatchObject(FAILED);
      process.kill(server.pid, 'SIGCONT');
      await eventually('it goes on', () => book.apply(key, intend(key)).catch(() => undefined));
    },
  );

  test("T01: leases go by the server's clock, whatever the application's says", async () => {
    const book = await open(await start());
    await book.migrate();
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), claim]);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 86_400_000);
    try {
      expect((await book.apply(key, claim)).outcome).toBe('busy');
    } finally {
      now.mockRestore();
    }
  });

  test.each(['ioredis', 'redis'] as const)(
    'X11: no password and no record is in an error, with %s',
    async (library) => {
      const secret = 'canary-7f3a';
      const server = await start({ settings: { requirepass: secret } });
      const book = await open({ url: server.url.replace('//', `//:${secret}@`) }, {}, library);
      await book.migrate();
      const key = newKey();
      await book.apply(key, intend(key));
      const { client, end } = await connect('ioredis', server.url.replace('//', `//:${secret}@`));
      ends.push(end);
      await (client as Redis).call('CONFIG', 'SET', 'maxmemory', '1');
      const error = await book
        .apply(key, { type: 'create-unknown', reason: secret })
        .then(() => undefined)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(FAILED);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    },
  );
});

/** `connect()` of redis waits for a handshake that never succeeds. */
async function connectLoading(port: number): ReturnType<typeof connect> {
  const { createClient } = await import('redis');
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => {});
  void client.connect().catch(() => {});
  return { client, end: () => client.destroy() };
}
