import { parseArgs } from 'node:util';
import { nightlyRun } from './sizes.js';
import { runChaos } from './run.js';
import { chaosStores } from './stores.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'lmdb' },
    seed: { type: 'string' },
    orders: { type: 'string' },
    kills: { type: 'string' },
  },
});
const store = chaosStores.find(({ name }) => name === values.store);
if (store === undefined) throw new Error(`--store is one of ${chaosStores.map(({ name }) => name).join(', ')}`);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const size = nightlyRun(seed);
const orders = Number(values.orders ?? size.orders);
const kills = Number(values.kills ?? size.kills);
void runChaos({ ...size, store, orders, kills }).then(({ report, violations }) => {
  process.stdout.write(report);
  process.exitCode = violations.length === 0 ? 0 : 1;
});
