import { createWechatH5, isWechatH5Error, type H5Order } from '@wechat-h5/core';
import { closeInstance } from '@wechat-h5/core/adapter';
import { seededRandom, startFaultProxy, type FaultProxy } from '../fault-proxy/index.js';
import { Processes, type SimulatorProcess } from './processes.fixture.js';

const ORDERS = process.env['NIGHTLY'] === '1' ? 1000 : 150;
/** `SEED=…` repeats a run. */
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const AT_ONCE = 10;
/** A shop does not give up on an order whose outcome is unknown. */
const MOST_ATTEMPTS = 60;

let processes: Processes;
let simulator: SimulatorProcess;
let line: FaultProxy;

beforeAll(async () => {
  processes = new Processes();
  simulator = await processes.simulator();
  line = await startFaultProxy({ target: { host: '127.0.0.1', port: simulator.port }, seed: SEED });
});
afterAll(async () => {
  await processes.stop();
  await line.stop();
  processes.remove();
});

/** Every kind of line at once; most connections meet one or two of these, at a point of their life that is theirs. */
function makeTrouble(random: () => number): void {
  const at = (most: number): number => Math.floor(random() * most);
  for (let n = 0; n < 8; n++) {
    line.add({ type: 'reset_peer', bytes: at(6000), stream: 'upstream', toxicity: 0.15 });
    line.add({ type: 'reset_peer', bytes: at(6000), toxicity: 0.15 });
    line.add({ type: 'limit_data', bytes: at(6000), toxicity: 0.1 });
    line.add({ type: 'corrupt', at: at(6000), toxicity: 0.1 });
    line.add({ type: 'corrupt', at: at(6000), stream: 'upstream', toxicity: 0.05 });
  }
  // None lasts: a line that works would soon carry everything.
  line.add({ type: 'reset_peer', bytes: 6000 });
  line.add({ type: 'timeout', timeout: 0, stream: 'upstream', toxicity: 0.03 });
  line.add({ type: 'timeout', timeout: 0, toxicity: 0.05 });
  line.add({ type: 'half_open', toxicity: 0.03 });
  line.add({ type: 'reset_peer', timeout: 200, toxicity: 0.1 });
  line.add({ type: 'latency', latency: 50, jitter: 50, toxicity: 0.3 });
  line.add({ type: 'slicer', averageSize: 100, sizeVariation: 90, toxicity: 0.2 });
  line.add({ type: 'slow_close', delay: 100, toxicity: 0.2 });
}

test(`N22: ${ORDERS} orders over a line that resets, stalls and garbles: none is created twice, none is lost`, async () => {
  makeTrouble(seededRandom(SEED));
  const shop = createWechatH5({
    merchant: simulator.merchant,
    gateway: line.url,
    notifyUrl: 'http://127.0.0.1:9/notify',
    http: { timeoutMs: 500, connectTimeoutMs: 300, callsPerSecond: 10_000 },
    onProblem: () => {},
  });
  const failures: Record<string, number> = {};
  const placed = new Map<string, H5Order>();

  async function place(outTradeNo: string, totalFee: number): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      try {
        placed.set(
          outTradeNo,
          await shop.createOrder({ outTradeNo, totalFee, body: 'Shop - tea', clientIp: '127.0.0.1' }),
        );
        return;
      } catch (error) {
        if (!isWechatH5Error(error)) throw error;
        failures[error.code] = (failures[error.code] ?? 0) + 1;
      }
    }
  }

  const waiting = Array.from({ length: ORDERS }, (_, n) => n);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) await place(`ORDER-${n}`, n + 1);
    }),
  );
  await closeInstance(shop);

  const recorded = await simulator.orders();
  const links = new Map(recorded.map(({ outTradeNo, links }) => [outTradeNo, links.map(({ prepayId }) => prepayId)]));
  process.stdout.write(
    `seed ${SEED}: ${ORDERS} orders, ${placed.size} placed, ${recorded.length} recorded, ` +
      `${recorded.filter(({ links }) => links.length > 1).length} confirmed by repetition, ${line.accepted} connections, ` +
      `${JSON.stringify(failures)}\n`,
  );
  // WeChat Pay's record and the shop's: the same numbers, each once, for the same amount, with the link that was handed out.
  expect(recorded.map(({ outTradeNo }) => outTradeNo).sort()).toEqual([...placed.keys()].sort());
  expect(recorded).toHaveLength(ORDERS);
  expect(recorded.filter(({ outTradeNo, totalFee }) => outTradeNo !== `ORDER-${totalFee - 1}`)).toEqual([]);
  expect([...placed].filter(([number, { prepayId }]) => !links.get(number)?.includes(prepayId))).toEqual([]);
  // The line was as bad as it was meant to be.
  expect(Object.values(failures).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(ORDERS / 30);
}, 600_000);
