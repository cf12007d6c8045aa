import { CallRate } from './call-rate.js';

const RATE_LIMITED = { code: 'RATE_LIMITED', field: 'http.callsPerSecond', hint: expect.stringContaining('Nothing') };

let now: number;
let granted: number;
beforeEach(() => {
  now = 0;
  granted = 0;
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());

const clock = (): number => now;

/** Lets the time pass, the bucket's clock and its timers alike. */
async function pass(milliseconds: number): Promise<void> {
  for (let n = 0; n < milliseconds; n++) {
    now++;
    await jest.advanceTimersByTimeAsync(1);
  }
}

/** Asks for a turn and counts it when it comes. */
const ask = (rate: CallRate, deadline = now + 6000): Promise<void> => rate.turn(deadline).then(() => void granted++);

test('a second’s worth at once, then one by one, in the order in which they asked', async () => {
  const rate = new CallRate(10, clock);
  const order: number[] = [];
  const all = Array.from({ length: 15 }, async (_, n) => {
    await ask(rate);
    order.push(n);
  });
  await pass(1);
  expect(granted).toBe(10);
  await pass(300);
  expect(granted).toBe(13);
  await pass(200);
  await Promise.all(all);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test('a call that would be too late is told at once', async () => {
  const rate = new CallRate(10, clock);
  for (let n = 0; n < 10; n++) await ask(rate);
  await expect(rate.turn(now + 99)).rejects.toMatchObject(RATE_LIMITED);
  const waiting = ask(rate, now + 101);
  await pass(101);
  await waiting;
});

test('no more than a thousand wait', async () => {
  const rate = new CallRate(1, clock);
  await ask(rate);
  const waiting = Array.from({ length: 1000 }, () => ask(rate, Infinity));
  await expect(rate.turn(Infinity)).rejects.toMatchObject(RATE_LIMITED);
  expect(waiting).toHaveLength(1000);
});

test('N21: halved when there were too many, once for each excess, and never to nothing', async () => {
  const rate = new CallRate(100, clock);
  rate.halve();
  rate.halve();
  expect(rate.perSecond).toBe(50);
  for (let n = 0; n < 20; n++) {
    now += 1000;
    rate.halve();
  }
  expect(rate.perSecond).toBeGreaterThanOrEqual(1);
  expect(rate.perSecond).toBeLessThan(5);
});

test('N21: back little by little: the whole way within a minute, and not at once', () => {
  const rate = new CallRate(100, clock);
  for (let n = 0; n < 10; n++) {
    rate.halve();
    now += 1000;
  }
  const low = rate.perSecond;
  now += 1000;
  expect(rate.perSecond - low).toBeCloseTo(100 / 60);
  now += 60_000;
  expect(rate.perSecond).toBe(100);
});

test('N21: calls that were waiting when the rate was halved are told when their time is over', async () => {
  const rate = new CallRate(10, clock);
  for (let n = 0; n < 10; n++) await ask(rate);
  const waiting = Array.from({ length: 10 }, () => ask(rate, 1000));
  const outcomes = Promise.allSettled(waiting);
  rate.halve();
  await pass(1100);
  const refused = (await outcomes).filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({ reason: RATE_LIMITED });
  expect(granted).toBe(20 - refused.length);
});
