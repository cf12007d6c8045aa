import { spawn } from 'node:child_process';
import { basename } from 'node:path';

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs a command to its end and returns what it wrote to stdout.
 * @throws {Error} with everything it wrote, unless it exits with 0
 */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env = process.env }: CommandOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const all: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => void (out.push(chunk), all.push(chunk)));
    child.stderr.on('data', (chunk: Buffer) => void all.push(chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}\n${Buffer.concat(all).toString()}`));
    });
  });
}

/** The pnpm that runs us, else one through npx: nobody has to have it installed. */
export function pnpm(args: readonly string[], options: CommandOptions): Promise<string> {
  const parent = process.env['npm_execpath'];
  if (parent !== undefined && basename(parent).startsWith('pnpm')) {
    return parent.endsWith('js') ? run(process.execPath, [parent, ...args], options) : run(parent, args, options);
  }
  return run('npx', ['-y', 'pnpm@12', ...args], options);
}

/** The environment without what npm and pnpm tell their scripts, which would steer an npm started from here. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const told =
    /^(pnpm_|npm_(command|execpath|node_execpath|lifecycle|package|config_(call|local_prefix|prefix|global_prefix|user_agent)))/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !told.test(name)));
}
