export {
  missingPackages,
  startProxy,
  versionOf,
  type ProxyOptions,
  type ProxySoftware,
  type RunningProxy,
} from './proxy.js';
export { runnable } from './runnable.js';
export type { Endpoint } from '../servers/server-process.js';
