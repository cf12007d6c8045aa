import { build, type BuildOptions, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../workspace.js';

/** A bug, put into the copy of the code that the shops of one run are made of. */
export interface Patch {
  /** Below the top: `packages/core/src/delivery.ts`. */
  readonly file: string;
  /** Must stand there exactly once. */
  readonly text: string;
  readonly instead: string;
}

export interface Programs {
  readonly shop: string;
  readonly simulator: string;
}

const CHAOS = join(ROOT, 'packages/testkit/src/chaos');
/** They cannot be bundled: native code, and what pg looks for and does without. */
const NATIVE = ['lmdb'];
const ABSENT = ['pg-native'];

/**
 * Bundles the real sources into one file for each program, so that a process starts at once.
 * @param bookModule a file that exports `openBook(options)`
 * @throws {Error} when the text of a patch is not in its file, or there twice
 */
export async function bundlePrograms(
  folder: string,
  bookModule: string,
  patches: readonly Patch[] = [],
): Promise<Programs> {
  const programs = { shop: join(folder, 'shop.cjs'), simulator: join(folder, 'simulator.cjs') };
  const applied = new Set<Patch>();
  const common: BuildOptions = {
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['@wechat-h5/source'],
    external: ABSENT,
    logLevel: 'silent',
  };
  const shop = `import { runShop } from './shop-program.js';
import { openBook } from ${JSON.stringify(bookModule)};
void runShop(openBook);`;
  await build({
    ...common,
    stdin: { contents: shop, resolveDir: CHAOS, loader: 'ts' },
    outfile: programs.shop,
    plugins: [nativeModules, patching(patches, applied)],
  });
  const unused = patches.find((patch) => !applied.has(patch));
  if (unused !== undefined) throw new Error(`${unused.file} is not part of the shop`);
  await build({ ...common, entryPoints: [join(CHAOS, 'simulator-program.ts')], outfile: programs.simulator });
  return programs;
}

/** The bundle lies in a temporary folder, from where no package is found by its name. */
const nativeModules: Plugin = {
  name: 'native modules',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${NATIVE.join('|')})$`) }, ({ path, importer }) => ({
      path: createRequire(importer).resolve(path),
      external: true,
    }));
  },
};

function patching(patches: readonly Patch[], applied: Set<Patch>): Plugin {
  return {
    name: 'patches',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const ofFile = patches.filter(({ file }) => join(ROOT, file) === path);
        if (ofFile.length === 0) return undefined;
        let contents = readFileSync(path, 'utf8');
        for (const patch of ofFile) {
          const found = contents.split(patch.text).length - 1;
          if (found !== 1) throw new Error(`${patch.file} holds the text to change ${found} times: ${patch.text}`);
          contents = contents.replace(patch.text, () => patch.instead);
          applied.add(patch);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
