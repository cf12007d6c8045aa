import { findBinary, installCommand } from '../servers/installed.js';

export type Store = 'postgres' | 'pgbouncer' | 'redis' | 'faketime';

const PROGRAMS: Readonly<Record<Store, { readonly program: string; readonly package: string }>> = {
  postgres: { program: 'initdb', package: 'postgresql' },
  pgbouncer: { program: 'pgbouncer', package: 'pgbouncer' },
  redis: { program: 'redis-server', package: 'redis-server' },
  faketime: { program: 'faketime', package: 'faketime' },
};

/**
 * For Jest: a `describe` of tests that need servers. Where one is not installed, a skipped test says what to install;
 * where CI is set, the tests run and fail on what is missing.
 */
export function describeWithStores(stores: readonly Store[], name: string, tests: () => void): void {
  const missing = stores.map((store) => PROGRAMS[store]).filter(({ program }) => findBinary(program) === undefined);
  if (missing.length === 0 || process.env['CI']) describe(name, tests);
  else test.skip(`${name}: ${installCommand(missing.map((one) => one.package))}`, () => {});
}
