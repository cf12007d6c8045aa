/** One of the things compared. `run` may be asynchronous; then each call is awaited. */
export interface Contestant {
  name: string;
  run: () => unknown;
}

export interface Result {
  name: string;
  /** Nanoseconds per call, by round. */
  times: number[];
}

const BATCH_NS = 2e6;

/**
 * Times all contestants in every round, in random order, some milliseconds each: what the machine does meanwhile hits
 * them alike, so the ratios within a round are worth more than any of the times.
 */
export async function interleaved(contestants: readonly Contestant[], rounds: number): Promise<Result[]> {
  const sides = [];
  for (const contestant of contestants)
    sides.push({ ...contestant, batch: await batchOf(contestant.run), times: [] as number[] });
  for (let round = 0; round < rounds; round++) {
    for (const side of shuffled(sides)) side.times.push(await timed(side.run, side.batch));
  }
  return sides;
}

/** The median of the ratios of the rounds. */
export function ratio(result: Result, base: Result): number {
  return median(result.times.map((time, round) => time / base.times[round]!));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

async function batchOf(run: () => unknown): Promise<number> {
  await timed(run, 3000);
  let batch = 1;
  while ((await timed(run, batch)) * batch < BATCH_NS) batch *= 2;
  return batch;
}

async function timed(run: () => unknown, calls: number): Promise<number> {
  if (run() instanceof Promise) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await run();
    return Number(process.hrtime.bigint() - start) / calls;
  }
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run();
  return Number(process.hrtime.bigint() - start) / calls;
}
