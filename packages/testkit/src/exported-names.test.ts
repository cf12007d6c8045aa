import { join } from 'node:path';
import { exportsOf } from './imports.js';
import { publicPackages, ROOT } from './workspace.js';

const entries = publicPackages().flatMap(({ path, manifest }) =>
  Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) => {
    const source =
      typeof target === 'object' && target !== null
        ? (target as Record<string, unknown>)['@wechat-h5/source']
        : undefined;
    return typeof source === 'string' ? [{ specifier: join(manifest.name, entry), file: join(path, source) }] : [];
  }),
);

// Gaining or losing a name is a change of the public interface: it has to show in a diff.
describe.each(entries)('$specifier', ({ file }) => {
  const named = exportsOf(file);

  test('lists its names one by one', () => {
    expect(named.unnamed).toEqual([]);
  });

  test('exports, at run time, what its text says', async () => {
    const loaded = (await import(join(ROOT, file))) as Record<string, unknown>;
    expect(Object.keys(loaded).sort()).toEqual(named.values);
  });

  test('exports these names', () => {
    expect([...named.values, ...named.types.map((name) => `type ${name}`)]).toMatchSnapshot();
  });
});

test('every package has a main entry', () => {
  expect(entries.map(({ specifier }) => specifier)).toEqual(
    expect.arrayContaining(publicPackages().map(({ manifest }) => manifest.name)),
  );
});
