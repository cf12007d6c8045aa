import type { Context } from './command.js';
import { usage } from './failure.js';

/** Many times what a message of WeChat Pay may have. */
const MAX_BYTES = 1024 * 1024;

/**
 * Everything that is piped in.
 * @throws {Failure} of usage, if there is nothing or far too much
 */
export async function readStdin({ stdin, stderr, say }: Context): Promise<Buffer> {
  if (stdin.isTTY === true) {
    stderr.write(say({ en: 'Paste, then press Ctrl-D.\n', zh: '请粘贴内容，然后按 Ctrl-D。\n' }));
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    chunks.push(bytes);
    size += bytes.byteLength;
    if (size > MAX_BYTES) throw usage({ en: 'There is more than 1 MiB on stdin', zh: '标准输入超过 1 MiB' });
  }
  if (size > 0) return Buffer.concat(chunks);
  throw usage(
    { en: 'There is nothing on stdin', zh: '标准输入为空' },
    { en: 'Pipe a message in: … < body.xml', zh: '请通过管道传入报文：… < body.xml' },
  );
}
