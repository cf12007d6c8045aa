import { describeWithStores, type Store } from '../stores/index.js';
import { bundlePrograms } from './programs.js';
import { runChaos } from './run.js';
import { seededBugs } from './seeded-bugs.js';
import { briefRun } from './sizes.js';
import { lmdb } from './stores.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

for (const { does, store, patches, lanes, breaks } of seededBugs) {
  const servers = store.name === 'lmdb' ? [] : [store.name as Store];
  describeWithStores(servers, `a shop that ${does}`, () => {
    test(`is caught by ${breaks.join(' or ')}`, async () => {
      const { violations } = await runChaos({
        ...briefRun(1),
        ...(lanes && { lanes, orders: 6, stops: 0 }),
        store,
        patches,
      });
      expect(violations.filter(({ rule }) => breaks.includes(rule))).not.toEqual([]);
    }, 300_000);
  });
}

test('a bug whose place in the code is gone is an error, and no green run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-chaos-'));
  const patch = { file: 'packages/core/src/delivery.ts', text: 'what nobody wrote', instead: '' };
  await expect(bundlePrograms(folder, lmdb.book, [patch])).rejects.toThrow('0 times');
  rmSync(folder, { recursive: true });
});
