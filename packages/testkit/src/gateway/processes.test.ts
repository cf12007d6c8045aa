import { startFaultProxy, type FaultProxy } from '../fault-proxy/index.js';
import { Processes, type SimulatorProcess } from './processes.fixture.js';

const DAY = 86_400;

let processes: Processes;
let simulator: SimulatorProcess;
let line: FaultProxy;

beforeAll(() => void (processes = new Processes()));
afterAll(() => processes.remove());

beforeEach(async () => {
  simulator = await processes.simulator();
  line = await startFaultProxy({ target: { host: '127.0.0.1', port: simulator.port } });
});
afterEach(async () => {
  await processes.stop();
  await line.stop();
});

const numbers = async (): Promise<string[]> => (await simulator.orders()).map(({ outTradeNo }) => outTradeNo).sort();

/** Until the simulator has the order. */
async function arrived(outTradeNo: string): Promise<void> {
  while (!(await numbers()).includes(outTradeNo)) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('N31: a process that may hold 64 descriptors', () => {
  const wrap = ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'];

  test('N31: with fewer connections than that, 200 orders at once are all placed', async () => {
    const shop = await processes.shop(
      simulator,
      line.port,
      { maxSockets: 16, callsPerSecond: 1000, timeoutMs: 30_000 },
      wrap,
    );
    shop.tell({ orders: 200, prefix: 'MANY' });
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, n) => shop.outcome(`MANY-${n}`)));
    expect(outcomes.filter((outcome) => !outcome.startsWith('created'))).toEqual([]);
    expect(await numbers()).toHaveLength(200);
  });

  test('N31: with more, it is told what is missing, and lives', async () => {
    // Every call hangs, so that each of them holds its descriptor.
    const remove = line.add({ type: 'timeout', timeout: 0 });
    const http = { maxSockets: 1000, callsPerSecond: 1000, timeoutMs: 900 };
    const shop = await processes.shop(simulator, line.port, http, wrap);
    shop.tell({ orders: 120, prefix: 'MANY' });
    const outcomes = await Promise.all(Array.from({ length: 120 }, (_, n) => shop.outcome(`MANY-${n}`)));
    expect([...new Set(outcomes)]).toContain('GATEWAY_UNREACHABLE EMFILE');
    remove();
    line.reset();
    shop.tell({ order: 'ORDER-1' });
    expect(await shop.outcome('ORDER-1')).toMatch(/^created/);
  });
});

describe('N32: SIGTERM while an order is on its way', () => {
  test('N32: it is given the time to come back, and the process ends by itself', async () => {
    line.add({ type: 'latency', latency: 500 });
    const shop = await processes.shop(simulator, line.port);
    shop.tell({ order: 'ORDER-1' });
    await arrived('ORDER-1');
    shop.child.kill('SIGTERM');
    expect(await shop.outcome('ORDER-1')).toMatch(/^created/);
    expect(await shop.exited).toBe(0);
  });

  test('N32: it never comes back: the process ends all the same, and after a restart there is one order', async () => {
    line.add({ type: 'half_open', connections: (index) => index === 0 });
    const shop = await processes.shop(simulator, line.port, { timeoutMs: 60_000 });
    shop.tell({ order: 'ORDER-1' });
    await arrived('ORDER-1');
    shop.child.kill('SIGTERM');
    expect(await shop.exited).toBe(0);
    const [before] = await simulator.orders();

    const restarted = await processes.shop(simulator, line.port);
    restarted.tell({ order: 'ORDER-1' });
    expect(await restarted.outcome('ORDER-1')).toMatch(/^created/);
    expect(await simulator.orders()).toMatchObject([{ outTradeNo: before?.outTradeNo, totalFee: before?.totalFee }]);
  });
});

test('T08: the process sleeps through its own deadline: the call ends, and the next one works', async () => {
  line.add({ type: 'latency', latency: 300, connections: (index) => index === 0 });
  const shop = await processes.shop(simulator, line.port, { timeoutMs: 600 });
  shop.tell({ order: 'ORDER-1' });
  await arrived('ORDER-1');
  shop.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  shop.child.kill('SIGCONT');
  expect(await shop.outcome('ORDER-1')).toMatch(/^(created|GATEWAY_TIMEOUT|GATEWAY_REPLY_INVALID)/);
  shop.tell({ order: 'ORDER-2' });
  expect(await shop.outcome('ORDER-2')).toMatch(/^created/);
  expect(await numbers()).toEqual(['ORDER-1', 'ORDER-2']);
});

test.each([-10, 10, -DAY, DAY])(
  'T01: the clock of the shop is wrong by %i s: orders are placed, asked for and paid',
  async (offset) => {
    const shop = await processes.shop(simulator, line.port, {}, [], offset * 1000);
    expect(Math.abs(shop.now - Date.now() - offset * 1000)).toBeLessThan(60_000);
    shop.tell({ order: 'ORDER-1' });
    expect(await shop.outcome('ORDER-1')).toMatch(/^created/);
    await simulator.pay('ORDER-1');
    shop.tell({ query: 'ORDER-1' });
    expect(await shop.outcome('query ORDER-1')).toBe('SUCCESS');
  },
);
