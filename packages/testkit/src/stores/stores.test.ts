import { existsSync } from 'node:fs';
import { startPgbouncer } from './pgbouncer.js';
import { startPostgres, type PostgresServer } from './postgres.js';
import { startRedis } from './redis.js';
import { describeWithStores } from './with-stores.js';

describeWithStores(['postgres', 'pgbouncer'], 'PostgreSQL and PgBouncer', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ settings: { work_mem: '5MB' } });
  });
  afterAll(() => server.stop());

  test('has the settings it was given, and keeps what it committed through a crash and through kill -9', async () => {
    expect(server.query('show work_mem')).toBe('5MB');
    server.query('create table kept (n int); insert into kept values (1), (2)');
    const { pid } = server;
    await server.restart('immediate');
    expect(server.pid).not.toBe(pid);
    expect(server.query('select sum(n) from kept')).toBe('3');
    await server.kill();
    expect(() => server.query('select 1')).toThrow(/psql/);
    await server.start();
    await server.restart();
    expect(server.query('select n from kept order by n')).toBe('1\n2');
  });

  test('a standby follows and can be promoted', async () => {
    const standby = await startPostgres({ standbyOf: server });
    expect(standby.query('select pg_is_in_recovery()')).toBe('t');
    standby.promote();
    expect(standby.query('select pg_is_in_recovery()')).toBe('f');
    await standby.stop();
  });

  test('says what it dislikes in a setting', async () => {
    await expect(startPostgres({ settings: { nonsense_setting: '1' } })).rejects.toThrow(/nonsense_setting/);
  });

  test('PgBouncer answers in its name', async () => {
    const bouncer = await startPgbouncer(server);
    expect(bouncer.port).not.toBe(server.port);
    await bouncer.stop();
  });

  test('leaves no file when it is stopped', async () => {
    const other = await startPostgres();
    await other.stop();
    await other.stop();
    expect(existsSync(other.folder)).toBe(false);
  });
});

describeWithStores(['redis'], 'Redis', () => {
  test('keeps what it acknowledged through kill -9', async () => {
    const server = await startRedis();
    server.command('SET', 'kept', 'yes');
    await server.restart('kill');
    expect(server.command('GET', 'kept')).toBe('yes');
    await server.stop();
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
  });

  test('forgets, when it is told to', async () => {
    const server = await startRedis({ settings: { maxmemory: '2mb', 'maxmemory-policy': 'allkeys-lru' } });
    server.command('SET', 'first', 'yes');
    server.command('EVAL', `for i = 1, 400 do redis.call('SET', i, string.rep('x', 20000)) end`, '0');
    // Which ones it forgets, it picks from a sample.
    expect(Number(server.command('DBSIZE'))).toBeLessThan(401);
    await server.stop();
  });

  test('says what it dislikes in a setting', async () => {
    await expect(startRedis({ settings: { 'nonsense-setting': '1' } })).rejects.toThrow(/nonsense-setting/);
  });
});
