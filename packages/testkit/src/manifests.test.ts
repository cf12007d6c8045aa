import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { publicPackages, readText, ROOT, type Project } from './workspace.js';

const SOURCE = '@wechat-h5/source';
const references = (JSON.parse(readText('tsconfig.json')) as { references: { path: string }[] }).references.map(
  ({ path }) => path,
);
const [core] = publicPackages();

describe.each(publicPackages())('$manifest.name', ({ path, manifest }: Project) => {
  test('is published as ESM and CommonJS with types for both', () => {
    expect(manifest).toMatchObject({
      license: 'MIT',
      type: 'module',
      main: './dist/cjs/index.js',
      types: './dist/cjs/index.d.ts',
      files: ['dist/esm', 'dist/cjs'],
      sideEffects: false,
      engines: { node: '>=20.19' },
      publishConfig: { access: 'public' },
    });
    const { './package.json': self, ...entries } = manifest.exports ?? {};
    expect(self).toBe('./package.json');
    expect(Object.keys(entries)).toContain('.');
    for (const [entry, target] of Object.entries(entries)) {
      const name = entry === '.' ? 'index' : entry.slice('./'.length);
      expect(target).toEqual({
        [SOURCE]: `./src/${name}.ts`,
        import: { types: `./dist/esm/${name}.d.ts`, default: `./dist/esm/${name}.js` },
        require: { types: `./dist/cjs/${name}.d.ts`, default: `./dist/cjs/${name}.js` },
      });
      // The first condition that matches wins: sources come first here, types first within each half.
      expect(Object.keys(target as object)).toEqual([SOURCE, 'import', 'require']);
      expect(existsSync(join(ROOT, path, 'src', `${name}.ts`))).toBe(true);
    }
  });

  test('publishes the same entries without the sources, which are not in the tarball', () => {
    const stripped = Object.fromEntries(
      Object.entries(manifest.exports ?? {}).map(([entry, target]) => {
        if (typeof target !== 'object' || target === null) return [entry, target];
        const { [SOURCE]: _, ...published } = target as Record<string, unknown>;
        return [entry, published];
      }),
    );
    expect(manifest.publishConfig?.exports).toEqual(stripped);
  });

  test('is built, both ways, by the configuration at the top', () => {
    expect(references).toEqual(expect.arrayContaining([path, `${path}/tsconfig.cjs.json`]));
  });

  test('has the version that all packages share', () => {
    expect(manifest.version).toBe(core?.manifest.version);
  });

  test('has a README of at most 80 lines', () => {
    expect(readText(`${path}/README.md`).split('\n').length).toBeLessThanOrEqual(81);
  });
});
