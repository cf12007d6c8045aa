import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.js';

/** Runs the first program of a package's README, as it stands there, and returns what it writes. */
export function runReadmeProgram(packageFolder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8');
  const program = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const loaders = ['-C', '@wechat-h5/source', '--import', 'tsx'];
  return run(process.execPath, [...loaders, '--input-type=module', '-e', program], {
    cwd: packageFolder,
    env: { ...process.env, ...env },
  });
}
