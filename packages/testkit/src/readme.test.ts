import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programsOf, READMES } from './readme.js';
import { publicPackages, readText, ROOT } from './workspace.js';

const documents = [
  ...READMES,
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
  'docs/trusted-proxies.md',
  'docs/trusted-proxies.zh-CN.md',
  'docs/cdn-headers.md',
  'docs/checkout.md',
  'docs/payer-errors.md',
  'examples/proxies/README.md',
  ...publicPackages().map(({ path }) => `${path}/README.md`),
];

// What the first program does is tested where users run it: packed.test.ts.
test.each(READMES)('%s opens with the one program that is tested', (path) => {
  expect(programsOf(path)[0]).toBe(programsOf('README.md')[0]);
  expect(programsOf(path)[0]).toContain('app.listen(');
});

test.each(['README.md', 'README.zh-CN.md'])('%s lists every package', (path) => {
  const listed = [...readText(path).matchAll(/^\| \[(@wechat-h5\/[a-z-]+)\]\((packages\/[a-z-]+)\)/gm)].map(
    ([, name, folder]) => ({
      name,
      path: folder,
    }),
  );
  const packages = publicPackages().map(({ path: folder, manifest: { name } }) => ({ name, path: folder }));
  expect(listed).toEqual(expect.arrayContaining(packages));
  expect(listed).toHaveLength(packages.length);
});

test('both languages have the same tables, pictures and length within reason', () => {
  const shape = (path: string): readonly string[] =>
    readText(path)
      .split('\n')
      .flatMap((line) => /^(#+|```\w*|\|)/.exec(line)?.[0] ?? []);
  expect(shape('README.zh-CN.md')).toEqual(shape('README.md'));
  expect(readText('README.md').split('\n').length).toBeLessThanOrEqual(151);
});

test.each([...new Set(documents)])('every link of %s into the repository leads somewhere', (path) => {
  const links = [...readText(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
  const broken = links.filter(([, target = '', anchor]) => {
    const linked = target === '' ? path : join(dirname(path), target);
    // A folder shows its README.
    const file = linked.endsWith('.md') || anchor === undefined ? linked : `${linked}/README.md`;
    return !existsSync(join(ROOT, file)) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test('packages/core/README.md has a row for every option', () => {
  const [, known = ''] = /const KNOWN[^{]*\{(.*?)\n\}/s.exec(readText('packages/core/src/options.ts')) ?? [];
  const options = [...known.matchAll(/^ {2}(\w+): true,$/gm)].map(([, name]) => name);
  const rows = [...readText('packages/core/README.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(options).toContain('merchant');
  expect(rows.sort()).toEqual(options.sort());
});

function anchorsOf(path: string): readonly string[] {
  return [...readText(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
