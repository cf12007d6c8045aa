import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNewFile } from './new-file.js';

test('what fails while its file is being opened leaves none behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-h5-cli-'));
  const nothing: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('the bill is not there')) }),
  };
  try {
    for (let n = 0; n < 50; n++)
      await expect(writeNewFile(join(folder, `${n}.csv`), nothing)).rejects.toThrow('the bill is not there');
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
