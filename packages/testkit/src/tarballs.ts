import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm } from './command.js';
import { publicPackages, ROOT } from './workspace.js';

/**
 * Builds all packages and packs them as they would be published.
 * @param destination an empty folder
 * @returns the tarball's path for each package name
 */
export async function packAll(destination: string): Promise<ReadonlyMap<string, string>> {
  await pnpm(['run', 'build'], { cwd: ROOT });
  const filters = publicPackages().flatMap(({ manifest }) => ['--filter', manifest.name]);
  await pnpm(['-r', ...filters, 'pack', '--pack-destination', destination], { cwd: ROOT });
  const files = readdirSync(destination);
  return new Map(
    publicPackages().map(({ manifest: { name, version } }) => {
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
      if (!files.includes(file)) throw new Error(`pnpm packed ${files.join(', ')}, and no ${file}`);
      return [name, join(destination, file)];
    }),
  );
}
