import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Where a command reads and writes: `process`, or a stand-in. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  readonly env: NodeJS.ProcessEnv;
}

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

const CODES: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  bold: [1, 22],
  dim: [2, 22],
};

/** Colours for one stream: none unless it is a terminal that wants them (https://no-color.org). */
export function painter(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): (colour: Colour, text: string) => string {
  if (stream.isTTY !== true || env['NO_COLOR'] || env['TERM'] === 'dumb') return (_, text) => text;
  return (colour, text) => `\x1b[${CODES[colour][0]}m${text}\x1b[${CODES[colour][1]}m`;
}

/** Whether there is somebody to ask. */
export function isInteractive({ stdin, stderr }: Terminal): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** Asks for a yes. Anything else, the end of input too, is a no. */
export async function confirmed({ stdin, stderr }: Terminal, question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(false));
      lines.once('line', (line) => resolve(/^(y|yes|是)$/i.test(line.trim())));
      stderr.write(question);
    });
  } finally {
    lines.close();
    stdin.pause();
  }
}

/** Control characters in foreign text would act on a terminal, and marks of direction reorder it: they are shown instead. */
export function printable(text: string): string {
  // Tabs too: they would break the columns. Not JSON.stringify: it lets U+0080 to U+009F pass, and U+009B begins a command.
  return text.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
