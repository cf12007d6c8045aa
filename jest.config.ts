/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

/** `pnpm nightly`: the same tests at full size. */
const nightly = process.env['NIGHTLY'] === '1';

const config: Config = {
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
  },
  setupFiles: nightly ? ['<rootDir>/packages/testkit/src/nightly.ts'] : [],
  testTimeout: nightly ? 600_000 : 30_000,
};

export default config;
