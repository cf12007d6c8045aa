import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runReadmeProgram } from '@wechat-h5/testkit/stores';

test('the program of the README runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-lmdb-'));
  const output = await runReadmeProgram(join(__dirname, '..'), { ORDERS_FOLDER: folder });
  expect(output).toBe('0 orders are due\n');
  rmSync(folder, { recursive: true });
});
