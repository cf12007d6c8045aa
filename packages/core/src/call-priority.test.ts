import { CallRate } from './call-rate.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Calls by name, in the order of their turns. */
function queue(perSecond: number) {
  const rate = new CallRate(perSecond, () => performance.now());
  const turns: string[] = [];
  const call = (name: string, isBackground: boolean): Promise<void> =>
    rate.turn(performance.now() + 60_000, { isBackground }).then(
      () => void turns.push(name),
      () => void turns.push(`${name} refused`),
    );
  return { rate, turns, call };
}
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test('calls in the background leave a fifth of the pace, and a caller who waits does not wait for them', async () => {
  const { turns, call } = queue(10);
  for (let n = 0; n < 30; n++) void call('background', true);
  await pass(0);
  expect(turns).toHaveLength(8);
  void call('payer', false);
  void call('payer', false);
  await pass(0);
  expect(turns.slice(8)).toEqual(['payer', 'payer']);
});

test('when all turns are taken, callers who wait come first, however late they came', async () => {
  const { turns, call } = queue(10);
  for (let n = 0; n < 10; n++) void call('payer', false);
  for (let n = 0; n < 5; n++) void call('background', true);
  for (let n = 0; n < 5; n++) void call('late payer', false);
  await pass(0);
  expect(turns).toHaveLength(10);
  await pass(600);
  expect(turns.slice(10)).toEqual(Array.from({ length: 5 }, () => 'late payer'));
  await pass(2000);
  expect(turns.slice(15)).toEqual(Array.from({ length: 5 }, () => 'background'));
});

test('at the lowest rate there is nothing to keep, and the background has its turn', async () => {
  const { turns, call, rate } = queue(1);
  rate.halve();
  void call('background', true);
  await pass(10_000);
  expect(turns).toEqual(['background']);
});

test('the background is refused at once what it cannot have in time', async () => {
  const { turns, rate } = queue(1);
  await rate.turn(performance.now(), { isBackground: true });
  await expect(rate.turn(performance.now() + 100, { isBackground: true })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
  });
  expect(turns).toEqual([]);
});

test('at the end the background waits no more, and then nobody', async () => {
  const { turns, call, rate } = queue(1);
  await rate.turn(performance.now());
  void call('background', true);
  void call('payer', false);
  rate.end('background');
  await pass(0);
  expect(turns).toEqual(['background refused']);
  await pass(1000);
  expect(turns).toEqual(['background refused', 'payer']);
  await expect(rate.turn(Infinity, { isBackground: true })).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' });
  void call('late payer', false);
  rate.end('everybody');
  await pass(0);
  expect(turns.slice(2)).toEqual(['late payer refused']);
  expect(jest.getTimerCount()).toBe(0);
  await expect(rate.turn(Infinity)).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' });
});
