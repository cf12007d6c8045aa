export { startFaultProxy } from './fault-proxy.js';
export type { FaultProxy } from './fault-proxy.js';
export { seededRandom } from './seeded-random.js';
export type { Toxic } from './toxics.js';
