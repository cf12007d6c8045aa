import { installCommand } from '../servers/installed.js';
import { missingPackages, type ProxySoftware } from './proxy.js';

/**
 * For Jest: the cases whose servers are installed. The others show up as skipped tests that say what to install; where
 * CI is set all cases are given out, to fail on what is missing.
 */
export function runnable<Case extends { readonly name: string }>(
  cases: readonly Case[],
  softwareOf: (item: Case) => readonly ProxySoftware[],
): readonly Case[] {
  if (process.env['CI']) return cases;
  return cases.filter((item) => {
    const missing = missingPackages(softwareOf(item));
    if (missing.length === 0) return true;
    test.skip(`${item.name}: ${installCommand(missing)}`, () => {});
    return false;
  });
}
