#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

async function main(): Promise<void> {
  const code = await runCommandLine(process.argv.slice(2), process);
  // What was written to a pipe has to get out first; a module with a book may keep connections that nobody ends.
  process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
}

void main();
