import { missingPackages } from '@wechat-h5/testkit/proxies';
import type { SetUp } from './set-up.js';

/**
 * The deployments whose servers are installed. The others show up as skipped tests that say what to install; where CI
 * is set they are all to run, and fail on what is missing.
 */
export function runnable<S extends SetUp>(setUps: readonly S[]): readonly S[] {
  if (process.env['CI']) return setUps;
  return setUps.filter((setUp) => {
    const missing = missingPackages(setUp.hops.map(({ software }) => software));
    if (missing.length === 0) return true;
    test.skip(`${setUp.name}: apt-get install --no-install-recommends ${missing.join(' ')}`, () => {});
    return false;
  });
}
