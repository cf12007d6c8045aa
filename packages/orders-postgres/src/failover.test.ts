import { applyAll, claim, eventually, intend, newKey, paid } from '@wechat-h5/testkit/order-book';
import { describeWithStores, startPostgres, type PostgresServer } from '@wechat-h5/testkit/stores';
import { Books } from './store.fixture.js';

const complete = { type: 'complete', attempt: 1 } as const;

describeWithStores(['postgres'], 'S05: failover', () => {
  const books = new Books();
  const servers: PostgresServer[] = [];
  afterEach(async () => {
    await books.end();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  const pair = async (): Promise<{ primary: PostgresServer; standby: PostgresServer }> => {
    const primary = await startPostgres();
    servers.push(primary);
    const standby = await startPostgres({ standbyOf: primary });
    servers.push(standby);
    await eventually('the standby follows', async () =>
      primary.query('SELECT count(*) FROM pg_stat_replication') === '1' ? true : undefined,
    );
    return { primary, standby };
  };
  /** The standby gets nothing more, and does not know it. */
  const cutOff = (standby: PostgresServer): (() => void) => {
    const pid = Number(standby.query('SELECT pid FROM pg_stat_wal_receiver'));
    process.kill(pid, 'SIGSTOP');
    return () => process.kill(pid, 'SIGKILL');
  };
  const caughtUp = (primary: PostgresServer): Promise<boolean> =>
    eventually('the standby has everything', async () =>
      primary.query('SELECT replay_lsn >= pg_current_wal_lsn() FROM pg_stat_replication') === 't' ? true : undefined,
    );

  test('to a standby that lags behind, what was acknowledged last is lost, and done again: as the README says', async () => {
    const { primary, standby } = await pair();
    const { book, schema } = await books.create(primary.url);
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
    await caughtUp(primary);
    const letGo = cutOff(standby);
    expect((await book.apply(key, complete)).outcome).toBe('applied');
    await primary.kill();
    letGo();
    standby.promote();
    const heir = books.open(standby.url, { schema });
    const again = await eventually('it answers', () => heir.apply(key, claim).catch(() => undefined));
    expect([again.outcome, again.order?.delivery.attempt]).toEqual(['applied', 2]);
  });

  test('to a synchronous standby, nothing that was acknowledged is lost', async () => {
    const { primary, standby } = await pair();
    const { book, schema } = await books.create(primary.url);
    primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.query('SELECT pg_reload_conf()');
    const key = newKey();
    await applyAll(book, key, [intend(key), paid(key), { type: 'claim', leaseMs: 1 }]);
    await eventually('the commit waits for the standby', async () =>
      primary.query('SELECT sync_state FROM pg_stat_replication') === 'sync' ? true : undefined,
    );
    await applyAll(book, key, [{ type: 'looked', verdict: 'NOTPAY', nextInMs: undefined, counts: true }]);
    const letGo = cutOff(standby);
    const hasty = books.open(primary.url, { schema, timeoutMs: 300 });
    await expect(hasty.apply(key, complete)).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
    await primary.kill();
    letGo();
    standby.promote();
    const heir = books.open(standby.url, { schema });
    const order = await eventually('it answers', () => heir.get(key).catch(() => undefined));
    // It was not acknowledged, and it is not there: the next attempt delivers.
    expect(order.delivery.state).toBe('LEASED');
  });
});
