export {
  missingPackages,
  startProxy,
  versionOf,
  type ProxyOptions,
  type ProxySoftware,
  type RunningProxy,
} from './proxy.js';
export type { Endpoint } from './server-process.js';
