import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a distribution puts servers, which is not on everybody's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
/** Debian keeps several versions of PostgreSQL side by side, none of them on the PATH. */
const POSTGRES_VERSIONS = '/usr/lib/postgresql';

/** The path of an installed program, or `undefined`. */
export function findBinary(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS, ...postgresFolders()];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * The path of a program.
 * @throws {Error} when it is not installed, with the command that installs it
 */
export function binaryOf(name: string, debianPackage: string): string {
  const binary = findBinary(name);
  if (binary !== undefined) return binary;
  throw new Error(`${name} is not installed: ${installCommand([debianPackage])}`);
}

/**
 * The library that gives a program another clock (`LD_PRELOAD`).
 * @throws {Error} when it is not installed, with the command that installs it
 */
export function clockLibrary(): string {
  for (const folder of ['/usr/lib', ...readdirSync('/usr/lib').map((name) => join('/usr/lib', name))]) {
    const library = join(folder, 'faketime/libfaketime.so.1');
    if (existsSync(library)) return library;
  }
  throw new Error(`libfaketime is not installed: ${installCommand(['faketime'])}`);
}

/** What brings Debian's packages; RUNLEVEL=1 keeps them from starting as services. */
export function installCommand(packages: readonly string[]): string {
  return `RUNLEVEL=1 apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/** Newest first. */
function postgresFolders(): readonly string[] {
  try {
    const versions = readdirSync(POSTGRES_VERSIONS).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(POSTGRES_VERSIONS, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
