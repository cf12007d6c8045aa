#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

async function main(): Promise<void> {
  const started = await runCommandLine(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
  });
  if (typeof started === 'number') {
    process.exitCode = started;
    return;
  }
  // With the server, timers and sockets gone nothing holds the process: it ends by itself, its output written.
  const stop = (): void => void started.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

void main();
