import { describeWithStores, type Store } from '../stores/index.js';
import type { Violation } from './checker.js';
import { bundlePrograms } from './programs.js';
import { runChaos } from './run.js';
import { seededBugs } from './seeded-bugs.js';
import { briefRun } from './sizes.js';
import { lmdb } from './stores.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SEEDS = 4;

for (const { does, store, patches, lanes, breaks } of seededBugs) {
  const servers = store.name === 'lmdb' ? [] : [store.name as Store];
  describeWithStores(servers, `a shop that ${does}`, () => {
    test(`is caught by ${breaks.join(' or ')}`, async () => {
      let caught: readonly Violation[] = [];
      // A blow has to fall at the right moment: on a busy machine it may not in one run.
      for (let seed = 1; caught.length === 0 && seed <= SEEDS; seed++) {
        const { violations } = await runChaos({
          ...briefRun(seed),
          ...(lanes && { lanes, orders: 6, stops: 0 }),
          store,
          patches,
        });
        caught = violations.filter(({ rule }) => breaks.includes(rule));
      }
      expect(caught).not.toEqual([]);
    }, 300_000);
  });
}

test('a bug whose place in the code is gone is an error, and no green run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-chaos-'));
  const patch = { file: 'packages/core/src/delivery.ts', text: 'what nobody wrote', instead: '' };
  await expect(bundlePrograms(folder, lmdb.book, [patch])).rejects.toThrow('0 times');
  rmSync(folder, { recursive: true });
});
