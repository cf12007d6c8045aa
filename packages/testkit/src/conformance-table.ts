import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.js';
import { resultTable, type JestResults } from './conformance/result-table.js';
import { ROOT } from './workspace.js';

// Script: runs the conformance cases on every framework, and prints which case passed where.

const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-conformance-'));
try {
  const outputFile = join(folder, 'results.json');
  const tests = 'packages/[^/]+/src/conformance\\.test';
  const jest = join(ROOT, 'node_modules/.bin/jest');
  // A failure shows in the table; what Jest says of it goes above.
  await run(jest, [tests, '--maxWorkers=4', '--json', `--outputFile=${outputFile}`], { cwd: ROOT }).catch(
    (error: Error) => {
      process.stderr.write(error.message.replace(/^\{.*$/m, ''));
    },
  );
  const { text, complete } = resultTable(JSON.parse(readFileSync(outputFile, 'utf8')) as JestResults);
  process.stdout.write(`${text}\n`);
  process.exitCode = complete ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
