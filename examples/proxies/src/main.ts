import { createSimulator } from '@wechat-h5/simulator';
import { missingPackages, versionOf, type ProxySoftware } from '@wechat-h5/testkit/proxies';
import { deploy } from './deployment.js';
import { BELIEVED_MISTAKES, NAMED_MISTAKES } from './mistakes.js';
import { RIGHT_SET_UPS } from './right-set-ups.js';
import type { Outcome, SetUp } from './set-up.js';
import { SHAPE_NAMES, type ShapeName } from './shapes.js';
import { expectedOutcomes, table, type Row } from './table.js';

// Script: runs the matrix with real servers and prints it; ends with 1 when a cell is not as it should be.

const SOFTWARE: readonly ProxySoftware[] = ['nginx', 'apache', 'haproxy', 'caddy'];

const missing = missingPackages(SOFTWARE);
if (missing.length > 0) {
  process.stderr.write(`Not installed: apt-get install --no-install-recommends ${missing.join(' ')}\n`);
  process.exit(1);
}

const surprises: string[] = [];
const simulator = await createSimulator();
try {
  const run = async (setUp: SetUp, countsSample: boolean): Promise<Row> => {
    const deployment = await deploy(setUp, simulator);
    try {
      const expected = expectedOutcomes(setUp);
      const outcomes: Partial<Record<ShapeName, Outcome>> = {};
      let guideSample = 0;
      for (const name of SHAPE_NAMES) {
        const cell = await deployment.send(name);
        outcomes[name] = cell.outcome;
        if (cell.guideSample === 'right') guideSample++;
        if (cell.outcome !== expected[name]) {
          surprises.push(`${setUp.name}, ${name}: ${cell.outcome}, where ${expected[name]} was expected`);
        }
      }
      return { setUp, outcomes: outcomes as Row['outcomes'], ...(countsSample ? { guideSample } : {}) };
    } finally {
      await deployment.stop();
    }
  };
  const rows = async (setUps: readonly SetUp[], countsSample = false): Promise<Row[]> => {
    const done: Row[] = [];
    for (const setUp of setUps) done.push(await run(setUp, countsSample));
    return done;
  };
  const sections = {
    Right: await rows(RIGHT_SET_UPS, true),
    'Wrong, named at once': await rows(NAMED_MISTAKES),
    'Wrong, and believed': await rows(BELIEVED_MISTAKES),
  };
  process.stdout.write(`${SOFTWARE.map((name) => `${name} ${versionOf(name)}`).join(', ')}\n\n${table(sections)}\n`);
} finally {
  await simulator.stop();
}
if (surprises.length > 0) {
  process.stderr.write(`\n${surprises.join('\n')}\n`);
  process.exitCode = 1;
}
