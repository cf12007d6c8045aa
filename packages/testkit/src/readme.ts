import { readText } from './workspace.js';

/** Every document a newcomer starts from, relative to the top. */
export const READMES = ['README.md', 'README.zh-CN.md', 'packages/express/README.md'];

/** The blocks of JavaScript in a document; the first is its shortest program. */
export function programsOf(path: string): readonly string[] {
  return [...readText(path).matchAll(/^```js\n(.*?)^```$/gms)].map(([, program = '']) => program);
}
