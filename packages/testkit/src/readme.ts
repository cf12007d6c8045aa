import { readText } from './workspace.js';

/** Every document a newcomer starts from, relative to the top. */
export const READMES = ['README.md', 'README.zh-CN.md', 'packages/express/README.md'];

/** The first program of a document: its first block of JavaScript. */
export function programOf(path: string): string {
  const program = /^```js\n(.*?)^```$/ms.exec(readText(path))?.[1];
  if (program === undefined) throw new Error(`${path} has no block of JavaScript`);
  return program;
}
