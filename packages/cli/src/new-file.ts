import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { EXIT } from './exit-codes.js';
import { Failure, usage } from './failure.js';

/** @throws {Failure} of usage */
export function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw usage(
    { en: `${path} exists`, zh: `${path} 已存在` },
    { en: 'Add --force to replace it.', zh: '如需覆盖请加 --force。' },
  );
}

/**
 * Writes a file that is there when it is complete, and not before: until then it has another name, and after a failure
 * none.
 * @throws {Failure} if it cannot be written, and whatever `texts` throws
 */
export async function writeNewFile(path: string, texts: AsyncIterable<string>): Promise<void> {
  const part = `${path}.part`;
  // Bills name the merchant's customers and income: for the operator's eyes.
  const file = createWriteStream(part, { mode: 0o600 });
  try {
    await pipeline(Readable.from(texts), file);
    renameSync(part, path);
  } catch (error) {
    // An opening that is under way would make the file after it was removed.
    await finished(file).catch(() => {});
    rmSync(part, { force: true });
    const { code = '', path: failed } = error as NodeJS.ErrnoException;
    if (failed !== part) throw error;
    throw new Failure(
      EXIT.USAGE,
      { en: `${path} cannot be written (${code})`, zh: `无法写入 ${path}（${code}）` },
      { en: 'Check the folder and its permissions.', zh: '请检查目录及其权限。' },
    );
  }
}
