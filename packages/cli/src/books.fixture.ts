import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const CLIENTS: Readonly<Record<string, string | undefined>> = {
  'orders-lmdb': undefined,
  'orders-postgres': 'pg',
  'orders-redis': 'ioredis',
};

/** Puts the order books into a folder as an installation would: each compiled, under node_modules, beside its client. */
export function installBooks(folder: string): void {
  for (const [name, client] of Object.entries(CLIENTS)) {
    const home = join(__dirname, '../..', name);
    const target = join(folder, 'node_modules/@wechat-h5', name);
    mkdirSync(target, { recursive: true });
    buildSync({
      entryPoints: [join(home, 'src/index.ts')],
      outfile: join(target, 'index.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      external: ['lmdb', 'pg', 'ioredis'],
      conditions: ['@wechat-h5/source'],
      logLevel: 'error',
    });
    writeFileSync(join(target, 'package.json'), JSON.stringify({ name: `@wechat-h5/${name}`, main: 'index.js' }));
    if (client !== undefined) symlinkSync(join(home, 'node_modules', client), join(folder, 'node_modules', client));
    else symlinkSync(join(home, 'node_modules/lmdb'), join(folder, 'node_modules/lmdb'));
  }
}
