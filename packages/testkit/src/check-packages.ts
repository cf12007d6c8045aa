import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.js';
import { packAll } from './tarballs.js';
import { ROOT } from './workspace.js';

// Script: publint and are-the-types-wrong on the packages as they would be published.

const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-packages-'));
const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);
try {
  for (const [name, tarball] of await packAll(folder)) {
    await run(bin('publint'), ['run', '--strict', tarball], { cwd: ROOT });
    // The profile leaves out TypeScript's "node10" resolution, which knows no "exports" and is gone from TypeScript 7.
    await run(bin('attw'), ['--profile', 'node16', tarball], { cwd: ROOT });
    process.stdout.write(`${name}: publint and are-the-types-wrong found nothing\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
