import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { importsOf, isTestFile, sourceFiles } from './imports.js';
import { projectsIn, readText, type Project } from './workspace.js';

// examples → adapters → core ← orders-*; the simulator knows nobody; tests may also use testkit and the simulator.
const ADAPTER = ['@wechat-h5/core'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  simulator: [],
  express: ADAPTER,
  koa: ADAPTER,
  nestjs: ADAPTER,
  'orders-lmdb': ['@wechat-h5/core'],
  'orders-postgres': ['@wechat-h5/core'],
  'orders-redis': ['@wechat-h5/core'],
  cli: ['@wechat-h5/core', '@wechat-h5/orders-lmdb', '@wechat-h5/orders-postgres', '@wechat-h5/orders-redis'],
  testkit: ['@wechat-h5/core', '@wechat-h5/simulator'],
};
/** The simulator's tests stand on published vectors and on nothing that core computed. */
const TESTS_MAY_IMPORT = (name: string): readonly string[] =>
  name === 'simulator' ? [] : ['@wechat-h5/testkit', '@wechat-h5/simulator'];

/** Packages whose every dependency is a decision; the others' are what their manifest says. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  core: ['proxy-addr'],
  simulator: ['fast-xml-parser'],
};

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly forTests: boolean;
}

const packages = projectsIn('packages');
const examples = projectsIn('examples');

describe.each([...packages, ...examples])('$path', (project) => {
  const imports = importsIn(project);
  const packaged = imports.filter(({ forTests }) => !forTests);

  test('names every module of Node with node:', () => {
    expect(imports.filter(({ specifier }) => isBuiltin(specifier) && !specifier.startsWith('node:'))).toEqual([]);
  });

  test('reaches no file outside its own folder by a relative path', () => {
    const leaving = imports.filter(
      ({ file, specifier }) =>
        specifier.startsWith('.') && !join(dirname(file), specifier).startsWith(`${project.path}/`),
    );
    expect(leaving).toEqual([]);
  });

  test('declares everything it imports', () => {
    const { dependencies, peerDependencies, devDependencies, name } = project.manifest;
    const declared = new Set([name, ...Object.keys({ ...dependencies, ...peerDependencies })]);
    const forTests = new Set([...declared, ...Object.keys(devDependencies ?? {})]);
    // What is never published may call everything a development dependency.
    const known = (item: Import): boolean =>
      (item.forTests || project.manifest.private === true ? forTests : declared).has(packageOf(item.specifier));
    expect(imports.filter((item) => isPackage(item.specifier) && !known(item))).toEqual([]);
  });

  test('its sources import no test and no fixture', () => {
    expect(packaged.filter(({ specifier }) => /\.(test|fixture)\.js$/.test(specifier))).toEqual([]);
  });
});

describe.each(packages)('$path', (project) => {
  const name = project.path.replace('packages/', '');
  const imports = importsIn(project);

  test('imports only those packages of the repository that it may know', () => {
    const allowed = MAY_IMPORT[name];
    // A package nobody placed has no direction: add it to MAY_IMPORT.
    expect(allowed).toBeDefined();
    const sources = new Set([project.manifest.name, ...(allowed ?? [])]);
    const tests = new Set([...sources, ...TESTS_MAY_IMPORT(name)]);
    const own = imports.filter(({ specifier }) => specifier.startsWith('@wechat-h5/'));
    expect(own.filter((item) => !(item.forTests ? tests : sources).has(packageOf(item.specifier)))).toEqual([]);
  });

  const foreign = FOREIGN[name];
  if (foreign !== undefined) {
    test(`depends on ${foreign.join(', ')} and nothing else`, () => {
      expect(Object.keys(project.manifest.dependencies ?? {})).toEqual(foreign);
      expect(project.manifest.peerDependencies).toBeUndefined();
    });
  }
});

test('the files read are the real ones: each package has sources, and known imports are seen', () => {
  for (const project of packages) expect(sourceFiles(project.path)).not.toEqual([]);
  const seen = packages.flatMap(importsIn).map(({ file, specifier }) => `${file} ${specifier}`);
  expect(seen).toContain('packages/express/src/notify.ts @wechat-h5/core/adapter');
  expect(seen).toContain('packages/simulator/src/xml.ts fast-xml-parser');
  expect(seen).toContain('packages/core/src/raw-body.ts node:http');
});

test.each([
  [`import a from 'x'`],
  [`import type { A } from 'x'`],
  [`import {\n  a,\n} from 'x'`],
  [`import 'x'`],
  [`export { a } from 'x'`],
  [`export * from 'x'`],
  [`const a = await import('x')`],
  [`const a = require('x')`],
  [`type A = import('x').A`],
  [`async function f() { for (;;) { await import('x'); } }`],
])('an import is found in: %s', (code) => {
  expect(importsOf(code)).toEqual(['x']);
});

test('what only looks like an import is none', () => {
  expect(importsOf(`// import a from 'x'\nconst text = "import a from 'x'"; f('x')`)).toEqual([]);
});

function importsIn({ path }: Project): readonly Import[] {
  return sourceFiles(path).flatMap((file) =>
    importsOf(readText(file)).map((specifier) => ({ file, specifier, forTests: isTestFile(file) })),
  );
}

function isPackage(specifier: string): boolean {
  return !specifier.startsWith('.') && !isBuiltin(specifier);
}

/** `@scope/name/entry` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
