import { randomInt } from 'node:crypto';
import { runChaos, type ChaosOptions } from './run.js';
import { nightlyRun, ordinaryRun, quickRun } from './sizes.js';
import type { ChaosStore } from './stores.js';

const nightly = process.env['NIGHTLY'] === '1';

/** For Jest: a run with a seed that stays, one with a seed that is new each time. The report says which, and what happened. */
export function chaosSuite(store: ChaosStore): void {
  const survives = async (options: Omit<ChaosOptions, 'store'>): Promise<void> => {
    const { report, violations } = await runChaos({ ...options, store });
    process.stderr.write(`\n${report}`);
    expect(violations).toEqual([]);
  };

  test('P01, P02, P03, P04, P05, P06, P07, P09, S02, B01, B02, B04, B05, B11, B16, B20, X03: the same seed each time', async () => {
    await survives(nightly ? nightlyRun(1) : ordinaryRun(1));
  }, 600_000);

  test('P03, P04, P05, P06, P09, S02, B01, B04, B05, B11, B20, X03: another seed each time', async () => {
    const seed = randomInt(2 ** 31);
    await survives(nightly ? nightlyRun(seed) : quickRun(seed));
  }, 600_000);
}
