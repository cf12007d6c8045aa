import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { publicPackages, ROOT } from './workspace.js';

// Script: builds every package anew, to ESM and CommonJS with types for both.

const dists = publicPackages().map(({ path }) => join(ROOT, path, 'dist'));
// What a deleted source once compiled to would be published with the rest.
for (const dist of dists) rmSync(dist, { recursive: true, force: true });
await run(join(ROOT, 'node_modules/.bin/tsc'), ['-b'], { cwd: ROOT });
// The packages say "type": "module"; without this Node would read the CommonJS half as ESM.
for (const dist of dists) writeFileSync(join(dist, 'cjs/package.json'), '{ "type": "commonjs" }\n');
