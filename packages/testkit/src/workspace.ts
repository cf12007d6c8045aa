import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The top of the repository. */
export const ROOT = topOf(process.cwd());

/** The part of a package.json that matters here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly files?: readonly string[];
  readonly main?: string;
  readonly types?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Exports;
  readonly publishConfig?: { readonly access?: string; readonly exports?: Exports };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export type Exports = Readonly<Record<string, unknown>>;

/** One package or example of the workspace. */
export interface Project {
  /** Relative to the top: `packages/core`, `examples/express-shop`. */
  readonly path: string;
  readonly manifest: Manifest;
}

/** The projects in `packages` or `examples`, in alphabetical order. */
export function projectsIn(folder: 'packages' | 'examples'): readonly Project[] {
  return readdirSync(join(ROOT, folder))
    .sort()
    .map((name) => `${folder}/${name}`)
    .filter((path) => existsSync(join(ROOT, path, 'package.json')))
    .map((path) => ({ path, manifest: JSON.parse(readText(`${path}/package.json`)) as Manifest }));
}

/** The packages that are published. */
export function publicPackages(): readonly Project[] {
  return projectsIn('packages').filter(({ manifest }) => manifest.private !== true);
}

/** @param path relative to the top */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function topOf(folder: string): string {
  if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`${process.cwd()} is not inside the workspace`);
  return topOf(parent);
}
