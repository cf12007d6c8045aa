import type { Arguments, OptionSpec } from './arguments.js';
import type { ExitCode } from './exit-codes.js';
import type { Language, Text } from './language.js';
import type { Terminal } from './terminal.js';

/** One command: what it is called with, and what it does. */
export interface Command {
  /** What follows the name: `<out_trade_no> [--yes]`. */
  readonly synopsis: string;
  readonly summary: Text;
  /** For `--help`: what the summary leaves out. */
  readonly details?: Text;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Lines as they are typed, after `wechat-h5 `. */
  readonly examples: readonly string[];
  /** How many arguments that are no options it takes, at most. */
  readonly maxPositionals: number;
  /** Whether an argument may be an order number, which can look like a key. */
  readonly takesNumbers: boolean;
  run(args: Arguments, context: Context): Promise<ExitCode>;
}

/** What a command works with. */
export interface Context extends Terminal {
  /** With `--env`, its variables in place of every `WECHAT_PAY_*`; with `WECHAT_PAY_API_KEY_FILE`, the key. */
  readonly env: NodeJS.ProcessEnv;
  readonly language: Language;
  /** One JSON object on stdout, for machines. */
  readonly json: boolean;
  say(text: Text): string;
  /** Writes a line for people to stdout. */
  print(line: string): void;
  /** Writes a line of JSON to stdout. */
  printJson(value: unknown): void;
}
