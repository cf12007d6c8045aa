#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

async function main(): Promise<void> {
  // Not process.exit: what was written to a pipe has to get out first.
  process.exitCode = await runCommandLine(process.argv.slice(2), process);
}

void main();
