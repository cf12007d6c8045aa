import { NotificationDeadlines } from './notification-deadlines.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const never = new Promise<string>(() => {});
const otherwise = { failed: (error: unknown) => `failed: ${(error as Error).message}`, late: () => 'late' };

test('what ends in time is the result, and so is what fails', async () => {
  const deadlines = new NotificationDeadlines();
  const until = performance.now() + 4000;
  expect(await deadlines.limit(Promise.resolve('done'), until, otherwise)).toBe('done');
  expect(await deadlines.limit(Promise.reject(new Error('away')), until, otherwise)).toBe('failed: away');
});

test('each is given up at its own time, in whatever order they came, and none twice', async () => {
  const deadlines = new NotificationDeadlines();
  const start = performance.now();
  const ends: [number, string][] = [];
  const wait = (ms: number, work: Promise<string> = never): void => {
    const late = (): string => `late after ${ms}`;
    void deadlines
      .limit(work, start + ms, { ...otherwise, late })
      .then((result) => ends.push([Math.round(performance.now() - start), result]));
  };
  wait(4000);
  wait(1000);
  wait(2500);
  wait(-5);
  wait(2000, new Promise((resolve) => setTimeout(() => resolve('done'), 1500)));
  await jest.advanceTimersByTimeAsync(5000);
  expect(ends).toEqual([
    [0, 'late after -5'],
    [1000, 'late after 1000'],
    [1500, 'done'],
    [2500, 'late after 2500'],
    [4000, 'late after 4000'],
  ]);
  wait(6000);
  await jest.advanceTimersByTimeAsync(1000);
  expect(ends.at(-1)).toEqual([6000, 'late after 6000']);
});

test('a thousand that end at once leave one timer', async () => {
  const deadlines = new NotificationDeadlines();
  const until = performance.now() + 4000;
  for (let n = 0; n < 1000; n++) await deadlines.limit(Promise.resolve('done'), until + n, otherwise);
  expect(jest.getTimerCount()).toBe(1);
  await jest.advanceTimersByTimeAsync(4000);
  expect(jest.getTimerCount()).toBe(0);
});
