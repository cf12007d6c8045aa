import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEST_MAJOR } from './platforms.fixture.js';

const ROOT = join(__dirname, '../../..');
const NEST = join(__dirname, NEST_MAJOR === 11 ? '../compat/nest11' : '..', 'node_modules/@nestjs');

// One set of declarations, made with Nest 12, has to fit both: what is inferred from the one may not exist in the other.
test(`the published declarations, and a shop, compile with Nest ${NEST_MAJOR}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-types-'));
  try {
    compile(folder, 'emit', [join(__dirname, 'index.ts')], {
      customConditions: ['@wechat-h5/source'],
      rootDir: __dirname,
      outDir: folder,
      declaration: true,
      emitDeclarationOnly: true,
    });
    compile(folder, 'check', [join(__dirname, 'consumer.fixture.ts')], {
      noEmit: true,
      skipLibCheck: false,
      emitDecoratorMetadata: true,
      paths: {
        '@nestjs/*': [join(NEST, '*')],
        '@wechat-h5/nestjs': [join(folder, 'index.d.ts')],
        '@wechat-h5/core': [join(ROOT, 'packages/core/src/index.ts')],
        '@wechat-h5/core/adapter': [join(ROOT, 'packages/core/src/adapter.ts')],
        'reflect-metadata': [join(ROOT, 'packages/nestjs/node_modules/reflect-metadata')],
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

function compile(folder: string, name: string, files: readonly string[], compilerOptions: object): void {
  const project = join(folder, `${name}.json`);
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.base.json'),
      compilerOptions: {
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        composite: false,
        incremental: false,
        declaration: false,
        experimentalDecorators: true,
        typeRoots: [join(ROOT, 'node_modules/@types')],
        ...compilerOptions,
      },
      files,
    }),
  );
  const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project], { encoding: 'utf8' });
  expect(stdout).toBe('');
}
