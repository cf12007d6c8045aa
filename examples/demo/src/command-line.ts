import { parseArgs } from 'node:util';
import { FRAMEWORKS } from './shop-server.js';

export interface DemoOptions {
  readonly once: boolean;
  readonly framework: string;
  readonly help: boolean;
}

export const HELP = `Usage: pnpm demo [options]

One whole WeChat Pay H5 payment on this machine, against a simulated WeChat Pay.

  --once                end after the payment: exit code 0 if both sides' records agree, else 1
  --framework <name>    the shop's framework: ${Object.keys(FRAMEWORKS).join(', ')} (default express)
  --help                this text
`;

/** @throws {TypeError} for anything it does not know */
export function parseCommandLine(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      framework: { type: 'string', default: 'express' },
      help: { type: 'boolean', default: false },
    },
  });
  if (!Object.hasOwn(FRAMEWORKS, values.framework)) {
    const known = Object.keys(FRAMEWORKS).join(', ');
    throw new TypeError(`--framework ${JSON.stringify(values.framework)}: there is no such shop, only ${known}`);
  }
  return values;
}
