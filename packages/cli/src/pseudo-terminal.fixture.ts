import { spawnSync } from 'node:child_process';

/**
 * For Jest: whether programs can be lent a terminal, by util-linux's `script`. If not, a skipped test says what to
 * install; where CI is set the tests run, to fail.
 */
export function canLendTerminal(): boolean {
  if (process.env['CI'] || spawnSync('script', ['--version']).status === 0) return true;
  test.skip('on a terminal: apt-get install bsdutils', () => {});
  return false;
}

/** A command line as `script` runs it on a terminal of its own; its exit code is that of the command. */
export function onTerminal(words: readonly string[]): [command: string, args: readonly string[]] {
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return ['script', ['--quiet', '--return', '--command', line, '/dev/null']];
}
