/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

/** `pnpm nightly`: the same tests at full size. */
const nightly = process.env['NIGHTLY'] === '1';

/** Written as ESM alone: Nest 12, and what its packages import. Jest runs CommonJS, so these are compiled, too. */
const ESM_ONLY = [
  '@nestjs',
  '@borewit',
  '@tokenizer',
  'cookie',
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
];

const project = {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages', '<rootDir>/examples'],
  testMatch: ['**/*.test.ts'],
  // Sources run as they are: no build has to come before the tests.
  testEnvironmentOptions: { customExportConditions: ['@wechat-h5/source', 'node', 'node-addons'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1'] },
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
    '^.+\\.js$': ['@swc/jest', { jsc: { target: 'es2022' } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!\\.pnpm/|(${ESM_ONLY.join('|')})/)`],
  setupFiles: nightly ? ['<rootDir>/packages/testkit/src/nightly.ts'] : [],
} satisfies Config;

const config: Config = {
  projects: [
    project,
    {
      ...project,
      displayName: 'nest 11',
      roots: ['<rootDir>/packages/nestjs/src'],
      moduleNameMapper: {
        ...project.moduleNameMapper,
        '^@nestjs/(.*)$': '<rootDir>/packages/nestjs/compat/nest11/node_modules/@nestjs/$1',
      },
    },
  ],
  // Most of the time is spent waiting for deadlines that are real: a worker more than Jest would start.
  maxWorkers: '100%',
  testTimeout: nightly ? 600_000 : 30_000,
};

export default config;
